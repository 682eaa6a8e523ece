//! What the channel, the host and the application do, in Portuguese.

use alloc::format;

use aperto_trace::{Call, ChannelEvent, ChecksumAfter, DropReason, LossCause, Origin};

use crate::quantity::{bytes, duration};
use crate::text::Datagram;
use crate::wording::cut;
use crate::{Language, Wording};

const PT: Language = Language::Portuguese;
const FLAG_COLUMNS: usize = 24;

fn by(origin: &Origin) -> alloc::string::String {
    match origin {
        Origin::Picked { flag } => format!("porque você pediu ({})", cut(flag, FLAG_COLUMNS)),
        Origin::Random => "por sorteio".into(),
    }
}

pub(crate) fn channel(event: &ChannelEvent) -> Wording {
    match event {
        ChannelEvent::Lost(cause) => lost(cause),
        ChannelEvent::Damaged { by: origin, octets, checksum } => {
            let noticed = match checksum {
                ChecksumAfter::Broken => "a soma de verificação acusa",
                ChecksumAfter::Repaired => "a soma ainda confere: só a aplicação pode notar",
            };
            let damaged = match octets.len() {
                1 => "1 byte corrompido".into(),
                n => format!("{n} bytes corrompidos"),
            };
            let what = format!("{damaged} {}", by(origin));
            Wording::one(format!("{what}; {noticed}")).or(what)
        }
        ChannelEvent::Duplicated { by: origin } => Wording::one(format!("duplicado {}", by(origin))),
        ChannelEvent::Delayed { by: origin, extra } => {
            Wording::one(format!("atrasado em {} {}", duration(PT, *extra), by(origin)))
                .or(format!("atrasado em {}", duration(PT, *extra)))
        }
        ChannelEvent::Reordered { by: origin, overtaken_by: Some(number) } => {
            Wording::one(format!("ultrapassado pelo {number} {}", by(origin)))
        }
        ChannelEvent::Reordered { by: origin, overtaken_by: None } => {
            Wording::one(format!("ultrapassado por um posterior {}", by(origin)))
        }
        ChannelEvent::Queued { wait, ahead } => {
            Wording::one(format!("espera {} na fila, atrás de {ahead}", duration(PT, *wait)))
        }
    }
}

fn lost(cause: &LossCause) -> Wording {
    match cause {
        LossCause::Picked { flag } => {
            Wording::one(format!("descartado porque você pediu ({})", cut(flag, FLAG_COLUMNS)))
                .or("descartado porque você pediu")
        }
        LossCause::Random => Wording::one("perdido por sorteio, conforme --loss"),
        LossCause::Burst => Wording::one("perdido em rajada: o canal está na fase ruim"),
        LossCause::QueueFull { packets } => {
            Wording::one(format!("descartado: a fila está cheia ({packets} pacotes)"))
        }
        LossCause::TooBig { mtu } => Wording::one(format!("descartado: maior que o MTU de {mtu} bytes")),
        LossCause::LinkDown => Wording::one("perdido: o enlace está desligado"),
        LossCause::Unknown => Wording::one("perdido: foi visto sair e não foi visto chegar"),
    }
}

pub(crate) fn not_used(reason: &DropReason) -> Wording {
    match reason {
        DropReason::Tcp(reason) => Wording::one(super::engine::dropped(reason)),
        DropReason::BadChecksum { format } => {
            Wording::one(format!("soma de verificação {} errada: veio corrompido", cut(format, 12)))
        }
        DropReason::Malformed { what, at } => {
            Wording::one(format!("ilegível: {} (no byte {at})", cut(what, 40)))
                .or(format!("ilegível a partir do byte {at}"))
        }
        DropReason::Host { code } => Wording::one(host(code)),
    }
}

/// The host's codes; one that is not known here is told as it is.
fn host(code: &str) -> alloc::string::String {
    match code {
        "no-checksum" => "UDP sobre IPv6 exige soma de verificação".into(),
        "other-card" => "para outra placa de rede".into(),
        "unknown-ether-type" => "traz algo que não se fala aqui".into(),
        "not-for-us" => "para outro endereço: esta máquina não é roteador".into(),
        "invalid-source" => "ninguém pode ter esse endereço de origem".into(),
        "to-group" => "enviado a um grupo, onde só um pode responder".into(),
        "port-zero" => "a porta 0 não é de ninguém".into(),
        "source-route" => "traz a própria rota, o que é recusado".into(),
        "refused-option" => "opção IPv6 desconhecida que proíbe continuar".into(),
        "unknown-protocol" => "ninguém aqui fala esse protocolo".into(),
        "nobody-there" => "ninguém abriu essa porta".into(),
        "no-route" => "não há rota até lá".into(),
        "neighbor-silent" => "nenhum vizinho responde nesse endereço".into(),
        "fragment-overlap" => "fragmentos se sobrepõem: o datagrama é abandonado".into(),
        "fragment-of-nothing" => "fragmento de um datagrama já abandonado".into(),
        "fragment-timeout" => "os outros fragmentos não chegaram a tempo".into(),
        "fragment-limit" => "fragmentos demais ao mesmo tempo".into(),
        "too-large" => "maior do que o caminho permite".into(),
        "queue-full" => "já há coisas demais esperando".into(),
        "accept-queue-full" => "conexões demais esperando para ser aceitas".into(),
        "half-open-gave-way" => "a conexão meio aberta mais antiga cedeu o lugar".into(),
        "time-wait-gave-way" => "a mais antiga em TIME_WAIT cedeu o lugar".into(),
        "too-many-connections" => "já há tantas conexões quantas são permitidas".into(),
        "unrelated-icmp" => "erro ICMP sobre nada que tenha sido enviado".into(),
        "unused-icmp" => "mensagem ICMP que não é para ninguém aqui".into(),
        "rate-limited" => "sem erro ICMP: já saíram muitos agora há pouco".into(),
        "unused-neighbor" => "mensagem ARP ou ND para outros".into(),
        "other-remote" => "não vem de quem está conectado a este socket".into(),
        "seal-malformed" => "não é um datagrama selado: danificado ou forjado".into(),
        "seal-version" => "selado por outra versão".into(),
        "seal-unknown-session" => "selado com chaves que não existem: danificado, forjado ou atrasado".into(),
        "seal-tag" => "danificado ou forjado: a tag não confere".into(),
        "seal-replayed" => "selado, mas já foi aceito: é uma cópia".into(),
        "seal-too-old" => "selado, mas tarde demais para saber se é cópia".into(),
        "seal-own-key" => "o outro lado mostra a nossa própria chave: refletido".into(),
        "seal-other-key" => "o outro lado mostra uma chave que não é a esperada".into(),
        "seal-too-many" => "handshakes demais ao mesmo tempo".into(),
        other => cut(other, 40),
    }
}

pub(crate) fn call(call: &Call) -> Wording {
    match call {
        Call::Listen { local } => Wording::one(format!("a aplicação escuta em {local} (abertura passiva)")),
        Call::Connect { remote } => Wording::one(format!("a aplicação conecta a {remote} (abertura ativa)")),
        Call::Accept => Wording::one("a aplicação aceita a conexão (accept)"),
        Call::Send { length, .. } => {
            Wording::one(format!("a aplicação escreve {}", bytes(u64::from(*length))))
        }
        Call::Close => Wording::one("a aplicação fecha: não vai escrever mais"),
        Call::Release => Wording::one("a aplicação saiu"),
        Call::Abort => Wording::one("a aplicação aborta a conexão"),
    }
}

pub(crate) fn datagram(says: Datagram) -> Wording {
    match says {
        Datagram::Lost => Wording::one("ninguém vai reenviar: o UDP não guarda cópia nem espera resposta"),
        Datagram::AfterLoss { missing } => {
            Wording::one(format!("entregue na hora; o UDP não sabe que falta o {missing}"))
        }
    }
}
