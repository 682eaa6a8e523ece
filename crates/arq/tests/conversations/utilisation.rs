//! The closed formula of utilisation against what the machines do: U = W (L/R) / (RTT + L/R).
//!
//! The line is the book's: a packet arrives L/R after it began to leave plus the propagation, and an
//! acknowledgement takes the propagation alone. Both of them together are the RTT.

use aperto_arq::theory::{Ratio, utilisation};
use aperto_arq::{Config, Protocol};
use aperto_time::{Duration, Instant};

use crate::channel::{Fate, Line, Way, World};

/// Sends that many packets of one octet and says when each left.
fn departures(protocol: Protocol, window: u16, packets: usize, line: Line) -> (World, Vec<Instant>) {
    let mut config = Config::new(protocol);
    config.window_packets = window;
    config.payload_octets = 1;
    config.timer = Duration::from_secs(10);
    let mut world = World::new(protocol, config, line);
    world.send(&vec![b'x'; packets]);
    world.run(|_| Fate::default());
    let left = world.rows.iter().filter(|row| row.way == Way::Forward).map(|row| row.left).collect();
    (world, left)
}

fn book_s_line(transmission: Duration, round_trip: Duration) -> Line {
    Line { spacing: transmission, forward: transmission + round_trip / 2, back: round_trip / 2 }
}

/// Busy time and all time, from the first departure to that of the packet `cycles` windows later.
fn measured(left: &[Instant], window: u16, cycles: usize, transmission: Duration) -> Ratio {
    let packets = cycles * usize::from(window);
    let time = left[packets].since(left[0]);
    Ratio { numerator: transmission.as_nanos() * packets as u128, denominator: time.as_nanos() }
}

/// Kurose and Ross §3.4.2: 8 µs of packet in 30.008 ms of waiting is 0.00027.
#[test]
fn stop_and_wait_uses_the_book_s_line_for_27_of_100_000_parts() {
    let (transmission, round_trip) = (Duration::from_micros(8), Duration::from_millis(30));
    let (world, left) = departures(Protocol::StopAndWait, 1, 51, book_s_line(transmission, round_trip));
    let used = measured(&left, 1, 50, transmission);
    assert_eq!(used, Ratio { numerator: 8, denominator: 30_008 });
    assert_eq!(used, utilisation(1, transmission, round_trip));
    // Each of the 51 packets takes RTT + L/R until its acknowledgement.
    assert_eq!(world.last_arrival.as_micros(), 51 * 30_008);
}

#[test]
fn windows_use_the_line_w_times_as_much_until_it_is_full() {
    let (transmission, round_trip) = (Duration::from_millis(1), Duration::from_millis(39));
    for protocol in [Protocol::GoBackN, Protocol::SelectiveRepeat] {
        // RTT + L/R is 40 packets long: 40 and more fill the line.
        for (window, busy) in [(1, 1), (3, 3), (4, 4), (39, 39), (40, 40), (41, 40), (100, 40)] {
            let packets = 3 * usize::from(window) + 1;
            let (_, left) = departures(protocol, window, packets, book_s_line(transmission, round_trip));
            let used = measured(&left, window, 3, transmission);
            assert_eq!(used, Ratio { numerator: busy, denominator: 40 }, "{protocol:?}, window {window}");
            assert_eq!(used, utilisation(window, transmission, round_trip));
        }
    }
}

/// The classroom's channel, 20 ms each way with the packet's 1 ms in it, is the book's with
/// L/R = 1 ms and RTT = 39 ms.
#[test]
fn the_classroom_s_channel_is_one_fortieth_busy_in_stop_and_wait() {
    let (world, left) = departures(Protocol::StopAndWait, 1, 9, Line::CLASSROOM);
    let transmission = Duration::from_millis(1);
    let expected = utilisation(1, transmission, Duration::from_millis(39));
    assert_eq!(measured(&left, 1, 8, transmission), expected);
    assert_eq!(world.last_arrival.as_millis(), 9 * 40);
}
