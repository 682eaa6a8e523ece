//! rustls with randomness from a seed, so that a simulated run can be repeated octet for octet.
//!
//! What is made here protects nothing. This module is private to the comparison: nothing else in the
//! program can name it, and nothing of it reaches a real wire (the compiler sees to that).

use std::cell::Cell;
use std::sync::Arc;

use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup, ring,
};
use rustls::{Error, NamedGroup};
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver as _, DefaultResolver};
use snow::types::Dh;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// From here on, randomness on this thread is that of this seed.
pub(super) fn deal(seed: u64) {
    STATE.set(seed ^ 0x71c5_0000_0000_0000);
}

/// SplitMix64.
fn fill(octets: &mut [u8]) {
    for chunk in octets.chunks_mut(8) {
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (mixed ^ (mixed >> 31)).to_le_bytes();
        chunk.copy_from_slice(bits.get(..chunk.len()).unwrap_or_default());
    }
}

/// Ciphers and signatures of ring, as in the live program; randomness and one-time keys of ours.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { secure_random: &Dice, kx_groups: vec![&X25519], ..ring::default_provider() })
}

#[derive(Debug)]
struct Dice;

impl SecureRandom for Dice {
    fn fill(&self, octets: &mut [u8]) -> Result<(), GetRandomFailed> {
        fill(octets);
        Ok(())
    }
}

/// X25519 whose one-time key is dealt: ring takes randomness from nobody but the system.
#[derive(Debug)]
struct X25519;

impl SupportedKxGroup for X25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let none = || Error::General("no Curve25519".into());
        let mut pair = DefaultResolver.resolve_dh(&DHChoice::Curve25519).ok_or_else(none)?;
        let mut private = [0; 32];
        fill(&mut private);
        pair.set(&private);
        Ok(Box::new(Started(pair)))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }

    fn ffdhe_group(&self) -> Option<rustls::ffdhe_groups::FfdheGroup<'static>> {
        None
    }
}

struct Started(Box<dyn Dh>);

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let mut secret = [0; 32];
        let wrong = rustls::PeerMisbehaved::InvalidKeyShare;
        if peer.len() != secret.len() || self.0.dh(peer, &mut secret).is_err() || secret == [0; 32] {
            return Err(wrong.into());
        }
        Ok(SharedSecret::from(secret.as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.0.pubkey()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}
