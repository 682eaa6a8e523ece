//! What can be set about a connection, with units, defaults and sources.

use aperto_time::Duration;

/// The settings of a connection. Many connections share one.
///
/// [`Config::modern`] is the default and behaves like a Linux host; [`Config::rfc1122`] keeps the
/// numbers of the RFCs; [`Config::classroom`] is slow and plain, for reading along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Most octets that wait to be sent or acknowledged. At least 1.
    pub send_buffer: usize,
    /// Most octets that wait to be read, out-of-order ones included; the window never exceeds it.
    /// 1 to 2^30 (RFC 7323 §2.3).
    pub receive_buffer: usize,
    /// The window of the first segments, in octets; it grows to `receive_buffer` while text arrives.
    pub initial_receive_window: u32,
    /// Whether to offer and accept window scaling (RFC 7323 §2).
    pub window_scaling: bool,
    /// Whether to offer and accept timestamps (RFC 7323 §3).
    pub timestamps: bool,
    /// Whether to offer and accept selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Whether small text waits for earlier text to be acknowledged (RFC 9293 §3.7.4 \[SHLD-7\]).
    pub nagle: bool,
    /// How long an acknowledgment may wait for data to travel with; zero acknowledges at once.
    /// Less than 500 ms (RFC 9293 §3.8.6.3 \[MUST-40\]).
    pub delayed_ack: Duration,
    /// The first congestion window, in segments: 10 (RFC 6928 §2); `None` for 2 to 4 by the
    /// segment size (RFC 5681 §3.1).
    pub initial_window_segments: Option<u32>,
    /// Whether the first two duplicate ACKs let new text go (RFC 3042).
    pub limited_transmit: bool,
    /// How many duplicate ACKs mean a loss: 3 (RFC 5681 §3.2).
    pub duplicate_ack_threshold: u32,
    /// The timeout before the first round-trip sample: 1 s (RFC 6298 §2.1).
    pub rto_initial: Duration,
    /// The least timeout: 1 s by RFC 6298 §2.4, 200 ms in Linux.
    pub rto_min: Duration,
    /// The greatest timeout: 60 s or more (RFC 6298 §2.5).
    pub rto_max: Duration,
    /// R1: after so many retransmissions the application and the path are told. At least 3
    /// (RFC 9293 §3.8.3 \[SHLD-10\]).
    pub r1: u32,
    /// R2: how long unacknowledged text is kept on trying. At least 100 s
    /// (RFC 9293 §3.8.3 \[SHLD-11\]).
    pub user_timeout: Duration,
    /// R2 of a SYN: at least 3 minutes (RFC 9293 §3.8.3 \[MUST-23\]).
    pub syn_timeout: Duration,
    /// How many times a SYN,ACK is sent again to somebody unproven: 5 (as Linux).
    pub syn_ack_retries: u32,
    /// Whether an idle connection is probed, and how. Off by default
    /// (RFC 9293 §3.8.4 \[MUST-25\]).
    pub keep_alive: Option<KeepAlive>,
    /// The maximum segment lifetime: TIME-WAIT lasts twice as long. 2 minutes in RFC 9293
    /// §3.4.3, 30 s in Linux.
    pub msl: Duration,
    /// How long a closed connection that no application holds waits for the peer's FIN.
    pub orphan_timeout: Duration,
    /// Least time between two challenge acknowledgments of one connection (RFC 5961 §7).
    pub challenge_interval: Duration,
    /// Most separate pieces of out-of-order text that are kept, and most holes in the scoreboard.
    pub max_pieces: usize,
    /// The least segment size that a peer can force on us, in octets: 48, as Linux.
    pub min_send_mss: u16,
}

/// How an idle connection is probed. RFC 9293 §3.8.4 \[MUST-27\] \[MAY-5\].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepAlive {
    /// Idle time before the first probe: at least two hours by default (RFC 9293 §3.8.4 \[MUST-28\]).
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// How many unanswered probes end the connection.
    pub probes: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(7200), interval: Duration::from_secs(75), probes: 9 }
    }
}

impl Config {
    /// Like a Linux host: large buffers, all options, a timeout of 200 ms or more.
    #[must_use]
    pub fn modern() -> Self {
        Self {
            send_buffer: 1 << 20,
            receive_buffer: 1 << 20,
            initial_receive_window: 64_240,
            window_scaling: true,
            timestamps: true,
            sack: true,
            nagle: true,
            delayed_ack: Duration::from_millis(40),
            initial_window_segments: Some(10),
            limited_transmit: true,
            duplicate_ack_threshold: 3,
            rto_initial: Duration::from_secs(1),
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_secs(120),
            r1: 3,
            user_timeout: Duration::from_secs(300),
            syn_timeout: Duration::from_secs(180),
            syn_ack_retries: 5,
            keep_alive: None,
            msl: Duration::from_secs(30),
            orphan_timeout: Duration::from_secs(60),
            challenge_interval: Duration::from_millis(500),
            max_pieces: 1024,
            min_send_mss: 48,
        }
    }

    /// The RFCs' own numbers, where a Linux host has others.
    #[must_use]
    pub fn rfc1122() -> Self {
        Self {
            delayed_ack: Duration::from_millis(200),
            initial_window_segments: None,
            rto_min: Duration::from_secs(1),
            rto_max: Duration::from_secs(60),
            msl: Duration::from_secs(120),
            ..Self::modern()
        }
    }

    /// Slow, plain and small, for reading along: no options but the segment size, a timeout of at
    /// least one second, windows that never need scaling.
    #[must_use]
    pub fn classroom() -> Self {
        Self {
            send_buffer: 1 << 16,
            receive_buffer: 64_240,
            window_scaling: false,
            timestamps: false,
            sack: false,
            rto_min: Duration::from_secs(1),
            rto_max: Duration::from_secs(60),
            delayed_ack: Duration::from_millis(200),
            msl: Duration::from_secs(30),
            ..Self::modern()
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::modern()
    }
}
