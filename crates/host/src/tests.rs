//! Conversations between two hosts over a line, and of one host with a tester that speaks in frames.

mod bounds;
mod listening;
mod neighbors;
mod network;
mod random;
mod segments;
mod talk;
mod tcp;
mod time_wait;
mod udp;
