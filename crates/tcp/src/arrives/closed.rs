//! A segment arrives where there is no connection.
//!
//! RFC 9293 §3.10.7.1 and §3.5.2, group 1.

use aperto_wire::tcp::{Control, Header, Segment};

use crate::reason::{Reason, ResetCause};

/// The answer to a segment that belongs to no connection: a reset that its sender will believe,
/// and none to a reset.
///
/// RFC 9293 §3.10.7.1.
#[must_use]
pub fn answer_to_stray(segment: &Segment<'_>) -> Option<(Header, Reason)> {
    let arrived = &segment.header;
    if arrived.control.rst() {
        return None;
    }
    let header = if arrived.control.ack() {
        Header { seq: arrived.ack, control: Control::RST, ..Header::default() }
    } else {
        let ack = arrived.seq + segment.len();
        Header { ack, control: Control::RST | Control::ACK, ..Header::default() }
    };
    Some((header, Reason::Reset(ResetCause::NoConnection)))
}
