//! The program: settings in, connections kept, an orderly end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::SystemClock;
use rand::RngExt as _;
use service::Health;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use uplink::{Backoff, Credentials, Hub, HubError, Limits, Link, Proxies, ProxyError};

use crate::board::{self, Known};
use crate::registration::{Identity, RegistrationError, register};
use crate::renewal::Renewal;
use crate::reports::Stop;
use crate::{Cluster, ClusterError, Gate, Keys, KeysError, Settings, reports, serve};

/// How often keys that the hub no longer has are forgotten.
const REFRESH: Duration = Duration::from_mins(10);
/// Time for the hub to take note of the end, beyond which it is told by nobody.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why the agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The hub's authority cannot be read.
    #[error("failed to read the hub's authority from {}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The hub's address or authority cannot be used.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The proxy's address cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The cluster's API server cannot be spoken to.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The keys of the registration are none.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The health port cannot be served.
    #[error(transparent)]
    Health(#[from] service::ServeError),
}

/// Runs until the process is told to stop.
pub async fn run(settings: Settings) -> Result<(), Error> {
    let health = Health::default();
    let served = service::serve_health(settings.health_probe_bind_address, health.clone());
    tokio::select! {
        ended = served => Ok(ended?),
        ended = Box::pin(work(&settings, &health)) => ended,
    }
}

async fn work(settings: &Settings, health: &Health) -> Result<(), Error> {
    let hub = hub(settings).await?;
    let cluster = Cluster::new(settings).await?;
    let identity = tokio::select! {
        identity = registered(settings, &hub, &cluster) => identity,
        () = service::stop_signal() => return Ok(()),
    };
    let Identity { cluster: id, token, issuer, keys } = identity;
    let keys = Keys::new(hub.clone(), &issuer, &id, &keys, Arc::new(SystemClock))?;
    let gate = Arc::new(Gate::new(keys, cluster));
    let credentials = Arc::new(Credentials::new(token, instance()));
    let renewal = Arc::new(Renewal::new(settings, &hub, gate.cluster(), &credentials));
    let (tasks, reporting, stop) = (TaskTracker::new(), TaskTracker::new(), Stop::default());
    let (board, known) = watch::channel(Known::default());
    let on_link = |link: Link| {
        health.set_ready(true);
        if let Some(token) = link.renew {
            tokio::spawn(Renewal::renew(Arc::clone(&renewal), token, link.session.clone()));
        }
        tokio::spawn(serve::serve_all(link.incoming, Arc::clone(&gate), tasks.clone()));
        reporting.spawn(reports::report(link.session, known.clone(), stop.clone()));
    };
    tokio::select! {
        () = board::keep(gate.cluster().client.clone(), &board) => {}
        () = refresh(&gate) => {}
        () = Box::pin(uplink::keep(&hub, &credentials, on_link)) => {}
        () = stopped(&stop, &tasks, &reporting, Duration::from_secs(settings.grace_seconds)) => {}
    }
    Ok(())
}

async fn hub(settings: &Settings) -> Result<Hub, Error> {
    let authority = tokio::fs::read_to_string(&settings.ca_file).await;
    let failed = |source| Error::Authority { path: settings.ca_file.clone(), source };
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok())?;
    Ok(Hub::new(&settings.hub, &authority.map_err(failed)?, &proxies, Limits::default())?)
}

/// Tries until it is done: hub and cluster may come up after the agent.
async fn registered(settings: &Settings, hub: &Hub, cluster: &Cluster) -> Identity {
    let mut backoff = Backoff::default();
    loop {
        let error = match register(settings, hub, cluster).await {
            Ok(identity) => return identity,
            Err(error) => error,
        };
        let is_refusal = matches!(&error, RegistrationError::Hub(call) if call.is_refusal());
        let random = rand::rng().random();
        let pause = if is_refusal { backoff.refused(random) } else { backoff.failed(random) };
        let error = anyhow::Error::from(error);
        tracing::warn!(error = format!("{error:#}"), next_try_in = ?pause, "not registered yet");
        tokio::time::sleep(pause).await;
    }
}

async fn refresh(gate: &Gate) {
    loop {
        if let Err(error) = gate.keys().refresh().await {
            tracing::debug!(%error, "the hub's keys were not refreshed");
        }
        tokio::time::sleep(REFRESH).await;
    }
}

/// What tells this run from others.
fn instance() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Waits for the wish to stop, then until requests have ended or the grace is over, then until the hub knows.
async fn stopped(stop: &Stop, requests: &TaskTracker, reporting: &TaskTracker, grace: Duration) {
    service::stop_signal().await;
    // From here on the hub sends new requests elsewhere, if it can.
    stop.leaving.cancel();
    requests.close();
    if tokio::time::timeout(grace, requests.wait()).await.is_err() {
        tracing::warn!(streams = requests.len(), "requests are cut off: the grace is over");
    }
    stop.done.cancel();
    reporting.close();
    if tokio::time::timeout(FAREWELL, reporting.wait()).await.is_err() {
        tracing::debug!("a replica of the hub does not take the farewell");
    }
}
