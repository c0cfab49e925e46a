//! What waits for a slow API server: bounded in bytes, per stream and per tenant.
//!
//! Agents have one channel for all their streams and no flow control per stream, so a stream whose
//! buffer is full holds up its neighbours. It may do so for a while, as bulk transfers do, but must take
//! in a least amount meanwhile; a stream that does not is ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use crate::limits::{OVERHEAD, SLOWEST};

/// A piece of data, which counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) data: Vec<u8>,
    _room: [OwnedSemaphorePermit; 2],
}

/// The end that the agent's packets go into.
#[derive(Debug)]
pub(crate) struct Inlet {
    pieces: mpsc::UnboundedSender<Piece>,
    stream: Arc<Semaphore>,
    tenant: Arc<Semaphore>,
    largest: usize,
    debt: Duration,
    stall: Duration,
}

/// Why a piece was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The reader takes in too little.
    Stalled,
    /// There is no reader any more.
    Closed,
}

/// A buffer of `bytes`, which share those of the `tenant`.
pub(crate) fn buffer(
    bytes: usize,
    tenant: Arc<Semaphore>,
    stall: Duration,
) -> (Inlet, mpsc::UnboundedReceiver<Piece>) {
    let (pieces, outlet) = mpsc::unbounded_channel();
    let stream = Arc::new(Semaphore::new(bytes));
    (Inlet { pieces, stream, tenant, largest: bytes, debt: Duration::ZERO, stall }, outlet)
}

impl Inlet {
    /// Puts a piece in, and waits for room as long as the stream may hold up others.
    pub(crate) async fn push(&mut self, data: Vec<u8>) -> Result<(), Full> {
        let cost = (data.len() + OVERHEAD).min(self.largest);
        let room = self.room(cost).await?;
        self.pieces.send(Piece { data, _room: room }).map_err(|_| Full::Closed)
    }

    async fn room(&mut self, cost: usize) -> Result<[OwnedSemaphorePermit; 2], Full> {
        let permits = u32::try_from(cost).unwrap_or(u32::MAX);
        let (stream, tenant) = (Arc::clone(&self.stream), Arc::clone(&self.tenant));
        let both = async {
            let own = stream.acquire_many_owned(permits).await.map_err(|_| Full::Closed)?;
            let shared = tenant.acquire_many_owned(permits).await.map_err(|_| Full::Closed)?;
            Ok([own, shared])
        };
        let patience = self.stall.saturating_sub(self.debt);
        let begin = Instant::now();
        let room = tokio::select! {
            room = tokio::time::timeout(patience, both) => room.map_err(|_| Full::Stalled)?,
            () = self.pieces.closed() => Err(Full::Closed),
        };
        let paid = Duration::from_secs_f64(fraction(cost));
        self.debt = (self.debt + begin.elapsed()).saturating_sub(paid);
        room
    }
}

/// Seconds that the slowest reader that is borne needs for so many bytes.
fn fraction(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(u32::try_from(SLOWEST).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::{Full, buffer};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    const STALL: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up_after_the_stall() {
        let (mut inlet, outlet) = buffer(4096, Arc::new(Semaphore::new(1 << 20)), STALL);
        let begin = tokio::time::Instant::now();
        while inlet.push(vec![0; 1000]).await.is_ok() {}
        assert_eq!(begin.elapsed().as_secs(), 2);
        assert_eq!(outlet.len(), 3, "no more than the bound waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_does_not_buy_more_time() {
        let (mut inlet, mut outlet) = buffer(4096, Arc::new(Semaphore::new(1 << 20)), STALL);
        let reader = tokio::spawn(async move {
            while outlet.recv().await.is_some() {
                tokio::time::sleep(Duration::from_millis(1500)).await;
            }
        });
        let begin = tokio::time::Instant::now();
        let mut last = Ok(());
        while last.is_ok() {
            last = inlet.push(vec![0; 1000]).await;
        }
        assert_eq!(last, Err(Full::Stalled));
        assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
        reader.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_at_a_steady_pace_is_waited_for() {
        let (mut inlet, mut outlet) = buffer(65536, Arc::new(Semaphore::new(1 << 20)), STALL);
        let reader = tokio::spawn(async move {
            let mut seen = 0;
            while let Some(piece) = outlet.recv().await {
                seen += piece.data.len();
                // 400 KiB a second.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            seen
        });
        for _ in 0..2000 {
            inlet.push(vec![0; 4096]).await.unwrap();
        }
        drop(inlet);
        assert_eq!(reader.await.unwrap(), 2000 * 4096);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_of_a_tenant_share_a_bound_and_empty_pieces_count() {
        let tenant = Arc::new(Semaphore::new(1000));
        let (mut first, one) = buffer(4096, Arc::clone(&tenant), STALL);
        let (mut second, two) = buffer(4096, tenant, STALL);
        while first.push(Vec::new()).await.is_ok() {}
        assert_eq!(second.push(vec![0; 100]).await, Err(Full::Stalled));
        assert_eq!(one.len(), 15);
        drop(two);
        assert_eq!(second.push(Vec::new()).await, Err(Full::Closed));
    }
}
