//! Cells of a matrix, against what their formulas say and what can be counted on paper.

use std::time::Duration;

use aperto_arq::Checksum;
use aperto_sim::bench::{Cell, Load, bits_per_second, run, theory, usual_timer};
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::Protocol;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const LOAD: Load =
    Load { packets: 100, payload: 4, timer: None, group: false, nack: false, checksum: Checksum::Internet };

const fn cell(protocol: Protocol, window: u16, delay: Duration, loss: u32) -> Cell {
    Cell { protocol, window, delay, loss: Probability::from_percent(loss), reordering: Probability::ZERO }
}

/// Without loss the last of 100 packets leaves 99 cycles after the first and arrives one way later.
#[test]
fn without_loss_every_cell_takes_exactly_as_long_as_on_paper() {
    for delay in [ms(50), ms(100), ms(150)] {
        let measured = run(&cell(Protocol::StopAndWait, 1, delay, 0), &LOAD, 1).unwrap();
        assert_eq!(measured.complete_after, Some(delay * 199), "{delay:?}");
        assert_eq!((measured.sends, measured.resends, measured.acks), (100, 0, 100));
        assert_eq!((measured.delivered, measured.of), (400, 400));
        for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
            for window in [4, 16] {
                let measured = run(&cell(protocol, window, delay, 0), &LOAD, 1).unwrap();
                // Packet n is the (n mod W)-th, a millisecond apart, of round n div W.
                let (rounds, place) = (99 / u32::from(window), 99 % u64::from(window));
                let last = delay * 2 * rounds + ms(place) + delay;
                assert_eq!(measured.complete_after, Some(last), "{protocol:?} {window} {delay:?}");
            }
        }
    }
}

/// IPv4 20, UDP 8, our header 8: 36 octets and the 4 of text, and 36 for each ACK.
#[test]
fn the_overhead_is_that_of_the_headers() {
    let measured = run(&cell(Protocol::GoBackN, 4, ms(50), 0), &LOAD, 1).unwrap();
    assert_eq!(measured.wire_octets, 100 * (40 + 36));
    // 7,600 octets, of them 400 text: 947,368 millionths are not.
    assert_eq!(measured.overhead_millionths(), Some(947_368));
}

/// Stop-and-wait's formula is exact, so the mean of many packets is within a few standard errors:
/// at p = q = 10 % the failures of a packet have the variance (1-s)/s^2 = 0.29, and 4 000 packets
/// a standard error of 0.0085 of 0.2346 failures; with 120 ms each that is 1 of 128 ms.
#[test]
fn stop_and_wait_takes_as_long_as_its_formula_says() {
    let cell = cell(Protocol::StopAndWait, 1, ms(50), 10);
    let load = Load { packets: 4_000, ..LOAD };
    // c + fT = 100 + (1/0.81 - 1) x 120 = 128.148 ms.
    let expected = theory(&cell, &load).unwrap();
    assert_eq!(expected.as_micros(), 128_148);
    assert_eq!(usual_timer(ms(50)), ms(120));
    let measured = run(&cell, &load, 7).unwrap().complete_after.unwrap() / 4_000;
    assert!(measured.abs_diff(expected) < ms(4), "{measured:?} beside {expected:?}");
}

/// Nobody is faster than the bound, and the order of the book holds under loss.
#[test]
fn under_loss_nobody_beats_the_formula_by_more_than_luck_and_the_order_of_the_book_holds() {
    let load = Load { packets: 2_000, ..LOAD };
    for loss in [1, 5, 10, 25] {
        let mut before = Duration::MAX;
        for protocol in [Protocol::StopAndWait, Protocol::GoBackN, Protocol::SelectiveRepeat] {
            let cell = cell(protocol, 16, ms(50), loss);
            let measured = run(&cell, &load, 3).unwrap();
            assert_eq!(measured.delivered, measured.of, "{protocol:?} {loss}");
            let took = measured.complete_after.unwrap() / 2_000;
            let least = theory(&cell, &load).unwrap();
            assert!(took * 100 > least * 85, "{protocol:?} {loss} %: {took:?} beside {least:?}");
            assert!(took < before, "{protocol:?} {loss} %: {took:?} after {before:?}");
            before = took;
        }
    }
}

#[test]
fn the_same_seed_measures_the_same_and_tcp_and_udp_are_measured_too() {
    let lossy = |protocol| run(&cell(protocol, 4, ms(50), 5), &LOAD, 9).unwrap();
    assert_eq!(lossy(Protocol::SelectiveRepeat), lossy(Protocol::SelectiveRepeat));
    let udp = lossy(Protocol::Udp);
    assert!(udp.complete_after.is_none() && udp.delivered < udp.of && udp.resends == 0, "{udp:?}");
    let tcp = lossy(Protocol::Tcp);
    assert!(tcp.delivered == tcp.of && tcp.resends > 0, "{tcp:?}");
    assert_eq!(theory(&cell(Protocol::Tcp, 4, ms(50), 5), &LOAD), None);
    assert_eq!(bits_per_second(1_000, ms(1_000)), Some(8_000));
    assert_eq!(bits_per_second(1, Duration::ZERO), None);
}
