//! The hub's connections to agents, by cluster.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{End, Incoming, Limits, OpenError, Report, Session, Side, Stream, reports};

/// Events that a slow listener may fall behind by.
const EVENTS: usize = 1024;
/// Time to hear what has come already when a connection ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A change of what is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A cluster has its first connection.
    Connected {
        /// Id of the cluster.
        cluster: String,
    },
    /// A cluster's last connection is gone.
    Lost {
        /// Id of the cluster.
        cluster: String,
        /// Why it ended.
        end: End,
    },
}

/// All connections of this replica. Clones share them.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    limits: Limits,
    clock: Arc<dyn Clock>,
    clusters: Mutex<HashMap<String, Cluster>>,
    events: broadcast::Sender<Event>,
    next: AtomicU64,
}

#[derive(Default)]
struct Cluster {
    /// Ended when the cluster may not be connected any more.
    allowed: CancellationToken,
    /// The newest last.
    live: Vec<Live>,
    last_seen: Option<Timestamp>,
}

#[derive(Clone)]
struct Live {
    number: u64,
    instance: String,
    session: Session,
    is_leaving: Arc<AtomicBool>,
}

/// The right to connect, to be taken before an agent's token is looked at: [`Sessions::close`] in between ends it.
#[derive(Debug)]
pub struct Reservation {
    cluster: String,
    allowed: CancellationToken,
}

impl Sessions {
    /// No connections yet.
    #[must_use]
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        Self(Arc::new(Shared { limits, clock, clusters: Mutex::default(), events, next: AtomicU64::new(0) }))
    }

    /// Takes note that an agent of a cluster wants to connect. Call it when it is known whose the agent's token is, and
    /// before it is verified.
    #[must_use]
    pub fn reserve(&self, cluster: &str) -> Reservation {
        let allowed = self.locked(|clusters| clusters.entry(cluster.to_owned()).or_default().allowed.clone());
        Reservation { cluster: cluster.to_owned(), allowed }
    }

    /// Serves an agent's connection until it ends. `socket` is what the upgrade left; `instance` is that of
    /// [`crate::Greeting`]. The cluster counts as connected from the first report on. `on_report` must not block.
    pub async fn accept<S>(
        &self,
        reservation: Reservation,
        instance: &str,
        socket: S,
        on_report: impl FnMut(Report) + Send,
    ) -> End
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (session, incoming, mut driver) =
            Session::start(socket, Vec::new(), Side::Hub, &self.0.limits).await;
        let allowed = reservation.allowed.clone();
        let mut seat = Seat { sessions: self, cluster: reservation.cluster, number: None, end: End::Closed };
        let (end, is_over) = {
            let mut serving = pin!(self.serve(&mut seat, &allowed, instance, &session, incoming, on_report));
            tokio::select! {
                end = &mut driver => {
                    // What came before the end is still heard.
                    let _ = tokio::time::timeout(LAST_WORDS, serving).await;
                    (end, true)
                }
                end = &mut serving => (end, false),
                () = allowed.cancelled() => (End::Asked, false),
            }
        };
        // No new stream from here on.
        seat.end = end.clone();
        drop(seat);
        if is_over {
            return end;
        }
        session.close();
        let said = driver.await;
        // The stream of reports ends with its connection, often a little before the driver says why.
        if end == End::Closed && said != End::Asked { said } else { end }
    }

    async fn serve(
        &self,
        seat: &mut Seat<'_>,
        allowed: &CancellationToken,
        instance: &str,
        session: &Session,
        mut incoming: Incoming,
        mut on_report: impl FnMut(Report) + Send,
    ) -> End {
        let introduction = tokio::time::timeout(self.0.limits.introduction, incoming.next()).await;
        let Ok(Some(stream)) = introduction else { return End::Mute };
        let is_leaving = Arc::new(AtomicBool::new(false));
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (instance, session) = (instance.to_owned(), session.clone());
        let live = Live { number, instance, session, is_leaving: Arc::clone(&is_leaving) };
        if !self.enter(&seat.cluster, allowed, live) {
            return End::Asked;
        }
        seat.number = Some(number);
        let on_report = |report| {
            if report == Report::Leaving {
                is_leaving.store(true, Ordering::Relaxed);
            }
            on_report(report);
        };
        reports::read(stream, &self.0.limits, on_report).await
    }

    /// A stream to a cluster over its newest connection.
    ///
    /// # Errors
    /// [`OpenError`] if there is none to be had.
    pub async fn open(&self, cluster: &str) -> Result<Stream, OpenError> {
        let mut live =
            self.locked(|all| all.get(cluster).map(|found| found.live.clone())).unwrap_or_default();
        live.reverse();
        live.sort_by_key(|live| live.is_leaving.load(Ordering::Relaxed));
        let mut failure = OpenError::Absent;
        for live in live {
            match live.session.open().await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Whether a cluster has a connection to this replica.
    #[must_use]
    pub fn is_connected(&self, cluster: &str) -> bool {
        self.locked(|all| all.get(cluster).is_some_and(|found| !found.live.is_empty()))
    }

    /// When a cluster's agent last showed that it is there, to the second or so.
    #[must_use]
    pub fn last_seen(&self, cluster: &str) -> Option<Timestamp> {
        let now = self.0.clock.now();
        self.locked(|all| {
            let found = all.get(cluster)?;
            let silence = found.live.iter().map(|live| live.session.silence()).min();
            let silence = silence.and_then(|silence| SignedDuration::try_from(silence).ok());
            silence.and_then(|silence| now.checked_sub(silence).ok()).or(found.last_seen)
        })
    }

    /// Ids of all clusters that are connected.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        let is_connected = |(_, cluster): &(&String, &Cluster)| !cluster.live.is_empty();
        self.locked(|all| all.iter().filter(is_connected).map(|(id, _)| id.clone()).collect())
    }

    /// Changes from now on. A listener that falls far behind should look at [`Sessions::connected`] anew.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Ends all connections of a cluster, also those that are being made, and forgets it: it was deleted, or its
    /// token was revoked.
    pub fn close(&self, cluster: &str) {
        let found = self.locked(|all| all.remove(cluster));
        let Some(found) = found else { return };
        found.allowed.cancel();
        if !found.live.is_empty() {
            self.tell(Event::Lost { cluster: cluster.to_owned(), end: End::Asked });
        }
    }

    /// Ends all connections, so that agents go to other replicas at once: this one is about to stop.
    pub fn close_all(&self) {
        let clusters: Vec<String> = self.locked(|all| all.keys().cloned().collect());
        for cluster in clusters {
            self.close(&cluster);
        }
    }

    fn enter(&self, cluster: &str, allowed: &CancellationToken, live: Live) -> bool {
        let most = self.0.limits.sessions.max(1);
        let (is_first, replaced) = self.locked(|all| {
            // Since a cluster that was closed is gone, what was allowed before is not any more.
            let Some(found) = all.get_mut(cluster).filter(|_| !allowed.is_cancelled()) else {
                return (None, Vec::new());
            };
            let is_first = found.live.is_empty();
            let (mut replaced, mut kept): (Vec<Live>, Vec<Live>) =
                std::mem::take(&mut found.live).into_iter().partition(|old| old.instance == live.instance);
            kept.push(live);
            let surplus = kept.len().saturating_sub(most);
            replaced.extend(kept.drain(..surplus));
            found.live = kept;
            (Some(is_first), replaced)
        });
        for old in replaced {
            old.session.close();
        }
        if is_first == Some(true) {
            self.tell(Event::Connected { cluster: cluster.to_owned() });
        }
        is_first.is_some()
    }

    fn leave(&self, cluster: &str, number: u64, end: End) {
        let now = self.0.clock.now();
        let is_last = self.locked(|all| {
            let Some(found) = all.get_mut(cluster) else { return false };
            let before = found.live.len();
            let gone = found
                .live
                .iter()
                .position(|live| live.number == number)
                .map(|place| found.live.remove(place));
            if let Some(silence) = gone.and_then(|gone| SignedDuration::try_from(gone.session.silence()).ok())
            {
                found.last_seen = now.checked_sub(silence).ok().max(found.last_seen);
            }
            before > 0 && found.live.is_empty()
        });
        if is_last {
            self.tell(Event::Lost { cluster: cluster.to_owned(), end });
        }
    }

    fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.0.events.send(event);
    }

    // Held for a look-up, never across a wait.
    fn locked<T>(&self, change: impl FnOnce(&mut HashMap<String, Cluster>) -> T) -> T {
        change(&mut self.0.clusters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// A place among the live connections, given up when it is dropped, whatever the reason.
struct Seat<'a> {
    sessions: &'a Sessions,
    cluster: String,
    /// None until it is taken.
    number: Option<u64>,
    end: End,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.sessions.leave(&self.cluster, number, std::mem::replace(&mut self.end, End::Closed));
        }
    }
}
