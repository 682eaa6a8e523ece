//! Calls on sockets and their segments, in English.

use alloc::format;

use crate::Wording;
use crate::quantity::bytes;
use crate::sockets::{Effect, SocketCall};

pub(crate) fn socket(call: SocketCall, effect: Effect) -> Wording {
    match call {
        SocketCall::Socket => {
            Wording::one("socket(): no segment, only a descriptor; CLOSED").or("socket(): no segment")
        }
        SocketCall::Bind(local) => Wording::one(format!("bind({local}): no segment, the port is ours now"))
            .or(format!("bind({local}): no segment")),
        SocketCall::Listen => Wording::one("listen(): no segment; CLOSED -> LISTEN, waits for SYNs")
            .or("listen(): no segment; LISTEN"),
        SocketCall::Accept => match effect {
            Effect::Brought(ready, _) => {
                Wording::one(format!("accept(): no segment, {ready} made the connection ready"))
                    .or(format!("accept(): no segment, ready by {ready}"))
            }
            Effect::Likely => Wording::one("accept(): no segment; likely before: SYN; SYN,ACK; ACK"),
            _ => Wording::one("accept(): no segment, the connection was ready"),
        },
        SocketCall::Connect(remote) => match effect {
            Effect::Leaves(syn, answer) if syn != answer => {
                Wording::one(format!("connect({remote}): {syn} SYN; returns when {answer} came"))
                    .or(format!("connect(): {syn} SYN; returns with {answer}"))
            }
            Effect::Leaves(syn, _) => Wording::one(format!("connect({remote}): {syn} SYN leaves"))
                .or(format!("connect(): {syn} SYN leaves")),
            Effect::Likely => Wording::one(format!("connect({remote}): likely SYN; SYN,ACK; ACK"))
                .or("connect(): likely SYN; SYN,ACK; ACK"),
            _ => Wording::one(format!("connect({remote}): no SYN left")).or("connect(): no SYN left"),
        },
        SocketCall::Send(octets) => sends("send", octets, effect),
        SocketCall::SendTo(octets) => sends("sendto", octets, effect),
        SocketCall::Recv(octets) => receives("recv", octets, effect),
        SocketCall::RecvFrom(octets) => receives("recvfrom", octets, effect),
        SocketCall::RecvEnd => match effect {
            Effect::Brought(fin, _) => {
                Wording::one(format!("recv(): 0 bytes, {fin} FIN says that no more comes"))
                    .or(format!("recv(): 0 bytes, {fin} FIN"))
            }
            Effect::Likely => Wording::one("recv(): 0 bytes; likely FIN,ACK came"),
            _ => Wording::one("recv(): 0 bytes, no more comes"),
        },
        SocketCall::Shutdown => match effect {
            Effect::Leaves(fin, _) => {
                Wording::one(format!("shutdown(SHUT_WR): {fin} FIN; it may still recv()"))
                    .or(format!("shutdown(SHUT_WR): {fin} FIN"))
            }
            Effect::Likely => Wording::one("shutdown(SHUT_WR): likely FIN,ACK; it may still recv()"),
            _ => Wording::one("shutdown(SHUT_WR): a FIN, once all else has left"),
        },
        SocketCall::Close => match effect {
            Effect::Leaves(number, _) => Wording::one(format!("close(): {number} leaves")),
            Effect::Nothing => Wording::one("close(): no segment, both FINs are through"),
            Effect::Likely => Wording::one("close(): likely FIN,ACK, if none has left before"),
            _ => Wording::one("close(): no segment now"),
        },
        SocketCall::Abort => match effect {
            Effect::Leaves(rst, _) => Wording::one(format!("close() with SO_LINGER 0: {rst} RST")),
            Effect::Likely => Wording::one("close() with SO_LINGER 0: likely RST"),
            _ => Wording::one("close() with SO_LINGER 0: no RST left"),
        },
    }
}

fn sends(name: &str, octets: u64, effect: Effect) -> Wording {
    let octets = bytes(octets);
    match effect {
        Effect::Leaves(first, last) if first != last => {
            Wording::one(format!("{name}({octets}): {first} to {last} carry them"))
        }
        Effect::Leaves(number, _) => Wording::one(format!("{name}({octets}): {number} carries them")),
        Effect::Begins(number) => {
            Wording::one(format!("{name}({octets}): {number} is the first that carries them"))
        }
        Effect::Likely => Wording::one(format!("{name}({octets}): likely PSH,ACK")),
        _ => Wording::one(format!("{name}({octets}): in the buffer, no segment yet")),
    }
}

fn receives(name: &str, octets: u64, effect: Effect) -> Wording {
    let octets = bytes(octets);
    match effect {
        Effect::Brought(first, last) if first != last => {
            Wording::one(format!("{name}(): {octets}, which {first} to {last} brought"))
        }
        Effect::Brought(number, _) => {
            Wording::one(format!("{name}(): {octets}, which {number} brought; no segment"))
                .or(format!("{name}(): {octets}, which {number} brought"))
        }
        Effect::Likely => Wording::one(format!("{name}(): {octets}; likely PSH,ACK came, and an ACK went")),
        _ => Wording::one(format!("{name}(): {octets} from the buffer; no segment")),
    }
}
