//! The operator: turns TenantControlPlanes into objects of the management cluster and keeps them so.
//!
//! ```text
//!  caches ─► reconcile ─► desired::validate ─► desired::service ─► apply
//!    ▲                         │                                     │ address
//!    │                         ▼                                     ▼
//!    │                      status ◄──── apply in parallel ◄── desired::{credentials, deployment, …}
//!    └────────────────────── watches of the management cluster ◄──────┘
//! ```
//!
//! One replica leads and reconciles; every replica serves the webhooks.

mod backups;
mod caches;
mod context;
mod controllers;
mod copies;
mod data_stores;
mod discovery;
pub mod etcd_service;
mod events;
mod generators;
mod hub;
mod joining;
mod metrics;
mod places;
mod platform;
mod routes;
mod running;
mod secret_watches;
mod settings;
mod start_gate;
mod stores;
mod tasks;
mod tenancy;
mod tenant;
mod transfers;
mod tunnel;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use api::{DataStore, Tenant, TenantControlPlane};
use base::SystemClock;
use futures::StreamExt;
use kube::runtime::watcher;
use kube::{Api, Client};
use kubekit::{ElectionSettings, Leadership, WebhookHost};
use prometheus_client::registry::Registry;
use service::Health;
use tokio::sync::Notify;

use crate::metrics::{Metrics, State};
use crate::stores::DataStoreLookup;
use crate::webhooks::Admission;
pub use settings::{Settings, StartSlots};
pub use tasks::{BackupTask, RestoreTask, Task, VerifyTask};

/// How long a silent leader keeps the lease, and how often it renews it: a fail-over takes seconds.
const LEASE_DURATION: Duration = Duration::from_secs(8);
const LEASE_RENEWAL: Duration = Duration::from_secs(2);
/// How long the cluster may take to send admission requests to other replicas once this one is ending.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs until a stop signal, or until leadership is lost.
pub async fn run(settings: Settings) -> Result<()> {
    let client = kubekit::client(settings.kubeconfig.as_deref()).await?;
    let metrics = Metrics::new(State::new(settings.certificate_expiration_deadline));
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    registry.register_collector(Box::new(service::ProcessUsage));
    let health = Health::default();
    let ending = Ending::default();
    let endpoints = async {
        tokio::try_join!(
            service::serve_health(settings.health_probe_bind_address, health.clone()),
            service::serve_metrics(settings.metrics_bind_address, Arc::new(registry)),
        )
    };
    tokio::select! {
        outcome = endpoints => outcome.map(|_| ()).map_err(Into::into),
        outcome = serve_webhooks(&settings, &client, &health, &metrics, &ending) => outcome,
        outcome = lead_and_drain(&settings, &client, &metrics, &health, &ending) => outcome,
    }
}

/// How the webhooks' server learns that it has to end, and tells that it has.
#[derive(Default)]
struct Ending {
    near: Notify,
    wanted: Notify,
    done: Notify,
}

/// Keeps the webhooks' certificate and serves them, on every replica.
async fn serve_webhooks(
    settings: &Settings,
    client: &Client,
    health: &Health,
    metrics: &Metrics,
    ending: &Ending,
) -> Result<()> {
    let certificate = platform::webhook_certificate(client, settings, &SystemClock).await?;
    let host = WebhookHost::new(&certificate.certificate, certificate.private_key.expose_pem()).await?;
    let (store, filled, changes) =
        kubekit::cached::<DataStore>(Api::all(client.clone()), watcher::Config::default(), kubekit::trimmed);
    let (tenants, tenants_filled, tenant_changes) =
        kubekit::cached::<Tenant>(Api::all(client.clone()), watcher::Config::default(), kubekit::trimmed);
    let (clusters, clusters_filled, cluster_changes) = kubekit::cached::<TenantControlPlane>(
        Api::all(client.clone()),
        watcher::Config::default(),
        tenancy::trim,
    );
    let view = tenancy::View::new(tenants, clusters);
    let routes = webhooks::routes(Admission {
        client: client.clone(),
        settings: settings.clone(),
        data_stores: DataStoreLookup::new(store),
        metrics: metrics.clone(),
        quotas: tenancy::Gate::new(client.clone(), &settings.namespace, view.clone()),
    });
    let watching = changes.for_each(|_| std::future::ready(()));
    let watching_tenants = tenant_changes.for_each(|_| {
        view.changed();
        std::future::ready(())
    });
    let watching_clusters = cluster_changes.for_each(|_| std::future::ready(()));
    let announcing = async {
        filled.wait().await;
        tenants_filled.wait().await;
        clusters_filled.wait().await;
        health.set_ready(host.is_listening().await);
        std::future::pending::<()>().await;
    };
    let serving = async {
        host.serve(settings.webhook_bind_address, routes).await?;
        ending.done.notify_one();
        std::future::pending().await
    };
    let stopping = async {
        ending.near.notified().await;
        host.leave();
        ending.wanted.notified().await;
        host.stop();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = serving => outcome,
        () = stopping => Ok(()),
        () = watching => bail!("the watch of DataStores ended"),
        () = watching_tenants => bail!("the watch of Tenants ended"),
        () = watching_clusters => bail!("the watch of TenantControlPlanes ended"),
        () = announcing => Ok(()),
        outcome = platform::keep_webhook_certificate(client, settings, &host, &SystemClock) => outcome,
    }
}

/// Leads until told to stop, then goes on serving webhooks until nobody is sent here any more.
async fn lead_and_drain(
    settings: &Settings,
    client: &Client,
    metrics: &Metrics,
    health: &Health,
    ending: &Ending,
) -> Result<()> {
    let outcome = lead(settings, client, metrics.clone()).await;
    metrics.follow();
    health.set_ready(false);
    if settings.leader_elect {
        // Connections are taken leave of: one that just breaks off fails the request that is being sent on it.
        ending.near.notify_one();
        tokio::time::sleep(DRAIN).await;
        ending.wanted.notify_one();
        // What takes longer is cut off by the server itself.
        let _ = tokio::time::timeout(2 * DRAIN, ending.done.notified()).await;
    }
    outcome
}

/// Waits for the lease and reconciles while it is held.
async fn lead(settings: &Settings, client: &Client, metrics: Metrics) -> Result<()> {
    if !settings.leader_elect {
        return Box::pin(reconcile(settings, client, metrics)).await;
    }
    let election = ElectionSettings {
        namespace: settings.namespace.clone(),
        name: "flotilla-operator".to_owned(),
        identity: settings.identity.clone(),
        duration: LEASE_DURATION,
        renew_every: LEASE_RENEWAL,
    };
    let mut leadership: Leadership = tokio::select! {
        held = kubekit::acquire(client.clone(), election, SystemClock) => held,
        () = service::stop_signal() => return Ok(()),
    };
    let outcome = tokio::select! {
        outcome = Box::pin(reconcile(settings, client, metrics)) => outcome,
        () = leadership.lost() => bail!("lost the lease; another replica leads now"),
    };
    leadership.release().await.context("failed to give the lease back")?;
    outcome
}

/// Reconciles until a stop signal.
async fn reconcile(settings: &Settings, client: &Client, metrics: Metrics) -> Result<()> {
    let watched = metrics.clone();
    tokio::select! {
        outcome = controllers::run(settings, client, metrics) => outcome,
        outcome = etcd_service::run(client, settings, &watched, &SystemClock) => outcome,
        () = service::stop_signal() => Ok(()),
    }
}
