//! What `doctor` says of a machine before two of them talk.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::Language;
use crate::wording::{pad, tame, width, wrap};

/// How many columns a line takes at most.
const COLUMNS: usize = 80;
/// Where the text behind a name begins.
const TEXT: usize = 19;

/// What is known of a firewall.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Firewall {
    /// ufw is switched on.
    Ufw,
    /// firewalld runs.
    Firewalld,
    /// The kernel filters packets; by which rules needs rights to see.
    Filters,
    /// Nothing was seen.
    NoneSeen,
    /// This system does not say.
    CannotTell,
}

/// Whether something can be done here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Can {
    /// Yes.
    Yes,
    /// With administrator rights.
    NeedsRights,
    /// Not without something that is missing.
    No,
    /// This system does not say.
    CannotTell,
}

/// Who decided on the language.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Decided {
    /// A flag or a variable, by its name.
    Named(String),
    /// `aperto.toml` or `config.toml`.
    Settings,
    /// The system.
    System,
    /// Nobody.
    Default,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Finding {
    /// Addresses of this machine, each with its interface.
    Addresses(Vec<(String, String)>),
    /// A port: free, or who holds it, if anybody may know.
    Port(u16, Option<Option<(String, u32)>>),
    /// The firewall; the port is for what to type.
    Firewall(Firewall, u16),
    /// Whether loopback can be captured.
    Loopback(Can),
    /// Whether a TUN device can be made.
    Tun(Can),
    /// Columns, whether UTF-8, whether colours; none where stdout is no terminal.
    Terminal(Option<usize>, bool, bool),
    /// Who decided on the language.
    Language(Decided),
    /// Programs that are there, and that are not.
    Programs(Vec<&'static str>, Vec<&'static str>),
    /// What a colleague types; none where no address can be reached.
    Colleague(Option<String>, u16, bool),
}

/// A finding: its name, and the text behind it, wrapped.
#[must_use]
pub fn lines(language: Language, finding: &Finding) -> Vec<String> {
    let (name, text) = match language {
        Language::English => english(finding),
        Language::Portuguese => portuguese(finding),
    };
    let mut lines = Vec::new();
    let mut begin = String::from(name);
    // What fits keeps its spaces.
    let room = COLUMNS - TEXT;
    let cut = |part: &str| if width(part) <= room { Vec::from([part.into()]) } else { wrap(part, room) };
    for part in text.split('\n').flat_map(|part| cut(&tame(part))) {
        pad(&mut begin, TEXT);
        begin.push_str(&part);
        lines.push(core::mem::take(&mut begin));
    }
    lines
}

fn addresses(all: &[(String, String)]) -> String {
    let told: Vec<String> = all.iter().map(|(address, name)| format!("{address} ({name})")).collect();
    told.join(", ")
}

fn english(finding: &Finding) -> (&'static str, String) {
    match finding {
        Finding::Addresses(all) if all.is_empty() => {
            ("this machine", "no address but its own loopback".into())
        }
        Finding::Addresses(all) => ("this machine", addresses(all)),
        Finding::Port(port, None) => ("port", format!("{port} is free")),
        Finding::Port(port, Some(None)) => ("port", format!("{port} is taken, by whom one may not know")),
        Finding::Port(port, Some(Some((name, pid)))) => {
            ("port", format!("{port} is taken by \"{name}\" (pid {pid})"))
        }
        Finding::Firewall(found, port) => ("firewall", english_firewall(*found, *port)),
        Finding::Loopback(can) => ("loopback capture", english_loopback(*can)),
        Finding::Tun(can) => ("--wire tun", english_tun(*can)),
        Finding::Terminal(columns, utf8, colors) => {
            let letters = if *utf8 { "UTF-8" } else { "ASCII" };
            let colors = if *colors { "colours" } else { "no colours" };
            (
                "terminal",
                match columns {
                    Some(columns) => format!("{columns} columns, {letters}, {colors}"),
                    None => format!("stdout is none; {letters}, {colors}"),
                },
            )
        }
        Finding::Language(by) => (
            "language",
            match by {
                Decided::Named(name) => format!("English, because of {name}"),
                Decided::Settings => "English, because of a settings file".into(),
                Decided::System => "English, because of the system".into(),
                Decided::Default => "English, because nobody says otherwise".into(),
            },
        ),
        Finding::Programs(there, missing) => {
            let mut text =
                if there.is_empty() { String::new() } else { format!("found: {}", there.join(", ")) };
            if !missing.is_empty() {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&format!("not found: {}", missing.join(", ")));
            }
            ("programs", text)
        }
        Finding::Colleague(Some(host), port, true) => {
            ("colleague", format!("on the other machine:  aperto client {host} {port}"))
        }
        Finding::Colleague(None, port, true) => {
            ("colleague", format!("no address that others reach: is the network on? port {port} waits"))
        }
        Finding::Colleague(_, port, false) => {
            ("next", format!("aperto server {port}; for another machine: aperto doctor --lan"))
        }
    }
}

fn portuguese(finding: &Finding) -> (&'static str, String) {
    match finding {
        Finding::Addresses(all) if all.is_empty() => {
            ("este computador", "nenhum endereço além do próprio loopback".into())
        }
        Finding::Addresses(all) => ("este computador", addresses(all)),
        Finding::Port(port, None) => ("porta", format!("{port} livre")),
        Finding::Port(port, Some(None)) => ("porta", format!("{port} ocupada, não se pode saber por quem")),
        Finding::Port(port, Some(Some((name, pid)))) => {
            ("porta", format!("{port} ocupada por \"{name}\" (pid {pid})"))
        }
        Finding::Firewall(found, port) => ("firewall", portuguese_firewall(*found, *port)),
        Finding::Loopback(can) => ("captura loopback", portuguese_loopback(*can)),
        Finding::Tun(can) => ("--wire tun", portuguese_tun(*can)),
        Finding::Terminal(columns, utf8, colors) => {
            let letters = if *utf8 { "UTF-8" } else { "ASCII" };
            let colors = if *colors { "com cores" } else { "sem cores" };
            (
                "terminal",
                match columns {
                    Some(columns) => format!("{columns} colunas, {letters}, {colors}"),
                    None => format!("a saída não é um; {letters}, {colors}"),
                },
            )
        }
        Finding::Language(by) => (
            "língua",
            match by {
                Decided::Named(name) => format!("português, por causa de {name}"),
                Decided::Settings => "português, por causa de um arquivo de configuração".into(),
                Decided::System => "português, por causa do sistema".into(),
                Decided::Default => "português".to_string(),
            },
        ),
        Finding::Programs(there, missing) => {
            let mut text =
                if there.is_empty() { String::new() } else { format!("há: {}", there.join(", ")) };
            if !missing.is_empty() {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&format!("não há: {}", missing.join(", ")));
            }
            ("programas", text)
        }
        Finding::Colleague(Some(host), port, true) => {
            ("colega", format!("no outro computador:  aperto cliente {host} {port}"))
        }
        Finding::Colleague(None, port, true) => {
            ("colega", format!("nenhum endereço que outros alcancem: a rede está ligada? porta {port}"))
        }
        Finding::Colleague(_, port, false) => {
            ("a seguir", format!("aperto servidor {port}; para outro computador: aperto diagnostico --lan"))
        }
    }
}

fn english_firewall(found: Firewall, port: u16) -> String {
    match found {
        Firewall::Ufw => format!("ufw is on; to let others in:\nsudo ufw allow {port}"),
        Firewall::Firewalld => {
            format!("firewalld runs; to let others in:\nsudo firewall-cmd --add-port={port}/udp")
        }
        Firewall::Filters => {
            "the kernel filters packets; by which rules, this user may not see: sudo nft list ruleset".into()
        }
        Firewall::NoneSeen => "none seen on this machine; the network may have one".into(),
        Firewall::CannotTell => "this system does not say; look into its settings".into(),
    }
}

fn english_loopback(can: Can) -> String {
    match can {
        Can::Yes => "allowed: wireshark or tshark, interface lo".into(),
        Can::NeedsRights => "needs administrator rights; aperto's own -w FILE does not".into(),
        Can::No => "nothing here captures; aperto's own -w FILE needs nothing".into(),
        Can::CannotTell => "this system does not say (Windows: needs Npcap); -w FILE needs nothing".into(),
    }
}

fn english_tun(can: Can) -> String {
    match can {
        Can::Yes => "possible".into(),
        Can::NeedsRights => "needs administrator rights: sudo aperto ... --wire tun".into(),
        Can::No => "no TUN device: sudo modprobe tun; --wire udp needs none".into(),
        Can::CannotTell => "this system does not say; it needs administrator rights".into(),
    }
}

fn portuguese_firewall(found: Firewall, port: u16) -> String {
    match found {
        Firewall::Ufw => format!("o ufw está ligado; para deixar outros entrarem:\nsudo ufw allow {port}"),
        Firewall::Firewalld => {
            format!("o firewalld roda; para deixar outros entrarem:\nsudo firewall-cmd --add-port={port}/udp")
        }
        Firewall::Filters => {
            "o kernel filtra pacotes; com que regras, este usuário não pode ver: sudo nft list ruleset".into()
        }
        Firewall::NoneSeen => "nenhum visto neste computador; a rede pode ter um".into(),
        Firewall::CannotTell => "este sistema não diz; veja nas configurações dele".into(),
    }
}

fn portuguese_loopback(can: Can) -> String {
    match can {
        Can::Yes => "permitida: wireshark ou tshark, interface lo".into(),
        Can::NeedsRights => "precisa de direitos de administrador; o -w ARQUIVO do aperto não".into(),
        Can::No => "nada aqui captura; o -w ARQUIVO do aperto não precisa de nada".into(),
        Can::CannotTell => {
            "este sistema não diz (Windows: precisa do Npcap); -w ARQUIVO não precisa de nada".into()
        }
    }
}

fn portuguese_tun(can: Can) -> String {
    match can {
        Can::Yes => "possível".into(),
        Can::NeedsRights => "precisa de direitos de administrador: sudo aperto ... --wire tun".into(),
        Can::No => "sem dispositivo TUN: sudo modprobe tun; --wire udp não precisa".into(),
        Can::CannotTell => "este sistema não diz; precisa de direitos de administrador".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_words_in_both_languages_that_fit() {
        let x = || "x".to_string();
        let mut all = Vec::from([
            Finding::Addresses(Vec::new()),
            Finding::Addresses(alloc::vec![("192.168.0.15".to_string(), "wlan0".to_string()); 9]),
            Finding::Port(7000, None),
            Finding::Port(7000, Some(None)),
            Finding::Port(7000, Some(Some((x(), 7)))),
            Finding::Terminal(Some(80), true, true),
            Finding::Terminal(None, false, false),
            Finding::Programs(alloc::vec!["tshark"], alloc::vec!["wireshark"]),
            Finding::Colleague(Some(x()), 7000, true),
            Finding::Colleague(None, 7000, true),
            Finding::Colleague(None, 7000, false),
        ]);
        for firewall in
            [Firewall::Ufw, Firewall::Firewalld, Firewall::Filters, Firewall::NoneSeen, Firewall::CannotTell]
        {
            all.push(Finding::Firewall(firewall, 65535));
        }
        for can in [Can::Yes, Can::NeedsRights, Can::No, Can::CannotTell] {
            all.extend([Finding::Loopback(can), Finding::Tun(can)]);
        }
        for by in [Decided::Named(x()), Decided::Settings, Decided::System, Decided::Default] {
            all.push(Finding::Language(by));
        }
        for finding in all {
            let (english, portuguese) =
                (lines(Language::English, &finding), lines(Language::Portuguese, &finding));
            assert_ne!(english, portuguese);
            for line in english.iter().chain(&portuguese) {
                assert!(width(line) <= COLUMNS, "{line}");
            }
        }
    }

    /// The manual's block, as far as this machine can be like that one.
    #[test]
    fn the_manual_is_kept_to() {
        let told = |finding: &Finding| lines(Language::Portuguese, finding).join("\n");
        let here = Finding::Addresses(alloc::vec![("192.168.0.15".to_string(), "Wi-Fi".to_string())]);
        assert_eq!(told(&here), "este computador    192.168.0.15 (Wi-Fi)");
        assert_eq!(
            told(&Finding::Colleague(Some("192.168.0.15".to_string()), 7000, true)),
            "colega             no outro computador:  aperto cliente 192.168.0.15 7000"
        );
    }
}
