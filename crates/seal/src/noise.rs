//! The one place that calls snow.
//!
//! `Noise_XX_25519_ChaChaPoly_BLAKE2s` (Noise Protocol Framework, revision 34, §7.5): both lasting
//! keys travel encrypted, the initiator's only after the responder has proven its own, and neither
//! must be known before. IK would save half a round trip and needs the responder's key in advance,
//! which trust on first use does not have; one pattern for both ways is one fewer to get wrong.
//!
//! A handshake is not kept between its messages: it is built again from the initiator's or
//! responder's one-time key and what has arrived. So a forged message cannot spoil it (snow's own state
//! is half changed when a message fails to decrypt), the same input always gives the same answer, and
//! a machine can be cloned.

use alloc::boxed::Box;
use alloc::vec::Vec;

use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, Error, HandshakeState, StatelessTransportState};

use crate::format::{HELLO_ZEROS, Index};
use crate::identity::{Identity, PublicKey};

/// What is spoken.
pub const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_BLAKE2s";

/// What both sides must agree on before the first message: what this is, its version, who is who.
const PROLOGUE: &[u8] = b"aperto seal 1: the initiator is the client, the responder is the server; ";

/// The longest message of a handshake.
const LONGEST: usize = 256;

/// Randomness for exactly one one-time key, drawn before.
struct Dealt(Option<[u8; 32]>);

impl Random for Dealt {
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        let dealt = self.0.take().filter(|dealt| dealt.len() == to.len()).ok_or(Error::Rng)?;
        to.copy_from_slice(&dealt);
        Ok(())
    }
}

/// snow's own primitives, and a one-time key that was drawn before.
struct Resolver([u8; 32]);

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Dealt(Some(self.0))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// The public key of a private one.
pub(crate) fn public_key(private: &[u8; 32]) -> [u8; 32] {
    let mut public = [0; 32];
    if let Some(mut dh) = DefaultResolver.resolve_dh(&DHChoice::Curve25519) {
        dh.set(private);
        public.copy_from_slice(dh.pubkey());
    }
    public
}

/// BLAKE2s over parts.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = [0; 32];
    if let Some(mut hash) = DefaultResolver.resolve_hash(&HashChoice::Blake2s) {
        hash.reset();
        parts.iter().for_each(|part| hash.input(part));
        hash.result(&mut digest);
    }
    digest
}

/// What one side brings to a handshake.
pub(crate) struct Side<'a> {
    pub(crate) identity: &'a Identity,
    /// The one-time private key of this handshake.
    pub(crate) once: [u8; 32],
    /// What the application binds the handshake to.
    pub(crate) context: &'a [u8],
}

/// What came of a handshake.
pub(crate) struct Agreed {
    pub(crate) keys: StatelessTransportState,
    pub(crate) peer: PublicKey,
}

impl Side<'_> {
    fn build(&self, is_initiator: bool) -> Result<HandshakeState, Error> {
        let prologue: Vec<u8> = [PROLOGUE, self.context].concat();
        let builder = Builder::with_resolver(PATTERN.parse()?, Box::new(Resolver(self.once)))
            .local_private_key(self.identity.private())?
            .prologue(&prologue)?;
        if is_initiator { builder.build_initiator() } else { builder.build_responder() }
    }

    fn said_hello(&self, ours: Index) -> Result<(HandshakeState, Vec<u8>), Error> {
        let mut payload = [0; 4 + HELLO_ZEROS];
        payload[..4].copy_from_slice(&ours.0.to_le_bytes());
        let mut state = self.build(true)?;
        let message = written(&mut state, &payload)?;
        Ok((state, message))
    }

    /// The initiator's first message.
    pub(crate) fn hello(&self, ours: Index) -> Result<Vec<u8>, Error> {
        self.said_hello(ours).map(|(_, message)| message)
    }

    fn answered(&self, hello: &[u8], ours: Index) -> Result<(HandshakeState, Index, Vec<u8>), Error> {
        let mut state = self.build(false)?;
        let theirs = index_in(&read(&mut state, hello)?)?;
        let message = written(&mut state, &ours.0.to_le_bytes())?;
        Ok((state, theirs, message))
    }

    /// The responder's answer to a hello, and the index that the initiator wants it sent to.
    pub(crate) fn answer(&self, hello: &[u8], ours: Index) -> Result<(Index, Vec<u8>), Error> {
        self.answered(hello, ours).map(|(_, theirs, message)| (theirs, message))
    }

    /// The initiator reads the answer: who the responder is, its index, and the last message.
    pub(crate) fn prove(&self, ours: Index, answer: &[u8]) -> Result<(Agreed, Index, Vec<u8>), Error> {
        let (mut state, _) = self.said_hello(ours)?;
        let theirs = index_in(&read(&mut state, answer)?)?;
        let message = written(&mut state, &[])?;
        Ok((agreed(state)?, theirs, message))
    }

    /// The responder reads the last message.
    pub(crate) fn accept(&self, hello: &[u8], ours: Index, proof: &[u8]) -> Result<Agreed, Error> {
        let (mut state, _, _) = self.answered(hello, ours)?;
        read(&mut state, proof)?;
        agreed(state)
    }
}

fn written(state: &mut HandshakeState, payload: &[u8]) -> Result<Vec<u8>, Error> {
    let mut message = [0; LONGEST];
    let length = state.write_message(payload, &mut message)?;
    Ok(message.get(..length).ok_or(Error::Input)?.to_vec())
}

fn read(state: &mut HandshakeState, message: &[u8]) -> Result<Vec<u8>, Error> {
    let mut payload = [0; LONGEST];
    let length = state.read_message(message, &mut payload)?;
    Ok(payload.get(..length).ok_or(Error::Input)?.to_vec())
}

fn index_in(payload: &[u8]) -> Result<Index, Error> {
    let octets = payload.first_chunk().ok_or(Error::Input)?;
    Ok(Index(u32::from_le_bytes(*octets)))
}

fn agreed(state: HandshakeState) -> Result<Agreed, Error> {
    let peer = state.get_remote_static().and_then(<[u8]>::first_chunk).copied().ok_or(Error::Input)?;
    Ok(Agreed { keys: state.into_stateless_transport_mode()?, peer: PublicKey(peer) })
}
