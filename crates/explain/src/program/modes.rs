//! What the program says of a session of a textbook protocol, and why one failed.
//!
//! Values with their numbers; each language an exhaustive `match`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use aperto_app::hello::{Change, Refusal, Terms};
use aperto_time::Duration;

use super::{BadConfig, Exit, Notice};
use crate::Language;
use crate::hello::{integrity_name, mode_name, refusal};
use crate::quantity::{bytes, duration};

/// What is said of a session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum ModeSaying {
    /// Both sides agreed.
    Agreed { terms: Terms, own_port: u16, server_port: u16, timer: Duration },
    /// The other side grants less than was asked.
    GrantsLess { changes: Vec<Change>, terms: Terms },
    /// What a server takes.
    Offers { modes: Vec<&'static str>, max_message: u32, payload: u16, window: u16 },
    /// A message leaves, in so many packets.
    Sends { letters: u64, octets: u64, packets: u64, payload: u16 },
    /// A message has arrived whole.
    Received { label: String, octets: u64, text: String },
    /// A line that was typed is longer than a message may be.
    TooLong { octets: u64, longest: u32 },
    /// A session is over, and both sides know: DATA packets that left, and those that had before.
    Closed { label: String, packets: u64, resent: u64 },
    /// A session of a server ended otherwise.
    Broke { label: String, how: Broke },
    /// The FIN was never answered.
    FinUnanswered,
    /// Somebody was refused.
    Refused { peer: SocketAddr, why: Refusal },
    /// A datagram that belongs to no session.
    Ignored { from: SocketAddr, octets: u64 },
}

/// How a session ended that was not closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Broke {
    /// The peer was silent for too long.
    Silent,
    /// The peer ended it at once.
    Reset,
    /// The peer did not keep to what was agreed.
    Terms,
    /// This side ended it at once.
    Aborted,
}

/// Why there was no session, or not to the end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the text of a variant says what its fields are")]
pub enum ModeFault {
    /// The server granted nothing.
    NotGranted { remote: SocketAddr, why: Refusal },
    /// Nobody answered the ASK.
    NoGrant { remote: SocketAddr, after: Duration },
    /// The server granted what was not asked for.
    GrantedOtherwise { remote: SocketAddr },
    /// It did not keep to what was agreed.
    BrokeTerms { remote: SocketAddr },
    /// It ended the session.
    Reset { remote: SocketAddr },
    /// It stopped answering.
    Silent { remote: SocketAddr },
    /// The message is longer than a message may be.
    MessageTooLong { octets: u64, longest: u32 },
    /// A file with a matrix that cannot be understood, and the words that one may have.
    BadExperiment { file: String, line: usize, key: String, why: BadConfig, words: Vec<String> },
}

impl ModeFault {
    /// The code with which the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::NotGranted { .. } | Self::Reset { .. } => Exit::Refused,
            Self::NoGrant { .. } | Self::Silent { .. } => Exit::TimedOut,
            Self::GrantedOtherwise { .. } | Self::BrokeTerms { .. } => Exit::Foreign,
            Self::MessageTooLong { .. } | Self::BadExperiment { .. } => Exit::Usage,
        }
    }

    /// A name that does not change, for programs that read the output.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotGranted { .. } => "not-granted",
            Self::NoGrant { .. } => "no-grant",
            Self::GrantedOtherwise { .. } => "granted-otherwise",
            Self::BrokeTerms { .. } => "broke-terms",
            Self::Reset { .. } => "session-reset",
            Self::Silent { .. } => "session-silent",
            Self::MessageTooLong { .. } => "message-too-long",
            Self::BadExperiment { .. } => "bad-experiment",
        }
    }

    pub(super) fn notice(&self, language: Language) -> Notice {
        match language {
            Language::English => fault_en(self),
            Language::Portuguese => fault_pt(self),
        }
    }
}

fn fault_en(fault: &ModeFault) -> Notice {
    match fault {
        ModeFault::NotGranted { remote, why } => {
            let notice = Notice::new(format!("{remote} refuses: {}", refusal(Language::English, *why)));
            match why {
                Refusal::NoCommonMode => notice.line("which modes it takes is in the server's first line"),
                Refusal::NoCommonIntegrity => notice.line("ask for another:  --integrity checksum|crc32"),
                Refusal::MessageTooSmall { least } => notice.line(format!("ask for more:  --max {least}")),
                Refusal::Version { .. } => notice.line("both sides need the same version of aperto"),
                Refusal::Full | Refusal::Closing | Refusal::Other(_) => notice.line("try again later"),
            }
        }
        ModeFault::NoGrant { remote, after } => {
            Notice::new(format!("no answer from {remote} after {}", duration(Language::English, *after)))
                .line("the ASK was sent again and again: nothing refused it, it vanished")
                .line("does the server speak it?  aperto server 7000 --proto gbn   (saw, gbn or sr)")
        }
        ModeFault::GrantedOtherwise { remote } => {
            Notice::new(format!("{remote} granted what was not asked for"))
                .line("a GRANT may lower a number, never raise it; is it another program?")
        }
        ModeFault::BrokeTerms { remote } => Notice::new(format!("{remote} does not keep to what was agreed"))
            .line("a message longer than agreed, or a FIN that counts packets which never came"),
        ModeFault::Reset { remote } => Notice::new(format!("{remote} ended the session"))
            .line("it was interrupted, or it found that this side does not keep to the agreement"),
        ModeFault::Silent { remote } => Notice::new(format!("{remote} stopped answering"))
            .line("what was sent was never acknowledged, however often the timer sent it again"),
        ModeFault::MessageTooLong { octets, longest } => {
            Notice::new(format!("a message of {octets} bytes is longer than {longest}"))
                .line("raise the agreement:  --max N   or send it in parts:  --file FILE")
        }
        ModeFault::BadExperiment { file, line, key, why, words } => {
            let what = match why {
                BadConfig::UnknownKey => format!("there is no {key} in a matrix"),
                BadConfig::BadValue => format!("{key} cannot be this"),
                BadConfig::Syntax => "this is not TOML".into(),
            };
            Notice::new(format!("{file}, line {line}: {what}"))
                .line(format!("under [bench]: {}", words.join(", ")))
        }
    }
}

fn fault_pt(fault: &ModeFault) -> Notice {
    match fault {
        ModeFault::NotGranted { remote, why } => {
            let notice = Notice::new(format!("{remote} recusa: {}", refusal(Language::Portuguese, *why)));
            match why {
                Refusal::NoCommonMode => {
                    notice.line("quais modos ele aceita está na primeira linha do servidor")
                }
                Refusal::NoCommonIntegrity => notice.line("peça outra:  --integrity checksum|crc32"),
                Refusal::MessageTooSmall { least } => notice.line(format!("peça mais:  --max {least}")),
                Refusal::Version { .. } => notice.line("os dois lados precisam da mesma versão do aperto"),
                Refusal::Full | Refusal::Closing | Refusal::Other(_) => notice.line("tente mais tarde"),
            }
        }
        ModeFault::NoGrant { remote, after } => {
            Notice::new(format!("{remote} não respondeu em {}", duration(Language::Portuguese, *after)))
                .line("o ASK foi enviado várias vezes: ninguém o recusou, ele sumiu")
                .line("o servidor fala isto?  aperto servidor 7000 --proto gbn   (saw, gbn ou sr)")
        }
        ModeFault::GrantedOtherwise { remote } => {
            Notice::new(format!("{remote} concedeu o que não foi pedido"))
                .line("um GRANT pode baixar um número, nunca aumentar; será outro programa?")
        }
        ModeFault::BrokeTerms { remote } => Notice::new(format!("{remote} não cumpre o combinado"))
            .line("mensagem maior que o combinado, ou FIN que conta pacotes que nunca vieram"),
        ModeFault::Reset { remote } => Notice::new(format!("{remote} encerrou a sessão"))
            .line("foi interrompido, ou percebeu que este lado não cumpre o combinado"),
        ModeFault::Silent { remote } => Notice::new(format!("{remote} parou de responder"))
            .line("o que foi enviado nunca foi confirmado, por mais que o timer reenviasse"),
        ModeFault::MessageTooLong { octets, longest } => {
            Notice::new(format!("uma mensagem de {octets} bytes passa de {longest}"))
                .line("aumente o combinado:  --max N   ou envie em partes:  --file ARQUIVO")
        }
        ModeFault::BadExperiment { file, line, key, why, words } => {
            let what = match why {
                BadConfig::UnknownKey => format!("não há {key} numa matriz"),
                BadConfig::BadValue => format!("{key} não pode ser isto"),
                BadConfig::Syntax => "isto não é TOML".into(),
            };
            Notice::new(format!("{file}, linha {line}: {what}"))
                .line(format!("sob [bench]: {}", words.join(", ")))
        }
    }
}

impl ModeSaying {
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        match language {
            Language::English => saying_en(self),
            Language::Portuguese => saying_pt(self),
        }
    }
}

/// A change, with what is granted, as in the lines of ASK and GRANT.
fn changed(changes: &[Change], terms: &Terms) -> String {
    let one = |change: &Change| match change {
        Change::Mode => terms.mode.name().to_string(),
        Change::Integrity => terms.integrity.name().to_string(),
        Change::MaxMessage => format!("max={}", terms.max_message),
        Change::Payload => format!("len={}", terms.payload),
        Change::Window => format!("win={}", terms.window),
        Change::Acknowledgement => "ack=individual".into(),
        Change::Negative => "nack=0".into(),
    };
    let all: Vec<String> = changes.iter().map(one).collect();
    all.join(" ")
}

fn saying_en(saying: &ModeSaying) -> Vec<String> {
    let language = Language::English;
    vec![match saying {
        ModeSaying::Agreed { terms, own_port, server_port, timer } => {
            return vec![
                format!(
                    "[HANDSHAKE COMPLETE] {} · your port {own_port} · server port {server_port}",
                    mode_name(terms.mode)
                ),
                format!(
                    "            timer {} · {} notices damage",
                    duration(language, *timer),
                    integrity_name(language, terms.integrity)
                ),
            ];
        }
        ModeSaying::GrantsLess { changes, terms } => {
            format!("            the server grants less: {}", changed(changes, terms))
        }
        ModeSaying::Offers { modes, max_message, payload, window } => format!(
            "        {} · messages up to {max_message} bytes, {payload} a packet, window {window}",
            modes.join(" ")
        ),
        ModeSaying::Sends { letters, octets, packets, payload } => {
            format!(
                "[MESSAGE]   {letters} letters, {} in {packets} packets of up to {payload}",
                bytes(*octets)
            )
        }
        ModeSaying::Received { label, octets, text } => {
            format!("{label}[MESSAGE]  {} arrived whole{text}", bytes(*octets))
        }
        ModeSaying::TooLong { octets, longest } => {
            format!("            not sent: {octets} bytes, and {longest} were agreed (--max)")
        }
        ModeSaying::Closed { label, packets, resent } => {
            format!("{label}[SESSION CLOSED] {packets} DATA sent, {resent} of them again · both sides know")
        }
        ModeSaying::Broke { label, how } => match how {
            Broke::Silent => format!("{label}[SESSION LOST] the other side was silent for too long"),
            Broke::Reset => format!("{label}[SESSION LOST] the other side ended it at once"),
            Broke::Terms => format!("{label}[SESSION LOST] the other side does not keep to the agreement"),
            Broke::Aborted => format!("{label}[SESSION LOST] ended at once by this side"),
        },
        ModeSaying::FinUnanswered => {
            "            all was acknowledged; whether the FIN arrived, nobody can know".into()
        }
        ModeSaying::Refused { peer, why } => format!("[REFUSED]   {peer}: {}", refusal(language, *why)),
        ModeSaying::Ignored { from, octets } => {
            format!("[IGNORED]   {} from {from} that belong to no session", bytes(*octets))
        }
    }]
}

fn saying_pt(saying: &ModeSaying) -> Vec<String> {
    let language = Language::Portuguese;
    vec![match saying {
        ModeSaying::Agreed { terms, own_port, server_port, timer } => {
            return vec![
                format!(
                    "[HANDSHAKE COMPLETO] {} · sua porta {own_port} · a do servidor {server_port}",
                    mode_name(terms.mode)
                ),
                format!(
                    "            timer {} · quem nota dano: {}",
                    duration(language, *timer),
                    integrity_name(language, terms.integrity)
                ),
            ];
        }
        ModeSaying::GrantsLess { changes, terms } => {
            format!("            o servidor concede menos: {}", changed(changes, terms))
        }
        ModeSaying::Offers { modes, max_message, payload, window } => format!(
            "        {} · mensagens até {max_message} bytes, {payload} por pacote, janela {window}",
            modes.join(" ")
        ),
        ModeSaying::Sends { letters, octets, packets, payload } => {
            format!("[MENSAGEM]  {letters} letras, {} em {packets} pacotes de até {payload}", bytes(*octets))
        }
        ModeSaying::Received { label, octets, text } => {
            format!("{label}[MENSAGEM] {} chegaram inteiros{text}", bytes(*octets))
        }
        ModeSaying::TooLong { octets, longest } => {
            format!("            não enviada: {octets} bytes, e o combinado é {longest} (--max)")
        }
        ModeSaying::Closed { label, packets, resent } => format!(
            "{label}[SESSÃO ENCERRADA] {packets} DATA enviados, {resent} deles de novo · os dois sabem"
        ),
        ModeSaying::Broke { label, how } => match how {
            Broke::Silent => format!("{label}[SESSÃO PERDIDA] o outro lado ficou calado tempo demais"),
            Broke::Reset => format!("{label}[SESSÃO PERDIDA] o outro lado a encerrou"),
            Broke::Terms => format!("{label}[SESSÃO PERDIDA] o outro lado não cumpre o combinado"),
            Broke::Aborted => format!("{label}[SESSÃO PERDIDA] encerrada por este lado"),
        },
        ModeSaying::FinUnanswered => {
            "            tudo foi confirmado; se o FIN chegou, ninguém pode saber".into()
        }
        ModeSaying::Refused { peer, why } => format!("[RECUSADO]  {peer}: {}", refusal(language, *why)),
        ModeSaying::Ignored { from, octets } => {
            format!("[IGNORADO]  {} de {from} que não são de sessão alguma", bytes(*octets))
        }
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Fault;
    use crate::program::saying::Saying;
    use crate::wording::width;
    use aperto_app::hello::{Ask, Mode, Offer, grant};

    /// Every text in both languages, none of them empty, none too wide, no two faults of one code.
    #[test]
    fn texts_exist_in_both_languages_and_fit() {
        let remote: SocketAddr = "192.168.100.200:65535".parse().unwrap();
        let terms = grant(
            &Ask::new(Mode::SelectiveRepeat),
            &Offer::new(&Mode::ALL, &aperto_app::hello::Integrity::ALL),
        )
        .unwrap();
        let changes = [
            Change::Mode,
            Change::Integrity,
            Change::MaxMessage,
            Change::Payload,
            Change::Window,
            Change::Acknowledgement,
            Change::Negative,
        ];
        let label = || "c1 ".to_string();
        let sayings = [
            ModeSaying::Agreed {
                terms,
                own_port: 65_535,
                server_port: 65_535,
                timer: Duration::from_millis(100),
            },
            ModeSaying::GrantsLess { changes: changes[2..].to_vec(), terms },
            ModeSaying::Offers {
                modes: vec!["saw", "gbn", "sr"],
                max_message: 4096,
                payload: 1400,
                window: 64,
            },
            ModeSaying::Sends { letters: 100, octets: 100, packets: 25, payload: 4 },
            ModeSaying::Received { label: label(), octets: 13, text: String::new() },
            ModeSaying::TooLong { octets: 1000, longest: 100 },
            ModeSaying::Closed { label: label(), packets: 250, resent: 50 },
            ModeSaying::Broke { label: label(), how: Broke::Silent },
            ModeSaying::Broke { label: label(), how: Broke::Reset },
            ModeSaying::Broke { label: label(), how: Broke::Terms },
            ModeSaying::Broke { label: label(), how: Broke::Aborted },
            ModeSaying::FinUnanswered,
            ModeSaying::Refused { peer: remote, why: Refusal::NoCommonMode },
            ModeSaying::Ignored { from: remote, octets: 9 },
        ];
        let whys = [
            Refusal::Version { spoken: 1 },
            Refusal::NoCommonMode,
            Refusal::NoCommonIntegrity,
            Refusal::MessageTooSmall { least: 30 },
            Refusal::Full,
            Refusal::Closing,
            Refusal::Other(9),
        ];
        let mut faults: Vec<ModeFault> =
            whys.iter().map(|why| ModeFault::NotGranted { remote, why: *why }).collect();
        faults.extend([
            ModeFault::NoGrant { remote, after: Duration::from_secs(12) },
            ModeFault::GrantedOtherwise { remote },
            ModeFault::BrokeTerms { remote },
            ModeFault::Reset { remote },
            ModeFault::Silent { remote },
            ModeFault::MessageTooLong { octets: 101, longest: 100 },
            ModeFault::BadExperiment {
                file: "a.aperto.toml".into(),
                line: 3,
                key: "windows".into(),
                why: BadConfig::UnknownKey,
                words: ["proto", "window", "delay", "loss", "reorder", "packets", "payload"]
                    .map(String::from)
                    .to_vec(),
            },
        ]);
        for language in [Language::English, Language::Portuguese] {
            for saying in &sayings {
                for line in Saying::Mode(saying.clone()).lines(language) {
                    assert!(!line.is_empty() && width(&line) <= 80, "{}: {line}", width(&line));
                }
            }
            for fault in &faults {
                for line in Fault::Mode(fault.clone()).lines(language) {
                    assert!(width(&line) <= 80, "{line}");
                }
            }
        }
        assert_eq!(faults[0].exit().code(), 3);
        assert_eq!(ModeFault::NoGrant { remote, after: Duration::ZERO }.exit().code(), 4);
        assert_eq!(ModeFault::BrokeTerms { remote }.exit().code(), 7);
    }
}
