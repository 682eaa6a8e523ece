//! Applications of other crates: the door for what this crate does not know.
//!
//! A driver keeps its applications in a [`Machine`](crate::Machine) and clones them: a listener
//! gives each connection a clone of its own, and a simulated world is a snapshot when cloned. What
//! this crate cannot contain, because it needs a library of the outside (TLS), comes in as
//! [`Machine::Guest`](crate::Machine::Guest).

use alloc::boxed::Box;
use core::any::Any;
use core::fmt;

use crate::Application;

/// An application of another crate.
///
/// Everything that is an [`Application`] and can be cloned is one. A clone continues where the
/// original is. Who holds what cannot be copied in the middle of a conversation implements `Clone`
/// so that such a clone wants to abort, and nothing else.
pub trait Guest: Application + fmt::Debug + Send + Sync + 'static {
    /// A clone of it.
    fn boxed_clone(&self) -> Box<dyn Guest>;

    /// Itself, for who knows its type and wants to ask it more.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Application + Clone + fmt::Debug + Send + Sync + 'static> Guest for T {
    fn boxed_clone(&self) -> Box<dyn Guest> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Clone for Box<dyn Guest> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::echo::Voice;
    use crate::harness::said;
    use crate::{Echo, Machine};

    #[test]
    fn a_guest_is_cloned_where_it_is_and_found_again_by_its_type() {
        let now = Duration::ZERO;
        let mut guest = Machine::Guest(Box::new(Echo::new(Voice::Upper, now)));
        guest.readable(now, b"ol\xc3");
        assert_eq!(said(&mut guest), b"OL");
        let mut clone = guest.clone();
        guest.readable(now, b"\xa1");
        clone.readable(now, b"\xa9");
        assert_eq!(said(&mut guest), "Á".as_bytes());
        assert_eq!(said(&mut clone), "É".as_bytes());
        let Machine::Guest(inside) = &guest else { panic!("it is a guest") };
        let echo = (**inside).as_any().downcast_ref::<Echo>();
        assert_eq!(echo.map(|echo| echo.sent().octets), Some(4));
    }
}
