//! `--view json --why full`: a record with its reason in words, in both languages.

use aperto_explain::{Context, Language, text};
use aperto_trace::{Fact, Record, Trace, Transport, json};

/// The line of a record.
pub(crate) fn line(trace: &Trace, record: &Record) -> String {
    let Some(reason) = reason(record) else { return json::record_line(record) };
    let context = context(trace, record);
    let english = text::short(Language::English, &reason, &context);
    let portuguese = text::short(Language::Portuguese, &reason, &context);
    let rule = text::rules::of(&reason, &context).cite(aperto_explain::Citation::Whole);
    let texts = [("en", english.full()), ("pt-BR", portuguese.full()), ("rule", rule.as_str())];
    json::record_line_with(record, &texts)
}

fn reason(record: &Record) -> Option<aperto_tcp::Reason> {
    let Fact::Left(packet) = &record.fact else { return None };
    let Transport::Tcp(segment) = &packet.transport else { return None };
    segment.reason
}

/// What can be known of a segment by itself: its numbers, and who sends it.
fn context(trace: &Trace, record: &Record) -> Context {
    use aperto_explain::context::Counting;
    use aperto_explain::facts::{FlowFacts, beginning};
    let Fact::Left(packet) = &record.fact else { return Context::default() };
    match record.flow.and_then(|id| trace.flow(id)) {
        Some(flow) => FlowFacts::new(flow.id, beginning(flow)).context(packet, record.at, Counting::Relative),
        None => Context::default(),
    }
}
