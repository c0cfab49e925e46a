//! The Deployment of a control plane and its turn to start.

use api::TenantControlPlane;
use api::names::annotations;
use desired::gate::Urgency;
use desired::{Credentials, DeploymentInputs, Endpoint, Replacement, Start, Validated};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::certificates::ReadyStore;
use super::pass::Pass;
use super::storage::Storage;
use crate::caches::Caches;
use crate::context::Context;
use crate::start_gate::Answer;

/// What the Deployment is made of.
pub(super) struct Parts<'a> {
    pub(super) validated: &'a Validated,
    pub(super) endpoint: &'a Endpoint,
    pub(super) credentials: &'a Credentials,
    pub(super) storage: &'a Storage,
    pub(super) store: &'a ReadyStore,
    pub(super) now: Timestamp,
}

/// Writes the Deployment if it differs, as far as the gate lets it: pods that must wait for their turn are
/// held back, and those that run are left as they are until they may be replaced.
pub(super) async fn apply(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    parts: &Parts<'_>,
    context: &Context,
) -> Result<Deployment, kubekit::ApplyError> {
    let validated = parts.validated;
    let live = Caches::find(&context.caches.deployments, validated.namespace(), validated.name());
    let wanted = wanted(parts, live.as_deref(), Start::Admitted, context);
    if validated.is_sleeping() {
        context.gate.forget(tenant);
        return Ok(context.applier.apply(&wanted, live.as_deref()).await?.into_inner());
    }
    let replaced = live.as_deref().filter(|live| desired::replaces_pods(live, &wanted));
    let urgency = replaced.map(|live| urgency(tenant, live));
    let Answer::Waits { position, ask_again } = context.gate.ask(tenant, urgency, &context.caches, parts.now)
    else {
        return Ok(context.applier.apply(&wanted, live.as_deref()).await?.into_inner());
    };
    pass.ask_again = Some(ask_again);
    if let (Some(live), Some(urgency)) = (replaced, urgency) {
        pass.replacement = Some(Replacement { urgency, position });
        return Ok(live.clone());
    }
    pass.queue = Some(position);
    let held = self::wanted(parts, live.as_deref(), Start::Held, context);
    Ok(context.applier.apply(&held, live.as_deref()).await?.into_inner())
}

/// Nobody waits for a replacement that the spec does not ask for, unless nothing serves without it, or the
/// tenant may not write until its pods use another store.
fn urgency(tenant: &TenantControlPlane, live: &Deployment) -> Urgency {
    let status = tenant.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    let is_moving = status.is_some_and(|status| status.storage.migration.is_some());
    let ready = live.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    if observed == tenant.metadata.generation && ready > 0 && !is_moving {
        Urgency::Upkeep
    } else {
        Urgency::Wish
    }
}

fn wanted(parts: &Parts<'_>, live: Option<&Deployment>, start: Start, context: &Context) -> Deployment {
    let settings = desired::Settings {
        kine_image: context.settings.kine_image.clone(),
        go_gc: Some(context.settings.go_gc).filter(|percent| *percent > 0),
    };
    let certificate = parts.store.certificate.as_ref();
    let inputs = DeploymentInputs {
        checksums: &parts.credentials.issued().checksums,
        bundles: parts.credentials.bundles(),
        store: &parts.storage.material,
        store_config: checksum(&parts.store.config),
        store_certificate: certificate.map_or("", checksum),
        store_authority: &certificate.map(desired::store_authority).unwrap_or_default(),
        served_names: &parts.credentials.served_names(),
        overrides: &parts.storage.overrides,
        settings: &settings,
        start,
        live,
        now: parts.now,
    };
    desired::deployment(parts.validated, parts.endpoint, &inputs)
}

fn checksum(secret: &Secret) -> &str {
    secret.annotations().get(annotations::CHECKSUM).map_or("", String::as_str)
}
