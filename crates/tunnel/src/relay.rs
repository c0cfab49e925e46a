//! Passes data between an API server and a stream through an agent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, Stream};
use crate::buffer::Piece;
use crate::limits::PIECE;
use crate::packets;

/// Counters of bytes in both directions.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) up: Counter,
    pub(crate) down: Counter,
}

/// Tells the agent when its stream has ended, unless it said so itself.
struct Opened {
    agent: Arc<Agent>,
    connect_id: i64,
    abort: CancellationToken,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let is_open = self.agent.forget_stream(self.connect_id) || self.abort.is_cancelled();
        if is_open && !self.agent.gone.is_cancelled() {
            let (agent, close) = (Arc::clone(&self.agent), packets::close(self.connect_id));
            // It must be told even if it takes nothing at the moment.
            tokio::spawn(async move { agent.send(close).await });
        }
    }
}

/// Passes data until one side ends.
///
/// The agents' protocol knows no half-closed connection. An API server that has sent all still gets what
/// the worker sends, until nothing came for `linger`.
pub(crate) async fn relay<T>(io: T, agent: Arc<Agent>, stream: Stream, traffic: Traffic, linger: Duration)
where
    T: AsyncRead + AsyncWrite,
{
    let Stream { connect_id, pieces, abort } = stream;
    let opened = Opened { agent, connect_id, abort: abort.clone() };
    let (reader, writer) = tokio::io::split(io);
    let passed = AtomicU64::new(0);
    let down = to_api_server(writer, pieces, &passed, traffic.down);
    let up = async {
        to_agent(reader, &opened, traffic.up).await;
        until_silent(&passed, linger).await;
    };
    tokio::select! {
        // First, so that nothing is passed on to a stream that is to end.
        biased;
        // No regular end follows, so that the API server knows that something is missing.
        () = abort.cancelled() => {}
        () = down => {}
        () = up => {}
    }
}

async fn to_api_server<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    passed: &AtomicU64,
    count: Counter,
) {
    while let Some(piece) = pieces.recv().await {
        if writer.write_all(&piece.data).await.is_err() {
            return;
        }
        count.inc_by(piece.data.len() as u64);
        passed.fetch_add(1, Ordering::Relaxed);
        if pieces.is_empty() && writer.flush().await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

/// Returns when the API server has sent all, or cannot be read.
async fn to_agent<R: AsyncRead + Unpin>(mut reader: R, opened: &Opened, count: Counter) {
    let mut piece = Vec::new();
    loop {
        // Idle streams are the most: their buffer is made when something comes.
        let Ok(first) = reader.read_u8().await else { return };
        piece.reserve(PIECE);
        piece.push(first);
        // What has come is there at once; to wait for more would delay it.
        let more = futures::FutureExt::now_or_never(reader.read_buf(&mut piece));
        count.inc_by(piece.len() as u64);
        if !opened.agent.send(packets::data(opened.connect_id, std::mem::take(&mut piece))).await
            || matches!(more, Some(Ok(0) | Err(_)))
        {
            return;
        }
    }
}

async fn until_silent(passed: &AtomicU64, linger: Duration) {
    let mut last = passed.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(linger).await;
        let now = passed.load(Ordering::Relaxed);
        if now == last {
            return;
        }
        last = now;
    }
}
