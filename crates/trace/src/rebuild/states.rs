//! States guessed from packets: what a side that follows RFC 9293 §3.10 must be in.
//!
//! Only for connections whose SYN is in the capture. What happens inside a host without a packet
//! (the end of TIME-WAIT, timeouts) cannot be seen, and is not guessed. Every move is an arc of
//! [`ARCS`](aperto_tcp::diagram::ARCS).

use alloc::collections::BTreeMap;

use aperto_tcp::State;
use aperto_tcp::diagram::Cause;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::Header;

/// More pieces beyond a hole than this are not remembered; the FIN behind them is then not seen.
const MOST_PIECES: usize = 256;

/// A move of a state.
pub(super) type Move = (State, State, Cause);

/// One side of a connection.
#[derive(Clone, Debug)]
pub(super) struct Side {
    state: State,
    /// The number after our FIN, once it has left.
    after_fin: Option<SeqNumber>,
    /// RCV.NXT.
    next: Option<SeqNumber>,
    /// What came beyond a hole: where it starts, relative to the peer's SYN, and ends.
    pieces: BTreeMap<u32, u32>,
    /// The peer's initial sequence number.
    irs: SeqNumber,
    /// Where the peer's FIN stands, relative to its SYN.
    fin_at: Option<u32>,
}

impl Side {
    /// Who opens is CLOSED before, who waits listens.
    pub(super) const fn new(state: State) -> Self {
        Self {
            state,
            after_fin: None,
            next: None,
            pieces: BTreeMap::new(),
            irs: SeqNumber::new(0),
            fin_at: None,
        }
    }

    fn enter(&mut self, to: State, cause: Cause) -> Option<Move> {
        let from = core::mem::replace(&mut self.state, to);
        debug_assert!(aperto_tcp::diagram::has(from, cause, to), "{from} {cause:?} {to}");
        Some((from, to, cause))
    }

    /// A segment leaves.
    pub(super) fn leaves(&mut self, header: &Header, text: u32) -> Option<Move> {
        use State as S;
        let control = header.control;
        if control.fin() {
            self.after_fin = Some(header.seq + text + control.sequence_length());
        }
        match self.state {
            S::Closed if control.syn() && !control.ack() => self.enter(S::SynSent, Cause::ActiveOpen),
            S::Closed | S::Listen => None,
            _ if control.rst() => self.enter(S::Closed, Cause::AbortCalled),
            S::SynReceived | S::Established if control.fin() => self.enter(S::FinWait1, Cause::CloseCalled),
            S::CloseWait if control.fin() => self.enter(S::LastAck, Cause::FinSent),
            _ => None,
        }
    }

    /// A segment arrives: at most its acknowledgment moves the state, and then its FIN.
    pub(super) fn arrives(&mut self, header: &Header, text: u32) -> [Option<Move>; 2] {
        use State as S;
        let control = header.control;
        if control.rst() {
            let is_open = !matches!(self.state, S::Closed | S::Listen);
            return [is_open.then(|| self.enter(S::Closed, Cause::ResetArrived)).flatten(), None];
        }
        if control.syn() {
            return [self.syn_arrives(header), None];
        }
        let fin_arrived = self.receive(header, text);
        let fin_acknowledged = control.ack() && self.after_fin == Some(header.ack);
        let first = match self.state {
            S::SynReceived if control.ack() => self.enter(S::Established, Cause::SynAcknowledged),
            S::FinWait1 if fin_acknowledged && fin_arrived => {
                return [self.enter(S::TimeWait, Cause::FinArrivedAndOursAcknowledged), None];
            }
            S::FinWait1 if fin_acknowledged => self.enter(S::FinWait2, Cause::FinAcknowledged),
            S::Closing if fin_acknowledged => self.enter(S::TimeWait, Cause::FinAcknowledged),
            S::LastAck if fin_acknowledged => self.enter(S::Closed, Cause::FinAcknowledged),
            _ => None,
        };
        let second = match self.state {
            _ if !fin_arrived => None,
            S::Established => self.enter(S::CloseWait, Cause::FinArrived),
            S::FinWait1 => self.enter(S::Closing, Cause::FinArrived),
            S::FinWait2 => self.enter(S::TimeWait, Cause::FinArrived),
            _ => None,
        };
        [first, second]
    }

    fn syn_arrives(&mut self, header: &Header) -> Option<Move> {
        let control = header.control;
        let mut expect = || {
            self.irs = header.seq;
            self.next = Some(header.seq + 1);
        };
        match self.state {
            State::Listen if !control.ack() => {
                expect();
                self.enter(State::SynReceived, Cause::SynArrived)
            }
            State::SynSent if control.ack() => {
                expect();
                self.enter(State::Established, Cause::SynAckArrived)
            }
            State::SynSent => {
                expect();
                self.enter(State::SynReceived, Cause::SynArrived)
            }
            State::SynReceived if control.ack() => self.enter(State::Established, Cause::SynAcknowledged),
            _ => None,
        }
    }

    /// Moves RCV.NXT; says whether the peer's FIN is reached, for the first time.
    fn receive(&mut self, header: &Header, text: u32) -> bool {
        let Some(next) = self.next else { return false };
        let start = header.seq.since(self.irs);
        let end = start.saturating_add(text);
        if header.control.fin() {
            self.fin_at = Some(end);
        }
        if text > 0 && self.pieces.len() < MOST_PIECES {
            let longest = self.pieces.entry(start).or_insert(end);
            *longest = end.max(*longest);
        }
        let mut reached = next.since(self.irs);
        while let Some(piece) = self.pieces.first_entry().filter(|piece| *piece.key() <= reached) {
            reached = reached.max(piece.remove());
        }
        let fin_reached = self.fin_at == Some(reached);
        if fin_reached {
            self.fin_at = None;
            reached = reached.saturating_add(1);
        }
        self.next = Some(self.irs + reached);
        fin_reached
    }
}
