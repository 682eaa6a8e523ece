use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use aperto_time::Instant;
use aperto_wire::SeqNumber;
use aperto_wire::tcp::{FastOpenCookie, Header, Options, SackBlock, Timestamps, UserTimeout};
use proptest::prelude::*;
use serde_json::Value;

use super::{Fault, record_line, record_line_with, start_line};
use crate::code::tests::{arq_notes, notes, reasons};
use crate::testing::*;
use crate::*;

/// A trace with a record of every kind.
fn everything() -> Trace {
    let mut r = conversation();
    let now = ms(1100);
    for reason in reasons() {
        r.left(now, at(C), &from_client(ACK, 12, 1, b""), Meaning::Tcp(reason));
    }
    for note in notes() {
        r.note(now, C, up(), note);
    }
    for note in arq_notes() {
        r.arq_note(now, S, down(), note);
    }
    let options = Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        sack: [SackBlock { start: SeqNumber::new(5), end: SeqNumber::new(9) }].into_iter().collect(),
        timestamps: Some(Timestamps { value: u32::MAX, echo: 0 }),
        user_timeout: None,
        fast_open: None,
    };
    let with_options = Header { options, urgent_pointer: 3, ..header(false, ACK, 1, 12) };
    r.left(now, at(S), &segment(down(), &with_options, b""), Meaning::Plain);
    let options = Options {
        user_timeout: Some(UserTimeout { amount: 90, minutes: true }),
        fast_open: FastOpenCookie::new(&[1, 2, 3, 4]),
        ..Options::NONE
    };
    let rare = Header { options, ..header(true, SYN, 99_999, 0) };
    r.left(now, at(C), &segment(up(), &rare, b""), Meaning::Plain);
    r.left(now, at(C), &datagram(up(), b"tran"), Meaning::Plain);
    let echo = [8, 0, 0, 0, 0x12, 0x34, 0, 1, b'x'];
    let ping =
        r.left(now, at(C), &ip(CLIENT, SERVER, aperto_wire::ip::Protocol::ICMP, &echo), Meaning::Plain);
    let quoted = from_client(SYN, 0, 0, b"");
    let error = [&[3, 3, 0, 0, 0, 0, 0, 0], &quoted[..]].concat();
    r.left(now, at(S), &ip(SERVER, CLIENT, aperto_wire::ip::Protocol::ICMP, &error), Meaning::Plain);
    r.left(now, at(C), &[0x45], Meaning::Plain);
    r.left(now, at(C), &ip(CLIENT, SERVER, aperto_wire::ip::Protocol(47), b"gre"), Meaning::Plain);
    let mut fragment = ip(CLIENT, SERVER, aperto_wire::ip::Protocol::UDP, b"the rest");
    fragment[7] = 100;
    r.left(now, at(C), &fragment, Meaning::Plain);
    let by = Origin::Random;
    r.channel(now, ping, 1, ChannelEvent::Duplicated { by: by.clone() });
    let overtaken_by = None;
    r.channel(now, ping, 1, ChannelEvent::Reordered { by, overtaken_by });
    r.arrived_damaged(now, at(S), ping, 1, b"\x45damaged");
    r.dropped(now, at(S), DropReason::BadChecksum { format: "ipv4".to_string() });
    r.dropped(ms(2000), at(S), DropReason::Host { code: "no-route".to_string() });
    r.echo_replied(now, C, 0x1234, 1);
    r.event(now, C, up(), aperto_tcp::Event::Ended(aperto_tcp::End::Reset));
    for call in [Call::Accept, Call::Close, Call::Release, Call::Abort] {
        r.call(now, S, Some(down()), call);
    }
    let values = Vec::from([("later".to_string(), 30), ("earlier".to_string(), u64::MAX)]);
    let packets = Vec::from([Number(1), Number(3)]);
    r.finding(now, Some(FlowId(1)), Finding { code: "two-handshakes".to_string(), packets, values });
    let mut trace = r.into_trace();
    trace.header.recipe = Some("drop = \"4\"\n".to_string());
    trace.header.epoch_ns = Some(1_700_000_000_000_000_001);
    trace
}

#[test]
fn a_trace_with_everything_in_it_comes_back_the_same() {
    let trace = everything();
    let lines = trace.to_json_lines();
    let mut back = Trace::from_json_lines(&lines).expect("what we write can be read");
    // The values of a finding are named, and come back in the order of their names.
    let mut expected = trace;
    for records in [&mut expected, &mut back] {
        let mut sorted = Trace::new(records.header.clone());
        for record in records.records() {
            let mut record = record.clone();
            if let Fact::Finding(finding) = &mut record.fact {
                finding.values.sort();
            }
            sorted.push(record);
        }
        sorted.ending = records.ending.clone();
        *records = sorted;
    }
    for (one, other) in expected.records().iter().zip(back.records()) {
        assert_eq!(one, other);
    }
    assert_eq!(expected, back);
}

#[test]
fn a_departure_is_one_line_with_absolute_numbers_and_its_reason() {
    let trace = conversation().into_trace();
    let journey = trace.journey(Number(5)).expect("it left");
    let line = record_line(&trace.records()[journey.departure.expect("it left")]);
    let frame: String = from_client(psh_ack(), 1, 1, GREETING.as_bytes())
        .iter()
        .map(|octet| alloc::format!("{octet:02x}"))
        .collect();
    let expected = [
        r#"{"type":"segment","t_ns":1040000000,"host":0,"interface":0,"flow":1,"event":"left","number":5,"#,
        r#""from":"10.0.0.1:49152","to":"10.0.0.2:7000","protocol":"tcp","flags":"PSH,ACK","seq":1235,"#,
        r#""ack":1568,"window":64240,"reason":{"code":"retransmission-timeout","octets":11,"attempt":1,"#,
        r#""rto_ns":1000000000,"next_rto_ns":2000000000,"cwnd":1460},"of":4,"window_mark":"same","#,
        r#""length":11,"frame_length":51,"payload_at":40,"frame":""#,
        &frame,
        r#""}"#,
    ];
    assert_eq!(line, expected.concat());
}

#[test]
fn the_first_line_says_the_version_and_the_recipe() {
    let line = start_line(&trace_header());
    assert!(
        line.starts_with(r#"{"v":1,"type":"start","version":"0.1.0","seed":1,"command":"aperto --drop 4","#)
    );
    assert!(line.contains(r#""tag":"turma B, RA 20231234""#));
}

#[test]
fn what_an_application_wrote_stands_there_as_octets_and_as_text() {
    let trace = conversation().into_trace();
    let lines = trace.to_json_lines();
    let written = lines.lines().find(|line| line.contains(r#""call":"send""#)).expect("it wrote");
    assert!(written.contains(r#""octets":"4f6cc3a12c206d756e646f","text":"Olá, mundo""#), "{written}");
}

#[test]
fn sentences_go_behind_the_fields_and_are_ignored_when_read() {
    let trace = conversation().into_trace();
    let record = &trace.records()[0];
    let line = record_line_with(record, &[("en", "say \"hi\"\u{7}"), ("pt-BR", "olá")]);
    assert!(line.ends_with(r#","en":"say \"hi\"\u0007","pt-BR":"olá"}"#), "{line}");
    let lines = [start_line(&trace.header), line].join("\n");
    let back = Trace::from_json_lines(&lines).expect("more fields are no harm");
    assert_eq!(back.records(), &trace.records()[..1]);
}

#[test]
fn one_line_ends_a_trace_and_it_is_the_last() {
    let mut trace = conversation().into_trace();
    let last = |trace: &Trace| trace.to_json_lines().lines().last().unwrap_or("").to_string();
    assert_eq!(last(&trace), r#"{"type":"end","t_ns":1060000000,"exit_code":0,"not_kept":0}"#);
    let at = Instant::from_millis(7);
    let (code, message) = ("refused".to_string(), "connection refused".to_string());
    trace.ending = Some(Ending::Error { at, code, message, exit_code: 3 });
    let expected = concat!(
        r#"{"type":"error","t_ns":7000000,"exit_code":3,"code":"refused","message":"connection refused","#,
        r#""not_kept":0}"#
    );
    assert_eq!(last(&trace), expected);
    assert_eq!(Trace::from_json_lines(&trace.to_json_lines()).as_ref(), Ok(&trace));
}

fn complaint(lines: &[&str]) -> String {
    Trace::from_json_lines(&lines.join("\n")).expect_err("it is wrong").to_string()
}

#[test]
fn what_is_wrong_is_said_with_the_number_of_its_line() {
    let start = start_line(&TraceHeader::default());
    let end = r#"{"type":"end","t_ns":0,"exit_code":0}"#;
    assert_eq!(complaint(&[""]), "line 1: does not start a recording (\"type\":\"start\")");
    assert_eq!(complaint(&[end]), "line 1: does not start a recording (\"type\":\"start\")");
    let newer = start.replace("\"v\":1", "\"v\":2");
    assert_eq!(complaint(&[&newer]), "line 1: version 2, and only 1 is known");
    assert_eq!(complaint(&[&start, &start]), "line 2: a second start");
    assert_eq!(complaint(&[&start, end, "", end]), "line 4: comes after the end");
    assert_eq!(complaint(&[&start, "7"]), "line 2: not an object");
    assert_eq!(complaint(&[&start, "{}"]), "line 2: \"type\" is missing");
    assert!(complaint(&[&start, "{\"type\":"]).starts_with("line 2: not JSON at column 8: "));
    assert_eq!(complaint(&[&start, r#"{"type":"tea","t_ns":1}"#]), "line 2: unknown type \"tea\"");
    let state = r#"{"type":"state","t_ns":1,"from":"CLOSED","to":"OPEN","cause":"active-open"}"#;
    assert_eq!(complaint(&[&start, state]), "line 2: \"to\" has a value that it cannot have");
    let early = r#"{"type":"state","t_ns":-1,"from":"CLOSED","to":"LISTEN","cause":"passive-open"}"#;
    assert_eq!(complaint(&[&start, early]), "line 2: \"t_ns\" has a value that it cannot have");
    let half = r#"{"type":"state","t_ns":1.5,"from":"CLOSED","to":"LISTEN","cause":"passive-open"}"#;
    assert_eq!(complaint(&[&start, half]), "line 2: \"t_ns\" has a value that it cannot have");
    let call = "{\"type\":\"app\",\"t_ns\":1,\"call\":\"\\u001b[2J\"}";
    assert_eq!(complaint(&[&start, call]), "line 2: unknown code \"\\u{1b}[2J\" in \"call\"");
    let channel = r#"{"type":"channel","t_ns":1,"event":"lost","number":0,"copy":0,"by":{"code":"random"}}"#;
    assert_eq!(complaint(&[&start, channel]), "line 2: \"number\" has a value that it cannot have");
}

#[test]
fn a_bad_tail_keeps_the_good_head() {
    let trace = conversation().into_trace();
    let lines = trace.to_json_lines();
    let cut = &lines[..lines.len() - 80];
    let (head, error) = Trace::read_json_lines(cut);
    let error = error.expect("it was cut in the middle of a line");
    assert_eq!(error.line, lines.lines().count() - 1);
    assert!(matches!(error.what, Fault::NotJson { .. }));
    assert_eq!(head.records(), &trace.records()[..trace.records().len() - 1]);
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    let deep = [start_line(&TraceHeader::default()), "[".repeat(1 << 20)].join("\n");
    let (_, error) = Trace::read_json_lines(&deep);
    assert!(matches!(error.expect("it is too deep").what, Fault::NotJson { .. }));
}

// The schema.

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/schema/trace-v1.json")).expect("the schema is JSON")
}

/// As much of JSON Schema as ours uses: type, enum, const, pattern by name, items, properties,
/// required, additionalProperties, $ref, oneOf by the const of `type` or `event`.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.strip_prefix("#/$defs/").expect("references are local");
        let found = &root["$defs"][name];
        assert!(!found.is_null(), "{reference} is not defined");
        return fits(root, found, value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut complaints = Vec::new();
        let good = choices.iter().filter(|choice| match fits(root, choice, value) {
            Ok(()) => true,
            Err(complaint) => {
                complaints.push(complaint);
                false
            }
        });
        return match good.count() {
            1 => Ok(()),
            count => Err(alloc::format!("{count} of the choices fit {value}: {complaints:?}")),
        };
    }
    let fail = |what: &str| Err(alloc::format!("{value}: {what}"));
    if schema.get("const").is_some_and(|constant| constant != value) {
        return fail("another constant");
    }
    if schema["enum"].as_array().is_some_and(|list| !list.contains(value)) {
        return fail("not in the list");
    }
    let right_type = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("the schema uses the type {other}"),
    };
    if !right_type {
        return fail("another type");
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for item in values {
            fits(root, items, item)?;
        }
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for required in schema["required"].as_array().into_iter().flatten() {
        if !object.contains_key(required.as_str().expect("a name")) {
            return fail(&alloc::format!("{required} is missing"));
        }
    }
    for (name, inner) in object {
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(property), _) => fits(root, property, inner)?,
            (None, Some(Value::Bool(false))) => return fail(&alloc::format!("{name} is not in the schema")),
            (None, Some(Value::Object(_))) => fits(root, &schema["additionalProperties"], inner)?,
            (None, _) => {}
        }
    }
    Ok(())
}

/// Like the schema, but nothing may be in a line that is not in the schema.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                    map.insert("additionalProperties".to_string(), Value::Bool(false));
                }
                map.values_mut().for_each(close);
            }
            Value::Array(list) => list.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[test]
fn every_line_that_we_write_fits_the_schema_and_all_its_fields_are_in_it() {
    let schema = closed(schema());
    let mut types = alloc::collections::BTreeSet::new();
    let mut trace = everything();
    let mut lines = trace.to_json_lines();
    let message = "it broke".to_string();
    trace.ending = Some(Ending::Error { at: ms(1), code: "other".to_string(), message, exit_code: 1 });
    lines.push_str(trace.to_json_lines().lines().last().unwrap_or(""));
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).expect("what we write is JSON");
        let kind = value["type"].as_str().expect("each line has a type").to_string();
        let definition = &schema["$defs"][&kind];
        assert!(!definition.is_null(), "no {kind} in the schema");
        if let Err(complaint) = fits(&schema, definition, &value) {
            panic!("{complaint}\nin {line}");
        }
        types.insert(kind);
    }
    let expected =
        ["app", "channel", "end", "error", "finding", "flow", "note", "segment", "start", "state", "timer"];
    assert!(types.iter().eq(expected.iter()), "{types:?}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = Trace::read_json_lines(&text);
        let start = start_line(&trace_header());
        let _ = Trace::read_json_lines(&alloc::format!("{start}\n{text}\n"));
    }

    #[test]
    fn any_field_may_be_anything(
        line in 0usize..400,
        field in 0usize..16,
        value in prop_oneof![
            Just("null"), Just("0"), Just("-1"), Just("1e300"), Just("18446744073709551615"), Just("[]"),
            Just("[1]"), Just("{}"), Just("\"\""), Just("\"zz\""), Just("\"ação\""), Just("true"),
        ],
    ) {
        let lines = everything().to_json_lines();
        let lines: Vec<&str> = lines.lines().collect();
        let chosen = line % lines.len();
        let mut object: Value = serde_json::from_str(lines[chosen]).expect("it is JSON");
        if let Some(map) = object.as_object_mut() {
            let count = map.len();
            if let Some((_, place)) = map.iter_mut().nth(field % count) {
                *place = serde_json::from_str(value).expect("it is JSON");
            }
        }
        let mut text = String::new();
        if chosen > 0 {
            text.push_str(lines[0]);
            text.push('\n');
        }
        text.push_str(&object.to_string());
        let (trace, error) = Trace::read_json_lines(&text);
        if error.is_none() {
            prop_assert!(Trace::from_json_lines(&trace.to_json_lines()).is_ok());
        }
    }

    #[test]
    fn any_text_of_an_application_comes_back(octets in proptest::collection::vec(any::<u8>(), 0..50), tag in ".{0,30}") {
        let mut r = conversation();
        r.sent(ms(2000), C, up(), &octets);
        let mut trace = r.into_trace();
        trace.header.tag = Some(tag);
        prop_assert_eq!(Trace::from_json_lines(&trace.to_json_lines()), Ok(trace));
    }
}
