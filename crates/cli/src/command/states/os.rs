//! `aperto states --os`: the system's own TCP and UDP sockets, once or again and again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aperto_explain::program::tools::ToolFault;
use aperto_explain::program::{Exit, Fault};
use aperto_explain::states::meaning;
use aperto_explain::wording::{cut, pad, tame};
use aperto_tcp::State;

use crate::looks::{Looks, View, Why};
use crate::output::Output;
use crate::system::sockets::{self, Socket, Transport};

/// Shows them; on a terminal again and again, if that was asked for.
pub(crate) fn run(port: Option<u16>, watch: Option<Duration>, looks: &Looks) -> Result<Exit, Fault> {
    let every = watch.filter(|_| std::io::stdout().is_terminal() && looks.view() != View::Json);
    loop {
        let mut sockets = sockets::all()
            .map_err(|trouble| Fault::Tool(ToolFault::NoSockets { what: trouble.map(|text| tame(&text)) }))?;
        sockets.retain(|socket| {
            port.is_none_or(|port| {
                socket.local.port() == port || socket.remote.is_some_and(|remote| remote.port() == port)
            })
        });
        sockets.sort_by_key(|socket| (socket.transport, socket.local.port(), socket.remote, socket.local));
        let mut output = Output::new(looks);
        if looks.view() == View::Json {
            as_json(&sockets, &mut output);
            looks.json_ended.store(true, Ordering::Relaxed);
        } else {
            if every.is_some() {
                // Home, and nothing of what was there.
                output.octets(b"\x1b[H\x1b[2J");
            }
            for line in table(&sockets, looks) {
                output.line(&line);
            }
        }
        let gone = output.is_gone();
        output.finish();
        match every {
            Some(every) if !gone => std::thread::sleep(every),
            _ => return Ok(Exit::Done),
        }
    }
}

fn table(sockets: &[Socket], looks: &Looks) -> Vec<String> {
    let mut lines = Vec::new();
    let row = |cells: [&str; 5]| {
        let mut line = String::new();
        for (cell, column) in cells.into_iter().zip([0, 4, 26, 48, 61]) {
            if !line.is_empty() {
                pad(&mut line, column - 1);
                line.push(' ');
            }
            line.push_str(cell);
        }
        cut(line.trim_end(), looks.columns.max(20))
    };
    let heads = looks.say("proto local remote state process", "proto local remoto estado processo");
    let heads: Vec<&str> = heads.split(' ').collect();
    lines.push(row([heads[0], heads[1], heads[2], heads[3], heads[4]]));
    for socket in sockets {
        let process = match &socket.process {
            Some((name, pid)) => format!("{} ({pid})", tame(name)),
            None => String::new(),
        };
        let remote = socket.remote.map_or("*".into(), |remote| remote.to_string());
        let (proto, local) = (socket.transport.name(), socket.local.to_string());
        lines.push(row([proto, &local, &remote, socket.state_name(), &process]));
    }
    if sockets.is_empty() {
        lines.push(looks.say("no socket", "nenhum socket").into());
    }
    let is_ours = |socket: &Socket| {
        socket.transport == Transport::Udp
            && socket.process.as_ref().is_some_and(|(name, _)| name == "aperto")
    };
    if sockets.iter().any(is_ours) && !looks.quiet {
        lines.push(String::new());
        lines.push(
            looks
                .say(
                    "aperto's udp sockets carry its own TCP inside: type /state where it runs",
                    "os sockets udp do aperto levam dentro o TCP dele: digite /estado onde ele roda",
                )
                .into(),
        );
    }
    if looks.why == Some(Why::Full) {
        let states: BTreeSet<usize> = sockets
            .iter()
            .filter_map(|socket| State::ALL.iter().position(|state| Some(*state) == socket.state))
            .collect();
        lines.push(String::new());
        lines.extend(states.into_iter().flat_map(|place| meaning(looks.language, State::ALL[place])));
    }
    lines
}

/// One object a line, between a start and an end as everywhere.
fn as_json(sockets: &[Socket], output: &mut Output) {
    let header = aperto_trace::TraceHeader {
        version: env!("CARGO_PKG_VERSION").into(),
        command: "aperto states --os".into(),
        wire: "os".into(),
        ..aperto_trace::TraceHeader::default()
    };
    let mut text = aperto_trace::json::start_line(&header);
    let address = |address: SocketAddr| format!("\"{address}\"");
    for socket in sockets {
        let remote = socket.remote.map_or("null".into(), address);
        let _ = write!(
            text,
            "\n{{\"type\":\"socket\",\"protocol\":\"{}\",\"local\":{},\"remote\":{remote},\"state\":\"{}\"",
            socket.transport.name(),
            address(socket.local),
            socket.state_name()
        );
        if let Some((name, pid)) = &socket.process {
            // What the system tells of names is tamed already, and has no quotes then.
            let name: String = tame(name).chars().filter(|letter| !matches!(letter, '"' | '\\')).collect();
            let _ = write!(text, ",\"pid\":{pid},\"process\":\"{name}\"");
        }
        text.push('}');
    }
    text.push_str("\n{\"type\":\"end\",\"t_ns\":0,\"exit_code\":0,\"not_kept\":0}\n");
    output.octets(text.as_bytes());
}
