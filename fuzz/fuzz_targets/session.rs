#![no_main]
//! HELLO and the sessions behind it: what is read is written the same, and whatever datagrams come
//! to a door with a session nothing panics, nothing grows without bound and nobody gets more octets
//! than he sent before he proved himself.

use aperto_app::hello::{Ask, Hello, Integrity, Mode, Offer};
use aperto_app::session::{Answer, Door, Settings};
use aperto_time::{Duration, Instant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok((hello, taken)) = Hello::decode(octets) {
        assert!(taken <= octets.len());
        // Later versions' modes are skipped, so octets may differ; what they mean may not.
        if let Ok((again, _)) = Hello::decode(&hello.encode()) {
            assert_eq!(again, hello);
        }
    }
    let modes = [Mode::StopAndWait, Mode::GoBackN, Mode::SelectiveRepeat];
    let offer = Offer::new(&modes, &[Integrity::InternetChecksum, Integrity::Crc32]);
    let mut door: Door<u8> = Door::new(offer, Settings::default(), 2);
    let mut now = Instant::ZERO;
    let ask = Hello::Ask { session: 7, ask: Ask::new(Mode::SelectiveRepeat) }.encode();
    door.datagram_arrives(now, &0, &ask);
    let (mut sent, mut back, mut proved) = ([ask.len(), 0, 0, 0], [0; 4], [false; 4]);
    // The input is a list of datagrams: whose, how long, and what.
    let mut rest = octets;
    while let [peer, length, more @ ..] = rest {
        let (datagram, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        let peer = peer % 4;
        let place = usize::from(peer);
        sent[place] += datagram.len();
        now = now + Duration::from_millis(50);
        if let Answer::Refused(_, answer) = door.datagram_arrives(now, &peer, datagram) {
            back[place] += answer.octets.len();
        }
        proved[place] |= door.session(&peer).is_some_and(|session| session.is_open() || session.is_over());
        door.deadline_passed(now);
        while let Some((to, answer)) = door.poll_datagram(now) {
            back[usize::from(to)] += answer.octets.len();
        }
        for place in 0..4 {
            assert!(proved[place] || back[place] <= sent[place]);
        }
        while door.poll_event().is_some() {}
        assert!(door.len() <= 2);
    }
});
