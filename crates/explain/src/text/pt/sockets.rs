//! Calls on sockets and their segments, in Portuguese.

use alloc::format;

use crate::Wording;
use crate::quantity::bytes;
use crate::sockets::{Effect, SocketCall};

pub(crate) fn socket(call: SocketCall, effect: Effect) -> Wording {
    match call {
        SocketCall::Socket => {
            Wording::one("socket(): nenhum segmento, só um descritor; CLOSED").or("socket(): nenhum segmento")
        }
        SocketCall::Bind(local) => Wording::one(format!("bind({local}): nenhum segmento, a porta é nossa"))
            .or(format!("bind({local}): nenhum segmento")),
        SocketCall::Listen => Wording::one("listen(): nenhum segmento; CLOSED -> LISTEN, espera SYNs")
            .or("listen(): nenhum segmento; LISTEN"),
        SocketCall::Accept => match effect {
            Effect::Brought(ready, _) => {
                Wording::one(format!("accept(): nenhum segmento, o {ready} deixou a conexão pronta"))
                    .or(format!("accept(): nenhum segmento, pronta pelo {ready}"))
            }
            Effect::Likely => Wording::one("accept(): nenhum segmento; antes, provável: SYN; SYN,ACK; ACK"),
            _ => Wording::one("accept(): nenhum segmento, a conexão estava pronta"),
        },
        SocketCall::Connect(remote) => match effect {
            Effect::Leaves(syn, answer) if syn != answer => {
                Wording::one(format!("connect({remote}): {syn} SYN; retorna quando o {answer} chega"))
                    .or(format!("connect(): {syn} SYN; retorna com o {answer}"))
            }
            Effect::Leaves(syn, _) => Wording::one(format!("connect({remote}): sai o {syn} SYN"))
                .or(format!("connect(): sai o {syn} SYN")),
            Effect::Likely => Wording::one(format!("connect({remote}): provável SYN; SYN,ACK; ACK"))
                .or("connect(): provável SYN; SYN,ACK; ACK"),
            _ => Wording::one(format!("connect({remote}): nenhum SYN saiu")).or("connect(): nenhum SYN saiu"),
        },
        SocketCall::Send(octets) => sends("send", octets, effect),
        SocketCall::SendTo(octets) => sends("sendto", octets, effect),
        SocketCall::Recv(octets) => receives("recv", octets, effect),
        SocketCall::RecvFrom(octets) => receives("recvfrom", octets, effect),
        SocketCall::RecvEnd => match effect {
            Effect::Brought(fin, _) => {
                Wording::one(format!("recv(): 0 bytes, o FIN do {fin} diz que acabou"))
                    .or(format!("recv(): 0 bytes, FIN do {fin}"))
            }
            Effect::Likely => Wording::one("recv(): 0 bytes; provável: veio FIN,ACK"),
            _ => Wording::one("recv(): 0 bytes, acabou"),
        },
        SocketCall::Shutdown => match effect {
            Effect::Leaves(fin, _) => {
                Wording::one(format!("shutdown(SHUT_WR): {fin} FIN; ainda pode recv()"))
                    .or(format!("shutdown(SHUT_WR): {fin} FIN"))
            }
            Effect::Likely => Wording::one("shutdown(SHUT_WR): provável FIN,ACK; ainda pode recv()"),
            _ => Wording::one("shutdown(SHUT_WR): um FIN, depois que o resto sair"),
        },
        SocketCall::Close => match effect {
            Effect::Leaves(number, _) => Wording::one(format!("close(): sai o {number}")),
            Effect::Nothing => Wording::one("close(): nenhum segmento, os dois FINs já passaram"),
            Effect::Likely => Wording::one("close(): provável FIN,ACK, se nenhum saiu antes"),
            _ => Wording::one("close(): nenhum segmento agora"),
        },
        SocketCall::Abort => match effect {
            Effect::Leaves(rst, _) => Wording::one(format!("close() com SO_LINGER 0: {rst} RST")),
            Effect::Likely => Wording::one("close() com SO_LINGER 0: provável RST"),
            _ => Wording::one("close() com SO_LINGER 0: nenhum RST saiu"),
        },
    }
}

fn sends(name: &str, octets: u64, effect: Effect) -> Wording {
    let octets = bytes(octets);
    match effect {
        Effect::Leaves(first, last) if first != last => {
            Wording::one(format!("{name}({octets}): vão do {first} ao {last}"))
        }
        Effect::Leaves(number, _) => Wording::one(format!("{name}({octets}): vão no {number}")),
        Effect::Begins(number) => Wording::one(format!("{name}({octets}): o {number} leva os primeiros")),
        Effect::Likely => Wording::one(format!("{name}({octets}): provável PSH,ACK")),
        _ => Wording::one(format!("{name}({octets}): no buffer, ainda sem segmento")),
    }
}

fn receives(name: &str, octets: u64, effect: Effect) -> Wording {
    let octets = bytes(octets);
    match effect {
        Effect::Brought(first, last) if first != last => {
            Wording::one(format!("{name}(): {octets}, trazidos do {first} ao {last}"))
        }
        Effect::Brought(number, _) => {
            Wording::one(format!("{name}(): {octets}, trazidos pelo {number}; nenhum segmento"))
                .or(format!("{name}(): {octets}, trazidos pelo {number}"))
        }
        Effect::Likely => Wording::one(format!("{name}(): {octets}; provável: veio PSH,ACK, foi um ACK")),
        _ => Wording::one(format!("{name}(): {octets} do buffer; nenhum segmento")),
    }
}
