//! Puts the server together and runs it until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use api::names::annotations;
use api::{ClusterTransfer, TenantControlPlane};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;
use base::{Clock, SystemClock};
use futures::{FutureExt, StreamExt};
use hyper_util::rt::TokioTimer;
use jiff::SignedDuration;
use kube::runtime::reflector::ObjectRef;
use kube::{Client, ResourceExt};
use prometheus_client::registry::Registry;
use records::{Records, RecordsError};
use service::Health;
use tokio::time::{Interval, MissedTickBehavior};
use uplink::Replica;

use crate::Settings;
use crate::agents::{self, Agents};
use crate::caches::{Caches, Changed, Changes, hosted_id, imported_id};
use crate::certificate::{self, CertificateError, Serving};
use crate::cluster_id::ClusterId;
use crate::connections::Bounded;
use crate::discovery::Discovery;
use crate::entrances::Entrances;
use crate::fairness::{Fairness, turned_away};
use crate::first_user::{self, FirstUserError};
use crate::hub::{Hub, Inner};
use crate::identities::Identities;
use crate::index::Index;
use crate::inventory::{self, Inventory, Works};
use crate::metering::{self, Metering};
use crate::nodes;
use crate::passwords::Hashing;
use crate::routes::router;
use crate::sealing_key::{self, SealingKeyError};
use crate::signing_keys::{self, SigningKeys, SigningKeysError};
use crate::streams::{self, Streams};

/// Time for the head of a request, and how long a connection may wait for its next one.
const HEAD: Duration = Duration::from_secs(30);
/// How often a connection of HTTP/2 is asked whether somebody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long Services may still lead here after the stop signal.
const FOUND_FOR: Duration = Duration::from_secs(3);
/// How long requests under way may take after that.
const DRAIN: Duration = Duration::from_secs(15);
/// Facts that change together: all clusters are looked at once for them, not for each.
const TOGETHER: Duration = Duration::from_millis(200);
/// How often everything is read anew.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often what has expired is removed.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No management cluster.
    #[error("failed to reach the management cluster")]
    Client(#[from] kubekit::ClientError),
    /// No database.
    #[error("failed to open the database")]
    Records(#[from] RecordsError),
    /// No certificate.
    #[error("failed to get a certificate to serve with")]
    Certificate(#[from] CertificateError),
    /// No keys.
    #[error("failed to get keys to sign identities with")]
    SigningKeys(#[from] SigningKeysError),
    /// Nothing to seal with.
    #[error("failed to get the key of what others keep for the server")]
    SealingKey(#[from] SealingKeyError),
    /// No first user.
    #[error("failed to make the first user")]
    FirstUser(#[from] FirstUserError),
    /// The address cannot be listened on.
    #[error("failed to serve on {address}; is the port in use?")]
    Serve {
        /// Address to listen on.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The probes cannot be served.
    #[error("failed to serve probes or metrics")]
    Probes(#[from] service::ServeError),
}

/// Runs until the process is told to stop.
///
/// # Errors
/// What is missing at the start, or what broke.
pub async fn run(settings: Settings) -> Result<(), ServerError> {
    let address = settings.bind_address;
    let unserved = |source| ServerError::Serve { address, source };
    let listener = TcpListener::bind(address).map_err(unserved)?;
    listener.set_nonblocking(true).map_err(unserved)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let client = kubekit::client(settings.kubeconfig.as_deref()).await?;
    let records = Records::open(&settings.records).await?;
    let serving = Serving::read(&client, &settings, clock.now()).await?;
    let config = serving.config().await?;
    first_user::make(&client, &settings.namespace).await?;
    let (hub, changes) = assemble(&settings, &client, records, &serving, clock.clone()).await?;
    let (health, handle) = (Health::default(), Handle::new());
    let service = router(hub.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let bounded = Bounded::new(handle.clone(), settings.connections);
    let acceptor = RustlsAcceptor::new(config.clone()).acceptor(bounded);
    let server = axum_server::from_tcp(listener).map_err(unserved)?;
    let mut server = server.acceptor(acceptor).first_request_timeout(HEAD);
    let protocols = server.http_builder();
    protocols.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    protocols.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE);
    let server = server.handle(handle.clone()).serve(service);
    let server = async {
        // Nobody is told that they are nobody because a cache is not filled yet.
        hub.caches.filled().await;
        server.await?;
        // What was switched to other protocols may still run: `stop` says when it is over.
        std::future::pending::<Result<(), std::io::Error>>().await
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(service::ProcessUsage));
    registry.register_collector(Box::new(hub.metering.totals.clone()));
    let (asked, has_asked) = tokio::sync::watch::channel(false);
    tokio::select! {
        outcome = server => outcome.map_err(unserved),
        () = follow(&hub, changes) => Ok(()),
        () = ready(&hub, &health) => Ok(()),
        () = sweep(&hub) => Ok(()),
        () = agents::sweep(&hub) => Ok(()),
        () = signing_keys::keep(&hub) => Ok(()),
        () = nodes::keep(&hub, asked) => Ok(()),
        () = streams::keep(&hub) => Ok(()),
        () = turned_away::keep(&hub) => Ok(()),
        () = metering::keep(&hub, has_asked) => Ok(()),
        () = certificate::keep(&client, &settings, &*clock, serving, &config) => Ok(()),
        outcome = service::serve_health(settings.health_probe_bind_address, health.clone()) => Ok(outcome?),
        outcome = service::serve_metrics(settings.metrics_bind_address, Arc::new(registry)) => Ok(outcome?),
        () = stop(&hub, &handle) => Ok(()),
    }?;
    metering::close(&hub).await;
    turned_away::write(&hub).await;
    hub.records.close().await;
    Ok(())
}

async fn assemble(
    settings: &Settings,
    client: &Client,
    records: Records,
    serving: &Serving,
    clock: Arc<dyn Clock>,
) -> Result<(Hub, Changes), ServerError> {
    let signing = SigningKeys::read(client, &settings.namespace, settings.issuer(), clock.now()).await?;
    let (caches, changes) = Caches::new(client);
    let replica = Replica { id: settings.identity.clone(), count: settings.replicas.into() };
    let hub = Hub::new(Inner {
        settings: settings.clone(),
        client: client.clone(),
        index: Index::new(caches.clone()),
        inventory: Inventory::default(),
        entrances: Entrances::new(&caches),
        agents: Agents::new(replica, clock.clone()),
        caches,
        records,
        fairness: Fairness::new(settings),
        hashing: Hashing::default(),
        metering: Metering::default(),
        discovery: Discovery::default(),
        streams: Streams::default(),
        signing,
        identities: Identities::default(),
        sealer: sealing_key::sealer(client, &settings.namespace).await?,
        authority: serving.authority.clone(),
        clock,
    });
    Ok((hub, changes))
}

/// Keeps index and inventory as the caches are.
async fn follow(hub: &Hub, mut changes: Changes) {
    let mut filled = std::pin::pin!(hub.caches.filled().fuse());
    let (mut looks, mut moments) = (every(LOOK_EVERY), every(TOGETHER));
    let mut is_due = false;
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Changed::Facts) => {
                    hub.index.changed();
                    is_due = true;
                }
                Some(Changed::Cluster(id)) => refresh(hub, &id),
                None => return,
            },
            // A list tells of its objects before the cache shows them, at the start and when a watch broke off.
            () = &mut filled => {
                look_again(hub);
                hub.inventory.complete();
            }
            _ = looks.tick() => look_again(hub),
            _ = moments.tick(), if is_due => {
                is_due = false;
                look_again(hub);
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Reads everything anew: facts, and all clusters, whose namespaces may be somebody else's now.
fn look_again(hub: &Hub) {
    hub.index.changed();
    let hosted = hub.caches.hosted.state();
    let imported = hub.caches.imported.state();
    let known = hub.inventory.rows();
    let there = hosted.iter().map(|it| hosted_id(it)).chain(imported.iter().map(|it| imported_id(it)));
    for id in there.chain(known.iter().filter_map(|row| ClusterId::read(&row.id))) {
        refresh(hub, &id);
    }
}

/// Puts a cluster into the inventory as it is, or takes it away.
fn refresh(hub: &Hub, id: &ClusterId) {
    let text = id.to_string();
    let row = match id {
        ClusterId::Hosted { namespace, name } => {
            let found = hub.caches.hosted.get(&ObjectRef::new(name).within(namespace));
            found.map(|control_plane| {
                let tenant = hub.index.now().namespaces.get(namespace).cloned();
                let holder = control_plane.annotations().get(annotations::HOLD);
                let restore =
                    holder.and_then(|name| hub.caches.restores.get(&ObjectRef::new(name).within(namespace)));
                let transfer = transfer_of(hub, &control_plane);
                let works = Works { restore: restore.as_deref(), transfer: transfer.as_deref() };
                inventory::hosted(&control_plane, tenant.as_deref(), works)
            })
        }
        ClusterId::Imported(name) => {
            hub.caches.imported.get(&ObjectRef::new(name)).map(|cluster| inventory::imported(&cluster))
        }
    };
    let Some(row) = row else {
        hub.index.cluster_changed(&text, false, None);
        hub.inventory.remove(&text);
        hub.entrances.forget(id);
        hub.discovery.forget(&text);
        hub.agents.close(&text);
        return;
    };
    hub.index.cluster_changed(&text, true, row.tenant.as_deref());
    hub.inventory.put(row);
}

/// The transfer that holds a control plane, or else the last one that would have given it away.
fn transfer_of(hub: &Hub, control_plane: &TenantControlPlane) -> Option<Arc<ClusterTransfer>> {
    let annotations = control_plane.annotations();
    let keys = [annotations::GIVEN_AWAY_BY, annotations::AWAITED_BY];
    if let Some(holder) = keys.into_iter().find_map(|key| annotations.get(key)) {
        return hub.caches.transfers.get(&ObjectRef::new(holder));
    }
    let uid = control_plane.uid();
    let of_it = |transfer: &Arc<ClusterTransfer>| {
        let from = &transfer.spec.from;
        let known = transfer.status.as_ref().and_then(|status| status.source_uid.as_ref());
        from.name == control_plane.name_any()
            && control_plane.namespace().as_ref() == Some(&from.namespace)
            && known.is_none_or(|known| Some(known) == uid.as_ref())
    };
    let all = hub.caches.transfers.state().into_iter().filter(of_it);
    all.max_by_key(|transfer| transfer.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

/// Ready once all caches are filled and the database answers, until the process is told to stop; never ends.
async fn ready(hub: &Hub, health: &Health) {
    tokio::select! {
        () = look(hub, health) => {}
        () = service::stop_signal() => health.set_ready(false),
    }
    std::future::pending::<()>().await;
}

async fn look(hub: &Hub, health: &Health) {
    hub.caches.filled().await;
    tracing::info!(url = hub.settings.url, "the hub is ready");
    loop {
        health.set_ready(hub.records.ping().await.is_ok());
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Removes what has expired; never ends.
async fn sweep(hub: &Hub) {
    loop {
        let now = hub.now();
        let audit_from = now - SignedDuration::from_hours(24 * i64::from(hub.settings.audit_days));
        let swept = async {
            hub.records.sessions().sweep(now).await?;
            hub.records.devices().sweep(now).await?;
            hub.records.challenges().sweep(now).await?;
            hub.records.guessing().sweep(now - SignedDuration::from_hours(1)).await?;
            hub.records.idempotency().sweep(now).await?;
            hub.records.vouchers().sweep(now).await?;
            // A key that has ended is shown for a month, so that its owner sees why it fails.
            hub.records.keys().sweep(now - SignedDuration::from_hours(24 * 30)).await?;
            metering::sweep(hub).await?;
            hub.records.audit().sweep(audit_from).await
        };
        if let Err(error) = swept.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to remove what has expired");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Waits for the signal, and until no more requests come. Those under way may finish, watches go on at another replica.
async fn stop(hub: &Hub, handle: &Handle<SocketAddr>) {
    service::stop_signal().await;
    tokio::time::sleep(FOUND_FOR).await;
    handle.graceful_shutdown(Some(DRAIN));
    hub.streams.hand_over();
    let ended = async {
        while handle.connection_count() > 0 || !hub.streams.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(DRAIN, ended).await.is_err() {
        tracing::warn!("requests and shells are cut off: the time to finish is over");
    }
    // What goes by agents was under way until now.
    hub.agents.close_all();
}
