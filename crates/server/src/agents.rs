//! Agents of imported clusters: who may connect, who is connected, and what they say of their clusters.

mod admission;
mod bindings;
mod connections;
mod reach;
mod renewal;
mod rights;
mod status;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use authn::{Digest, Kind, Minted, Presented};
use relay::{Dial, Stream, Timeouts, Upstream};
use uplink::{End, Limits, Replica, Report, Reservation, Sessions};

use crate::hub::Hub;

pub(crate) use admission::Admission;
pub(crate) use bindings::bindings;
pub(crate) use renewal::Admitted;
use status::reported;
pub(crate) use status::{connected, recognised, sweep};

/// Between two writes of what an agent says.
const WRITE_EVERY: Duration = Duration::from_secs(2);

/// The connections of this replica.
pub(crate) struct Agents {
    sessions: Sessions,
    replica: Replica,
    /// The groups that have rights in each cluster.
    groups: Mutex<HashMap<String, BTreeSet<String>>>,
    /// Whether this replica ends: agents that go then are not lost.
    is_ending: AtomicBool,
}

impl Agents {
    pub(crate) fn new(replica: Replica, clock: Arc<dyn base::Clock>) -> Self {
        Self {
            sessions: Sessions::new(Limits::default(), clock),
            replica,
            groups: Mutex::default(),
            is_ending: AtomicBool::new(false),
        }
    }

    /// Of somebody's groups those that mean something in a cluster. Its API server refuses a request altogether that
    /// names one which its agent may not act as: that of a role that was made after the manifest.
    pub(crate) fn known_groups(&self, cluster: &str, mut groups: BTreeSet<String>) -> BTreeSet<String> {
        let all = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(cluster) {
            groups.retain(|group| known.contains(group));
        }
        groups
    }

    fn note(&self, cluster: &str, groups: BTreeSet<String>) {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.to_owned(), groups);
    }

    pub(crate) fn replica(&self) -> &Replica {
        &self.replica
    }

    /// To be taken before a token is verified: one that is revoked meanwhile lets nobody in.
    pub(crate) fn reserve(&self, cluster: &str) -> Reservation {
        self.sessions.reserve(cluster)
    }

    pub(crate) fn is_connected(&self, cluster: &str) -> bool {
        self.sessions.is_connected(cluster)
    }

    /// Ends all connections of a cluster that is gone, or whose token is revoked.
    pub(crate) fn close(&self, cluster: &str) {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
        self.sessions.close(cluster);
    }

    /// Ends all connections, so that agents look for another replica.
    pub(crate) fn close_all(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.sessions.close_all();
    }

    /// The way to a cluster by its agent.
    pub(crate) fn to(&self, cluster: &str) -> Upstream {
        let dial = ByAgent { sessions: self.sessions.clone(), cluster: cluster.to_owned() };
        Upstream::dialled(format!("cluster {cluster}"), Arc::new(dial), Timeouts::default())
    }

    /// Serves a connection to its end and keeps the cluster's status as the agent says.
    pub(crate) async fn serve<S>(
        hub: &Hub,
        reservation: Reservation,
        admitted: &Admitted,
        instance: &str,
        socket: S,
    ) -> End
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let cluster = admitted.cluster.as_str();
        let (tell, mut told) = tokio::sync::watch::channel(None);
        let on_report = move |report| {
            if let Report::Status(status) = report {
                tell.send_replace(Some(status));
            }
        };
        let serving = Box::pin(hub.agents.sessions.accept(reservation, instance, socket, on_report));
        // Ends with the connection, which owns the sender.
        let writing = async {
            while told.changed().await.is_ok() {
                let status = told.borrow_and_update().clone();
                if let Some(status) = status {
                    reported(hub, cluster, &status).await;
                }
                tokio::time::sleep(WRITE_EVERY).await;
            }
        };
        let both = async { tokio::join!(serving, writing).0 };
        let end = tokio::select! {
            end = both => end,
            () = renewal::outdated(hub, admitted) => End::Asked,
            never = Box::pin(rights::follow(hub, cluster)) => match never {},
        };
        let is_ending = hub.agents.is_ending.load(Ordering::Relaxed);
        if !is_ending && !hub.agents.is_connected(cluster) {
            status::ended(hub, cluster, &end).await;
        }
        end
    }
}

struct ByAgent {
    sessions: Sessions,
    cluster: String,
}

#[async_trait]
impl Dial for ByAgent {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        let opened = self.sessions.open(&self.cluster).await;
        opened.map(|stream| Box::new(stream) as Box<dyn Stream>).map_err(io::Error::other)
    }
}

/// A token that was made, and the Secret's name under which its digest is kept.
fn mint(kind: Kind) -> Result<(Minted, String), authn::LibraryError> {
    let minted = Minted::new(kind)?;
    let name = secret_name(kind, &minted.id);
    Ok((minted, name))
}

/// Ids of tokens have letters that names of Secrets have not.
fn secret_name(kind: Kind, id: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
    let hex = data_encoding::HEXLOWER.encode(digest.as_ref().get(..16).unwrap_or_default());
    let prefix = if kind == Kind::Import { "import" } else { "agent" };
    format!("{prefix}-{hex}")
}

/// Whether a token is the one of which a digest was kept.
fn is_right(presented: &Presented<'_>, kept: &[u8]) -> bool {
    <[u8; 32]>::try_from(kept).is_ok_and(|kept| presented.is(&Digest(kept)))
}
