use alloc::string::String;

use super::*;
use crate::Language;
use crate::ladder::{self, Calls, Ladder};
use crate::lines::{Labels, LineView, Lines};
use crate::story::{FLOW, fourth_lost, nine_segments};
use crate::text;
use crate::wording::width;

fn every() -> Vec<SocketCall> {
    let at: SocketAddr = "192.168.100.100:65432".parse().unwrap();
    vec![
        SocketCall::Socket,
        SocketCall::Bind(at),
        SocketCall::Listen,
        SocketCall::Accept,
        SocketCall::Connect(at),
        SocketCall::Send(20_480),
        SocketCall::Recv(20_480),
        SocketCall::RecvEnd,
        SocketCall::Shutdown,
        SocketCall::Close,
        SocketCall::Abort,
        SocketCall::SendTo(4),
        SocketCall::RecvFrom(4),
    ]
}

#[test]
fn every_call_has_a_sentence_of_its_own_in_both_languages_that_fits_beside_a_time() {
    let (one, other) = (Number(1_004), Number(1_011));
    for call in every() {
        for effect in [
            Effect::Nothing,
            Effect::Leaves(one, one),
            Effect::Leaves(one, other),
            Effect::Begins(one),
            Effect::Brought(one, one),
            Effect::Brought(one, other),
            Effect::Later,
            Effect::Likely,
        ] {
            let says = |language| text::socket(language, call, effect);
            let (english, portuguese) = (says(Language::English), says(Language::Portuguese));
            assert_ne!(english.full(), portuguese.full(), "{call:?} {effect:?}");
            for says in [english, portuguese] {
                assert!(says.variants().iter().any(|says| width(says) <= 66), "{says:?}");
                assert!(says.full().contains("()") || says.full().contains('('), "{says:?}");
            }
        }
    }
}

/// The calls of the nine segments of UX 2.6 (a), as its numbers have them.
#[test]
fn each_call_stands_above_the_segment_that_it_makes() {
    let view = ladder::View { calls: Calls::Shown, ..ladder::View::new(Language::English) };
    let page = Ladder::new(&nine_segments(), FLOW, &view).text(&view);
    let said: Vec<&str> = page.lines().map(str::trim).filter(|line| !line.starts_with("why")).collect();
    let after = |call: &str| {
        let place =
            said.iter().position(|line| line.ends_with(call)).unwrap_or_else(|| panic!("{call}: {page}"));
        said[place + 1]
    };
    assert!(after("send(11 bytes): #4 carries them").starts_with('4'), "{page}");
    assert!(after("send(11 bytes): #5 carries them").starts_with('5'), "{page}");
    assert!(after("shutdown(SHUT_WR): #6 FIN; it may still recv()").starts_with('6'), "{page}");
    assert!(after("close(): #8 leaves").starts_with('8'), "{page}");
    assert!(page.contains("recv(): 11 bytes, which #4 brought; no segment"), "{page}");
    assert!(page.contains("recv(): 11 bytes, which #5 brought; no segment"), "{page}");
    assert!(page.lines().all(|line| width(line) <= 80), "{page}");
    // The server's stand on its side.
    let server = page.lines().find(|line| line.ends_with("send(11 bytes): #5 carries them")).unwrap();
    assert_eq!(width(server), 80, "{server}");
}

#[test]
fn what_is_sent_again_is_no_new_call() {
    let view = ladder::View { calls: Calls::Shown, ..ladder::View::new(Language::English) };
    let page = Ladder::new(&fourth_lost(), FLOW, &view).text(&view);
    assert_eq!(page.matches("send(11 bytes)").count(), 2, "one of each side: {page}");
    assert!(page.contains("send(11 bytes): #4 carries them"), "{page}");
}

#[test]
fn lines_have_the_calls_before_their_segments_only_where_they_are_asked_for() {
    let lines = |calls| {
        let view = LineView { calls, labels: Labels::Sides, ..LineView::new(Language::Portuguese) };
        Lines::of(&nine_segments(), &view)
    };
    assert!(!lines(Calls::Hidden).iter().any(|line| line.contains("send(")));
    let shown = lines(Calls::Shown);
    let place = |text: &str| shown.iter().position(|line| line.contains(text)).expect(text);
    assert!(place("send(11 bytes): vão no #4") < place("#4 PSH,ACK"));
    assert!(place("shutdown(SHUT_WR): #6 FIN") < place("#6 FIN,ACK"));
    assert!(place("close(): sai o #8") < place("#8 FIN,ACK"));
    let calls = shown.iter().filter(|line| line.contains("[APLICAÇÃO]"));
    assert!(calls.clone().count() >= 6 && calls.clone().all(|line| width(line) <= 80), "{shown:#?}");
}

#[test]
fn a_call_whose_segment_leaves_a_moment_later_waits_for_it_but_not_for_ever() {
    let mut trace = nine_segments();
    let view = LineView { calls: Calls::Shown, ..LineView::new(Language::English) };
    let told = |trace: &aperto_trace::Trace| -> Vec<String> {
        let mut lines = Lines::new(view.clone());
        let mut out: Vec<String> = Vec::new();
        for record in trace.records() {
            out.extend(lines.push(record));
            out.extend(lines.flush());
        }
        out.extend(lines.finish());
        out
    };
    // Each record is told on its own, as on a real wire.
    let one_by_one = told(&trace);
    assert!(
        one_by_one.iter().any(|line| line.ends_with("send(11 bytes): #4 carries them")),
        "{one_by_one:#?}"
    );
    // The segment never leaves.
    let mut calls = aperto_trace::Trace::new(trace.header.clone());
    for record in trace.records() {
        let is_text = record.packet().is_some_and(|packet| packet.payload_length > 0);
        if !is_text && !matches!(record.fact, Fact::Arrived { .. }) {
            calls.push(record.clone());
        }
    }
    trace = calls;
    assert!(told(&trace).iter().any(|line| line.ends_with("send(11 bytes): in the buffer, no segment yet")));
}
