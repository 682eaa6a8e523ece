//! The protocols in conversation over a channel that can be told what to do.

mod channel;
mod cost;
mod limits;
mod properties;
mod transcript;
mod utilisation;
