//! `replay`: what was simulated is the same again; what was changed, cut, or made elsewhere is named.

use super::support::{Scratch, free_port, run, server, start};

/// What was said, whatever the lines it was cut into.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn record(file: &str, arguments: &[&str]) -> String {
    let mut all = arguments.to_vec();
    all.extend(["-w", file, "--view", "none", "-q"]);
    let code = run(&all).code;
    assert!(code == 0 || code == 1, "{arguments:?}");
    std::fs::read_to_string(file).unwrap()
}

/// Of every scene and every protocol, on a bad channel as well; the looks are no part of a run.
#[test]
fn every_recording_of_a_simulated_run_is_the_same_again() {
    let scratch = Scratch::new();
    let file = scratch.file("run.aperto");
    let scenes = run(&["demo"]).ended(0).out;
    let scenes = scenes.lines().take_while(|line| !line.is_empty());
    let scenes: Vec<&str> = scenes.filter_map(|line| line.split(' ').next()).collect();
    assert!(scenes.len() >= 17, "{scenes:?}");
    let mut lines: Vec<Vec<&str>> = scenes.iter().map(|scene| vec!["demo", scene]).collect();
    for protocol in ["tcp", "udp", "saw", "gbn", "sr"] {
        lines.push(vec!["--proto", protocol, "--channel", "awful", "--seed", "9", "-m", "a \"b\" \\ $c é\n"]);
    }
    lines.push(vec!["demo", "ports", "--clients", "5", "--loss", "up:10%,down:3%", "--isn", "random"]);
    for arguments in lines {
        let text = record(&file, &arguments);
        let records = text.lines().count() - 2;
        let again = run(&["replay", &file, "--view", "lines"]).ended(0);
        let expected =
            if records == 1 { "same, 1 record\n".into() } else { format!("same, {records} records\n") };
        assert_eq!(again.out, expected, "{arguments:?}");
    }
}

#[test]
fn the_first_difference_is_named_with_both_sides() {
    let scratch = Scratch::new();
    let text = record(&scratch.file("run.aperto"), &["--drop", "4"]);
    let changed = |from: &str, to: &str| {
        let file = scratch.holding("changed.aperto", text.replacen(from, to, 1).as_bytes());
        flat(&run(&["replay", &file]).ended(1).error)
    };
    let told = changed("\"window\":64240", "\"window\":64241");
    assert!(told.contains("record 4 is not what happens now"), "{told}");
    assert!(
        told.contains("recorded: type segment, event left, number 1, t_ns 0, window 64241 now"),
        "{told}"
    );
    assert!(told.contains("now: type segment, event left, number 1, t_ns 0, window 64240"), "{told}");
    let told = changed("\"delay_up_ns\":20000000", "\"delay_up_ns\":20000001");
    assert!(told.contains("its header is not what happens now"), "{told}");
    assert!(told.contains("recorded: link.delay_up_ns 20000001 now: link.delay_up_ns 20000000"), "{told}");
    let told = changed("--drop 4 --seed 1\"}", "--drop 5 --seed 1\"}");
    assert!(told.contains("is not what happens now"), "{told}");
    // Another version that does the same is the same; where it is not, both are named.
    let older = text.replace("\"version\":\"0.1.0\"", "\"version\":\"0.0.9\"");
    run(&["replay", &scratch.holding("older.aperto", older.as_bytes())]).ended(0);
    let older = older.replacen("\"window\":64240", "\"window\":64241", 1);
    let told = run(&["replay", &scratch.holding("older.aperto", older.as_bytes())]).ended(1).error;
    assert!(told.contains("it was recorded by aperto 0.0.9"), "{told}");
}

/// Lines that are missing in the middle or after the end are differences; a file that was cut off is
/// the same as far as it goes, and unreadable.
#[test]
fn lines_that_are_missing_or_too_many_are_noticed() {
    let scratch = Scratch::new();
    let text = record(&scratch.file("run.aperto"), &[]);
    let lines: Vec<&str> = text.lines().collect();
    let replay = |lines: &[&str]| {
        let file = scratch.holding("changed.aperto", (lines.join("\n") + "\n").as_bytes());
        run(&["replay", &file])
    };
    let mut fewer = lines.clone();
    fewer.remove(lines.len() - 2);
    let told = replay(&fewer).ended(1).error;
    let told = flat(&told);
    assert!(told.contains("recorded: nothing more"), "{told}");
    let mut more = lines.clone();
    more.insert(lines.len() - 1, lines[lines.len() - 2]);
    let told = replay(&more).ended(1).error;
    let told = flat(&told);
    assert!(told.contains("now: nothing more"), "{told}");
    let told = replay(&lines[..20]).ended(6).error;
    let told = flat(&told);
    assert!(told.contains("the 19 records before that are the same now"), "{told}");
    let half = &text[..text.len() / 2];
    run(&["replay", &scratch.holding("half.aperto", half.as_bytes())]).ended(6);
}

/// A recipe can make the program simulate, and nothing else.
#[test]
fn a_recipe_that_is_none_of_ours_is_refused() {
    let scratch = Scratch::new();
    let text = record(&scratch.file("run.aperto"), &[]);
    let with = |recipe: &str| {
        let changed = text.replacen("flags/1 --seed 1", recipe, 1);
        assert_ne!(changed, text);
        let file = scratch.holding("changed.aperto", changed.as_bytes());
        flat(&run(&["replay", &file]).ended(6).error)
    };
    assert!(with("flags/2 --seed 1").contains("a kind that is not known here: flags/2"));
    assert!(with("flags/1 --seed 1 --teleport").contains("(unknown-flag)"));
    assert!(with("flags/1 --loss 0.1").contains("(bad-quantity)"));
    assert!(with("flags/1 server 7000").contains("(no-simulated-run)"));
    assert!(with("flags/1 show /etc/passwd").contains("(no-simulated-run)"));
    assert!(with("flags/1 --help").contains("(help)"));
    assert!(with("flags/1 -m \\\"open").contains("(bad-quotes)"));
    assert!(with("\\u001b[2J").contains("a kind that is not known here: [2J"));
    // Whatever it asks to be recorded is not.
    let elsewhere = scratch.file("elsewhere.aperto");
    let changed = text.replacen("flags/1 --seed 1", &format!("flags/1 --seed 1 -w {elsewhere}"), 1);
    run(&["replay", &scratch.holding("changed.aperto", changed.as_bytes())]).ended(0);
    assert!(!std::path::Path::new(&elsewhere).exists());
    let without = text.replacen(",\"recipe\":\"flags/1 --seed 1\"", "", 1);
    let told = run(&["replay", &scratch.holding("changed.aperto", without.as_bytes())]).ended(6).error;
    let told = flat(&told);
    assert!(told.contains("does not say how it was made"), "{told}");
}

#[test]
fn a_live_recording_says_why_it_cannot_be_run_again() {
    let (scratch, port) = (Scratch::new(), free_port());
    let file = scratch.file("live.aperto");
    let server = server(port, &["--echo", "--once"]);
    let client = start(&["client", "127.0.0.1", &port.to_string(), "-m", "x", "-w", &file]);
    client.finish().ended(0);
    server.finish().ended(0);
    let told = run(&["replay", &file]).ended(2).error;
    let told = flat(&told);
    assert!(told.contains("was recorded live (--wire udp)"), "{told}");
    assert!(told.contains("aperto show"), "{told}");
}

#[test]
fn rubbish_is_unreadable() {
    let scratch = Scratch::new();
    for (name, octets) in [
        ("empty", &b""[..]),
        ("brace", b"{"),
        ("binary", b"{\xff\x00\x01"),
        ("other", b"{\"v\":9,\"type\":\"start\"}"),
    ] {
        run(&["replay", &scratch.holding(name, octets)]).ended(6);
    }
    run(&["replay", &scratch.file("missing.aperto")]).ended(6);
    run(&["replay"]).ended(2);
}
