//! Commands with a slash: `/why 6`, `/estado`, `/perder`, and what they are answered.

use aperto_explain::context::Counting;
use aperto_explain::facts::{FlowFacts, beginning};
use aperto_explain::program::saying::{Saying, Wish};
use aperto_explain::wording::{spread, width, wrap};
use aperto_explain::{Citation, Language, text};
use aperto_tokio::Stack;
use aperto_trace::{Fact, Number, Trace, Transport};

use crate::live::scribe::SharedScribe;
use crate::live::slash::{Spoil, Typed};
use crate::live::spoil::Wishes;

/// How far answers are indented, as everything that belongs to a line above.
const INDENT: usize = 12;
/// How wide they may be.
const COLUMNS: usize = 80;

/// What a command with a slash is answered. The channel is ours only over a stack of ours.
pub(crate) fn answer(
    typed: &Typed,
    over: Option<(&Stack, &Wishes)>,
    scribe: Option<&SharedScribe>,
    language: Language,
) -> Vec<String> {
    let saying = match (typed, over) {
        (Typed::Help, _) => Saying::Help,
        (Typed::Unknown(line), _) => Saying::UnknownSlash { line: line.clone() },
        (Typed::Say(_) | Typed::Quit, _) => return Vec::new(),
        (_, None) => Saying::NoChannel,
        (Typed::Spoil(what, segments), Some((_, wishes))) => wished(wishes, *what, *segments),
        (Typed::Normal, Some((_, wishes))) => {
            wishes.calm();
            Saying::Calm
        }
        (Typed::Why(number), Some(_)) => return lines(scribe, *number, language),
        (Typed::State, Some((stack, _))) => return state(stack),
    };
    saying.lines(language)
}

/// The same over datagrams, where there is no stack of ours: who has connections says how they are.
pub(crate) fn over_datagrams(
    typed: &Typed,
    wishes: &Wishes,
    scribe: Option<&SharedScribe>,
    language: Language,
) -> Vec<String> {
    match typed {
        Typed::Spoil(what, segments) => wished(wishes, *what, *segments).lines(language),
        Typed::Normal => {
            wishes.calm();
            Saying::Calm.lines(language)
        }
        Typed::Why(number) => lines(scribe, *number, language),
        Typed::State | Typed::Help | Typed::Unknown(_) | Typed::Say(_) | Typed::Quit => {
            answer(typed, None, scribe, language)
        }
    }
}

fn wished(wishes: &Wishes, what: Spoil, segments: u32) -> Saying {
    wishes.spoil(what, segments);
    let wish = match what {
        Spoil::Drop => Wish::Lose,
        Spoil::Delay(by) => Wish::HoldBack(by),
        Spoil::Corrupt => Wish::Damage,
        Spoil::Duplicate => Wish::Double,
    };
    Saying::Wished { wish, segments }
}

/// Why a segment was sent, in two or three sentences.
fn lines(scribe: Option<&SharedScribe>, number: u32, language: Language) -> Vec<String> {
    let Some(scribe) = scribe else { return Saying::NoSuchSegment { number }.lines(language) };
    told_of(scribe.lock().trace(), number, language)
}

fn told_of(trace: &Trace, number: u32, language: Language) -> Vec<String> {
    let wanted = Number(number);
    let mut facts: Option<FlowFacts> = None;
    let flow =
        trace.records().iter().find(|record| record.number() == Some(wanted)).and_then(|record| record.flow);
    for record in trace.records().iter().filter(|record| record.flow == flow) {
        if let Some(flow) = flow.and_then(|id| trace.flow(id)) {
            let facts = facts.get_or_insert_with(|| FlowFacts::new(flow.id, beginning(flow)));
            facts.learn(record, record.number().and_then(|number| trace.packet(number)));
            if let Fact::Left(packet) = &record.fact
                && packet.number == wanted
                && let Transport::Tcp(segment) = &packet.transport
                && let Some(reason) = &segment.reason
            {
                let context = facts.context(packet, record.at, Counting::Absolute);
                let rule = text::rules::of(reason, &context).cite(Citation::Number);
                return told(&text::long(language, reason, &context), &rule);
            }
            if let Fact::Left(packet) = &record.fact
                && packet.number == wanted
                && let Transport::Arq(arq) = &packet.transport
                && let Some(reason) = &arq.reason
            {
                return told(&text::arq_long(language, reason), "Kurose 3.4");
            }
        }
    }
    let saying = match trace.packet(wanted) {
        Some(_) => Saying::NotOurs { number },
        None => Saying::NoSuchSegment { number },
    };
    saying.lines(language)
}

/// The answer, indented, with the rule at the right of its last line.
fn told(sentences: &str, rule: &str) -> Vec<String> {
    let indent = " ".repeat(INDENT);
    let mut lines: Vec<String> =
        wrap(sentences, COLUMNS - INDENT).into_iter().map(|line| format!("{indent}{line}")).collect();
    let last = lines.pop().unwrap_or_default();
    // Close to the sentence, where it fits there.
    if width(&last) + 2 + width(rule) <= COLUMNS {
        lines.push(format!("{last}  {rule}"));
    } else {
        lines.extend(spread(&last, rule, COLUMNS));
    }
    lines
}

/// How the connections are.
fn state(stack: &Stack) -> Vec<String> {
    let mut lines = Vec::new();
    let all = stack.connections();
    for (id, endpoints, state) in all {
        let (local, remote) = (stack.outer(endpoints.local), stack.outer(endpoints.remote));
        lines.push(format!("            {state}  {local} - {remote}"));
        let Some(status) = stack.with_host(|host| host.status(id).ok()) else { continue };
        lines.push(format!(
            "            snd.una {}  snd.nxt {}  snd.wnd {}  rcv.nxt {}  rcv.wnd {}",
            status.send_unacknowledged,
            status.send_next,
            status.send_window,
            status.receive_next,
            status.receive_window
        ));
        let srtt = status.srtt.map_or_else(|| "-".into(), |srtt| format!("{} ms", srtt.as_millis()));
        lines.push(format!(
            "            cwnd {}  ssthresh {}  srtt {srtt}  rto {} ms",
            status.cwnd,
            threshold(status.ssthresh),
            status.rto.as_millis()
        ));
    }
    lines
}

fn threshold(octets: u32) -> String {
    if octets == u32::MAX { "∞".into() } else { octets.to_string() }
}
