//! `bench`: a small matrix beside its formulas, and what others make of its files.

use serde_json::Value;

use crate::support::{Scratch, has, run};

const SMALL: [&str; 9] =
    ["bench", "--delay", "50,100ms", "--loss", "0,5%", "--reorder", "0%", "--packets", "100"];

/// Without loss: 99 cycles of twice the delay and one way, whatever the program computes.
#[test]
fn a_small_matrix_takes_as_long_as_on_paper_and_its_json_is_sound() {
    let scratch = Scratch::new();
    let file = scratch.file("b.json");
    let done = run(&[&SMALL[..], &["--json", &file, "--tag", "=turma \"B\""]].concat()).ended(0);
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80 || line.starts_with("repeat:")),
        "{}",
        done.out
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["tag"], "=turma \"B\"");
    let cells = json["cells"].as_array().unwrap();
    // 2 delays, 2 losses, 2 windows, 3 protocols.
    assert_eq!(cells.len(), 24);
    for cell in cells {
        assert_eq!(cell["delivered_octets"], cell["expected_octets"], "{cell}");
        let delay = cell["delay_ns"].as_u64().unwrap();
        if cell["loss_ppm"] == 0 && cell["protocol"] == "saw" {
            assert_eq!(cell["completion_mean_ns"].as_u64(), Some(199 * delay));
            assert_eq!(cell["theory_packet_ns"].as_u64(), Some(2 * delay));
        }
        if cell["loss_ppm"] == 0 && cell["protocol"] == "gbn" && cell["window_packets"] == 4 {
            // Packet 99 is the fourth of round 24.
            assert_eq!(cell["completion_mean_ns"].as_u64(), Some(24 * 2 * delay + 3_000_000 + delay));
            assert_eq!(cell["theory_packet_ns"].as_u64(), Some(delay / 2));
        }
        if cell["loss_ppm"] == 50_000 && cell["protocol"] == "saw" {
            // c + (1/0.95^2 - 1) T, with T = c + 20 ms.
            let (c, t) = (2.0 * delay as f64, 2.0 * delay as f64 + 20e6);
            let expected = c + (1.0 / 0.9025 - 1.0) * t;
            assert!((cell["theory_packet_ns"].as_f64().unwrap() - expected).abs() < 2.0, "{cell}");
        }
    }
}

#[test]
fn a_spreadsheet_reads_the_table_and_takes_nothing_for_a_formula() {
    let name = "a_spreadsheet_reads_the_table_and_takes_nothing_for_a_formula";
    if !has(name, &["python3"]) {
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.file("b.csv");
    run(&[&SMALL[..], &["--csv", &file, "--tag", "=HYPERLINK(\"http://x\"), \"a\"", "--proto", "saw,udp"]]
        .concat())
    .ended(0);
    let script = "import csv,sys\n\
        rows=list(csv.DictReader(open(sys.argv[1],newline='')))\n\
        print(len(rows))\n\
        print(all(not cell.startswith(('=','+','-','@')) for row in rows for cell in row.values()))\n\
        print(rows[0]['tag'])\n\
        print(all(cell=='' or cell.isdigit() for row in rows for key,cell in row.items() if key not in ('protocol','tag')))\n\
        print([row['theory_goodput_bps'] for row in rows if row['protocol']=='udp'])\n";
    let said = std::process::Command::new("python3").args(["-c", script, &file]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let nothing = ["''"; 8].join(", ");
    assert_eq!(lines, ["16", "True", "'=HYPERLINK(\"http://x\"), \"a\"", "True", &format!("[{nothing}]")]);
}

/// Figures are XML that another parser reads, in both languages, with a line of theory in them.
#[test]
fn figures_are_sound_and_have_their_words_in_both_languages() {
    let name = "figures_are_sound_and_have_their_words_in_both_languages";
    let scratch = Scratch::new();
    for (language, title, theory) in [
        ("en", "Goodput against loss", "gbn, theory"),
        ("pt-BR", "Vazão útil em função da perda", "gbn, teoria"),
    ] {
        let folder = scratch.file(language);
        run(&[&SMALL[..], &["--svg", &folder, "--lang", language, "--tag", "<Ana & Bia>"]].concat()).ended(0);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["goodput-by-delay.svg", "goodput-by-loss.svg", "goodput-by-window.svg", "sends-by-loss.svg"]
        );
        let file = format!("{folder}/goodput-by-loss.svg");
        let svg = std::fs::read_to_string(&file).unwrap();
        assert!(svg.contains(title) && svg.contains(theory) && svg.contains("stroke-dasharray"), "{svg}");
        assert!(svg.contains("&lt;Ana &amp; Bia&gt;") && !svg.contains("NaN"));
        if has(name, &["python3"]) {
            let script = "import sys,xml.dom.minidom as m; d=m.parse(sys.argv[1]); \
                print(len(d.getElementsByTagName('circle')), len(d.getElementsByTagName('polyline')))";
            let said = std::process::Command::new("python3").args(["-c", script, &file]).output().unwrap();
            // 4 panels: 2 circles each and one in the legend; 6 lines each and 6 in the legend.
            assert_eq!(String::from_utf8(said.stdout).unwrap().trim(), "9 30");
        }
    }
}

#[test]
fn an_experiment_is_a_file_and_what_is_typed_goes_before_it() {
    let scratch = Scratch::new();
    let file = scratch.holding(
        "srtp-part2.aperto.toml",
        b"# part 2\n[bench]\nproto = [\"gbn\", \"sr\"]\nwindow = [4, 16]\ndelay = \"50ms\"\nloss = \"0,5%\"\n\
          reorder = \"0%\"\npackets = 50\nnack = true\n",
    );
    let all = run(&["bench", &file]).ended(0);
    assert!(all.out.contains("8 cells · 50 packets"), "{}", all.out);
    let typed = run(&["bench", &file, "--proto", "saw", "--packets", "60"]).ended(0);
    assert!(typed.out.contains("4 cells · 60 packets"), "{}", typed.out);
    let wrong = scratch.holding("wrong.aperto.toml", b"[bench]\nloss = \"5%\"\nwindows = 4\n");
    let wrong = run(&["bench", &wrong]).ended(2);
    assert!(
        wrong.error.contains("line 3: there is no windows") || wrong.error.contains("windows in a matrix"),
        "{}",
        wrong.error
    );
    run(&["bench", &scratch.file("none.aperto.toml")]).ended(6);
}

#[test]
fn a_matrix_that_is_none_is_refused_and_a_result_is_whole_or_not_there() {
    let refused = |flags: &[&str], words: &str| {
        let refused = run(&[&["bench"], flags].concat()).ended(2);
        assert!(refused.error.contains(words), "{}", refused.error);
    };
    refused(&["--loss", "0,5"], "5");
    refused(&["--proto", "saw,tpc"], "tpc");
    refused(&["--packets", "0"], "--packets");
    refused(&["--window", "0"], "--window");
    let windows: Vec<String> = (1..4_000).map(|n| n.to_string()).collect();
    refused(&["--window", &windows.join(",")], "cells");
    let scratch = Scratch::new();
    let nowhere = scratch.file("no-such-folder/b.csv");
    let failed = run(&[&SMALL[..], &["--csv", &nowhere]].concat()).ended(5);
    assert!(failed.error.contains("cannot write"), "{}", failed.error);
}

/// The same numbers whatever the machine, and as many cells as the course asks for.
#[test]
fn the_matrix_of_the_course_has_360_cells_and_gives_the_same_twice() {
    let twice: Vec<String> =
        (0..2).map(|_| run(&["bench", "--packets", "50", "--csv", "-"]).ended(0).out).collect();
    assert_eq!(twice[0], twice[1]);
    assert_eq!(twice[0].lines().count(), 361);
}
