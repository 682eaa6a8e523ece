//! `merge`: two processes record one conversation each for itself, and both are put into one ladder.

use super::support::{Scratch, free_port, run, server, start};

/// A conversation of two processes, recorded at both ends; the names of the two files.
fn recorded(
    scratch: &Scratch,
    name: &str,
    ending: &str,
    client: &[&str],
    there: &[&str],
) -> (String, String) {
    let port = free_port();
    let files = (scratch.file(&format!("{name}-c{ending}")), scratch.file(&format!("{name}-s{ending}")));
    let mut flags = vec!["--once", "--isn", "1234,1567", "-w", &files.1];
    flags.extend(there);
    let server = server(port, &flags);
    let port = port.to_string();
    let mut flags = vec!["client", "127.0.0.1", &port, "--isn", "1234,1567", "-w", &files.0];
    flags.extend(client);
    start(&flags).finish().ended(0);
    server.finish().ended(0);
    files
}

/// Both formats say the same: who sent what and why, what was lost by whose channel, both ends' states.
#[test]
fn two_recordings_become_one_ladder_with_both_ends() {
    let scratch = Scratch::new();
    for ending in [".aperto", ".pcapng"] {
        let (client, server) =
            recorded(&scratch, "drop", ending, &["-m", "hello there", "--drop", "data:1"], &["--echo"]);
        let told = run(&["merge", &client, &server, "--view", "ladder"]).ended(0).out;
        assert!(told.contains(&format!("client  {client}\nserver  {server}\n")), "{told}");
        assert!(told.contains("1 lost between, 0 copies"), "{told}");
        assert!(told.contains("if both ways take equally long: "), "{told}");
        assert!(told.contains("SYN_RECEIVED") && told.contains("SYN_SENT"), "{told}");
        assert!(told.contains("✗ LOST") && told.contains("RTX(#4)"), "{told}");
        // The client's reasons and the server's.
        assert!(told.contains("why: active open"), "{told}");
        assert!(told.contains("why: accepts; "), "{told}");
        let swapped = run(&["merge", &server, &client, "--view", "ladder"]).ended(0).out;
        assert_eq!(swapped, told);
    }
}

/// What each end's channel does (on the way out at one, on the way in at the other) is told as the end
/// that did it knows it.
#[test]
fn losses_of_both_channels_keep_their_causes() {
    let scratch = Scratch::new();
    let (client, server) = recorded(
        &scratch,
        "both",
        ".aperto",
        &["-m", "hello there", "--drop", "data:1", "--dup", "fin"],
        &["--drop", "up:synack", "--echo"],
    );
    let merged = scratch.file("merged.aperto");
    run(&["merge", &client, &server, "--view", "none", "-q", "-w", &merged]).ended(0);
    let text = std::fs::read_to_string(&merged).unwrap();
    let lost: Vec<&str> = text.lines().filter(|line| line.contains("\"event\":\"lost\"")).collect();
    assert!(lost.iter().any(|line| line.contains("--drop data:1")), "{lost:?}");
    let shown = run(&["show", &merged, "--view", "lines"]).ended(0).out;
    assert!(shown.contains("[LOST]"), "{shown}");
    // It is one trace, and not replayable.
    assert!(text.contains("\"code\":\"merged\""), "the finding");
    run(&["replay", &merged]).ended(2);
    // What was merged has both ends.
    let told = run(&["merge", &merged, &server]).ended(2).error;
    assert!(told.contains("has both ends already"), "{told}");
}

#[test]
fn what_is_not_one_conversation_is_refused() {
    let scratch = Scratch::new();
    let (client, server) = recorded(&scratch, "one", ".aperto", &["-m", "x"], &["--echo"]);
    let (other, _) = recorded(&scratch, "two", ".pcapng", &["-m", "x"], &["--echo"]);
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = flat(&run(&["merge", &other, &server]).ended(2).error);
    assert!(told.contains("have no connection in common"), "{told}");
    let told = flat(&run(&["merge", &client, &client]).ended(2).error);
    assert!(told.contains("were recorded at the same end"), "{told}");
    let told = flat(&run(&["juntar", &client, &client, "--lang", "pt-BR"]).ended(2).error);
    assert!(told.contains("foram gravados na mesma ponta"), "{told}");
    let simulated = scratch.file("sim.pcapng");
    run(&["-w", &simulated, "--view", "none", "-q"]).ended(0);
    let told = flat(&run(&["merge", &client, &simulated]).ended(2).error);
    assert!(told.contains("does not say at which end"), "{told}");
}

#[test]
fn damaged_halves_are_unreadable() {
    let scratch = Scratch::new();
    let (client, server) = recorded(&scratch, "cut", ".aperto", &["-m", "x"], &["--echo"]);
    let text = std::fs::read(&client).unwrap();
    for (name, octets) in [
        ("empty.aperto", &b""[..]),
        ("cut.aperto", &text[..text.len() / 2]),
        ("start.aperto", text.split_inclusive(|octet| *octet == b'\n').next().unwrap()),
        ("binary.aperto", b"\x00\xff\x17"),
        ("zip.pcapng", b"PK\x03\x04"),
    ] {
        let broken = scratch.holding(name, octets);
        run(&["merge", &broken, &server]).ended(6);
        run(&["merge", &server, &broken]).ended(6);
    }
    run(&["merge", &client]).ended(2);
    run(&["merge", &client, &scratch.file("missing")]).ended(6);
}

/// Two processes over loopback: their clocks are the system's own, a fraction of a second apart by
/// when each began, and the estimate finds that they are one clock.
#[test]
fn the_clocks_of_two_processes_on_one_machine_agree() {
    let scratch = Scratch::new();
    let (client, server) = recorded(&scratch, "clock", ".aperto", &["-m", "x"], &["--echo"]);
    let told = run(&["merge", &client, &server, "--view", "json"]).ended(0).out;
    let finding = told.lines().find(|line| line.contains("\"code\":\"merged\"")).unwrap();
    let finding: serde_json::Value = serde_json::from_str(finding).unwrap();
    let values = &finding["values"];
    let ahead = values.get("server_clock_ahead_ns").or_else(|| values.get("server_clock_behind_ns")).unwrap();
    let one_way = values["one_way_ns"].as_u64().unwrap();
    // The true offset is nothing; the estimate is off by no more than the way, and reading two clocks
    // (the system's and the monotonic one) one after the other adds a little.
    assert!(ahead.as_u64().unwrap() <= one_way + 50_000_000, "{finding}");
    assert_eq!(values["left"], values["arrived"]);
}
