//! From a recipe to the hosts, lines and header of a world.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use aperto_arq::{Receiver, Sender};
use aperto_host::{Config as HostConfig, FixedIsn, Host, Interface, Route};
use aperto_trace::{Endpoints, HostId, HostInfo, InterfaceInfo, Link, LinkType, Role, Source, TraceHeader};
use aperto_wire::Cidr;

use super::Node;
use super::internet::Internet;
use super::sealed::{self, Sealing};
use super::stage::{End, Line, Stage};
use super::textbook::{TextbookHost, socket};
use crate::channel::Channel;
use crate::channel::luck::Stream;
use crate::recipe::{self, CLIENT_PORT, Isn, Protocol, Recipe, RecipeError, SERVER_PORT, Side};

pub(super) fn host_id(place: usize) -> HostId {
    HostId(u8::try_from(place).unwrap_or(u8::MAX))
}

/// The place of a client among the hosts: the server is the second.
pub(super) const fn place_of_client(client: usize) -> usize {
    if client == 0 { 0 } else { client + 1 }
}

/// The place of the server among the hosts.
pub(super) const SERVER: usize = 1;

pub(super) fn line(recipe: &Recipe, client: usize) -> Line {
    Line {
        channel: Channel::new(recipe.channel(client)),
        ends: [
            End { host: host_id(place_of_client(client)), interface: 0 },
            End { host: host_id(SERVER), interface: u8::try_from(client).unwrap_or(u8::MAX) },
        ],
        sealing: match recipe.sealing {
            recipe::Sealing::None => None,
            recipe::Sealing::Aead => {
                let address = recipe.clients.get(client).map_or(recipe.server.address, |side| side.address);
                Some(Sealing::new(recipe.channel(client).seed, address, recipe.server.address))
            }
        },
    }
}

/// What a trace of this recipe says about itself.
pub(super) fn header(recipe: &Recipe) -> TraceHeader {
    let info = |side: &Side, role: Role, interfaces: usize| HostInfo {
        name: side.name.clone(),
        role,
        source: Source::Known,
        interfaces: (0..interfaces)
            .map(|place| InterfaceInfo {
                name: if place == 0 { side.name.clone() } else { numbered(&side.name, place) },
                addresses: vec![side.address],
                link_type: LinkType::Ip,
                mtu: u32::try_from(side.mtu).unwrap_or(u32::MAX),
            })
            .collect(),
    };
    let mut hosts: Vec<HostInfo> = recipe.clients.iter().map(|side| info(side, Role::Client, 1)).collect();
    hosts.insert(SERVER.min(hosts.len()), info(&recipe.server, Role::Server, recipe.clients.len()));
    TraceHeader {
        version: env!("CARGO_PKG_VERSION").to_string(),
        seed: Some(recipe.seed),
        command: String::new(),
        tag: None,
        wire: "sim".to_string(),
        protocol: recipe.protocol.name().to_string(),
        recipe: None,
        epoch_ns: None,
        hosts,
        link: Some(Link {
            delay_up: recipe.up.delay,
            delay_down: recipe.down.delay,
            rate_bits_per_second: recipe.up.rate.map(crate::quantity::Rate::bits_per_second),
            impairments: recipe.flags(),
        }),
    }
}

fn numbered(name: &str, place: usize) -> String {
    let mut text = name.to_string();
    text.push('-');
    text.push_str(&(place + 1).to_string());
    text
}

pub(super) fn textbook_nodes(
    recipe: &Recipe,
    protocol: aperto_arq::Protocol,
) -> Result<Vec<Node>, RecipeError> {
    let client = recipe.clients.first().ok_or(RecipeError::NoClient)?;
    let endpoints = Endpoints {
        source: socket(client.address, CLIENT_PORT),
        destination: socket(recipe.server.address, SERVER_PORT),
    };
    let sender = Sender::new(protocol, recipe.textbook.clone()).map_err(RecipeError::Textbook)?;
    let receiver = Receiver::new(protocol, recipe.textbook.clone()).map_err(RecipeError::Textbook)?;
    let end = |place| End { host: host_id(place), interface: 0 };
    let longest = recipe.longest_message.map_or(usize::MAX, |octets| octets.max(1) as usize);
    let messages = recipe.message.chunks(longest);
    let client = TextbookHost::sender(end(0), endpoints, sender, messages, recipe.spacing)?;
    let server = TextbookHost::receiver(end(SERVER), endpoints.reversed(), receiver);
    Ok(vec![Node::Textbook(Box::new(client)), Node::Textbook(Box::new(server))])
}

pub(super) fn internet_nodes(recipe: &Recipe, stage: &mut Stage) -> Result<Vec<Node>, RecipeError> {
    let mut nodes = Vec::new();
    for (place, side) in recipe.clients.iter().enumerate() {
        let peers = [recipe.server.address];
        let mut internet = internet(recipe, side, place_of_client(place), &peers);
        equip(recipe, side, &mut internet, recipe.server.address, stage)?;
        if recipe.protocol == Protocol::Udp && place == 0 {
            let (payload, spacing) = (usize::from(recipe.textbook.payload_octets), recipe.spacing);
            let remote = socket(recipe.server.address, SERVER_PORT);
            internet.talk(CLIENT_PORT, remote, &recipe.message, payload, spacing, None, stage.now)?;
        }
        nodes.push(Node::Internet(Box::new(internet)));
    }
    let peers: Vec<IpAddr> = recipe.clients.iter().map(|side| side.address).collect();
    let mut server = internet(recipe, &recipe.server, SERVER, &peers);
    let first = peers.first().copied().ok_or(RecipeError::NoClient)?;
    equip(recipe, &recipe.server, &mut server, first, stage)?;
    if recipe.protocol == Protocol::Udp {
        let application = recipe.server.services.first().map(|service| service.application.clone());
        let (remote, payload) = (socket(first, CLIENT_PORT), usize::from(recipe.textbook.payload_octets));
        server.talk(SERVER_PORT, remote, &[], payload, Duration::ZERO, application, stage.now)?;
    }
    nodes.insert(SERVER.min(nodes.len()), Node::Internet(Box::new(server)));
    Ok(nodes)
}

/// Opens what a side opens and offers what it offers.
fn equip(
    recipe: &Recipe,
    side: &Side,
    internet: &mut Internet,
    peer: IpAddr,
    stage: &mut Stage,
) -> Result<(), RecipeError> {
    if recipe.protocol == Protocol::Tcp {
        for service in &side.services {
            internet.offer(stage, service)?;
        }
        for opening in &side.openings {
            internet.plan(opening.clone(), peer);
        }
    }
    Ok(())
}

/// A host with an interface for each peer.
fn internet(recipe: &Recipe, side: &Side, place: usize, peers: &[IpAddr]) -> Internet {
    let mut secret = [0; 32];
    let mut stream = Stream::new(recipe.seed ^ (place as u64) << 56);
    for chunk in secret.chunks_mut(8) {
        let bits = stream.bits().to_le_bytes();
        chunk.copy_from_slice(bits.get(..chunk.len()).unwrap_or_default());
    }
    let is_server = place == SERVER;
    let fixed_isn = match recipe.isn {
        Isn::Fixed { client, server } => {
            let own = if is_server { server } else { client };
            Some(FixedIsn { active: own, passive: own })
        }
        Isn::FromSeed => None,
    };
    let config = HostConfig {
        tcp: Arc::new(side.tcp.clone()),
        secret,
        sequential_ports: true,
        fixed_isn,
        ..HostConfig::default()
    };
    let mut host = Host::new(config);
    // What is sealed must still fit into what travels.
    let mtu = match recipe.sealing {
        recipe::Sealing::None => side.mtu,
        recipe::Sealing::Aead => side.mtu.saturating_sub(sealed::overhead(side.address)),
    };
    let whole = if side.address.is_ipv4() { 32 } else { 128 };
    for (number, peer) in peers.iter().enumerate() {
        let addresses: Vec<Cidr> = Cidr::new(side.address, whole).into_iter().collect();
        let name = if number == 0 { side.name.clone() } else { numbered(&side.name, number) };
        let interface = host.add_interface(Interface::ip(&name, mtu, &addresses));
        if let Some(to) = Cidr::new(*peer, whole) {
            host.add_route(Route { to, via: None, interface });
        }
    }
    host.watch(aperto_tcp::Watch::On);
    Internet::new(host, End { host: host_id(place), interface: 0 }, side.address, mtu)
}
