//! Command lines, and what is understood of them.

use aperto_explain::Language;
use aperto_explain::program::{BadPick, BadQuantity, Exit, Fault, NoEffect};
use aperto_sim::channel::Preset;
use aperto_sim::quantity::Probability;
use aperto_sim::recipe::Protocol;

use super::read::{self, Isn, Job, Service, Source, WireKind};
use super::refuse::{self, Refusal};
use super::{repeat, tree};

fn job(line: &str) -> Result<Job, Fault> {
    let words = std::iter::once("aperto").chain(line.split_whitespace());
    match tree::command(Language::English).try_get_matches_from(words) {
        Ok(matches) => read::job(&matches),
        Err(error) => match refuse::sort(&error, "aperto") {
            Refusal::Fault(fault) => Err(fault),
            Refusal::Help(text) => panic!("{text}"),
        },
    }
}

fn fault(line: &str) -> Fault {
    let fault = job(line).err().unwrap_or_else(|| panic!("{line} should have been refused"));
    assert_eq!(fault.exit(), Exit::Usage, "{line}");
    fault
}

fn demo(line: &str) -> read::Demo {
    match job(line) {
        Ok(Job::Demo(demo)) => demo,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_tree_is_sound_in_both_languages() {
    for language in Language::ALL {
        tree::command(language).debug_assert();
    }
}

#[test]
fn flags_of_the_channel_mean_both_directions_or_one() {
    let channel = demo("--loss 10% --loss down:5% --delay up:1s --jitter 2ms,down:3ms").channel;
    let (up, down) = channel.impairments(Preset::Perfect.impairments());
    assert_eq!((up.loss, down.loss), (Probability::from_percent(10), Probability::from_percent(5)));
    assert_eq!((up.delay.as_millis(), down.delay.as_millis()), (1_000, 20));
    assert_eq!((up.jitter.as_millis(), down.jitter.as_millis()), (2, 3));
    let (up, _) = demo("--channel satellite --loss 0%").channel.impairments(Preset::Perfect.impairments());
    assert_eq!(up.delay.as_millis(), 280);
    assert!(up.loss.is_zero());
}

#[test]
fn a_share_a_time_and_a_pick_are_told_apart() {
    let channel = demo("--corrupt data:2 --dup fin --delay data:2=300ms,50ms --drop 2,5-7").channel;
    let picks: Vec<String> =
        channel.picks.iter().map(|pick| format!("{} {pick}", pick.action.flag())).collect();
    assert_eq!(picks, ["--drop 2", "--drop 5-7", "--delay data:2=300ms", "--dup fin", "--corrupt data:2"]);
    let (up, _) = channel.impairments(Preset::Perfect.impairments());
    assert_eq!(up.delay.as_millis(), 50);
    assert!(up.corruption.is_zero() && up.duplication.is_zero());
    let (up, _) = demo("--corrupt 1% --dup 2%").channel.impairments(Preset::Perfect.impairments());
    assert_eq!(up.corruption, Probability::from_percent(1));
    assert_eq!(up.duplication, Probability::from_percent(2));
}

#[test]
fn what_could_mean_two_things_is_refused() {
    for line in
        ["--loss 0.1", "--delay 20", "--dup 0.1", "--corrupt 0.5", "--jitter 5", "--loss up:3", "--rate 9"]
    {
        let fault = fault(line);
        assert!(matches!(fault, Fault::BadQuantity { why: BadQuantity::NoUnit, .. }), "{line}: {fault:?}");
    }
    let refused = |line: &str, expected: BadPick| match fault(line) {
        Fault::BadPick { why, .. } => assert_eq!(why, expected, "{line}"),
        other => panic!("{line}: {other:?}"),
    };
    refused("--drop teapot", BadPick::UnknownKind);
    refused("--drop 7-5", BadPick::Backwards);
    refused("--drop 0", BadPick::Zero);
    refused("--delay data:2", BadPick::NoTime);
    refused("--drop 4=3ms", BadPick::ATime);
}

#[test]
fn flags_that_would_do_nothing_are_refused() {
    let because = |line: &str| match fault(line) {
        Fault::NoEffect { because, .. } => because,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(because("server --wire os --loss 5%"), NoEffect::NoChannelOfOurs);
    assert_eq!(because("client 127.0.0.1 --wire os -w x.pcapng"), NoEffect::NoPackets);
    assert_eq!(because("server --address 10.0.0.1"), NoEffect::Needs("--wire tun"));
    assert_eq!(because("server --wire tun --proto udp --isn 1,2"), NoEffect::OnlyTcp);
    assert!(matches!(fault("server --echo --sink"), Fault::Conflict { .. }));
    assert!(matches!(fault("client 127.0.0.1 -m x --file y"), Fault::Conflict { .. }));
}

#[test]
fn servers_listen_to_this_machine_unless_they_are_told() {
    let server = |line: &str| match job(line) {
        Ok(Job::Server(server)) => server,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(server("server").listen.to_string(), "127.0.0.1:7000");
    assert_eq!(server("servidor 80 --lan").listen.to_string(), "0.0.0.0:80");
    assert_eq!(server("server [::1]:9").listen.to_string(), "[::1]:9");
    assert_eq!(server("server --out f").service, Service::Out("f".into()));
    assert_eq!(server("server --proto udp").live.wire, WireKind::Os);
    assert_eq!(server("server --isn 1234,1567").live.tcp.isn, Some(Isn::Fixed(1234, 1567)));
    assert!(matches!(fault("server 0.0.0.0:7000"), Fault::NeedsLan { port: 7000, .. }));
    for line in ["server 0", "server 65536", "server here:7000", "server 1.2.3.4.5:1"] {
        assert!(matches!(fault(line), Fault::BadAddress { .. }), "{line}");
    }
}

#[test]
fn clients_find_host_and_port() {
    let client = |line: &str| match job(line) {
        Ok(Job::Client(client)) => (client.host, client.port, client.source),
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(client("client 127.0.0.1"), ("127.0.0.1".into(), 7000, Source::Input));
    assert_eq!(client("cliente ::1 80 -m oi"), ("::1".into(), 80, Source::Message("oi".into())));
    assert_eq!(client("client [::1]:81"), ("::1".into(), 81, Source::Input));
    assert_eq!(
        client("client example.org:82 --file f"),
        ("example.org".into(), 82, Source::File("f".into()))
    );
    assert!(matches!(fault("client"), Fault::MissingArguments { .. }));
}

#[test]
fn commands_have_portuguese_names_and_mistyped_ones_a_neighbour() {
    assert!(matches!(job("demonstracao"), Ok(Job::Scenes)));
    assert!(matches!(job("comparar udp tcp udp"), Ok(Job::Compare(compare))
        if compare.protocols == [Protocol::Udp, Protocol::Tcp]));
    assert!(matches!(job("mostrar x.pcap"), Ok(Job::Show(_))));
    assert!(matches!(job("ajuda --all"), Ok(Job::Help { all: true, .. })));
    let near = |line: &str| match fault(line) {
        Fault::UnknownCommand { nearest, .. }
        | Fault::UnknownFlag { nearest, .. }
        | Fault::NotAChoice { nearest, .. } => nearest,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(near("srver").as_deref(), Some("server"));
    assert_eq!(near("--lss 3%").as_deref(), Some("--loss"));
    assert_eq!(near("demo handshale").as_deref(), Some("handshake"));
    assert_eq!(near("--view laddr").as_deref(), Some("ladder"));
}

#[test]
fn the_command_that_does_it_again_has_no_looks() {
    let repeated = |line: &str, name: &str| {
        let words = std::iter::once("aperto").chain(line.split_whitespace());
        let matches = tree::command(Language::English).try_get_matches_from(words).unwrap();
        let below = matches.subcommand().map_or(&matches, |(_, below)| below);
        repeat::command(name, below, Some(7))
    };
    assert_eq!(repeated("--drop 4 --lang pt-BR -w x.pcapng --view none", ""), "aperto --drop 4 --seed 7");
    assert_eq!(
        repeated("demo bulk --seed 7 --size 20k --loss 10% --nodelay --color never", "demo"),
        "aperto demo bulk --size 20k --loss 10% --nodelay --seed 7"
    );
    assert_eq!(repeated("-m Olá", ""), "aperto -m \"Olá\" --seed 7");
    assert_eq!(repeat::quoted("a b"), "\"a b\"");
    assert_eq!(repeat::quoted("$x\""), "\"\\$x\\\"\"");
    assert_eq!(repeat::quoted(""), "\"\"");
}
