//! What `compare --integrity` says, in Portuguese.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Integrity, Layer};
use crate::Language;
use crate::quantity::{bytes, duration};

pub(super) fn lines(saying: &Integrity) -> Vec<String> {
    match saying {
        Integrity::Compared { octets, layers, rtt, seed, flags, default } => {
            let times = if *layers == 1 { "uma vez".into() } else { format!("{layers} vezes") };
            let flags = if flags.is_empty() { "nada o danifica" } else { flags };
            let chosen = if *default { " (o padrão aqui)" } else { "" };
            let rtt = duration(Language::Portuguese, *rtt);
            vec![
                format!("{} do servidor ao cliente, {times} pelo mesmo canal, seed {seed}:", bytes(*octets)),
                format!("{flags}{chosen}; {rtt} de ida e volta."),
            ]
        }
        Integrity::NotRepaired => vec![
            "O canal deixa o checksum errado, e o próprio TCP descarta o que foi danificado.".into(),
            "Com --fix-checksum, só quem está acima ou abaixo do TCP consegue notar.".into(),
        ],
        Integrity::Believed { wrong, spots, first } => vec![
            format!("none    Errado e entregue como se estivesse certo: {}, em", bytes(*wrong)),
            format!(
                "        {}, o primeiro no byte {first}. Ninguém notou.",
                count(*spots, "lugar", "lugares")
            ),
        ],
        Integrity::BelievedRight => vec!["none    Tudo o que foi entregue estava certo.".into()],
        Integrity::AskedAgain { times: 0 } => vec!["digest  Todo bloco conferiu com seu BLAKE3.".into()],
        Integrity::AskedAgain { times } => vec![
            format!(
                "digest  Pedido de novo, porque um BLAKE3 não conferiu: {}.",
                count(*times, "bloco", "blocos")
            ),
            "        Nenhuma conexão caiu. Não protege contra um atacante, que também sabe".into(),
            "        calcular um resumo que não tem chave.".into(),
        ],
        Integrity::Reconnected { records: 0, handshakes: 0, cut_off: 0 } => {
            vec!["tls     Todo registro abriu.".into()]
        }
        Integrity::Reconnected { records, handshakes, cut_off } => {
            reconnected(*records, *handshakes, *cut_off)
        }
        Integrity::Dropped { packets: 0, .. } => vec!["aead    Todo pacote abriu.".into()],
        Integrity::Dropped { packets, handshake_octets } => vec![
            format!("aead    Pacotes que não abriram, danificados ou forjados: {packets}. Foram"),
            "        descartados; para o TCP se perderam, e ele os enviou de novo. Nenhuma".into(),
            format!(
                "        conexão caiu. (Chaves por um handshake Noise de {handshake_octets} bytes antes.)"
            ),
        ],
        Integrity::Unfinished { layer, delivered, of, tries } => {
            let why = match layer {
                Layer::Tls => format!("desistiu após {tries} conexões sem avançar"),
                Layer::Digest => "desistiu: bloco após bloco não conferiu".into(),
                Layer::None | Layer::Aead => "a conexão terminou antes".into(),
            };
            vec![
                format!("{:<7} INCOMPLETO: {delivered} de {}", layer.name(), bytes(*of)),
                format!("        {why}"),
            ]
        }
        Integrity::Checksums { octets } => {
            vec![format!("O que os checksums não veem, testado aqui num texto de {octets} bytes:")]
        }
        Integrity::Lesson => vec![
            "Um checksum encontra acidentes de certos tipos. Um resumo encontra todos. Só uma".into(),
            "chave impede quem quer mudar o texto.".into(),
        ],
        Integrity::Next => vec!["veja cada pacote: acrescente  --size 8k --view ladder".into()],
    }
}

fn reconnected(records: u64, handshakes: u64, cut_off: u64) -> Vec<String> {
    let mut lines = vec![
        format!("tls     Registros que não abriram (bad_record_mac): {records}. Cada um encerrou"),
        "        sua conexão, como manda a RFC 8446 5.2: sobre TCP, isso é um atacante,".into(),
        "        ou um dano que nenhum checksum viu. A conexão seguinte continuou de".into(),
        "        onde a última parou; nada foi aceito duas vezes.".into(),
    ];
    if handshakes > 0 {
        lines.push(format!("        Conexões que caíram antes de haver chaves: {handshakes}."));
    }
    if cut_off > 0 {
        lines.push(format!("        Conexões que o TCP cortou: {cut_off}."));
    }
    lines
}

fn count(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
