//! Judges `kubectl scale` and autoscalers: they change the number of pods through a subresource, of which the rules
//! for whole control planes are not asked.

use api::TenantControlPlane;
use api::validation::Fault;
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse};
use kube::{Api, Client};
use serde_json::Value;

use super::{answer, reading};
use crate::tenancy::Gate;

pub(super) async fn respond(review: Value, gate: &Gate, client: &Client) -> AdmissionResponse {
    match reading::read_checked(review) {
        Ok(request) => answer(&request, &Box::pin(faults(&request, gate, client)).await),
        Err(answer) => *answer,
    }
}

async fn faults(request: &AdmissionRequest<DynamicObject>, gate: &Gate, client: &Client) -> Vec<Fault> {
    let (name, namespace) = (&request.name, request.namespace.as_deref().unwrap_or_default());
    if !gate.concerns(namespace) {
        return Vec::new();
    }
    let asked = request.object.as_ref().and_then(|scale| scale.data.pointer("/spec/replicas")?.as_i64());
    // The API server leaves out what is zero.
    let asked = asked.unwrap_or_default();
    let fault = |what: &str| vec![Fault::new("spec.replicas", asked, what)];
    let Ok(replicas) = i32::try_from(asked) else { return fault("is no number of pods") };
    let clusters: Api<TenantControlPlane> = Api::namespaced(client.clone(), namespace);
    match clusters.get_opt(name).await {
        Ok(Some(old)) => Box::pin(gate.faults(Some(&old), &scaled(&old, replicas), request.dry_run)).await,
        // The API server finds that out by itself.
        Ok(None) => Vec::new(),
        Err(_) => fault("could not be judged, since the API server does not tell what there is; try again"),
    }
}

fn scaled(old: &TenantControlPlane, replicas: i32) -> TenantControlPlane {
    let mut new = old.clone();
    new.spec.control_plane.deployment.get_or_insert_default().replicas = Some(replicas);
    new
}
