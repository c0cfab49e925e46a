//! The steps of one pass, in the order in which one needs the other; what is independent runs in parallel.

use std::time::Duration;

use api::TenantControlPlane;
use api::condition::Kind;
use desired::gate::Position;
use desired::{
    Credentials, DataStoreOutcome, Endpoint, Failure, Front, MigrationOutcome, Observed, Replacement,
    TenantOutcome, Unassigned, Validated,
};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;

use super::certificates::{self, ReadyStore};
use super::configuration::{self, Configuration};
use super::rollout::{self, Parts};
use super::{LOOK_EVERY, RETRY_AFTER, exposure, inside, migration, storage, tunnel};
use crate::context::Context;
use crate::data_stores::chain;

/// How soon a control plane that no store has room for is looked at again.
const ROOM_AFTER: Duration = Duration::from_secs(5);

/// How far a pass came.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) service: Option<Service>,
    pub(super) endpoint: Option<Result<Endpoint, Unassigned>>,
    pub(super) store: DataStoreOutcome<'static>,
    pub(super) overrides: Vec<String>,
    pub(super) migration: MigrationOutcome,
    pub(super) ready_store: Option<ReadyStore>,
    pub(super) credentials: Option<Credentials>,
    pub(super) deployment: Option<Deployment>,
    pub(super) queue: Option<Position>,
    pub(super) replacement: Option<Replacement>,
    pub(super) configuration: Option<Configuration>,
    pub(super) front: Option<Front>,
    pub(super) tenant: TenantOutcome,
    pub(super) failure: Option<Failure>,
    pub(super) ask_again: Option<Duration>,
}

impl Pass {
    /// What the status is made from.
    pub(super) fn observed(&self) -> Observed<'_> {
        Observed {
            service: self.service.as_ref(),
            endpoint: self.endpoint.as_ref().map(|found| found.as_ref().map_err(|missing| *missing)),
            data_store: match &self.ready_store {
                Some(ready) => DataStoreOutcome::Ready {
                    name: &ready.name,
                    driver: ready.driver,
                    config: &ready.config,
                    certificate: ready.certificate.as_ref(),
                },
                None => self.store.clone(),
            },
            migration: self.migration.clone(),
            overrides: &self.overrides,
            issued: self.credentials.as_ref().map(Credentials::issued),
            deployment: self.deployment.as_ref(),
            queue: self.queue,
            replacement: self.replacement,
            kubeadm_config: self.configuration.as_ref().map(|made| &made.kubeadm),
            egress_selector: self.configuration.as_ref().and_then(|made| made.egress_selector.as_ref()),
            front: self.front.as_ref(),
            tenant: self.tenant.clone(),
            failure: self.failure.clone(),
        }
    }

    /// When the next pass is due though nothing changes.
    pub(super) fn again(&self, now: Timestamp) -> Duration {
        let is_stuck = self.failure.is_some()
            || matches!(self.front, Some(Front::Failed { .. }))
            || matches!(self.tenant, TenantOutcome::Failed { .. })
            || matches!(&self.tenant, TenantOutcome::Done(inside) if inside.is_refused)
            || matches!(self.store, DataStoreOutcome::Unreachable { .. } | DataStoreOutcome::NotReady { .. });
        if is_stuck {
            return RETRY_AFTER;
        }
        if matches!(self.store, DataStoreOutcome::NoRoom { .. }) {
            return ROOM_AFTER;
        }
        let renewal = self.credentials.as_ref().map(|credentials| credentials.issued().renew_at);
        let until = renewal.and_then(|due| Duration::try_from(due.duration_since(now)).ok());
        self.ask_again.or(until).unwrap_or(LOOK_EVERY).max(Duration::from_millis(100))
    }

    fn stopped(mut self, stop: Stop) -> Self {
        self.failure = Some(stop.0);
        self
    }
}

/// Why a pass cannot go on now.
pub(super) struct Stop(Failure);

impl Stop {
    /// The condition that does not hold, and the error with its causes.
    pub(super) fn new(kind: Kind, error: &dyn std::error::Error) -> Self {
        Self(Failure { kind, message: chain(error) })
    }
}

/// Runs the steps until one cannot be done now.
pub(super) async fn run(
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
    now: Timestamp,
) -> Pass {
    let mut pass = Pass::default();
    match Box::pin(steps(&mut pass, tenant, validated, context, now)).await {
        Ok(()) => pass,
        Err(stop) => pass.stopped(stop),
    }
}

async fn steps(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
    now: Timestamp,
) -> Result<(), Stop> {
    let moving = migration::plan(tenant, context, now);
    let timed = &context.metrics;
    let preparing = storage::prepare(tenant, validated, &moving, context);
    let storage = match Box::pin(timed.phase("storage", preparing)).await {
        Ok(storage) => storage,
        Err(outcome) => {
            pass.store = outcome;
            return Ok(());
        }
    };
    pass.store = storage.trouble.clone().unwrap_or_default();
    pass.overrides = storage.override_stores();
    let exposing = exposure::apply_service(pass, validated, context);
    let Some(endpoint) = timed.phase("service", exposing).await? else { return Ok(()) };
    let (issued, configured, front) = tokio::join!(
        Box::pin(
            timed.phase("certificates", certificates::apply(validated, &endpoint, &storage, context, now))
        ),
        Box::pin(timed.phase("configuration", configuration::apply(validated, &endpoint, &storage, context))),
        Box::pin(timed.phase("front", exposure::apply_front(tenant, validated, context))),
    );
    pass.front = Some(front);
    let (credentials, store) = issued?;
    pass.configuration = Some(configured?);
    configuration::apply_hub(validated, &credentials, context).await?;
    tunnel::lead(validated, context).await?;

    let parts = Parts {
        validated,
        endpoint: &endpoint,
        credentials: &credentials,
        storage: &storage,
        store: &store,
        now,
    };
    let deployed = timed.phase("deployment", rollout::apply(pass, tenant, &parts, context)).await;
    pass.credentials = Some(credentials);
    if storage.trouble.is_none() {
        pass.ready_store = Some(store);
    }
    match deployed {
        Ok(deployment) => pass.deployment = Some(deployment),
        Err(error) => {
            context.gate.forget(tenant);
            return Err(Stop::new(Kind::ControlPlaneAvailable, &error));
        }
    }
    if pass.replacement.is_none() {
        configuration::remove_unused(validated, context).await?;
    }
    // What is frozen stays as it is, until an ordinary pass lets it go.
    if !moving.freezes(pass.deployment.as_ref()) {
        let preparing = inside::prepare(pass, tenant, validated, &endpoint, &storage.material, context);
        timed.phase("inside", preparing).await;
    }
    let step = migration::Step { tenant, validated, endpoint: &endpoint, storage: &storage };
    Box::pin(timed.phase("migration", migration::advance(pass, &moving, &step, context))).await;
    Ok(())
}
