use aperto_sim::channel::Corruption;
use aperto_sim::recipe::Protocol;

use super::*;

fn file(octets: u64, millionths: u32, seed: u64) -> File {
    let mut channel = Recipe::new(Protocol::Tcp);
    channel.seed = seed;
    channel.impair(None, |one| {
        one.corruption = Probability::from_millionths(millionths);
        one.checksum = Corruption::RepairsChecksum;
    });
    File { octets, channel }
}

fn run(file: &File, layer: Layer) -> Row {
    file.run(layer, Keep::Nothing).unwrap().0
}

#[test]
fn plain_tcp_believes_what_is_wrong_and_the_other_layers_never_do() {
    for seed in 1..=8 {
        let file = file(400_000, 20_000, seed);
        let plain = run(&file, Layer::None);
        assert!(plain.damaged > 0 && plain.wrong > 0 && plain.noticed == 0, "seed {seed}: {plain:?}");
        assert_eq!(plain.delivered, plain.of, "and it takes it for whole");
        for layer in [Layer::Digest, Layer::Tls, Layer::Aead] {
            let row = run(&file, layer);
            assert_eq!((row.wrong, row.delivered), (0, row.of), "seed {seed}: {row:?}");
            assert!(row.complete_after.is_some() && row.noticed > 0, "seed {seed}: {row:?}");
        }
    }
}

#[test]
fn each_layer_notices_in_its_own_way() {
    let file = file(1 << 20, 5_000, 1);
    let digest = run(&file, Layer::Digest);
    assert_eq!(digest.reconnects, 0);
    let tls = run(&file, Layer::Tls);
    assert!(tls.reconnects > 0);
    assert_eq!(tls.reconnects, tls.records + tls.handshakes + tls.cut_off, "a connection for each");
    let aead = run(&file, Layer::Aead);
    assert_eq!((aead.reconnects, aead.noticed), (0, aead.damaged), "each one, and nothing else");
    // Hello, answer, proof, confirmation: 128 + 108 + 72 + 32.
    assert!(aead.handshake_octets >= 340);
}

#[test]
fn a_channel_that_damages_nothing_costs_only_what_protection_costs() {
    let file = file(1 << 20, 0, 1);
    let plain = run(&file, Layer::None);
    for layer in Layer::ALL {
        let row = run(&file, layer);
        assert_eq!((row.damaged, row.noticed, row.wrong, row.reconnects), (0, 0, 0, 0), "{layer:?}");
        // Headers, digests, tags. A seal costs most: 60 octets of each packet, and a bare ACK has but 52.
        assert!(row.wire_octets * 100 <= plain.wire_octets * 109, "{layer:?}: {row:?}");
    }
}

#[test]
fn a_run_is_the_same_each_time() {
    for layer in Layer::ALL {
        let file = file(200_000, 20_000, 5);
        let (one, other) = (run(&file, layer), run(&file, layer));
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
}

/// The largest transcript of the manual is no luck: other seeds tell the same story.
#[test]
fn the_default_of_the_program_teaches_with_any_seed() {
    let mut noticed = [0_u64; 4];
    for seed in 1..=12 {
        let file = file(1 << 20, 5_000, seed);
        for (place, layer) in Layer::ALL.into_iter().enumerate() {
            let row = run(&file, layer);
            noticed[place] += if layer == Layer::None { u64::from(row.wrong > 0) } else { row.noticed };
            assert!(row.complete_after.is_some(), "seed {seed}: {row:?}");
        }
    }
    assert!(noticed[0] >= 10 && noticed[1..].iter().all(|&times| times >= 24), "{noticed:?}");
}

/// Whatever the channel does, a run ends, and what was taken is right but for plain TCP.
#[test]
fn on_a_hopeless_channel_every_layer_ends_and_tls_gives_up() {
    let mut file = file(100_000, 900_000, 3);
    file.channel.impair(None, |one| one.loss = Probability::from_percent(10));
    for layer in Layer::ALL {
        let row = run(&file, layer);
        assert!(layer == Layer::None || row.wrong == 0, "{row:?}");
        if layer == Layer::Tls {
            assert!(row.complete_after.is_none() && row.reconnects >= 20, "{row:?}");
        }
    }
}
