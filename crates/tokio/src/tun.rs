//! TUN: real IP packets through a device of the kernel's, so that anything that speaks TCP can
//! speak to ours: `nc`, `curl`, `ping`.
//!
//! The kernel has one address of a small network on its side of the device, we are another one in
//! it. One packet a system call. Creating the device needs `CAP_NET_ADMIN` (or the administrator);
//! a device that an administrator has made for us before needs no rights ([`Setup::Attach`]).
//!
//! At the start it is checked that the kernel does not own our address as well: it would answer
//! for it, with resets (RELIABILITY PR-4). No shell and no program is run for any of this.
//!
//! Left out: offloads (`IFF_VNET_HDR`), several queues, Ethernet (TAP).

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Poll, ready};

use aperto_wire::ip::Cidr;
use tun_rs::{AsyncDevice, DeviceBuilder};

use crate::error::{OpenError, Right};
use crate::wire::Wire;

/// Whether to create the device or to take one that is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Setup {
    /// Create the device, give it the kernel's address and bring it up. Needs rights.
    #[default]
    Create,
    /// Take a device that is there, with its addresses, and touch nothing. It must be ours:
    /// `ip tuntap add dev tun0 mode tun user $USER`.
    Attach,
}

/// What a TUN device should be like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TunConfig {
    /// The device's name, one to fifteen of `a` to `z` and `0` to `9`; `None` lets the kernel choose.
    pub name: Option<String>,
    /// The kernel's address on the device, with the length of the network's prefix.
    pub kernel: Cidr,
    /// Our address: another one of the same network.
    pub ours: IpAddr,
    /// A second pair of addresses, of the other version of IP.
    pub second: Option<(Cidr, IpAddr)>,
    /// The largest packet, in octets. 1280 to 65,535 (RFC 8200 §5 for the least).
    pub mtu: u16,
    /// Whether to create the device.
    pub setup: Setup,
}

impl Default for TunConfig {
    /// The kernel at 10.9.0.1/24, we at 10.9.0.2.
    fn default() -> Self {
        Self {
            name: None,
            kernel: Cidr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1)), 24).expect("24 is at most 32"),
            ours: IpAddr::V4(Ipv4Addr::new(10, 9, 0, 2)),
            second: None,
            mtu: 1500,
            setup: Setup::Create,
        }
    }
}

/// A TUN device.
pub struct TunWire {
    device: AsyncDevice,
    name: String,
    addresses: Vec<Cidr>,
    mtu: usize,
}

impl TunWire {
    /// Opens the device. Call it inside a runtime.
    ///
    /// # Errors
    ///
    /// [`OpenError::NeedsRights`], [`OpenError::NoTunDevice`], [`OpenError::KernelOwnsAddress`],
    /// [`OpenError::BadInterfaceName`], [`OpenError::BadDeviceAddresses`], or what else the
    /// system says.
    pub fn open(config: &TunConfig) -> Result<Self, OpenError> {
        if let Some(name) = &config.name
            && !is_interface_name(name)
        {
            return Err(OpenError::BadInterfaceName { name: name.clone() });
        }
        let pairs: Vec<(Cidr, IpAddr)> =
            [Some((config.kernel, config.ours)), config.second].into_iter().flatten().collect();
        for (kernel, ours) in &pairs {
            if !kernel.contains(*ours) || kernel.address() == *ours {
                return Err(OpenError::BadDeviceAddresses { kernel: kernel.address(), ours: *ours });
            }
            check_not_the_kernels(*ours)?;
        }
        let mtu = config.mtu.max(1280);
        let mut builder = DeviceBuilder::new();
        if let Some(name) = &config.name {
            builder = builder.name(name.as_str());
        }
        match config.setup {
            Setup::Create => {
                builder = builder.mtu(mtu);
                for (kernel, _) in &pairs {
                    builder = match kernel.address() {
                        IpAddr::V4(address) => builder.ipv4(address, kernel.prefix_length(), None),
                        IpAddr::V6(address) => builder.ipv6(address, kernel.prefix_length()),
                    };
                }
            }
            Setup::Attach => builder = builder.inherit_enable_state(),
        }
        let device = builder.build_async().map_err(sorted)?;
        let name = device.name().unwrap_or_default();
        let mtu = match config.setup {
            Setup::Create => mtu,
            Setup::Attach => device.mtu().unwrap_or(mtu),
        };
        let addresses =
            pairs.iter().filter_map(|(kernel, ours)| Cidr::new(*ours, kernel.prefix_length())).collect();
        Ok(Self { device, name, addresses, mtu: usize::from(mtu) })
    }
}

/// One to fifteen of `a` to `z` and `0` to `9` (RELIABILITY PR-3; 15 is Linux's limit).
fn is_interface_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit())
}

fn check_not_the_kernels(ours: IpAddr) -> Result<(), OpenError> {
    for interface in getifaddrs::getifaddrs()? {
        if interface.address.ip_addr() == Some(ours) {
            return Err(OpenError::KernelOwnsAddress { address: ours, interface: interface.name });
        }
    }
    Ok(())
}

/// Windows' ring does not say when it has room again: the driver has to come back by itself.
fn without_room(error: io::Error) -> io::Error {
    if cfg!(windows) && error.kind() == io::ErrorKind::WouldBlock {
        io::ErrorKind::OutOfMemory.into()
    } else {
        error
    }
}

fn sorted(error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => OpenError::NeedsRights(Right::TunDevice),
        io::ErrorKind::NotFound => OpenError::NoTunDevice,
        _ => OpenError::Io(error),
    }
}

impl Wire for TunWire {
    fn name(&self) -> &str {
        &self.name
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn addresses(&self) -> &[Cidr] {
        &self.addresses
    }

    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<Option<usize>>> {
        let octets = ready!(self.device.poll_recv(context, into))?;
        Poll::Ready(if octets == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Some(octets)) })
    }

    fn try_send(&mut self, packet: &[u8]) -> io::Result<()> {
        let sent = self.device.try_send(packet).map_err(without_room)?;
        // A packet goes whole or not at all; half a packet would be a lost one.
        if sent < packet.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }

    fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(not(windows))]
        return self.device.poll_writable(context);
        #[cfg(windows)]
        {
            let _ = context;
            Poll::Ready(Ok(()))
        }
    }
}

impl std::fmt::Debug for TunWire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunWire").field("name", &self.name).field("mtu", &self.mtu).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn only_plain_names_are_given_to_the_kernel() {
        for name in ["tun0", "a", "abcdefghijklmno"] {
            assert!(is_interface_name(name), "{name}");
        }
        for name in ["", "Tun0", "tun 0", "tun0;id", "../tun", "tun%d", "abcdefghijklmnop", "tún0"] {
            assert!(!is_interface_name(name), "{name}");
            let config = TunConfig { name: Some(name.into()), ..TunConfig::default() };
            assert!(matches!(TunWire::open(&config), Err(OpenError::BadInterfaceName { .. })), "{name}");
        }
    }

    #[test]
    fn an_address_that_the_kernel_owns_is_refused_at_the_start() {
        let config = TunConfig {
            kernel: cidr("127.0.0.2/8"),
            ours: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ..TunConfig::default()
        };
        let refused = TunWire::open(&config).unwrap_err();
        assert!(matches!(refused, OpenError::KernelOwnsAddress { .. }), "{refused}");
    }

    #[test]
    fn our_address_must_be_another_one_of_the_devices_network() {
        for ours in ["10.9.1.2", "10.9.0.1", "fe80::2"] {
            let config = TunConfig { ours: ours.parse().unwrap(), ..TunConfig::default() };
            assert!(matches!(TunWire::open(&config), Err(OpenError::BadDeviceAddresses { .. })), "{ours}");
        }
    }
}
