//! Where encoded octets go: memory here, files and pipes in the drivers.

use alloc::vec::Vec;
use core::convert::Infallible;

/// Something that takes octets in order.
pub trait Sink {
    /// What can go wrong.
    type Error;

    /// Takes all of the octets.
    ///
    /// # Errors
    ///
    /// Whatever the place they go to says; some of them may have gone there.
    fn write(&mut self, octets: &[u8]) -> Result<(), Self::Error>;
}

impl Sink for Vec<u8> {
    type Error = Infallible;

    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(octets);
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    type Error = S::Error;

    fn write(&mut self, octets: &[u8]) -> Result<(), S::Error> {
        (**self).write(octets)
    }
}
