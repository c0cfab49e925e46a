//! Keeps an agent connected: to each replica of the hub once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{Backoff, CallError, Connected, End, Hub, Incoming, Session};

/// More replicas are not looked for.
const MOST_REPLICAS: usize = 8;
/// A connection that lasted this long was a good one.
const LASTED: Duration = Duration::from_secs(30);

/// As whom an agent connects.
pub struct Credentials {
    token: Mutex<Token>,
    instance: String,
}

/// An agent's token.
pub type Token = Arc<Zeroizing<String>>;

impl Credentials {
    /// With the agent's token, and what tells this run of the agent from others: up to 64 letters.
    #[must_use]
    pub fn new(token: Zeroizing<String>, instance: String) -> Self {
        Self { token: Mutex::new(Arc::new(token)), instance }
    }

    /// The token of now.
    #[must_use]
    pub fn token(&self) -> Token {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another token, for connections from now on.
    pub fn replace(&self, token: Zeroizing<String>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(token);
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// A connection with a replica of the hub.
pub struct Link {
    /// The replica.
    pub replica: String,
    /// To open the stream of reports on, which must be done at once.
    pub session: Session,
    /// Requests.
    pub incoming: Incoming,
    /// The token that it was made with, if the hub wants another one instead.
    pub renew: Option<Token>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Link").field("replica", &self.replica).finish_non_exhaustive()
    }
}

/// Connects to every replica that there is, and again to those that are lost, until it is dropped. `on_link` gets
/// each new connection and must not block.
pub async fn keep(hub: &Hub, credentials: &Credentials, mut on_link: impl FnMut(Link)) {
    let mut links = Links::default();
    loop {
        let due = links.due;
        tokio::select! {
            Some(ended) = links.tasks.join_next_with_id(), if !links.tasks.is_empty() => {
                let (id, end) = match ended {
                    Ok((id, end)) => (id, end),
                    Err(error) => (error.id(), End::Broken("its task failed".to_owned())),
                };
                links.lost(id, &end);
            }
            () = tokio::time::sleep_until(due), if links.held.len() < links.wanted => {
                let token = credentials.token();
                match hub.connect(&token, &credentials.instance).await {
                    Ok(connected) => links.connected(connected, token, &mut on_link).await,
                    Err(error) => links.failed(&error),
                }
            }
        }
    }
}

struct Links {
    tasks: JoinSet<End>,
    held: HashMap<Id, (String, Instant)>,
    wanted: usize,
    backoff: Backoff,
    due: Instant,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            tasks: JoinSet::new(),
            held: HashMap::new(),
            wanted: 1,
            backoff: Backoff::default(),
            due: Instant::now(),
        }
    }
}

impl Links {
    async fn connected(&mut self, connected: Connected, token: Token, on_link: &mut impl FnMut(Link)) {
        self.wanted = connected.replicas.clamp(1, MOST_REPLICAS);
        let replica = connected.replica.clone();
        if self.held.values().any(|(held, _)| *held == replica) {
            self.due = Instant::now() + self.backoff.repeated(random());
            return;
        }
        let renew = connected.is_to_renew.then_some(token);
        let (session, incoming, driver) = connected.start().await;
        let task = self.tasks.spawn(driver);
        self.held.insert(task.id(), (replica.clone(), Instant::now()));
        tracing::info!(replica, held = self.held.len(), wanted = self.wanted, "connected to the hub");
        on_link(Link { replica, session, incoming, renew });
        self.backoff.found();
        self.due = Instant::now();
    }

    fn failed(&mut self, error: &CallError) {
        let pause =
            if error.is_refusal() { self.backoff.refused(random()) } else { self.backoff.failed(random()) };
        tracing::warn!(error = %Chain(error), next_try_in = ?pause, "not connected to the hub");
        self.due = Instant::now() + pause;
    }

    fn lost(&mut self, id: Id, end: &End) {
        let Some((replica, since)) = self.held.remove(&id) else { return };
        if since.elapsed() >= LASTED {
            self.backoff.lasted();
        }
        self.backoff.found();
        let pause = self.backoff.failed(random());
        tracing::warn!(replica, reason = %end, next_try_in = ?pause, "lost a connection to the hub");
        self.due = Instant::now() + pause;
    }
}

fn random() -> f64 {
    rand::rng().random()
}

/// An error with its causes, in one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
