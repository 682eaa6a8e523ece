//! One segment of each kind, placed by the numbers of the connection that it reaches.

use aperto_tcp::State;
use aperto_wire::tcp::Control;

use super::{Paper, Talk, ack, fin, rst, syn, syn_ack, text};

/// A kind of segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A reset at RCV.NXT.
    RstExact,
    /// The same, with the acknowledgment of all we sent.
    RstAck,
    /// A reset in the window, but not at RCV.NXT.
    RstInside,
    /// A reset far beyond the window.
    RstOutside,
    /// A SYN in the window.
    Syn,
    /// A SYN in the window that acknowledges all we sent.
    SynAck,
    /// An acknowledgment of all we sent.
    AckCurrent,
    /// An acknowledgment of our ISS.
    AckOld,
    /// An acknowledgment of one number more than we sent.
    AckFuture,
    /// An acknowledgment of all we sent, from far beyond the window.
    AckOutside,
    /// Text at RCV.NXT, without ACK.
    TextWithoutAck,
    /// Text at RCV.NXT that acknowledges nothing new.
    Text,
    /// Text from before RCV.NXT.
    TextOld,
    /// Text from far beyond the window.
    TextOutside,
    /// A FIN at RCV.NXT that acknowledges nothing new.
    Fin,
    /// A FIN at RCV.NXT that acknowledges all we sent.
    FinWithAck,
    /// A FIN at RCV.NXT, without ACK.
    FinWithoutAck,
    /// A FIN at RCV.NXT + 1, beyond a hole.
    FinBeyondHole,
}

impl Kind {
    pub(crate) const ALL: [Self; 18] = [
        Self::RstExact,
        Self::RstAck,
        Self::RstInside,
        Self::RstOutside,
        Self::Syn,
        Self::SynAck,
        Self::AckCurrent,
        Self::AckOld,
        Self::AckFuture,
        Self::AckOutside,
        Self::TextWithoutAck,
        Self::Text,
        Self::TextOld,
        Self::TextOutside,
        Self::Fin,
        Self::FinWithAck,
        Self::FinWithoutAck,
        Self::FinBeyondHole,
    ];

    /// The segment, for the connection as it stands.
    pub(crate) fn segment(self, talk: &Talk) -> Paper {
        const FAR: u32 = 1_000_000;
        let status = talk.connection.status();
        let theirs = status.receive_next.since(status.irs);
        let ours = status.send_next.since(status.iss);
        let una = status.send_unacknowledged.since(status.iss);
        match self {
            Self::RstExact => rst(theirs),
            Self::RstAck => rst(theirs).ack(ours),
            Self::RstInside => rst(theirs + 1),
            Self::RstOutside => rst(theirs + FAR),
            Self::Syn => syn().seq(theirs + 9),
            Self::SynAck => syn_ack().seq(theirs + 9).ack(ours),
            Self::AckCurrent => ack(ours).seq(theirs),
            Self::AckOld => ack(0).seq(theirs),
            Self::AckFuture => ack(ours + 1).seq(theirs),
            Self::AckOutside => ack(ours).seq(theirs + FAR),
            Self::TextWithoutAck => text(theirs, b"abc").without(Control::ACK),
            Self::Text => text(theirs, b"abc").ack(una),
            Self::TextOld => text(theirs.wrapping_sub(5), b"abc").ack(una),
            Self::TextOutside => text(theirs + FAR, b"abc").ack(una),
            Self::Fin => fin(theirs).ack(una),
            Self::FinWithAck => fin(theirs).ack(ours),
            Self::FinWithoutAck => fin(theirs).without(Control::ACK),
            Self::FinBeyondHole => fin(theirs + 1).ack(una),
        }
    }
}

/// What the application can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Open,
    Send,
    Receive,
    Close,
    Release,
    Abort,
}

impl Call {
    pub(crate) const ALL: [Self; 6] =
        [Self::Open, Self::Send, Self::Receive, Self::Close, Self::Release, Self::Abort];

    /// Makes the call, whatever it answers.
    pub(crate) fn make(self, talk: &mut Talk) {
        use aperto_tcp::{Push, Urgent};
        let now = talk.now;
        match self {
            Self::Open => talk.connection.open_listening(now),
            Self::Send => drop(talk.connection.send(now, b"text", Push::Yes, Urgent::No)),
            Self::Receive => drop(talk.connection.receive(now, &mut [0; 10])),
            Self::Close => drop(talk.connection.close(now)),
            Self::Release => talk.connection.release(now),
            Self::Abort => talk.connection.abort(now),
        }
    }
}

/// The states in which both sides know each other's numbers.
pub(crate) fn synchronized() -> impl Iterator<Item = State> {
    State::ALL.into_iter().filter(|state| state.is_synchronized())
}
