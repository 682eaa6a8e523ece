//! The closed formulas beside which a measurement is put.
//!
//! Kurose and Ross §3.4.2 and the usual extension to losses: how much of its time a sender's line
//! is busy with packets for the first time, and how often a packet is sent until it has arrived.
//! `L/R` is how long a packet takes to leave, `RTT` how long until the acknowledgement would come if
//! it took no time to leave.
//!
//! [`pace`] has the time that losses cost, of acknowledgements too, and waiting for timers.

pub mod pace;

use core::time::Duration;

use crate::Protocol;

/// A ratio of two integers; the denominator is not 0 in what the functions here return.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u128,
    /// Below the line.
    pub denominator: u128,
}

impl Ratio {
    /// This many parts in a million, rounded down.
    #[must_use]
    pub const fn parts_per_million(self) -> u128 {
        match self.numerator.saturating_mul(1_000_000).checked_div(self.denominator) {
            Some(parts) => parts,
            None => 0,
        }
    }
}

impl PartialEq for Ratio {
    /// Equal in value: 2/4 is 1/2.
    fn eq(&self, other: &Self) -> bool {
        self.numerator.saturating_mul(other.denominator) == other.numerator.saturating_mul(self.denominator)
    }
}

/// The part of its time in which the sender's line is busy, without losses.
///
/// `U = min(1, W * (L/R) / (RTT + L/R))`; stop-and-wait is W = 1. A line on which a packet takes no
/// time to leave is never busy.
#[must_use]
pub fn utilisation(window_packets: u16, transmission: Duration, round_trip: Duration) -> Ratio {
    let packet = transmission.as_nanos();
    let cycle = (packet + round_trip.as_nanos()).max(1);
    let busy = packet * u128::from(window_packets);
    Ratio { numerator: busy.min(cycle), denominator: cycle }
}

/// How often a packet leaves on average until it has arrived, if `lost` of `sent` packets are lost.
///
/// With `p = lost/sent`: `1/(1-p)` where only the lost packet is sent again; `(1-p+Wp)/(1-p)` in
/// Go-Back-N, where each loss costs a window. None if everything is lost.
#[must_use]
pub fn transmissions_per_packet(
    protocol: Protocol,
    window_packets: u16,
    lost: u32,
    sent: u32,
) -> Option<Ratio> {
    let arrived = sent.checked_sub(lost).filter(|arrived| *arrived > 0)?;
    let (arrived, lost) = (u128::from(arrived), u128::from(lost));
    let repeated = match protocol {
        Protocol::StopAndWait | Protocol::SelectiveRepeat => 1,
        Protocol::GoBackN => u128::from(window_packets),
    };
    Some(Ratio { numerator: arrived + repeated * lost, denominator: arrived })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kurose and Ross §3.4.2: 1 000 octets at 1 Gbit/s take 8 µs; the round trip is 30 ms. The book
    /// has 0.00027 for one packet, and three times that for three.
    #[test]
    fn the_book_s_line_across_the_country() {
        let (packet, round_trip) = (Duration::from_micros(8), Duration::from_millis(30));
        assert_eq!(utilisation(1, packet, round_trip).parts_per_million(), 266);
        assert_eq!(utilisation(3, packet, round_trip).parts_per_million(), 799);
        // 30 008 µs / 8 µs = 3 751 packets fill the line exactly.
        let full = Ratio { numerator: 1, denominator: 1 };
        assert_eq!(utilisation(3_751, packet, round_trip), full);
        assert_eq!(utilisation(10_000, packet, round_trip), full);
        assert!(utilisation(3_750, packet, round_trip).parts_per_million() < 1_000_000);
    }

    #[test]
    fn transmissions_under_loss() {
        let times = |protocol, lost, sent| transmissions_per_packet(protocol, 4, lost, sent);
        let ratio = |numerator, denominator| Some(Ratio { numerator, denominator });
        // p = 1/4: 1/(1 - 1/4) = 4/3, and (3/4 + 4/4)/(3/4) = 7/3.
        assert_eq!(times(Protocol::StopAndWait, 1, 4), ratio(4, 3));
        assert_eq!(times(Protocol::SelectiveRepeat, 25, 100), ratio(4, 3));
        assert_eq!(times(Protocol::GoBackN, 1, 4), ratio(7, 3));
        assert_eq!(times(Protocol::GoBackN, 0, 4), ratio(1, 1));
        assert_eq!(times(Protocol::StopAndWait, 4, 4), None);
        assert_eq!(times(Protocol::StopAndWait, 0, 0), None);
    }
}
