//! A WebSocket as a sequence of bytes: what yamux reads and writes, in binary messages.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::{AsyncRead as YamuxRead, AsyncWrite as YamuxWrite, Sink, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::frames::SentFrames;
use crate::limits::{LARGEST_MESSAGE, MESSAGE, READ_BUFFER};
use crate::pulse::Pulse;

/// One end of a connection, after its upgrade.
pub(crate) struct Wire<S> {
    socket: WebSocketStream<S>,
    unread: Bytes,
    unsent: Vec<u8>,
    sent: SentFrames,
    pulse: Arc<Pulse>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Takes over a socket; `early` is what came with the head of the upgrade.
    pub(crate) async fn new(socket: S, early: Vec<u8>, role: Role, pulse: Arc<Pulse>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * LARGEST_MESSAGE)
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        let socket = WebSocketStream::from_partially_read(socket, early, role, Some(config)).await;
        Self { socket, unread: Bytes::new(), unsent: Vec::new(), sent: SentFrames::default(), pulse }
    }

    fn poll_message(&mut self, context: &mut Context<'_>, message: Message) -> Poll<io::Result<()>> {
        ready!(self.socket.poll_ready_unpin(context)).map_err(broken)?;
        Poll::Ready(self.socket.start_send_unpin(message).map_err(broken))
    }

    /// Passes on what was written.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.socket.poll_ready_unpin(context)).map_err(broken)?;
        let message = Message::Binary(std::mem::take(&mut self.unsent).into());
        Poll::Ready(self.socket.start_send_unpin(message).map_err(broken))
    }

    fn poll_ping(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pulse.is_ping_due() {
            ready!(self.poll_message(context, Message::Ping(Bytes::new())))?;
            self.pulse.pinged();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> YamuxRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        while self.unread.is_empty() {
            let Some(message) = ready!(self.socket.poll_next_unpin(context)) else {
                return Poll::Ready(Ok(0));
            };
            let message = message.map_err(broken)?;
            self.pulse.beat();
            match message {
                Message::Binary(bytes) => self.unread = bytes,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Poll::Ready(Ok(0)),
                Message::Text(_) => {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "text is not spoken here",
                    )));
                }
            }
        }
        let length = buffer.len().min(self.unread.len());
        self.unread.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Poll::Ready(Ok(length))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> YamuxWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unsent.len() >= MESSAGE {
            ready!(self.poll_send(context))?;
        }
        let length = bytes.len().min(MESSAGE - self.unsent.len());
        let taken = bytes.get(..length).unwrap_or_default();
        self.sent.push(taken);
        self.unsent.extend_from_slice(taken);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_ping(context))?;
        ready!(self.poll_send(context))?;
        if self.pulse.take_close() {
            // Nobody waits for it: the driver ends soon, said or not.
            let _ = self.poll_message(context, Message::Close(None))?;
        }
        ready!(Pin::new(&mut self.socket).poll_flush(context)).map_err(broken)?;
        if self.sent.has_given_up() {
            self.pulse.set_over();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(context))?;
        Pin::new(&mut self.socket).poll_close(context).map_err(broken)
    }
}

fn broken(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}
