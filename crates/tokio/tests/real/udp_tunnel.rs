//! Whole conversations over the UDP tunnel: two stacks, two drivers, one loopback interface.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use crate::common::{Delay, LoseEvery, config, read_text, write_text};
use aperto_host::{About, Departure, InterfaceId, Note};
use aperto_tcp::End;
use aperto_time::{Duration, Instant};
use aperto_tokio::{
    Builder, ConnectError, Counters, Impair, NotOurs, Observer, OpenError, Refusal, Stack, Stopped,
    TcpStream, TunnelConfig, UdpTunnel, WireNote,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A server that sends back whatever comes, to any number of clients. Its outer address.
fn echo_server(on: SocketAddr) -> (Stack, SocketAddr) {
    let wire = UdpTunnel::on(on, TunnelConfig::default()).unwrap();
    let address = wire.local_addr();
    let (stack, _) = Builder::new(config()).wire(Box::new(wire)).spawn();
    let listener = stack.listen(address, 128).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    (stack, address)
}

/// A client's stack, its driver, and where it connects from.
fn client(to: SocketAddr, impair: Option<Box<dyn Impair>>) -> (Stack, JoinHandle<Stopped>, SocketAddr) {
    let wire = UdpTunnel::to(to, TunnelConfig::default()).unwrap();
    let local = wire.local_addr();
    let builder = Builder::new(config());
    let builder = match impair {
        Some(impair) => builder.impaired_wire(Box::new(wire), impair),
        None => builder.wire(Box::new(wire)),
    };
    let (stack, driver) = builder.spawn();
    (stack, driver, local)
}

/// Sends text to an echo server and checks that the same comes back.
async fn echo(stream: TcpStream, seed: u64, octets: usize) -> TcpStream {
    let (mut from, mut to) = tokio::io::split(stream);
    let writer = tokio::spawn(async move {
        let hash = write_text(&mut to, seed, octets).await.unwrap();
        (to, hash)
    });
    let read = tokio::time::timeout(PATIENCE, read_text(&mut from)).await.expect("in time").unwrap();
    let (to, hash) = writer.await.unwrap();
    assert_eq!(read, (octets, hash));
    from.unsplit(to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_mebibytes_come_back_as_they_went_and_both_sides_close() {
    let (_server, address) = echo_server(loopback());
    let (stack, driver, local) = client(address, None);
    let stream = stack.connect_from(local, address).await.unwrap();
    assert_eq!((stream.local_addr(), stream.peer_addr()), (local, address));
    let stream = echo(stream, 1, 10 << 20).await;
    let end = tokio::time::timeout(PATIENCE, stream.closed()).await.expect("in time");
    assert_eq!(end, End::Closed);
    drop(stream);
    stack.settled().await;
    stack.stop();
    let stopped = driver.await.unwrap();
    assert_eq!(stopped.failed, None);
    assert!(stopped.counters.octets_out > 10 << 20 && stopped.counters.octets_in > 10 << 20);
    assert_eq!((stopped.counters.foreign, stopped.counters.send_failures), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_clients_at_once_are_told_apart_by_their_ports() {
    let (server, address) = echo_server("0.0.0.0:0".parse().unwrap());
    let address = SocketAddr::from(([127, 0, 0, 1], address.port()));
    let clients: Vec<_> = (0..5)
        .map(|seed| {
            tokio::spawn(async move {
                let (stack, _driver, local) = client(address, None);
                let stream = stack.connect_from(local, address).await.unwrap();
                echo(stream, seed, 1 << 20).await.closed().await
            })
        })
        .collect();
    for client in clients {
        assert_eq!(client.await.unwrap(), End::Closed);
    }
    assert_eq!(server.counters().foreign, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_arrives_whole_though_every_twentieth_packet_is_lost() {
    let (_server, address) = echo_server(loopback());
    let impair = LoseEvery::new(20);
    let lost = Arc::clone(&impair.lost);
    let (stack, _driver, local) = client(address, Some(Box::new(impair)));
    let stream = stack.connect_from(local, address).await.unwrap();
    echo(stream, 7, 1 << 20).await;
    // 1 MiB each way in segments of at most 1,452 octets: 1,446 packets at least, of which 72 are lost.
    assert!(lost.load(Ordering::Relaxed) >= 72);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_of_the_channel_is_kept_and_costs_no_processor() {
    let (_server, address) = echo_server(loopback());
    let (stack, _driver, local) = client(address, Some(Box::new(Delay::new(Duration::from_millis(30)))));
    let before = aperto_tokio::clock::now();
    let stream = stack.connect_from(local, address).await.unwrap();
    let took = aperto_tokio::clock::now().since(before);
    // The SYN waits once on its way out, the answer once on its way in.
    assert!(took >= Duration::from_millis(60) && took < Duration::from_secs(1), "{took:?}");
    echo(stream, 3, 1000).await;
}

#[tokio::test]
async fn nobody_listening_is_told_at_once_and_by_whom() {
    // A UDP port that nobody has: the system says so by ICMP.
    let nobody = std::net::UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let (stack, _driver, local) = client(nobody, None);
    let refused = tokio::time::timeout(Duration::from_secs(1), stack.connect_from(local, nobody)).await;
    let ConnectError::Refused { remote, by } = refused.expect("at once").unwrap_err() else { panic!() };
    assert_eq!((remote, by), (nobody, Refusal::PortUnreachable));

    // A tunnel without a listener: our own TCP says so by a reset.
    let wire = UdpTunnel::on(loopback(), TunnelConfig::default()).unwrap();
    let address = wire.local_addr();
    let (deaf, _) = Builder::new(config()).wire(Box::new(wire)).spawn();
    let once = deaf.listen(address, 8).unwrap();
    let twice = deaf.listen(address, 8).unwrap_err();
    assert!(matches!(twice, OpenError::PortTaken { port, .. } if port == address.port()), "{twice}");
    drop(once);
    let (stack, _driver, local) = client(address, None);
    let refused = tokio::time::timeout(Duration::from_secs(1), stack.connect_from(local, address)).await;
    let ConnectError::Refused { remote, by } = refused.expect("at once").unwrap_err() else { panic!() };
    assert_eq!((remote, by), (address, Refusal::Reset));
}

#[tokio::test]
async fn nobody_answering_is_a_time_out() {
    // A socket that is there and never reads.
    let silent = std::net::UdpSocket::bind(loopback()).unwrap();
    let address = silent.local_addr().unwrap();
    let (stack, _driver, local) = client(address, None);
    let hasty = aperto_tcp::Config {
        syn_timeout: Duration::from_millis(300),
        rto_initial: Duration::from_millis(100),
        rto_min: Duration::from_millis(100),
        ..aperto_tcp::Config::modern()
    };
    let outcome = stack.connect_with(Some(local), address, Arc::new(hasty));
    let outcome = tokio::time::timeout(Duration::from_secs(5), outcome).await.expect("in time");
    let ConnectError::TimedOut { remote, after } = outcome.unwrap_err() else { panic!() };
    assert_eq!(remote, address);
    assert!(after >= Duration::from_millis(300), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_connection_is_a_reset_for_the_peer_and_a_stopped_stack_ends_its_handles() {
    let wire = UdpTunnel::on(loopback(), TunnelConfig::default()).unwrap();
    let address = wire.local_addr();
    let (server, server_driver) = Builder::new(config()).wire(Box::new(wire)).spawn();
    let listener = server.listen(address, 8).unwrap();
    let (stack, driver, local) = client(address, None);
    let mut ours = stack.connect_from(local, address).await.unwrap();
    let (mut theirs, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, local);
    ours.write_all(b"half a conv").await.unwrap();
    let mut text = [0; 11];
    theirs.read_exact(&mut text).await.unwrap();
    stack.abort_all();
    stack.stop();
    let error = tokio::time::timeout(PATIENCE, theirs.read(&mut text)).await.expect("in time").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    driver.await.unwrap();
    assert!(!stack.is_running());
    assert!(ours.write(b"x").await.is_err());

    let waiting = tokio::spawn(async move { listener.accept().await.map(drop) });
    tokio::task::yield_now().await;
    server.stop();
    server_driver.await.unwrap();
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_waits_for_a_reader_who_does_not_read() {
    let wire = UdpTunnel::on(loopback(), TunnelConfig::default()).unwrap();
    let address = wire.local_addr();
    let (server, _driver) = Builder::new(config()).wire(Box::new(wire)).spawn();
    let listener = server.listen(address, 8).unwrap();
    let (stack, _driver, local) = client(address, None);
    let mut ours = stack.connect_from(local, address).await.unwrap();
    let (mut theirs, _) = listener.accept().await.unwrap();
    let written = Arc::new(Mutex::new(0));
    let writer = {
        let written = Arc::clone(&written);
        tokio::spawn(async move {
            let piece = vec![0x61; 1 << 16];
            for _ in 0..128 {
                ours.write_all(&piece).await.unwrap();
                *written.lock().unwrap() += piece.len();
            }
            ours.shutdown().await.unwrap();
        })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    // 1 MiB in the send buffer and 1 MiB in the receive buffer, and not the 8 MiB that it has.
    let so_far = *written.lock().unwrap();
    assert!(so_far <= 3 << 20, "{so_far}");
    assert!(!writer.is_finished());
    let (octets, _) = tokio::time::timeout(PATIENCE, read_text(&mut theirs)).await.expect("in time").unwrap();
    assert_eq!(octets, 8 << 20);
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_ends_when_all_handles_are_gone_and_everything_was_said() {
    let (_server, address) = echo_server(loopback());
    let (stack, driver, local) = client(address, None);
    let mut stream = stack.connect_from(local, address).await.unwrap();
    stream.write_all(b"goodbye").await.unwrap();
    stream.shutdown().await.unwrap();
    let (octets, _) = read_text(&mut stream).await.unwrap();
    assert_eq!(octets, 7);
    drop(stream);
    drop(stack);
    let stopped = tokio::time::timeout(PATIENCE, driver).await.expect("in time").unwrap();
    assert_eq!(stopped.failed, None);
}

/// What an observer saw, in order.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Departed { octets: usize, tcp: bool },
    Arrived { octets: usize },
    Noted(&'static str),
    Wire(WireNote),
    Stopped,
}

#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<(Instant, Seen)>>>);

impl Watcher {
    fn push(&self, now: Instant, seen: Seen) {
        self.0.lock().unwrap().push((now, seen));
    }
}

impl Observer for Watcher {
    fn departed(&mut self, now: Instant, departure: &Departure, packet: &[u8]) {
        assert_eq!(departure.length, packet.len());
        let tcp = matches!(departure.about, About::Tcp { .. });
        self.push(now, Seen::Departed { octets: packet.len(), tcp });
    }

    fn arrived(&mut self, now: Instant, _: InterfaceId, packet: &[u8]) {
        self.push(now, Seen::Arrived { octets: packet.len() });
    }

    fn noted(&mut self, now: Instant, note: &Note) {
        self.push(
            now,
            Seen::Noted(match note {
                Note::TcpArrived { .. } => "arrived",
                Note::Dropped { .. } => "dropped",
                Note::Accepted { .. } => "accepted",
                _ => "other",
            }),
        );
    }

    fn wire_noted(&mut self, now: Instant, _: InterfaceId, note: &WireNote) {
        self.push(now, Seen::Wire(*note));
    }

    fn stopped(&mut self, now: Instant, _: &Counters) {
        self.push(now, Seen::Stopped);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_sees_every_packet_and_what_came_of_it_in_order() {
    let wire = UdpTunnel::on(loopback(), TunnelConfig::default()).unwrap();
    let address = wire.local_addr();
    let watcher = Watcher::default();
    let (server, driver) =
        Builder::new(config()).wire(Box::new(wire)).observer(Box::new(watcher.clone())).spawn();
    let listener = server.listen(address, 8).unwrap();

    // A datagram that is not ours, and one that has been damaged on the way.
    let stranger = std::net::UdpSocket::bind(loopback()).unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let from = stranger.local_addr().unwrap();
    stranger.send_to(b"hello\n", address).unwrap();
    let mut damaged = Vec::new();
    damaged.extend(from.port().to_be_bytes());
    damaged.extend(address.port().to_be_bytes());
    damaged.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x40, 0, 0xba, 0xad, 0, 0]);
    stranger.send_to(&damaged, address).unwrap();
    assert!(stranger.recv(&mut [0; 100]).is_err(), "nobody answers");

    let (stack, _client_driver, local) = client(address, None);
    let mut ours = stack.connect_from(local, address).await.unwrap();
    let (mut theirs, _) = listener.accept().await.unwrap();
    ours.write_all(b"hello").await.unwrap();
    theirs.read_exact(&mut [0; 5]).await.unwrap();
    server.stop();
    driver.await.unwrap();

    let seen = watcher.0.lock().unwrap().clone();
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0), "in the order of time");
    let seen: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
    assert_eq!(seen[0], Seen::Wire(WireNote::Foreign { from, octets: 6, why: NotOurs::TooShort }));
    let damaged = seen.iter().position(|seen| *seen == Seen::Arrived { octets: 40 }).unwrap();
    assert_eq!(seen[damaged + 1], Seen::Noted("dropped"));
    // SYN in, SYN,ACK out, ACK in, text in: each arrival is followed by its note.
    let arrivals: Vec<usize> = seen
        .iter()
        .enumerate()
        .filter(|(place, seen)| *place > damaged && matches!(seen, Seen::Arrived { .. }))
        .map(|(place, _)| place)
        .collect();
    assert!(arrivals.len() >= 3, "{seen:?}");
    assert!(arrivals.iter().all(|place| seen[place + 1] == Seen::Noted("arrived")), "{seen:?}");
    let first_departure =
        seen.iter().position(|seen| matches!(seen, Seen::Departed { tcp: true, .. })).unwrap();
    assert!(arrivals[0] < first_departure && first_departure < arrivals[1]);
    assert!(seen.contains(&Seen::Noted("accepted")));
    assert_eq!(seen.last(), Some(&Seen::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ipv6_works_the_same() {
    let on: SocketAddr = "[::1]:0".parse().unwrap();
    if std::net::UdpSocket::bind(on).is_err() {
        eprintln!("SKIPPED: ipv6_works_the_same: this machine has no IPv6 loopback");
        return;
    }
    let (_server, address) = echo_server(on);
    let (stack, _driver, local) = client(address, None);
    let stream = stack.connect_from(local, address).await.unwrap();
    assert_eq!(echo(stream, 6, 1 << 20).await.closed().await, End::Closed);
}
