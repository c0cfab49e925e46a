//! One stream of a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};
use tokio_util::sync::CancellationToken;

/// A stream between the hub and an agent. Dropping it before it was shut down resets it.
pub struct Stream {
    inner: Compat<yamux::Stream>,
    is_shut: bool,
    session_ended: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    pub(crate) fn new(
        stream: yamux::Stream,
        session_ended: CancellationToken,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { inner: stream.compat(), is_shut: false, session_ended, _permit: permit }
    }

    /// Whether the end of the data is not one that the other side meant: the stream was reset or its connection lost.
    fn is_cut(&self) -> bool {
        self.session_ended.is_cancelled() || (!self.is_shut && self.inner.get_ref().is_closed())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        // yamux knows no other end than the good one: half an answer would pass for a whole one.
        if before > 0 && buffer.remaining() == before && self.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Stream")
            .field("id", &self.inner.get_ref().id().to_string())
            .finish_non_exhaustive()
    }
}
