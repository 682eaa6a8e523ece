//! `aperto doctor`: is this machine ready to talk to another? It looks, and changes nothing.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use aperto_explain::program::doctor::{Can, Decided, Finding, Firewall, lines};
use aperto_explain::program::{Exit, Fault};

use crate::arguments::doctor::Doctor;
use crate::environment::Environment;
use crate::live::net::addresses_for_others;
use crate::looks::Looks;
use crate::output::Output;
use crate::settings::Settings;
use crate::system::sockets;

/// Programs that the exercises use.
const PROGRAMS: [&str; 6] = ["wireshark", "tshark", "dumpcap", "tcpdump", "openssl", "python3"];
/// More addresses than this nobody reads.
const MOST_ADDRESSES: usize = 12;
/// capabilities(7): what raw sockets and TUN devices need.
const CAP_NET_ADMIN: u32 = 12;
const CAP_NET_RAW: u32 = 13;

/// Looks, and says what it sees.
pub(crate) fn run(job: Doctor, looks: &Looks, environment: &Environment) -> Result<Exit, Fault> {
    let taken = is_taken(job);
    let holder = taken.then(|| holder(job.port));
    let host = addresses_for_others().into_iter().next();
    let columns = environment.size.filter(|_| environment.stdout_is_terminal).map(|(columns, _)| columns);
    let (there, missing): (Vec<&str>, Vec<&str>) = PROGRAMS.into_iter().partition(|name| is_installed(name));
    let findings = [
        Finding::Addresses(addresses()),
        Finding::Port(job.port, holder.clone()),
        Finding::Firewall(firewall(), job.port),
        Finding::Loopback(loopback(&there)),
        Finding::Tun(tun()),
        Finding::Terminal(columns, Environment::speaks_utf8(), looks.color),
        Finding::Language(language(environment)),
        Finding::Programs(there, missing),
        Finding::Colleague(host, job.port, job.lan),
    ];
    let mut output = Output::new(looks);
    for finding in &findings {
        for line in lines(looks.language, finding) {
            output.line(&line);
        }
    }
    output.finish();
    holder.map_or(Ok(Exit::Done), |holder| Err(Fault::PortTaken { port: job.port, holder }))
}

/// The addresses of this machine, each with its interface; the loopback last.
fn addresses() -> Vec<(String, String)> {
    let Ok(all) = getifaddrs::getifaddrs() else { return Vec::new() };
    let mut found: Vec<(IpAddr, String)> = all
        .filter_map(|interface| Some((interface.address.ip_addr()?, interface.name)))
        // An address that only one link knows is nothing to type.
        .filter(|(address, _)| !matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()))
        .collect();
    found.sort_by_key(|(address, name)| (address.is_loopback(), address.is_ipv6(), name.clone()));
    found.truncate(MOST_ADDRESSES);
    found.into_iter().map(|(address, name)| (address.to_string(), name)).collect()
}

/// Whether a server could not have the port, over UDP (our wire) or TCP.
fn is_taken(job: Doctor) -> bool {
    let ip = IpAddr::from(if job.lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
    let at = SocketAddr::new(ip, job.port);
    let taken = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    UdpSocket::bind(at).is_err_and(taken) || TcpListener::bind(at).is_err_and(taken)
}

fn holder(port: u16) -> Option<(String, u32)> {
    let sockets = sockets::all().ok()?;
    let waits = |socket: &&sockets::Socket| {
        socket.local.port() == port && matches!(socket.state, None | Some(aperto_tcp::State::Listen))
    };
    let (name, pid) = sockets.iter().filter(waits).find_map(|socket| socket.process.clone())?;
    Some((aperto_explain::wording::tame(&name), pid))
}

/// What can be seen of a firewall without rights, and without running anything.
fn firewall() -> Firewall {
    if !cfg!(target_os = "linux") {
        return Firewall::CannotTell;
    }
    let says = |file: &str, line: &str| {
        fs::read_to_string(file)
            .is_ok_and(|text| text.lines().any(|one| one.trim().eq_ignore_ascii_case(line)))
    };
    let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
    let filters = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    if says("/etc/ufw/ufw.conf", "ENABLED=yes") {
        Firewall::Ufw
    } else if Path::new("/run/firewalld").exists() || Path::new("/var/run/firewalld.pid").exists() {
        Firewall::Firewalld
    } else if ["nf_tables", "ip_tables"].into_iter().any(filters) {
        Firewall::Filters
    } else {
        Firewall::NoneSeen
    }
}

fn loopback(there: &[&str]) -> Can {
    if !cfg!(target_os = "linux") {
        return Can::CannotTell;
    }
    let captures = ["dumpcap", "tcpdump"].iter().any(|name| there.contains(name));
    match (captures, has_capability(CAP_NET_RAW)) {
        (false, _) => Can::No,
        (true, true) => Can::Yes,
        (true, false) => Can::NeedsRights,
    }
}

fn tun() -> Can {
    if !cfg!(target_os = "linux") {
        return Can::CannotTell;
    }
    if !Path::new("/dev/net/tun").exists() {
        return Can::No;
    }
    // Opening it makes no device yet.
    let opens = fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_ok();
    if opens && has_capability(CAP_NET_ADMIN) { Can::Yes } else { Can::NeedsRights }
}

/// Whether this process has a capability. capabilities(7), proc_pid_status(5).
fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    set.is_some_and(|set| set >> number & 1 == 1)
}

/// Whether a program of this name stands on the path.
fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
    std::env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}

/// Who decided on the language, in the order in which it is asked (`language.rs`).
fn language(environment: &Environment) -> Decided {
    use aperto_explain::Language;
    let known = |text: &str| Language::parse(text).is_some();
    if environment.early_flag("lang").is_some_and(known) {
        return Decided::Named("--lang".into());
    }
    if Environment::variable("APERTO_LANG").is_some_and(|text| known(&text)) {
        return Decided::Named("APERTO_LANG".into());
    }
    if Settings::read().is_ok_and(|settings| settings.value("lang").is_some()) {
        return Decided::Settings;
    }
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    if let Some(name) = variables.into_iter().find(|name| Environment::variable(name).is_some()) {
        return Decided::Named(name.into());
    }
    if sys_locale::get_locale().is_some_and(|locale| known(&locale)) {
        Decided::System
    } else {
        Decided::Default
    }
}
