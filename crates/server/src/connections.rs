//! Which connections are taken: so many at once, so that there are descriptors and memory left for those that are there.

use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum_server::Handle;
use axum_server::accept::Accept;
use tokio::net::TcpStream;

/// Takes connections before anything was said on them.
#[derive(Clone)]
pub(crate) struct Bounded {
    handle: Handle<SocketAddr>,
    most: usize,
    /// Whether the log says already that there are too many.
    is_full: Arc<AtomicBool>,
}

impl Bounded {
    /// As many as a server may have; 0 stands for no limit.
    pub(crate) fn new(handle: Handle<SocketAddr>, most: u32) -> Self {
        let most = if most == 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
        Self { handle, most, is_full: Arc::default() }
    }

    /// The one that asks is among those that are counted.
    fn has_room(&self) -> bool {
        let has_room = self.handle.connection_count() <= self.most;
        let was_full = self.is_full.swap(!has_room, Ordering::Relaxed);
        if !has_room && !was_full {
            tracing::warn!(most = self.most, "too many connections; those beyond are ended at once");
        }
        has_room
    }
}

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = TcpStream;
    type Service = S;
    type Future = Ready<io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        if !self.has_room() {
            return ready(Err(io::Error::other("too many connections")));
        }
        // Answers are not held back for what may follow.
        ready(stream.set_nodelay(true).map(|()| (stream, service)))
    }
}
