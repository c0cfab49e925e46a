//! The Deployment of a control plane and its turn to start.

use api::TenantControlPlane;
use api::names::annotations;
use desired::{Credentials, DeploymentInputs, Endpoint, Start, Validated};
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
    pub(super) start: Start,
    pub(super) now: Timestamp,
}

/// Whether the pods may start; a pass that waits notes its place in the queue.
pub(super) fn ask_gate(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
    now: Timestamp,
) -> Start {
    if validated.is_sleeping() {
        context.gate.forget(tenant);
        return Start::Admitted;
    }
    match context.gate.ask(tenant, &context.caches, now) {
        Answer::Admitted => Start::Admitted,
        Answer::Waits { position, ask_again } => {
            pass.queue = Some(position);
            pass.ask_again = Some(ask_again);
            Start::Held
        }
    }
}

/// Writes the Deployment if it differs.
pub(super) async fn apply_deployment(
    parts: &Parts<'_>,
    context: &Context,
) -> Result<Deployment, kubekit::ApplyError> {
    let validated = parts.validated;
    let live = Caches::find(&context.caches.deployments, validated.namespace(), validated.name());
    let settings = desired::Settings {
        kine_image: context.settings.kine_image.clone(),
        go_gc: Some(context.settings.go_gc).filter(|percent| *percent > 0),
    };
    let inputs = DeploymentInputs {
        checksums: &parts.credentials.issued().checksums,
        store: &parts.storage.material,
        store_config: checksum(&parts.store.config),
        store_certificate: parts.store.certificate.as_ref().map_or("", checksum),
        overrides: &parts.storage.overrides,
        settings: &settings,
        start: parts.start,
        live: live.as_deref(),
        now: parts.now,
    };
    let wanted = desired::deployment(validated, parts.endpoint, &inputs);
    Ok(context.applier.apply(&wanted, live.as_deref()).await?.into_inner())
}

fn checksum(secret: &Secret) -> &str {
    secret.annotations().get(annotations::CHECKSUM).map_or("", String::as_str)
}
