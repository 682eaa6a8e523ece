//! The `aperto` program.

fn main() {}
