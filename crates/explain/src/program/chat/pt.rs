//! The chat in Brazilian Portuguese.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use aperto_app::chat::decoder::Stranger;
use aperto_app::chat::frame::{Bye, Refused};
use aperto_app::chat::text::visible;

use super::{CannotSay, ChatFault, ChatSaying, asked, granted};
use crate::Language::Portuguese;
use crate::hello::refusal;
use crate::program::Notice;
use crate::quantity::duration;

pub(super) fn saying(saying: &ChatSaying) -> Vec<String> {
    let line = match saying {
        ChatSaying::Journal { file, messages, torn } => {
            let torn = if *torn > 0 { " · uma que nunca ficou inteira foi cortada" } else { "" };
            format!("diário  {file} · {} guardadas{torn}", count(*messages))
        }
        ChatSaying::NoJournal => {
            "diário  nenhum: se reiniciar, o servidor esquece tudo (--journal ARQUIVO guarda)".to_string()
        }
        ChatSaying::Agreed { label, name, ask, terms, back } => {
            let (asked, granted) = (asked(ask, Portuguese), granted(terms, Portuguese));
            let who = format!("{} {}", visible(name), if *back { "voltou" } else { "entrou" });
            return vec![
                format!("{label}[HELLO]     {who}"),
                format!("            pediu      {asked}"),
                format!("            concedido  {}", if asked == granted { "o mesmo" } else { &granted }),
            ];
        }
        ChatSaying::Missed { label, messages } => {
            format!("{label}[PERDEU]    {} nesse meio-tempo; chegam agora", count(*messages))
        }
        ChatSaying::Person { label, name } => {
            format!("{label}[PESSOA]    {} digita sem um programa nosso", visible(name))
        }
        ChatSaying::Said { .. } => String::new(),
        ChatSaying::Confirmed { id } => format!("[ACK]       mensagem {id} confirmada"),
        ChatSaying::Refused { label, name, id, why } => {
            let which = match (name.as_str(), *id) {
                ("", id) => format!("mensagem {id} recusada"),
                (name, 0) => format!("uma linha de {} foi recusada", visible(name)),
                (name, id) => format!("mensagem {id} de {} recusada", visible(name)),
            };
            format!("{label}[NACK]      {which}: {}", refused(*why))
        }
        ChatSaying::CannotSay { why } => match why {
            CannotSay::TooLong { most } => {
                format!(
                    "            não enviada: aqui uma mensagem tem no máximo {most} bytes (peça com --max)"
                )
            }
            CannotSay::TooMuch => {
                "            não enviada: há mensagens demais esperando confirmação".to_string()
            }
        },
        other => connection(other),
    };
    vec![line]
}

/// What becomes of a connection, and how things stand.
fn connection(saying: &ChatSaying) -> String {
    match saying {
        ChatSaying::Damaged { label } => {
            format!("{label}[DANO]      um resumo (digest) não confere: pedido de novo")
        }
        ChatSaying::Came { name } => format!("            {} chegou", visible(name)),
        ChatSaying::Left { name } => format!("            {} saiu", visible(name)),
        ChatSaying::Broken { attempt, of, after, why } => {
            let why = why.map_or_else(|| "a conexão caiu".to_string(), bye);
            format!("[CAIU]      {why}; tentativa {attempt} de {of} em {}", duration(Portuguese, *after))
        }
        ChatSaying::Back { name, again, another_room } => {
            let again = match again {
                0 => "nada ficou faltando".to_string(),
                some => format!("{} de novo", count(*some)),
            };
            let room = if *another_room { " · a sala recomeçou do zero" } else { "" };
            format!("[VOLTOU]    de volta como {} · {again}{room}", visible(name))
        }
        ChatSaying::Forgotten { messages } => {
            format!("[PERDEU]    {} que já não são guardadas", count(*messages))
        }
        ChatSaying::LetGo { label, why } => format!("{label}[DESLIGADO] {}", bye(*why)),
        ChatSaying::NotAgreed { label, why } => {
            format!("{label}[RECUSADO]  {}", refusal(Portuguese, *why))
        }
        ChatSaying::Stranger { label, what } => {
            format!("{label}[IGNORADO]  alguém {} aqui; foi avisado", wants(*what))
        }
        ChatSaying::Standing { unconfirmed, is_in } => {
            let where_ = if *is_in { "na sala" } else { "sem conexão" };
            format!("            {where_} · {} sem confirmação", count(*unconfirmed))
        }
        ChatSaying::RoomStands { messages, members } => {
            let members = if *members == 1 { "1 membro".into() } else { format!("{members} membros") };
            format!("            {members} · {} confirmadas", count(*messages))
        }
        // The others have their words above.
        _ => String::new(),
    }
}

fn count(messages: u64) -> String {
    if messages == 1 { "1 mensagem".into() } else { format!("{messages} mensagens") }
}

pub(super) fn refused(why: Refused) -> String {
    match why {
        Refused::TooLarge { most } => format!("passa de {most} bytes"),
        Refused::TooFast { wait } => {
            format!("rápido demais, o limite é de 20 por segundo; espere {}", duration(Portuguese, wait))
        }
        Refused::Empty => "está vazia".into(),
        Refused::NotText => "não é texto".into(),
        Refused::Before => "já tinha sido recusada".into(),
        Refused::Other(code) => format!("motivo {code}"),
    }
}

fn bye(why: Bye) -> String {
    match why {
        Bye::Leaving => "saiu".into(),
        Bye::Closing => "a sala fechou".into(),
        Bye::TooSlow => "lento demais: mais de 1 MiB de atraso".into(),
        Bye::Flood => "continuou mesmo avisado para esperar".into(),
        Bye::Idle => "5 minutos de silêncio".into(),
        Bye::Unfinished => "começou algo e não terminou a tempo".into(),
        Bye::Protocol => "falou o que o protocolo não permite".into(),
        Bye::Replaced => "voltou por outra conexão".into(),
        Bye::Full => "já há gente demais".into(),
        Bye::Other(code) => format!("motivo {code}"),
    }
}

const fn wants(what: Stranger) -> &'static str {
    match what {
        Stranger::Http => "fala HTTP",
        Stranger::Tls => "fala TLS",
        Stranger::Ssh => "fala SSH",
        Stranger::Unknown => "manda bytes que não são chat",
    }
}

pub(super) const fn wrong_port(what: Stranger) -> &'static str {
    match what {
        Stranger::Http => "esta porta fala aperto chat; você mandou HTTP",
        Stranger::Tls => "esta porta fala aperto chat; você mandou TLS",
        Stranger::Ssh => "esta porta fala aperto chat; você mandou SSH",
        Stranger::Unknown => "esta porta fala aperto chat; você mandou outra coisa",
    }
}

pub(super) fn fault(fault: &ChatFault) -> Notice {
    match fault {
        ChatFault::NotAgreed { remote, why } => {
            Notice::new(format!("{remote} recusa: {}", refusal(Portuguese, *why)))
                .line("peça outra coisa:  --integrity none|digest   --max 1000")
        }
        ChatFault::Unfair { remote } => Notice::new(format!("{remote} concedeu o que não foi pedido"))
            .line("ele não segue o protocolo; nada foi dito"),
        ChatFault::Stranger { remote, what } => {
            let what = match what {
                Stranger::Http => "fala HTTP",
                Stranger::Tls => "fala TLS",
                Stranger::Ssh => "fala SSH",
                Stranger::Unknown => "fala outra coisa",
            };
            Notice::new(format!("{remote} não é um chat: {what}"))
                .line("inicie um lá:  aperto servidor --chat        ou converse sem --chat")
        }
        ChatFault::Echo { remote } => Notice::new(format!("{remote} não é um chat: devolve o que recebe"))
            .line("inicie um lá:  aperto servidor --chat        ou converse sem --chat"),
        ChatFault::Silent { remote } => Notice::new(format!("{remote} não respondeu ao HELLO em 10 s"))
            .line("inicie um chat lá:  aperto servidor --chat   ou converse sem --chat"),
        ChatFault::GaveUp { remote, tries, unconfirmed } => {
            Notice::new(format!("{remote} não voltou: {tries} tentativas"))
                .line(format!("{} sem confirmação", count(*unconfirmed)))
        }
        ChatFault::LetGo { remote, why } => Notice::new(format!("{remote} encerrou o chat: {}", bye(*why)))
            .line("rode o comando de novo para voltar"),
        ChatFault::Unconfirmed { messages } => Notice::new(format!("{} sem confirmação", count(*messages)))
            .line("a sala não respondeu a tempo; ninguém sabe se ela ouviu"),
        ChatFault::NotTaken { messages } => Notice::new(format!("{} não aceitas", count(*messages)))
            .line("o motivo está ao lado de cada [NACK]"),
        ChatFault::NotAJournal { file } => Notice::new(format!("{file} não é um diário de chat"))
            .line("dê um arquivo que ainda não existe, ou um escrito por --journal"),
        ChatFault::JournalDamaged { file, at } => Notice::new(format!("{file} está danificado no byte {at}"))
            .line(format!("para seguir sem o que vem depois:  truncate -s {at} {file}")),
        ChatFault::JournalInUse { file } => Notice::new(format!("outro servidor escreve em {file}"))
            .line("encerre aquele servidor, ou dê outro arquivo"),
    }
}
