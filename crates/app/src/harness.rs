//! What the tests of several applications share.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{Application, Want};

/// Everything that it wants to write at time zero, taken.
pub(crate) fn said(application: &mut impl Application) -> Vec<u8> {
    let mut said = Vec::new();
    while let Some(Want::Write(octets)) = application.poll_want(Duration::ZERO) {
        assert!(!octets.is_empty());
        said.extend_from_slice(octets);
        let length = octets.len();
        application.wrote(length);
    }
    said
}

/// Whether the next thing it wants is to close.
pub(crate) fn wants_close(application: &mut impl Application, now: Duration) -> bool {
    application.poll_want(now) == Some(Want::Close)
}
