//! How often packets are sent under loss: the formulas against deterministic losses.

use aperto_arq::theory::{Ratio, transmissions_per_packet};
use aperto_arq::{Config, Protocol};

use crate::channel::{Fate, Line, Way, World};

fn sends(protocol: Protocol, packets: usize, is_lost: impl Fn(usize, Option<u64>, bool) -> bool) -> usize {
    let mut config = Config::new(protocol);
    config.payload_octets = 1;
    let mut world = World::new(protocol, config, Line::CLASSROOM);
    world.send(&vec![b'x'; packets]);
    world.run(|departure| {
        let again = departure.outgoing.reason.is_retransmission();
        let lost =
            departure.way == Way::Forward && is_lost(departure.index, departure.outgoing.ordinal, again);
        if lost { Fate::LOST } else { Fate::default() }
    });
    assert_eq!(world.delivered.len(), packets);
    world.totals().0
}

/// Of each four packets that leave the first is lost, p = 1/4, whichever it is: 30 packets need
/// 30 / (1 - 1/4) = 40.
#[test]
fn where_only_the_lost_is_resent_a_packet_leaves_one_in_one_minus_p_times() {
    for protocol in [Protocol::StopAndWait, Protocol::SelectiveRepeat] {
        assert_eq!(sends(protocol, 30, |index, _, _| index % 4 == 0), 40);
        let formula = transmissions_per_packet(protocol, 4, 1, 4);
        assert_eq!(formula, Some(Ratio { numerator: 40, denominator: 30 }));
        // p = 1/2: twice.
        assert_eq!(sends(protocol, 30, |index, _, _| index % 2 == 0), 60);
    }
}

/// Of 28 packets, three are lost when they are sent for the first time, each with a full window
/// behind it: each loss costs the window of four. 28 + 3 * 4 = 40 packets leave, and p, the part of
/// lost ones among those that were next in turn, is 3/31.
#[test]
fn in_go_back_n_each_loss_costs_a_window() {
    let lost = |_, ordinal, again: bool| !again && [Some(2), Some(10), Some(18)].contains(&ordinal);
    assert_eq!(sends(Protocol::GoBackN, 28, lost), 40);
    let formula = transmissions_per_packet(Protocol::GoBackN, 4, 3, 31);
    assert_eq!(formula, Some(Ratio { numerator: 40, denominator: 28 }));
    assert_eq!(sends(Protocol::SelectiveRepeat, 28, lost), 31);
}
