//! Sigilo, em português.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::Notice;
use super::super::pt::trouble;
use super::{Believed, SecureFault, SecureSaying};
use crate::Language;
use crate::quantity::{bytes, duration};
use crate::rule::Rule;
use crate::wording::wrap;

pub(super) fn fault(fault: &SecureFault) -> Notice {
    handshake(fault).or_else(|| broken(fault)).or_else(|| keys(fault)).unwrap_or_else(|| files(fault))
}

/// Com quem falamos; nada para qualquer outra falha.
fn handshake(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::PlainServer { remote, echoed } => {
            let what = if *echoed { "devolveu o nosso ClientHello" } else { "respondeu em texto aberto" };
            Notice::new(format!("{remote} {what}: não fala TLS"))
                .line("você pediu --secure, então nada seu foi enviado, só a saudação do TLS")
                .line("inicie aquele servidor com --secure, ou este cliente sem: aí qualquer um no caminho lê junto")
        }
        SecureFault::PlainClient { remote } => Notice::new(format!("{remote} fala em texto aberto"))
            .line("foi avisado; este servidor não aceita o que qualquer um no caminho poderia ler"),
        SecureFault::SpeaksTls { remote } => {
            Notice::new(format!("{remote} quer TLS, e você falou em texto aberto"))
                .line("diga o mesmo com --secure, ou use o endereço aperto://… que o servidor mostrou")
        }
        SecureFault::OldTls { remote } => Notice::new(format!("{remote} não fala TLS 1.3"))
            .ruled("versões antigas não se falam aqui: ninguém nos rebaixa a elas", Rule::Rfc(8446, "4.2.1"))
            .line("o outro programa precisa de TLS 1.3: o OpenSSL o tem desde a versão 1.1.1"),
        SecureFault::NoHandshake { remote, after } => {
            let after = duration(Language::Portuguese, *after);
            Notice::new(format!("nenhum handshake TLS com {remote} em {after}"))
                .line("aceitou a conexão e não responde à saudação: será que fala TLS?")
        }
        SecureFault::WrongService { remote } => {
            Notice::new(format!("{remote} tem outro serviço, não o que você quer"))
                .ruled("o serviço é dito no handshake (ALPN), e nenhum era comum", Rule::Rfc(7301, "3.2"))
                .line("o openssl s_server precisa de:  -alpn aperto-echo/1")
        }
        SecureFault::ClientNamesNoService { remote, service } => {
            Notice::new(format!("{remote} não disse o nome do serviço {service}"))
                .ruled("sem o nome (ALPN) outro serviço poderia responder por este", Rule::Rfc(7301, "3.2"))
                .line(format!("o openssl s_client precisa de:  -alpn {service}"))
        }
        _ => return None,
    };
    Some(notice)
}

/// O que foi feito de uma conversa; nada para qualquer outra falha.
fn broken(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::CutOff { remote, received } => {
            let received = bytes(*received);
            Notice::new(format!("{remote} terminou sem avisar: cortado depois de {received}"))
                .ruled(
                    "o TLS termina com close_notify; sem ele pode faltar um pedaço",
                    Rule::Rfc(8446, "6.1"),
                )
                .line("o outro programa parou no meio, ou alguém no caminho cortou a conexão")
        }
        SecureFault::Tampered { remote, received } => {
            Notice::new(format!("um registro de {remote} foi mudado no caminho, ou forjado"))
                .ruled("a etiqueta não confere: foi jogado fora, e a conexão com ele", Rule::Rfc(8446, "5.2"))
                .line(format!(
                    "os {} de antes estão certos; diga o resto numa nova conexão",
                    bytes(*received)
                ))
        }
        SecureFault::Alert { remote, alert } => {
            Notice::new(format!("{remote} encerrou a conexão segura: {alert}"))
                .ruled("ele enviou este alerta; viu algo errado do nosso lado", Rule::Rfc(8446, "6.2"))
        }
        SecureFault::BrokenRules { remote, what } => {
            Notice::new(format!("{remote} quebra as regras do TLS 1.3")).line(what.clone())
        }
        SecureFault::Crowded { remote, most } => {
            Notice::new(format!("{remote} foi mandado embora: já há {most} handshakes em curso"))
        }
        _ => return None,
    };
    Some(notice)
}

/// De quem é a chave; nada para qualquer outra falha.
fn keys(fault: &SecureFault) -> Option<Notice> {
    let notice = match fault {
        SecureFault::ChangedKey { server, file, line, known, seen } => {
            Notice::new(format!("a chave de {server} mudou; nada foi enviado"))
                .line(format!("conhecida: {known}"))
                .line(format!("mostrada:  {seen}"))
                .line("ou o servidor fez uma chave nova, ou outra pessoa responde no lugar dele")
                .line("peça a quem o opera que leia as palavras de:  aperto chave mostrar")
                .line(format!(
                    "se estiver certo:  aperto chave esquecer {server}    (linha {line} de {file})"
                ))
        }
        SecureFault::WrongPin { server, wanted, seen } => {
            Notice::new(format!("{server} não tem a chave que o endereço diz; nada foi enviado"))
                .line(format!("pedida:   {wanted}"))
                .line(format!("mostrada: {seen}"))
                .line("o endereço é antigo ou de outro servidor, ou outra pessoa responde no lugar dele")
        }
        SecureFault::BadPin { value } => Notice::new(format!("{value} não é o nome de uma chave"))
            .line("são 26 letras de a a z e 2 a 7, como em  aperto://192.0.2.7:7000/#k7qf-2m5x-…")
            .line("copie o endereço inteiro que o servidor mostrou"),
        SecureFault::BadAddress { value } => Notice::new(format!("{value} não é um endereço nosso"))
            .line("escreva como o servidor mostrou:  aperto://192.0.2.7:7000/#k7qf-2m5x-…"),
        SecureFault::NotKnown { server, file } => Notice::new(format!("nada se sabe de {server}"))
            .line(format!("os servidores conhecidos estão em {file}, com suas portas")),
        SecureFault::NoKey { file } => Notice::new(format!("ainda não há chave ({file})"))
            .line("o primeiro  aperto servidor --secure  faz uma, ou já:  aperto chave nova"),
        _ => return None,
    };
    Some(notice)
}

/// Arquivos e a máquina.
fn files(fault: &SecureFault) -> Notice {
    match fault {
        SecureFault::OpenFile { file, mode } => {
            Notice::new(format!("outros além de você podem ler {file} (modo {mode:o})"))
                .line("um segredo que outros podem ler não é segredo")
                .line(format!("feche-o:  chmod 600 {file}    ou faça outra chave:  aperto chave nova"))
        }
        SecureFault::DamagedFile { file, line } => {
            Notice::new(format!("{file} está danificado (linha {line}); nada nele vale"))
                .line("conserte a linha, ou guarde o arquivo em outro lugar: ele é refeito quando preciso")
        }
        SecureFault::BadFile { file, why } => Notice::new(format!("{file}: {}", trouble(why))),
        SecureFault::NoHome => Notice::new("ninguém diz onde ficam suas chaves: HOME não está definida")
            .line("dê uma pasta:  APERTO_HOME=./chaves aperto servidor --secure"),
        SecureFault::System { what } => Notice::new(format!("não dá para falar TLS aqui: {what}")),
        _ => Notice::new(String::new()),
    }
}

pub(super) fn saying(saying: &SecureSaying) -> Vec<String> {
    let line = match saying {
        SecureSaying::Serving { service, fingerprint, words, made } => {
            let mut lines = vec![
                format!("seguro  só TLS 1.3 · serviço {service}"),
                format!("chave   {fingerprint}"),
                format!("leia    {words}   (60 dos seus 130 bits, em voz alta)"),
            ];
            if let Some(file) = made {
                lines.push(format!("feita   {file}, para esta máquina, só você pode ler"));
            }
            return lines;
        }
        SecureSaying::NextClient { address, flags } => {
            return vec![
                "agora   em outro terminal; o endereço diz a chave: ninguém responde por ela".into(),
                format!("aperto cliente {address}{flags}"),
            ];
        }
        SecureSaying::OtherMachine { file } => {
            return vec![
                format!("aviso: a chave em {file} foi feita em outra máquina;"),
                "dois servidores com uma só chave não se distinguem. Outra:  aperto chave nova".into(),
            ];
        }
        SecureSaying::HelloInPlain => {
            "[TLS]       ClientHello, em texto aberto: versão, cifras e serviço se leem".into()
        }
        SecureSaying::HelloAnswered => {
            "[TLS]       ServerHello, em texto aberto; depois tudo é cifrado, até a chave".into()
        }
        SecureSaying::Secured { label, suite, group, service } => {
            return vec![
                format!("{label}[CIFRADO]   TLS 1.3 · {group} · {suite}"),
                format!("{label}            serviço {service} · no caminho ninguém lê o texto"),
            ];
        }
        SecureSaying::Key { fingerprint, words, believed } => return key(fingerprint, words, believed),
        SecureSaying::Listener => {
            "[TLS]       quem escuta ainda vê tamanhos, horários, endereços e portas".into()
        }
        SecureSaying::NotSecured { label, fault } => return not_secured(label, fault),
        SecureSaying::Partial { label, file, octets } => {
            format!("{label}{} chegaram antes de parar, guardados em {file}", bytes(*octets))
        }
        SecureSaying::LooksLikeTls { label } => {
            return vec![
                format!("{label}[TLS?]      isto parece um ClientHello: o cliente pediu --secure,"),
                "            e este servidor fala em texto aberto. Inicie-o também com --secure.".into(),
            ];
        }
        SecureSaying::PlainHint => {
            "esta porta só fala TLS 1.3: use aperto cliente --secure, ou openssl s_client".into()
        }
        _ => return own_keys(saying),
    };
    vec![line]
}

/// Das chaves que são nossas, e das conhecidas.
fn own_keys(saying: &SecureSaying) -> Vec<String> {
    match saying {
        SecureSaying::KeyLogOn { file } | SecureSaying::KeysInRecording { file } => vec![
            "[CHAVES]    os segredos desta execução são gravados: quem os tiver lê tudo".into(),
            format!("            {file}"),
        ],
        SecureSaying::KeyShown { fingerprint, words, key, certificate, openssl } => vec![
            format!("chave   {fingerprint}"),
            format!("leia    {words}   (60 dos seus 130 bits, em voz alta)"),
            format!("secreta {key}   (só sua)"),
            format!("pública {certificate}   (dê a quem quiser)"),
            "confira com outro programa; antes:  aperto servidor --secure --echo --wire os".into(),
            openssl.clone(),
        ],
        SecureSaying::KeyMade { old: None } => vec!["uma chave foi feita".into()],
        SecureSaying::KeyMade { old: Some(old) } => vec![
            format!("uma chave nova foi feita; a antiga está guardada em {old}"),
            "clientes que conhecem a antiga param com saída 3 até que a esqueçam:".into(),
            "aperto chave esquecer HOST:PORTA".into(),
        ],
        SecureSaying::Forgotten { server, file } => vec![
            format!("{server} foi esquecido; a próxima chave que mostrar vai valer"),
            format!("({file})"),
        ],
        _ => Vec::new(),
    }
}

fn key(fingerprint: &str, words: &str, believed: &Believed) -> Vec<String> {
    let mut lines = vec![format!("[CHAVE]     {fingerprint}")];
    match believed {
        Believed::Pinned => lines.push("            a chave que o endereço diz".into()),
        Believed::Known(file) => lines.push(format!("            a mesma de antes ({file})")),
        Believed::FirstSeen(file) => {
            lines.push("            vista pela primeira vez, e aceita de agora em diante:".into());
            lines.push(format!("            {file}"));
            lines.push("            está certa? peça a quem opera o servidor que leia as palavras:".into());
            lines.push(format!("            {words}"));
        }
    }
    lines
}

fn not_secured(label: &str, what: &SecureFault) -> Vec<String> {
    let notice = fault(what);
    let tag = match what {
        SecureFault::CutOff { .. } | SecureFault::Tampered { .. } => "[INTERROMPIDO]",
        _ => "[SEM SIGILO]",
    };
    let mut lines = wrap(&format!("{label}{tag} {}", notice.headline), 80);
    for (text, _) in &notice.details {
        lines.extend(wrap(text, 68).iter().map(|line| format!("            {line}")));
    }
    lines
}
