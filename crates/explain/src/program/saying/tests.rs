//! The sentences of the manual, and that none is without words in either language.

use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::wording::width;

fn address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7000))
}

fn english(saying: &Saying) -> String {
    saying.text(Language::English)
}

#[test]
fn the_manual_is_kept_to() {
    let label = || "c1".to_string();
    let peer = SocketAddr::from(([127, 0, 0, 1], 52814));
    assert_eq!(
        english(&Saying::Listening { at: address() }),
        "LISTEN  127.0.0.1:7000 · this machine only (other machines: add --lan)"
    );
    let next = Saying::NextClient { host: "127.0.0.1".into(), port: 7000, flags: String::new() };
    assert_eq!(english(&next), "next    in another terminal:  aperto client 127.0.0.1 7000");
    assert_eq!(
        english(&Saying::Opened { label: label(), peer, connections: 1, port: 7000 }),
        "c1 open with 127.0.0.1:52814 · 1 connection · the server port stays 7000"
    );
    let portuguese = |saying: &Saying| saying.text(Language::Portuguese);
    assert_eq!(
        portuguese(&Saying::HandshakeComplete { segments: 3, own_port: 52814, server_port: 7000 }),
        "[HANDSHAKE COMPLETO] 3 segmentos · sua porta 52814 · porta do servidor 7000"
    );
    assert_eq!(
        portuguese(&Saying::Type),
        "Escreva e tecle Enter. \"sair\" encerra, \"/ajuda\" mostra o resto."
    );
    assert_eq!(
        portuguese(&Saying::Wished { wish: Wish::Lose, segments: 1 }),
        "            o próximo segmento que você enviar será descartado pelo canal"
    );
    assert_eq!(
        portuguese(&Saying::ConnectionClosed { segments: 14, lost: 1, resent: 1, sent: 22 }),
        "[CONEXÃO ENCERRADA] 14 segmentos, 1 perdido, 1 reenvio · 22 bytes enviados"
    );
    // 13 letters, "recebi 13 bytes" is 15; 5 letters, "got 5 bytes" is 11.
    assert_eq!(portuguese(&Saying::Receipt { octets: 13 }).len(), 15);
    assert_eq!(english(&Saying::Receipt { octets: 5 }).len(), 11);
    assert_eq!(
        english(&Saying::Wrote { file: "perda.pcapng".into(), sent: 10, arrived: 9, comments: true }),
        "wrote perda.pcapng · 10 sent, 9 arrived · each packet's comment has its reason"
    );
}

fn all() -> Vec<Saying> {
    let label = || "c1 ".to_string();
    let (text, sha256) = (|| "x".to_string(), || "0".to_string());
    let after = Duration::from_secs(2);
    let mut all = vec![
        Saying::Listening { at: address() },
        Saying::ListeningLan { at: address(), addresses: vec![] },
        Saying::ListeningLan { at: address(), addresses: vec![text()] },
        Saying::ListeningTun { at: address(), device: "tun0".into() },
        Saying::NextClient { host: text(), port: 7000, flags: text() },
        Saying::Opened { label: label(), peer: address(), connections: 2, port: 7000 },
        Saying::HandshakeComplete { segments: 3, own_port: 1, server_port: 2 },
        Saying::Connected { own_port: 1, server_port: 2 },
        Saying::Type,
        Saying::ConnectionClosed { segments: 9, lost: 0, resent: 2, sent: 1 },
        Saying::Keep { client: true },
        Saying::Receipt { octets: 1 },
        Saying::Hash { label: label(), octets: 1, sha256: sha256() },
        Saying::SavedAs { label: label(), file: text(), octets: 1, sha256: sha256() },
        Saying::SentFile { file: text(), octets: 1, sha256: sha256() },
        Saying::Calm,
        Saying::NoSuchSegment { number: 3 },
        Saying::NotOurs { number: 3 },
        Saying::UnknownSlash { line: text() },
        Saying::NoChannel,
        Saying::Help,
        Saying::Wrote { file: text(), sent: 1, arrived: 1, comments: false },
        Saying::OpenWith { file: text() },
        Saying::Live,
        Saying::Foreign { from: address(), octets: 3 },
        Saying::TooMany { peer: address(), limit: 3 },
        Saying::OnlyUnusual,
        Saying::LikelyOpened,
        Saying::LikelyClosed,
        Saying::OsText { label: label(), sent: true, octets: 1, text: text() },
        Saying::NoDatagramAnswer { after },
        Saying::Interrupted,
        Saying::Delivered { octets: 1, whole: true, segments: 1, lost: 1, resent: 1 },
        Saying::Recovery { by_timer: 1, by_acks: 1, seed: 7 },
        Saying::Repeat { command: text() },
    ];
    for lost in [Impaired::Nothing, Impaired::OnePacket(3)] {
        all.push(Saying::Compared { octets: 30, packets: 8, rtt: after, timer: after, lost });
    }
    all.push(Saying::TcpBesides { opening: after, initial_window: 10, window: 4 });
    all.push(Saying::UdpRead { text: text() });
    all.push(Saying::Diagrams);
    all.push(Saying::SelectiveRepeatWould { sends: 9, lasted: after });
    for how in [Ended::Closed, Ended::Reset, Ended::Silent, Ended::Unreachable, Ended::Aborted] {
        all.push(Saying::Closed { how, received: 1, sent: 2 });
        all.push(Saying::Ended { label: label(), how, received: 1, sent: 2, connections: 1 });
    }
    for wish in [Wish::Lose, Wish::HoldBack(after), Wish::Damage, Wish::Double] {
        all.extend([1, 3].map(|segments| Saying::Wished { wish, segments }));
    }
    all
}

#[test]
fn each_saying_has_words_in_both_languages_and_fits() {
    for saying in all() {
        let (english, portuguese) = (saying.lines(Language::English), saying.lines(Language::Portuguese));
        assert_eq!(english.len(), portuguese.len(), "{saying:?}");
        assert_ne!(english, portuguese, "{saying:?}");
        for line in english.iter().chain(&portuguese) {
            assert!(!line.is_empty(), "{saying:?}");
            assert!(width(line) <= 100, "{line}");
        }
    }
}
