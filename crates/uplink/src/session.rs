//! A connection between an agent and the hub, with any number of streams on it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, poll_fn};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::{CancellationToken, DropGuard};
use yamux::{Connection, Mode};

use crate::limits::{KNOWN_STREAMS, WINDOW_GROWTH};
use crate::pulse::Pulse;
use crate::wire::Wire;
use crate::{End, Limits, Stream};

/// Wishes for streams that wait for the driver.
const WISHES: usize = 16;
/// Longest wait for a stream: the driver is busy, or the other side has not taken note of many streams.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time to say the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Which end of a connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Opens a stream per request; takes one stream, that of reports.
    Hub,
    /// Takes streams of requests.
    Agent,
}

/// Why no stream was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The cluster has no connection to this replica.
    #[error("the cluster is not connected; see whether its flotilla-agent runs")]
    Absent,
    /// All streams are in use.
    #[error("too many requests to the cluster at once; try again")]
    Busy,
    /// The connection took too long, or ended meanwhile.
    #[error("the connection to the cluster was lost; try again")]
    Lost,
}

type Wish = oneshot::Sender<yamux::Stream>;

/// A handle to a connection. Clones share it.
#[derive(Debug, Clone)]
pub struct Session {
    wishes: mpsc::Sender<Wish>,
    outbound: Arc<Semaphore>,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
    ended: CancellationToken,
}

/// Streams that the other side opens.
#[derive(Debug)]
pub struct Incoming(mpsc::UnboundedReceiver<Stream>);

/// Drives a connection until it ends; does nothing unless it is polled, as by a task. Dropping it ends the connection.
pub type Driver = BoxFuture<'static, End>;

impl Session {
    /// Begins on a socket that has been upgraded to a WebSocket. `early` is what came with the head of the upgrade.
    pub async fn start<S>(socket: S, early: Vec<u8>, side: Side, limits: &Limits) -> (Self, Incoming, Driver)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (role, mode, inbound) = match side {
            Side::Hub => (Role::Server, Mode::Client, 1),
            Side::Agent => (Role::Client, Mode::Server, limits.streams),
        };
        let pulse = Arc::new(Pulse::new());
        let wire = Wire::new(socket, early, role, Arc::clone(&pulse)).await;
        let (wishes, waiting) = mpsc::channel(WISHES);
        let (arrivals, incoming) = mpsc::unbounded_channel();
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let running = Running {
            ended: ended.clone(),
            _guard: ended.clone().drop_guard(),
            connection: Connection::new(wire, config(), mode),
            waiting,
            next: None,
            arrivals,
            inbound: Arc::new(Semaphore::new(inbound)),
            refused: 0,
            stalled: 0,
            heartbeat: interval(limits.heartbeat),
            pulse: Arc::clone(&pulse),
            limits: *limits,
        };
        let outbound = Arc::new(Semaphore::new(limits.streams));
        let session = Self { wishes, outbound, pulse, stop: stop.clone(), ended };
        (session, Incoming(incoming), running.drive(stop).boxed())
    }

    /// Opens a stream. The other side learns of it with the first byte.
    ///
    /// # Errors
    /// [`OpenError`] unless the connection is well and has room.
    pub async fn open(&self) -> Result<Stream, OpenError> {
        let permit = Arc::clone(&self.outbound).try_acquire_owned().map_err(|_| OpenError::Busy)?;
        let (wish, granted) = oneshot::channel();
        let opened = async {
            self.wishes.send(wish).await.ok()?;
            granted.await.ok()
        };
        let stream = tokio::time::timeout(PATIENCE, opened).await.ok().flatten().ok_or(OpenError::Lost)?;
        Ok(Stream::new(stream, self.ended.clone(), permit))
    }

    /// Ends the connection with all its streams.
    pub fn close(&self) {
        self.stop.cancel();
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Waits for the end.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// How long the other side has shown no sign of life.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.pulse.silence()
    }
}

impl Incoming {
    /// The next stream that the other side opened; none after the end.
    pub async fn next(&mut self) -> Option<Stream> {
        self.0.recv().await
    }
}

/// What a driver drives.
struct Running<S> {
    // Before the connection, so that streams that end with it know that it was lost.
    _guard: DropGuard,
    ended: CancellationToken,
    connection: Connection<Wire<S>>,
    waiting: mpsc::Receiver<Wish>,
    next: Option<Wish>,
    arrivals: mpsc::UnboundedSender<Stream>,
    inbound: Arc<Semaphore>,
    refused: usize,
    /// Heartbeats in a row that could not be sent.
    stalled: u32,
    heartbeat: Interval,
    pulse: Arc<Pulse>,
    limits: Limits,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Running<S> {
    async fn drive(mut self, stop: CancellationToken) -> End {
        let end = tokio::select! {
            end = poll_fn(|context| self.poll(context)) => Some(end),
            () = stop.cancelled() => None,
        };
        if end != Some(End::Closed) {
            // What was written before the end goes out before the end is said.
            poll_fn(|context| {
                let _ = self.poll_farewell(context);
                Poll::Ready(())
            })
            .await;
            self.pulse.ask_for_close();
            let farewell = poll_fn(|context| self.poll_farewell(context));
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        }
        self.ended.cancel();
        end.unwrap_or(End::Asked)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if let Poll::Ready(end) = self.poll_time(context) {
            return Poll::Ready(end);
        }
        loop {
            if let Poll::Ready(end) = self.poll_arrivals(context) {
                return Poll::Ready(end);
            }
            if self.pulse.is_over() {
                return Poll::Ready(End::Broken("the other side does not keep to the protocol".to_owned()));
            }
            match self.poll_wish(context) {
                // Only the connection's own poll takes note of a new stream.
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<End> {
        while self.heartbeat.poll_tick(context).is_ready() {
            if self.pulse.silence() >= self.limits.silence {
                return Poll::Ready(End::Silent);
            }
            self.stalled = if self.pulse.ask_for_ping() { 0 } else { self.stalled + 1 };
            if self.limits.heartbeat * self.stalled >= self.limits.silence {
                return Poll::Ready(End::Stalled);
            }
        }
        Poll::Pending
    }

    fn poll_arrivals(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            match self.connection.poll_next_inbound(context) {
                Poll::Ready(Some(Ok(stream))) => {
                    if !self.take(stream) {
                        let reason = "the other side opens streams that it must not";
                        return Poll::Ready(End::Broken(reason.to_owned()));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(End::Broken(error.to_string())),
                Poll::Ready(None) => return Poll::Ready(End::Closed),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes a stream or resets it; false when there were too many of the latter.
    fn take(&mut self, stream: yamux::Stream) -> bool {
        let Ok(permit) = Arc::clone(&self.inbound).try_acquire_owned() else {
            self.refused += 1;
            return self.refused <= self.limits.refusals;
        };
        // Nobody there takes it: it is reset.
        let _ = self.arrivals.send(Stream::new(stream, self.ended.clone(), permit));
        true
    }

    fn poll_wish(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        if self.next.as_ref().is_none_or(oneshot::Sender::is_closed) {
            match self.waiting.poll_recv(context) {
                Poll::Ready(Some(wish)) => self.next = Some(wish),
                // A connection whose handles are gone still serves what the other side opens.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        match self.connection.poll_new_outbound(context) {
            Poll::Ready(Ok(stream)) => {
                if let Some(wish) = self.next.take() {
                    // Whoever gave up meanwhile drops it, which resets it.
                    let _ = wish.send(stream);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(End::Broken(error.to_string()))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Lets out what waits, until the other side has gone too.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.connection.poll_next_inbound(context) {
                // Nothing new is begun.
                Poll::Ready(Some(Ok(stream))) => drop(stream),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

fn config() -> yamux::Config {
    let mut config = yamux::Config::default();
    let windows = KNOWN_STREAMS * yamux::DEFAULT_CREDIT as usize + WINDOW_GROWTH;
    config.set_max_connection_receive_window(None);
    config.set_max_num_streams(KNOWN_STREAMS);
    config.set_max_connection_receive_window(Some(windows));
    config
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
