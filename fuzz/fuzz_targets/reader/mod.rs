//! Reads the fuzzer's octets as choices; when they are used up every choice is 0.

#![expect(dead_code, reason = "each target makes its own choices")]

use std::sync::Arc;

use aperto_tcp::{Config, KeepAlive, Opening};
use aperto_time::Duration;
use aperto_wire::SeqNumber;

/// The octets that are left.
pub struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    /// Whether all octets have been used.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// The next two octets.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    /// The next four octets.
    pub fn long(&mut self) -> u32 {
        u32::from(self.short()) << 16 | u32::from(self.short())
    }

    /// A number near `base`, or anywhere.
    pub fn near(&mut self, base: SeqNumber) -> SeqNumber {
        match self.octet() {
            0..=99 => base,
            100..=149 => base + u32::from(self.octet()),
            150..=199 => base - u32::from(self.octet()),
            200..=229 => base + u32::from(self.short()),
            230..=249 => base - u32::from(self.short()),
            250..=255 => SeqNumber::new(self.long()),
        }
    }

    /// A place for an initial sequence number, often just before numbers wrap.
    pub fn start(&mut self) -> SeqNumber {
        match self.octet() % 4 {
            0 => SeqNumber::new(0),
            1 => SeqNumber::new(u32::MAX - u32::from(self.short())),
            2 => SeqNumber::new((1 << 31) - u32::from(self.short())),
            _ => SeqNumber::new(self.long()),
        }
    }

    /// Settings, with small buffers.
    pub fn config(&mut self) -> Config {
        let base = match self.octet() % 3 {
            0 => Config::modern(),
            1 => Config::rfc1122(),
            _ => Config::classroom(),
        };
        let bits = self.octet();
        let keep_alive =
            KeepAlive { idle: Duration::from_secs(30), interval: Duration::from_secs(5), probes: 3 };
        Config {
            sack: bits & 1 != 0,
            timestamps: bits & 2 != 0,
            window_scaling: bits & 4 != 0,
            nagle: bits & 8 != 0,
            limited_transmit: bits & 16 != 0,
            keep_alive: (bits & 32 != 0).then_some(keep_alive),
            delayed_ack: if bits & 64 != 0 { Duration::ZERO } else { base.delayed_ack },
            send_buffer: 1 + usize::from(self.short()),
            receive_buffer: 1 + usize::from(self.short()) * 4,
            max_pieces: 1 + usize::from(self.octet()),
            ..base
        }
    }

    /// What a connection is born with.
    pub fn opening(&mut self) -> (Arc<Config>, Opening) {
        let config = Arc::new(self.config());
        let (iss, timestamp_offset) = (self.start(), self.long());
        (config, Opening { iss, timestamp_offset, mss: 1 + self.short() % 1460 })
    }
}

/// The octet that belongs at a number: whatever is read can be checked by its place alone.
fn octet_at(seq: SeqNumber) -> u8 {
    (seq.value().wrapping_mul(2_654_435_761) >> 24) as u8
}

/// The octets from `seq` on.
pub fn octets_at(seq: SeqNumber, count: usize) -> Vec<u8> {
    (0..count as u32).map(|i| octet_at(seq + i)).collect()
}
