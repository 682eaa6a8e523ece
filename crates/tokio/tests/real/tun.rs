//! Our TCP against the running kernel's, through a TUN device in a network namespace of its own.
//!
//! Each test runs itself again under `unshare --net`, so that nothing of the machine's network is
//! touched. Where that is not allowed, or there is no `/dev/net/tun`, it says so by name and passes.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::common::{LoseEvery, config, read_text, write_text};
use aperto_tcp::End;
use aperto_time::Duration;
use aperto_tokio::{
    Builder, ConnectError, Impair, OpenError, Refusal, Right, Stack, TunConfig, TunWire, TunnelConfig,
    UdpTunnel,
};
use aperto_wire::checksum::PseudoHeader;
use aperto_wire::ip::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};

const INSIDE: &str = "APERTO_TEST_INSIDE_NAMESPACE";
const KERNEL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2));
const PATIENCE: Duration = Duration::from_secs(60);
const MEBIBYTE: usize = 1 << 20;

/// Runs a test in a network namespace of its own, or says that it cannot.
fn in_namespace<F: Future<Output = ()>>(name: &str, body: impl FnOnce() -> F) {
    if std::env::var_os(INSIDE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
        assert!(up.success());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(body());
    }
    let possible = Command::new("unshare").args(["--net", "ip", "link"]).output();
    let missing = match possible {
        Err(error) => Some(format!("unshare: {error}")),
        Ok(output) if !output.status.success() => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Ok(_) if std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_err() => {
            Some("/dev/net/tun cannot be opened".to_owned())
        }
        Ok(_) => None,
    };
    if let Some(why) = missing {
        eprintln!("SKIPPED: {name}: {}", why.trim());
        return;
    }
    let test = std::env::current_exe().unwrap();
    let output = Command::new("unshare")
        .arg("--net")
        .arg(test)
        .args(["--exact", &format!("tun::{name}"), "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "inside the namespace:\n{out}\n{error}");
    assert!(out.contains("1 passed"), "the test did not run inside:\n{out}");
}

fn stack(impair: Option<Box<dyn Impair>>) -> Stack {
    let wire = Box::new(TunWire::open(&TunConfig::default()).unwrap());
    let builder = Builder::new(config());
    let builder = match impair {
        Some(impair) => builder.impaired_wire(wire, impair),
        None => builder.wire(wire),
    };
    builder.spawn().0
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// Both ways at once between a stream of ours and one of the kernel's; then both have closed.
async fn exchange(
    ours: aperto_tokio::TcpStream,
    theirs: TcpStream,
    octets: usize,
) -> aperto_tokio::TcpStream {
    let (mut our_reader, mut our_writer) = tokio::io::split(ours);
    let (mut their_reader, mut their_writer) = theirs.into_split();
    let up = tokio::spawn(async move { (write_text(&mut our_writer, 1, octets).await.unwrap(), our_writer) });
    let down =
        tokio::spawn(async move { (write_text(&mut their_writer, 2, octets).await.unwrap(), their_writer) });
    let reader = tokio::spawn(async move { read_text(&mut their_reader).await.unwrap() });
    let came_down = in_time(read_text(&mut our_reader)).await.unwrap();
    let came_up = in_time(reader).await.unwrap();
    let (up, our_writer) = up.await.unwrap();
    let (down, _their_writer) = down.await.unwrap();
    assert_eq!(came_up, (octets, up));
    assert_eq!(came_down, (octets, down));
    our_reader.unsplit(our_writer)
}

#[test]
fn the_kernel_connects_to_us_and_64_mebibytes_go_each_way() {
    in_namespace("the_kernel_connects_to_us_and_64_mebibytes_go_each_way", || async {
        let stack = stack(None);
        let listener = stack.listen(SocketAddr::new(OURS, 80), 8).unwrap();
        let theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (ours, peer) = in_time(listener.accept()).await.unwrap();
        assert_eq!(peer, theirs.local_addr().unwrap());
        let ours = exchange(ours, theirs, 64 * MEBIBYTE).await;
        assert_eq!(in_time(ours.closed()).await, End::Closed);
    });
}

#[test]
fn we_connect_to_the_kernel_and_64_mebibytes_go_each_way() {
    in_namespace("we_connect_to_the_kernel_and_64_mebibytes_go_each_way", || async {
        let stack = stack(None);
        let listener = TcpListener::bind((KERNEL, 0)).await.unwrap();
        let ours = in_time(stack.connect(listener.local_addr().unwrap())).await.unwrap();
        let (theirs, peer) = in_time(listener.accept()).await.unwrap();
        assert_eq!(peer, ours.local_addr());
        let ours = exchange(ours, theirs, 64 * MEBIBYTE).await;
        assert_eq!(in_time(ours.closed()).await, End::Closed);
    });
}

#[test]
fn text_arrives_whole_though_every_fiftieth_packet_is_lost() {
    in_namespace("text_arrives_whole_though_every_fiftieth_packet_is_lost", || async {
        let impair = LoseEvery::new(50);
        let lost = Arc::clone(&impair.lost);
        let stack = stack(Some(Box::new(impair)));
        let listener = stack.listen(SocketAddr::new(OURS, 80), 8).unwrap();
        let theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (ours, _) = in_time(listener.accept()).await.unwrap();
        exchange(ours, theirs, 8 * MEBIBYTE).await;
        // 8 MiB each way in segments of at most 1,460 octets: 11,492 packets at least.
        assert!(lost.load(Ordering::Relaxed) >= 229);
    });
}

#[test]
fn pings_are_answered_both_ways() {
    in_namespace("pings_are_answered_both_ways", || async {
        let stack = stack(None);
        let ping = || Command::new("ping").args(["-c1", "-W5", &OURS.to_string()]).output();
        match tokio::task::spawn_blocking(ping).await.unwrap() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
            Err(error) => {
                eprintln!("SKIPPED: pings_are_answered_both_ways, the kernel's half: ping: {error}");
            }
        }
        let took = in_time(stack.ping(KERNEL, 56, Duration::from_secs(5))).await.unwrap();
        assert!(took.is_some_and(|took| took < Duration::from_secs(1)), "{took:?}");
        let nobody = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 77));
        assert_eq!(stack.ping(nobody, 56, Duration::from_millis(200)).await.unwrap(), None);
    });
}

#[test]
fn refused_and_timed_out_are_told_as_they_are() {
    in_namespace("refused_and_timed_out_are_told_as_they_are", || async {
        let stack = stack(None);
        let closed = SocketAddr::new(KERNEL, 9);
        let refused = in_time(stack.connect(closed)).await.unwrap_err();
        assert!(
            matches!(refused, ConnectError::Refused { remote, by: Refusal::Reset } if remote == closed),
            "{refused}"
        );
        let refused = in_time(TcpStream::connect((OURS, 9))).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 0, 77)), 80);
        let hasty = aperto_tcp::Config {
            syn_timeout: Duration::from_millis(300),
            rto_initial: Duration::from_millis(100),
            rto_min: Duration::from_millis(100),
            ..aperto_tcp::Config::modern()
        };
        let outcome = in_time(stack.connect_with(None, nobody, Arc::new(hasty))).await.unwrap_err();
        assert!(matches!(outcome, ConnectError::TimedOut { .. }), "{outcome}");
    });
}

#[test]
fn either_side_may_close_first_and_either_may_reset() {
    in_namespace("either_side_may_close_first_and_either_may_reset", || async {
        let stack = stack(None);
        let listener = stack.listen(SocketAddr::new(OURS, 80), 8).unwrap();
        let mut text = String::new();

        // The kernel first; we answer after its FIN.
        let mut theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (mut ours, _) = in_time(listener.accept()).await.unwrap();
        theirs.write_all(b"question").await.unwrap();
        theirs.shutdown().await.unwrap();
        in_time(ours.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "question");
        ours.write_all(b"answer").await.unwrap();
        ours.shutdown().await.unwrap();
        text.clear();
        in_time(theirs.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "answer");
        assert_eq!(in_time(ours.closed()).await, End::Closed);

        // We first.
        let mut theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (mut ours, _) = in_time(listener.accept()).await.unwrap();
        ours.write_all(b"go").await.unwrap();
        ours.shutdown().await.unwrap();
        text.clear();
        in_time(theirs.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "go");
        theirs.write_all(b"after your FIN").await.unwrap();
        theirs.shutdown().await.unwrap();
        text.clear();
        in_time(ours.read_to_string(&mut text)).await.unwrap();
        assert_eq!(text, "after your FIN");
        assert_eq!(in_time(ours.closed()).await, End::Closed);

        // We reset.
        let mut theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (ours, _) = in_time(listener.accept()).await.unwrap();
        ours.abort();
        let error = in_time(theirs.read(&mut [0; 8])).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

        // The kernel resets: a close with no time to linger.
        let theirs = in_time(TcpStream::connect((OURS, 80))).await.unwrap();
        let (mut ours, _) = in_time(listener.accept()).await.unwrap();
        aperto_tokio::Conversation::Os(theirs).abort();
        let error = in_time(ours.read(&mut [0; 8])).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(ours.ended(), Some(End::Reset));
    });
}

#[test]
fn udp_goes_both_ways_and_a_closed_port_is_told() {
    in_namespace("udp_goes_both_ways_and_a_closed_port_is_told", || async {
        let stack = stack(None);
        let ours = stack.bind_udp(SocketAddr::new(OURS, 7)).unwrap();
        let theirs = UdpSocket::bind((KERNEL, 0)).await.unwrap();
        theirs.send_to(b"ping", (OURS, 7)).await.unwrap();
        let mut text = [0; 4096];
        let (octets, from) = in_time(ours.recv_from(&mut text)).await.unwrap();
        assert_eq!((&text[..octets], from), (&b"ping"[..], theirs.local_addr().unwrap()));
        // Larger than the device's MTU: fragments.
        ours.send_to(&[0x61; 4000], from).unwrap();
        let (octets, _) = in_time(theirs.recv_from(&mut text)).await.unwrap();
        assert_eq!(octets, 4000);
        drop(theirs);
        ours.send_to(b"anybody?", from).unwrap();
        let error = in_time(ours.recv_from(&mut text)).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        // And the kernel is told when nobody of ours is there.
        let theirs = UdpSocket::bind((KERNEL, 0)).await.unwrap();
        theirs.connect((OURS, 8)).await.unwrap();
        theirs.send(b"anybody?").await.unwrap();
        let error = in_time(theirs.recv(&mut text)).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

/// A SYN from port 5000 to port 7000 with these options, as it lies in a tunnel's datagram.
fn syn(options: &[u8]) -> Vec<u8> {
    assert!(options.len().is_multiple_of(4));
    let offset = u8::try_from(5 + options.len() / 4).unwrap() << 4;
    let mut segment = vec![0x13, 0x88, 0x1b, 0x58, 0, 0, 0, 1, 0, 0, 0, 0, offset, 0x02, 0x40, 0, 0, 0, 0, 0];
    segment.extend(options);
    let any = Ipv4Addr::UNSPECIFIED;
    let pseudo = PseudoHeader::ipv4(any, any, Protocol::TCP);
    let sum = pseudo.with_length(segment.len()).and(&segment).finish();
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// Somebody outside, who may not be who he says: here a UDP socket of our own behind the device.
#[test]
fn a_stranger_gets_no_more_from_the_tunnel_than_he_sent() {
    in_namespace("a_stranger_gets_no_more_from_the_tunnel_than_he_sent", || async {
        let outside = stack(None);
        let stranger = outside.bind_udp(SocketAddr::new(OURS, 5000)).unwrap();
        let everywhere: SocketAddr = "0.0.0.0:7000".parse().unwrap();
        let wire = UdpTunnel::on(everywhere, TunnelConfig::default()).unwrap();
        let (server, _) = Builder::new(config()).wire(Box::new(wire)).spawn();
        let _listener = server.listen(everywhere, 8).unwrap();
        let tunnel = SocketAddr::new(KERNEL, 7000);
        let mut answer = [0; 2000];

        // MSS 1452, SACK permitted, timestamps, window scale 7: the answer has as many.
        let full = [2, 4, 5, 0xac, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
        stranger.send_to(&syn(&full), tunnel).unwrap();
        let (octets, from) = in_time(stranger.recv_from(&mut answer)).await.unwrap();
        assert_eq!((octets, from), (40, tunnel));
        assert_eq!(answer[13], 0x12, "SYN and ACK");

        // The timer would repeat it after a second. It must not, until it is asked again.
        let again = tokio::time::timeout(Duration::from_millis(1500), stranger.recv_from(&mut answer)).await;
        assert!(again.is_err(), "an answer that nobody asked for");
        assert!(server.counters().withheld >= 1);

        // A SYN of twenty octets cannot be answered with an MSS option: that would be more.
        let other = outside.bind_udp(SocketAddr::new(OURS, 5001)).unwrap();
        let mut bare = syn(&[]);
        bare[1] = 0x89; // from port 5001: one more, so the checksum is one less
        let sum = u16::from_be_bytes([bare[16], bare[17]]) - 1;
        bare[16..18].copy_from_slice(&sum.to_be_bytes());
        let before = server.counters().withheld;
        other.send_to(&bare, tunnel).unwrap();
        let nothing = tokio::time::timeout(Duration::from_millis(300), other.recv_from(&mut answer)).await;
        assert!(nothing.is_err());
        assert_eq!(server.counters().withheld, before + 1);
        assert_eq!(server.counters().foreign, 0);
    });
}

#[test]
fn ipv6_works_beside_ipv4() {
    in_namespace("ipv6_works_beside_ipv4", || async {
        let ours6: IpAddr = "fd09::2".parse().unwrap();
        let second = Some(("fd09::1/64".parse().unwrap(), ours6));
        let wire = TunWire::open(&TunConfig { second, ..TunConfig::default() }).unwrap();
        let (stack, _) = Builder::new(config()).wire(Box::new(wire)).spawn();
        let listener = stack.listen(SocketAddr::new(ours6, 80), 8).unwrap();
        // The kernel may not use its address until it is sure that nobody else has it (RFC 4862 §5.4).
        let kernel6 = SocketAddr::new("fd09::1".parse().unwrap(), 0);
        let socket = in_time(async {
            loop {
                let socket = TcpSocket::new_v6().unwrap();
                match socket.bind(kernel6) {
                    Ok(()) => break socket,
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        })
        .await;
        let theirs = in_time(socket.connect(SocketAddr::new(ours6, 80))).await.unwrap();
        let (ours, _) = in_time(listener.accept()).await.unwrap();
        exchange(ours, theirs, MEBIBYTE).await;
    });
}

#[test]
fn a_device_that_goes_away_ends_the_driver_and_not_the_process() {
    in_namespace("a_device_that_goes_away_ends_the_driver_and_not_the_process", || async {
        let wire =
            TunWire::open(&TunConfig { name: Some("aperto0".into()), ..TunConfig::default() }).unwrap();
        let (stack, driver) = Builder::new(config()).wire(Box::new(wire)).spawn();
        let listener = stack.listen(SocketAddr::new(OURS, 80), 8).unwrap();
        let gone = Command::new("ip").args(["link", "del", "aperto0"]).status().unwrap();
        assert!(gone.success());
        let stopped = in_time(driver).await.unwrap();
        assert!(stopped.failed.is_some());
        assert!(listener.accept().await.is_err());
    });
}

#[test]
fn without_rights_the_error_says_what_to_do() {
    in_namespace("without_rights_the_error_says_what_to_do", || async {
        // Thrown away for good: this process is the test's own.
        let test = std::env::current_exe().unwrap();
        let output = Command::new("setpriv")
            .args(["--bounding-set", "-net_admin", "--inh-caps", "-net_admin", "--"])
            .arg(test)
            .args(["--exact", "tun::opens_no_device", "--ignored", "--nocapture"])
            .output();
        match output {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
            Err(error) => eprintln!("SKIPPED: without_rights_the_error_says_what_to_do: setpriv: {error}"),
        }
    });
}

#[test]
#[ignore = "run by without_rights_the_error_says_what_to_do, without the rights"]
fn opens_no_device() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let error = TunWire::open(&TunConfig::default()).unwrap_err();
    let OpenError::NeedsRights(right) = error else { panic!("{error:?}") };
    assert_eq!(right, Right::TunDevice);
    assert!(!right.remedies().is_empty());
}
