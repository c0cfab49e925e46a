//! Signs of life of a connection, shared by what reads, what writes and what watches the time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The state that a connection's socket and its driver share.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    /// When something came last, in milliseconds after the start.
    last: AtomicU64,
    is_ping_due: AtomicBool,
    is_close_due: AtomicBool,
    is_over: AtomicBool,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
            is_ping_due: AtomicBool::new(false),
            is_close_due: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// Something came.
    pub(crate) fn beat(&self) {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }

    /// How long nothing has come.
    pub(crate) fn silence(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Asks for a ping to be sent; false if one waits already, because the other side takes no bytes.
    pub(crate) fn ask_for_ping(&self) -> bool {
        !self.is_ping_due.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_ping_due(&self) -> bool {
        self.is_ping_due.load(Ordering::Relaxed)
    }

    pub(crate) fn pinged(&self) {
        self.is_ping_due.store(false, Ordering::Relaxed);
    }

    /// Asks for the end to be said.
    pub(crate) fn ask_for_close(&self) {
        self.is_close_due.store(true, Ordering::Relaxed);
    }

    /// Whether the end is to be said now; true once.
    pub(crate) fn take_close(&self) -> bool {
        self.is_close_due.swap(false, Ordering::Relaxed)
    }

    /// We told the other side that it broke the protocol.
    pub(crate) fn set_over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}
