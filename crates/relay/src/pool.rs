//! Connections with HTTP/2 that requests share. There are as many as the streams need.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::client::conn::http2::{self, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::body::RequestBody;
use crate::endpoint::Connector;

/// Most streams on a connection. API servers allow 100 or 250; a stream that they have not yet seen end counts too.
const STREAMS: usize = 90;
/// What upstream may send on a stream before we have passed it on, bytes. It bounds what a slow client costs.
const STREAM_WINDOW: u32 = 64 * 1024;
/// The same on a connection. All streams together, so that slow clients never hold up the others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * 90;
/// What is kept of a request's body on its way into a connection, bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// A connection with streams is asked whether it lives after this silence,
const PING_AFTER: Duration = Duration::from_secs(20);
/// and is dead without an answer within this.
const PING_WITHIN: Duration = Duration::from_secs(10);
/// A connection that was not used for this long is closed.
const IDLE: Duration = Duration::from_mins(1);

type Driver = Connection<TokioIo<TlsStream<TcpStream>>, RequestBody, TokioExecutor>;

/// The shared connections to an endpoint.
pub(crate) struct Pool {
    connector: Connector,
    shared: Arc<Shared>,
    /// Held while a connection is made, so that many requests at once make one and not many. Holds why the last
    /// attempt failed.
    making: tokio::sync::Mutex<Option<Reason>>,
    /// How many attempts failed.
    failures: AtomicU64,
}

#[derive(Default)]
struct Shared {
    connections: Mutex<Vec<Shareable>>,
}

struct Shareable {
    sender: SendRequest<RequestBody>,
    load: Arc<Load>,
}

struct Load {
    open: AtomicUsize,
    /// Most streams, by what upstream allows.
    limit: AtomicUsize,
    /// Since the last look of its driver.
    was_used: AtomicBool,
}

/// Why there is no connection.
#[derive(Clone)]
pub(crate) enum Reason {
    Error(Arc<io::Error>),
    Timeout,
}

/// A place on a connection.
pub(crate) struct Lease {
    pub(crate) sender: SendRequest<RequestBody>,
    pub(crate) slot: Slot,
}

/// Counts as a stream until it is dropped.
pub(crate) struct Slot {
    load: Arc<Load>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.load.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector) -> Self {
        let making = tokio::sync::Mutex::new(None);
        Self { connector, shared: Arc::default(), making, failures: AtomicU64::new(0) }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    pub(crate) fn size(&self) -> usize {
        self.shared.lock().len()
    }

    /// A place on a connection, a new one if all others are full.
    pub(crate) async fn lease(&self, patience: Duration) -> Result<Lease, Reason> {
        let seen = self.failures.load(Ordering::Acquire);
        if let Some(lease) = self.shared.lease() {
            return Ok(lease);
        }
        let mut last = self.making.lock().await;
        if let Some(lease) = self.shared.lease() {
            return Ok(lease);
        }
        // Those who waited for an attempt share its failure, else they would fail one after the other.
        if self.failures.load(Ordering::Acquire) > seen
            && let Some(reason) = &*last
        {
            return Err(reason.clone());
        }
        let made = match tokio::time::timeout(patience, Box::pin(self.connect())).await {
            Ok(made) => made.map_err(|error| Reason::Error(Arc::new(error))),
            Err(_) => Err(Reason::Timeout),
        };
        if let Err(reason) = &made {
            *last = Some(reason.clone());
            self.failures.fetch_add(1, Ordering::Release);
        }
        made
    }

    /// Takes a connection out that failed, if it is still there. Streams on it go on as they can.
    pub(crate) fn forget(&self, slot: &Slot) {
        self.shared.forget(&slot.load);
    }

    async fn connect(&self) -> io::Result<Lease> {
        let stream = self.connector.http2().await?;
        let (sender, driver) = settings().handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let load = Arc::new(Load {
            open: AtomicUsize::new(1),
            limit: AtomicUsize::new(STREAMS),
            was_used: AtomicBool::new(true),
        });
        tokio::spawn(drive(driver, Arc::clone(&load), Arc::downgrade(&self.shared)));
        self.shared.lock().push(Shareable { sender: sender.clone(), load: Arc::clone(&load) });
        Ok(Lease { sender, slot: Slot { load } })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Shareable>> {
        // Nothing in there is ever left half done.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first connections are filled first, so that the others can end.
    fn lease(&self) -> Option<Lease> {
        let mut connections = self.lock();
        connections.retain(|connection| !connection.sender.is_closed());
        let has_room = |found: &&Shareable| {
            found.load.open.load(Ordering::Relaxed) < found.load.limit.load(Ordering::Relaxed)
        };
        let found = connections.iter().find(has_room)?;
        found.load.open.fetch_add(1, Ordering::Relaxed);
        found.load.was_used.store(true, Ordering::Relaxed);
        Some(Lease { sender: found.sender.clone(), slot: Slot { load: Arc::clone(&found.load) } })
    }

    fn forget(&self, load: &Arc<Load>) {
        self.lock().retain(|connection| !Arc::ptr_eq(&connection.load, load));
    }

    /// Takes a connection out if nobody uses it. Without its last sender it ends.
    fn forget_unused(&self, load: &Arc<Load>) {
        let mut connections = self.lock();
        let was_used = load.was_used.swap(false, Ordering::Relaxed);
        if !was_used && load.open.load(Ordering::Relaxed) == 0 {
            connections.retain(|connection| !Arc::ptr_eq(&connection.load, load));
        }
    }
}

fn settings() -> http2::Builder<TokioExecutor> {
    let mut settings = http2::Builder::new(TokioExecutor::new());
    settings
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_WITHIN);
    settings
}

/// Runs a connection to its end.
async fn drive(driver: Driver, load: Arc<Load>, shared: Weak<Shared>) {
    let mut driver = pin!(driver);
    let mut run = pin!(std::future::poll_fn(|context| {
        let ended = driver.as_mut().poll(context);
        load.limit.store(driver.current_max_send_streams().clamp(1, STREAMS), Ordering::Relaxed);
        ended
    }));
    loop {
        match tokio::time::timeout(IDLE, run.as_mut()).await {
            Ok(ended) => {
                tracing::debug!(?ended, "connection to an API server ended");
                break;
            }
            Err(_) => {
                if let Some(shared) = shared.upgrade() {
                    shared.forget_unused(&load);
                }
            }
        }
    }
    if let Some(shared) = shared.upgrade() {
        shared.forget(&load);
    }
}
