//! Step 6 of a segment's arrival: the URG bit.
//!
//! RFC 9293 §3.10.7.4 (sixth) and §3.8.5; RFC 6093: urgent octets stay in line, the pointer is
//! only a mark.

use super::Arrival;
use crate::connection::Connection;
use crate::event::Event;

impl Connection {
    /// RFC 9293 §3.8.5 \[MUST-30\] \[MUST-31\] \[MUST-32\].
    pub(super) fn sixth_check_urg(&mut self, arrival: &Arrival<'_>) {
        if !arrival.control.urg() || !self.state.can_receive() {
            return;
        }
        let consumed = self.receive.next - u32::try_from(self.readable()).unwrap_or(0);
        let urgent = arrival.urgent;
        let further = self.receive.urgent.is_none_or(|known| urgent.after(known));
        if urgent.after(consumed) && further {
            self.receive.urgent = Some(urgent);
            self.tell(Event::Urgent);
        }
    }
}
