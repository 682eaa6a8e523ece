//! Whatever comes from a wire, a file or a command line: no panic, and the same answer however it is cut.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use aperto_secure::guard::{Guard, Peer};
use aperto_secure::{Address, Fingerprint, Known};
use proptest::prelude::*;

/// Octets that look like records more often than by luck.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let record = (19_u8..=24, prop_oneof![Just(3_u8), any::<u8>()], 0_u8..5, 0_usize..80).prop_flat_map(
        |(kind, major, minor, length)| {
            proptest::collection::vec(any::<u8>(), length).prop_map(move |body| {
                let mut octets = vec![kind, major, minor];
                octets.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
                octets.extend(body);
                octets
            })
        },
    );
    proptest::collection::vec(record, 0..8).prop_map(|records| records.concat())
}

proptest! {
    #[test]
    fn a_guard_says_the_same_of_a_stream_however_it_is_cut(
        octets in prop_oneof![stream(), proptest::collection::vec(any::<u8>(), 0..200)],
        cuts in proptest::collection::vec(1_usize..40, 0..20),
        client in any::<bool>(),
    ) {
        let peer = if client { Peer::Client } else { Peer::Server };
        let mut whole = Guard::new(peer);
        whole.pass(&octets);
        let mut pieces = Guard::new(peer);
        let mut rest = octets.as_slice();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            let passed = pieces.pass(piece);
            prop_assert!(passed <= piece.len());
            prop_assert_eq!(passed < piece.len(), pieces.trouble().is_some() && !piece.is_empty());
            rest = after;
        }
        prop_assert_eq!(whole.trouble(), pieces.trouble());
    }

    #[test]
    fn an_address_that_is_understood_is_written_as_it_is_read(text in "(aperto://)?[a-z0-9.:\\[\\]/#@é -]{0,60}") {
        if let Ok(address) = Address::read(&text) {
            prop_assert_eq!(Address::read(&address.to_string()), Ok(address));
        }
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written(key in proptest::collection::vec(any::<u8>(), 0..64), text in ".{0,40}") {
        let print = Fingerprint::of_public_key(&key);
        prop_assert_eq!(print.to_string().parse(), Ok(print));
        prop_assert_eq!(print.words().split(' ').count(), 6);
        let _ = text.parse::<Fingerprint>();
    }
}

#[test]
fn a_list_of_servers_may_hold_anything() {
    let folder = std::env::temp_dir().join(format!("aperto-anything-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let known = Known::in_folder(&folder);
    for text in [
        "",
        "\n\n",
        "#",
        "a",
        "a b c",
        "\u{202e}:1 x",
        "a:1 aaaaaaaaaaaaaaaaaaaaaaaaaa extra",
        "\r\n \t \r\n",
    ] {
        std::fs::write(known.file(), text).unwrap();
        let _ = known.of("a", 1);
        let _ = known.forget("a", 1);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
