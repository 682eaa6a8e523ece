//! The driver over wires whose system calls fail in every way that they can.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use aperto_time::Duration;
use aperto_tokio::{Builder, Counters, Driver, Stack, Wire};
use aperto_wire::ip::Cidr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::common::{config, read_text, write_text};

const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PATIENCE: Duration = Duration::from_secs(60);
/// ENOBUFS, which std has no kind for.
const NO_BUFFERS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };

/// A wire in memory.
struct Memory {
    addresses: Vec<Cidr>,
    out: UnboundedSender<Vec<u8>>,
    into: UnboundedReceiver<Vec<u8>>,
    /// What goes wrong.
    trouble: Trouble,
    sends: u64,
    receives: u64,
    /// Full until somebody asks when it will not be.
    full: bool,
    /// How often the driver asked for a packet.
    asked: Arc<AtomicU64>,
}

/// What goes wrong on a wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Nothing,
    /// Some calls fail, of every kind of failure.
    SomeCalls,
    /// No call succeeds.
    EveryCall,
}

impl Wire for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn mtu(&self) -> usize {
        1500
    }

    fn addresses(&self) -> &[Cidr] {
        &self.addresses
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<Option<usize>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.trouble == Trouble::EveryCall {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        self.receives += 1;
        if self.trouble == Trouble::SomeCalls {
            if self.receives.is_multiple_of(101) {
                return Poll::Ready(Err(io::ErrorKind::Other.into()));
            }
            if self.receives.is_multiple_of(13) {
                return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
            }
        }
        match self.into.poll_recv(context) {
            Poll::Ready(Some(packet)) => {
                into[..packet.len()].copy_from_slice(&packet);
                Poll::Ready(Ok(Some(packet.len())))
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn try_send(&mut self, packet: &[u8]) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.sends += 1;
        match self.trouble {
            Trouble::EveryCall => return Err(io::ErrorKind::NotConnected.into()),
            Trouble::SomeCalls if self.sends.is_multiple_of(97) => {
                return Err(io::Error::from_raw_os_error(NO_BUFFERS));
            }
            Trouble::SomeCalls if self.sends.is_multiple_of(53) => {
                return Err(io::ErrorKind::WriteZero.into());
            }
            Trouble::SomeCalls if self.sends.is_multiple_of(7) => {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Trouble::SomeCalls if self.sends.is_multiple_of(5) => {
                self.full = true;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Trouble::SomeCalls | Trouble::Nothing => {}
        }
        // The other side may have ended: then it is lost, as on any wire.
        let _ = self.out.send(packet.to_vec());
        Ok(())
    }

    fn poll_writable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.full = false;
        Poll::Ready(Ok(()))
    }
}

/// Two stacks with a line between them, and how often the first wire was asked.
fn pair(trouble: Trouble) -> ([(Stack, Driver); 2], Arc<AtomicU64>) {
    let (to_other, from_one) = unbounded_channel();
    let (to_one, from_other) = unbounded_channel();
    let asked = Arc::new(AtomicU64::new(0));
    let side = |address, out, into, trouble, asked: &Arc<AtomicU64>| {
        let addresses = vec![Cidr::new(address, 24).unwrap()];
        let asked = Arc::clone(asked);
        let wire = Memory { addresses, out, into, trouble, sends: 0, receives: 0, full: false, asked };
        Builder::new(config()).wire(Box::new(wire)).build()
    };
    let one = side(ONE, to_other, from_other, trouble, &asked);
    let other = side(OTHER, to_one, from_one, Trouble::Nothing, &Arc::default());
    ([one, other], asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_arrives_whole_though_system_calls_fail_in_every_way() {
    let ([(one, one_driver), (other, other_driver)], _) = pair(Trouble::SomeCalls);
    tokio::spawn(one_driver);
    tokio::spawn(other_driver);
    let listener = other.listen(SocketAddr::new(OTHER, 80), 8).unwrap();
    let ours = one.connect(SocketAddr::new(OTHER, 80)).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    let (mut our_reader, mut our_writer) = tokio::io::split(ours);
    let (mut their_reader, mut their_writer) = tokio::io::split(theirs);
    let up = tokio::spawn(async move { write_text(&mut our_writer, 1, 1 << 20).await.unwrap() });
    let down = tokio::spawn(async move { write_text(&mut their_writer, 2, 1 << 20).await.unwrap() });
    let reader = tokio::spawn(async move { read_text(&mut their_reader).await.unwrap() });
    let came_down =
        tokio::time::timeout(PATIENCE, read_text(&mut our_reader)).await.expect("in time").unwrap();
    let came_up = tokio::time::timeout(PATIENCE, reader).await.expect("in time").unwrap();
    assert_eq!(came_up, (1 << 20, up.await.unwrap()));
    assert_eq!(came_down, (1 << 20, down.await.unwrap()));
    let Counters { send_failures, receive_failures, waits, .. } = one.counters();
    assert!(send_failures > 0 && receive_failures > 0 && waits > 0);
}

#[tokio::test]
async fn a_wire_that_always_fails_is_given_up_after_pauses_and_never_in_a_loop() {
    let ([(one, driver), _], asked) = pair(Trouble::EveryCall);
    let driver = tokio::spawn(driver);
    let listener = one.listen(SocketAddr::new(ONE, 80), 8).unwrap();
    let stopped = tokio::time::timeout(PATIENCE, driver).await.expect("in time").unwrap();
    assert_eq!(stopped.failed, Some(io::ErrorKind::NotConnected));
    assert!(listener.accept().await.is_err());
    // Twelve failures, and nobody asks in the pauses between them.
    assert_eq!(asked.load(Ordering::Relaxed), 12);
    assert_eq!(stopped.counters.receive_failures, 12);
}

#[tokio::test]
async fn a_driver_with_nothing_to_do_does_nothing() {
    let ([(one, one_driver), (other, other_driver)], asked) = pair(Trouble::Nothing);
    tokio::spawn(one_driver);
    tokio::spawn(other_driver);
    let listener = other.listen(SocketAddr::new(OTHER, 80), 8).unwrap();
    let _ours = one.connect(SocketAddr::new(OTHER, 80)).await.unwrap();
    let _theirs = listener.accept().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = asked.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(asked.load(Ordering::Relaxed), before, "an open connection with nothing to say needs no turn");
}
