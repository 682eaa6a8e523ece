//! A peer's lasting key, where randomness comes from, and whom a peer trusts.

use core::fmt;

use crate::noise;

/// Where a machine gets randomness from: the operating system on a real wire, a seed in a
/// simulation.
pub trait Luck {
    /// Fills all of it.
    ///
    /// # Errors
    ///
    /// There is none; nothing must be done with what is in `octets` then.
    fn fill(&mut self, octets: &mut [u8]) -> Result<(), NoRandomness>;
}

/// There is no randomness to be had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no randomness to be had")
    }
}

impl core::error::Error for NoRandomness {}

/// A public key of Curve25519: who somebody is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PublicKey(pub [u8; 32]);

/// A peer's lasting pair of keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    private: [u8; 32],
    public: PublicKey,
}

impl Identity {
    /// The pair with this private key, as it was kept.
    #[must_use]
    pub fn from_private(private: [u8; 32]) -> Self {
        Self { private, public: PublicKey(noise::public_key(&private)) }
    }

    /// A new pair.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn generate(luck: &mut impl Luck) -> Result<Self, NoRandomness> {
        let mut private = [0; 32];
        luck.fill(&mut private)?;
        Ok(Self::from_private(private))
    }

    /// The private key, to be kept where nobody else reads.
    #[must_use]
    pub const fn private(&self) -> &[u8; 32] {
        &self.private
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }
}

impl fmt::Debug for Identity {
    /// The public half only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Whom a peer talks to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trust {
    /// Whoever proves a key; the driver is told which. Trust on first use is this, and the key
    /// that was told as [`Trust::Pinned`] ever after.
    Anyone,
    /// Only who proves this key.
    Pinned(PublicKey),
}
