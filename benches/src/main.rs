//! The rows that measure time: see the library.

fn main() {
    aperto_benches::speed();
}
