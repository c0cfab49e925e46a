//! Looks after the etcd that the chart installs: its certificates and authentication, its members, its
//! space. The leader does it; what is to be done is decided in `desired::etcd_service`.

mod carry_out;
mod credentials;
mod observe;
pub mod snapshots;
mod tell;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use api::names::FIELD_MANAGER;
use base::Clock;
use datastore::{EtcdMember, Tls};
use desired::etcd_service::{Entry, Episode, Observed, Policy, action, change, report};
use desired::managed_etcd::ManagedEtcd;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::runtime::events::Recorder;
use kube::{Api, Client};
use kubekit::Applier;

use crate::Settings;
use crate::controllers::reporter;
use crate::metrics::Metrics;

/// How often the members are asked how they are.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often the certificates are looked at, and what is told is compared with what is written.
const KEEP_EVERY: Duration = Duration::from_mins(1);
/// How soon it is looked again while something is being done or nothing answers yet.
const SOON: Duration = Duration::from_secs(1);

/// No leader is no trouble for so long: one was lost and another is elected.
const ELECTION: Duration = Duration::from_secs(5);
/// So many failures in a row are no more the patience that a start needs.
const WORTH_A_WARNING: u32 = 20;

/// What one replica needs to look after the service, and remembers of it.
struct Keeper<'a> {
    client: &'a Client,
    etcd: ManagedEtcd<'a>,
    applier: Applier,
    recorder: Recorder,
    metrics: &'a Metrics,
    clock: &'a dyn Clock,
    policy: Policy,
    /// When the certificates were last looked at, and what the administrator signs in with.
    kept: Option<(Instant, Tls)>,
    is_protected: bool,
    connections: BTreeMap<u32, EtcdMember>,
    episode: Episode,
    /// When a leader was last seen; at first, when it began to look.
    led: Instant,
    /// When the report was last compared with what is written, and its reason then.
    told: Option<(Instant, &'static str, String)>,
}

/// Looks after the service for as long as this replica leads. Without one it only waits.
pub(crate) async fn run(
    client: &Client,
    settings: &Settings,
    metrics: &Metrics,
    clock: &dyn Clock,
) -> Result<()> {
    let Some(name) = &settings.managed_etcd else { return std::future::pending().await };
    let mut keeper = Keeper {
        client,
        etcd: ManagedEtcd { name, namespace: &settings.namespace },
        applier: Applier::new(client.clone(), FIELD_MANAGER),
        recorder: Recorder::new(client.clone(), reporter(settings)),
        metrics,
        clock,
        policy: Policy::default(),
        kept: None,
        is_protected: false,
        connections: BTreeMap::new(),
        episode: Episode::default(),
        led: Instant::now(),
        told: None,
    };
    let mut failures = 0_u32;
    loop {
        let pause = match Box::pin(keeper.pass()).await {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                if failures.is_multiple_of(WORTH_A_WARNING) {
                    tracing::warn!(
                        failures,
                        "failed to look after the managed etcd, trying again: {error:#}"
                    );
                } else {
                    tracing::debug!("failed to look after the managed etcd, trying again: {error:#}");
                }
                SOON
            }
        };
        tokio::time::sleep(pause).await;
    }
}

impl Keeper<'_> {
    /// One look at everything and at most one step. Returns when to look again.
    async fn pass(&mut self) -> Result<Duration> {
        // What members wait for is there before what their pods wait for.
        let set = self.stateful_set().await?;
        let mut observed = self.standing(&set).await?;
        if observed.entry.is_none() {
            return self.take(&set, &observed).await;
        }
        self.keep_certificates().await?;
        let is_founding = matches!(observed.entry, Some(Entry::Founding(_)));
        if !self.is_protected
            && let Err(error) = self.protect().await
            && is_founding
        {
            return Err(error);
        }
        self.ask_members(&mut observed).await;
        self.metrics.etcd.note(&observed);
        if observed.members.is_some() {
            self.led = Instant::now();
        }
        // While another leader is elected there is nothing to tell.
        if !is_founding && (observed.members.is_some() || self.led.elapsed() > ELECTION) {
            self.tell_report(&set, &report(&observed)).await;
        }
        self.take(&set, &observed).await
    }

    /// Takes the next step, if there is one.
    async fn take(&mut self, set: &StatefulSet, observed: &Observed) -> Result<Duration> {
        if let Some(change) = change(observed) {
            self.change(set, observed, &change).await.with_context(|| format!("step {change:?}"))?;
            return Ok(SOON);
        }
        if observed.members.is_some() && observed.alarms.is_empty() {
            self.episode.compacted = None;
            self.episode.defragmented.clear();
        }
        if let Some(action) = action(observed, &self.episode, &self.policy, self.clock.now()) {
            self.act(set, observed, action).await.with_context(|| format!("step {action:?}"))?;
            return Ok(SOON);
        }
        Ok(if observed.is_complete() { LOOK_EVERY } else { SOON })
    }

    async fn stateful_set(&self) -> Result<StatefulSet> {
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), self.etcd.namespace);
        sets.get(self.etcd.name).await.with_context(|| format!("read StatefulSet `{}`", self.etcd.name))
    }
}
