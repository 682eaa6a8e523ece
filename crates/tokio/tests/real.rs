//! Whole conversations over real wires: the UDP tunnel on the loopback interface, and the running
//! kernel's own TCP through a TUN device.

#[cfg(test)]
#[path = "real/common.rs"]
mod common;
#[cfg(test)]
#[path = "real/rough_wire.rs"]
mod rough_wire;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "real/tun.rs"]
mod tun;
#[cfg(test)]
#[path = "real/udp_tunnel.rs"]
mod udp_tunnel;
