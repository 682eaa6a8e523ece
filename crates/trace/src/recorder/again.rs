//! What another trace has, written again: for whoever makes one trace of several.

use aperto_time::Instant;

use super::{Marks, Recorder, pair};
use crate::record::{Fact, FlowBegan, FlowId, Vantage};

impl Recorder {
    /// Writes a fact that another trace has, as it is.
    pub(crate) fn keep(&mut self, at: Instant, vantage: Vantage, flow: Option<FlowId>, fact: Fact) {
        self.record(at, vantage, flow, fact);
    }

    /// A flow begins, as another trace has it.
    pub(crate) fn begin(&mut self, at: Instant, vantage: Vantage, began: FlowBegan) -> FlowId {
        let id = FlowId(self.next_flow);
        self.next_flow = self.next_flow.saturating_add(1);
        self.by_pair.insert(pair(began.protocol, began.endpoints), id);
        self.marks.insert(id, Marks::default());
        self.record(at, vantage, Some(id), Fact::FlowBegan(began));
        id
    }
}
