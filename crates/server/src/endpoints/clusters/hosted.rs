//! What is done with hosted clusters. Each is a TenantControlPlane in its tenant's namespace; quotas are kept by
//! admission, as for everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use aide::transform::TransformOperation;
use api::TenantControlPlane;
use api::templating::is_platform_label;
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::find;
use super::schedule::{self, Said, WantedSchedule};
use crate::caller::{Ask, Caller};
use crate::cluster_id::{ClusterId, is_label};
use crate::extract::{Named, Sent};
use crate::inventory::Kind;
use crate::problem::Problem;

/// What is changed of a hosted cluster.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChangedCluster {
    /// Version of Kubernetes.
    version: Option<String>,
    /// Pods of the control plane.
    #[schemars(range(min = 0, max = 9))]
    replicas: Option<i32>,
    /// DataStore that it moves to; its objects go along while it runs.
    #[schemars(length(min = 1, max = 253))]
    data_store: Option<String>,
    /// Labels; a null takes one away.
    labels: Option<BTreeMap<String, Option<String>>>,
    /// When it sleeps and wakes by itself; a null takes the schedule away.
    #[serde(default, deserialize_with = "schedule::said")]
    #[schemars(with = "Option<WantedSchedule>")]
    sleep_schedule: Option<Said>,
}

/// A cluster that was made or changed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ClusterNamed {
    /// Its id.
    pub(super) id: String,
}

pub(super) fn describe_change(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Upgrade, scale, schedule, move or label a hosted cluster")
        .description(
            "A new version needs the verb `upgrade`, another number of pods `scale`, a schedule `sleep` and `wake`, \
             another data store `migrate`, labels `update`.",
        )
        .tag("clusters")
}

/// Changes a control plane.
pub(super) async fn change(
    caller: Caller,
    Named(id): Named,
    Sent(asked): Sent<ChangedCluster>,
) -> Result<Json<ClusterNamed>, Problem> {
    let control_plane = hosted(&caller, &id)?;
    let mut patch = json!({});
    if let Some(version) = &asked.version {
        require(&caller, "upgrade", &id).await?;
        patch["spec"]["kubernetes"]["version"] = json!(version);
    }
    if let Some(replicas) = asked.replicas {
        require(&caller, "scale", &id).await?;
        patch["spec"]["controlPlane"]["deployment"]["replicas"] = json!(replicas);
    }
    if let Some(store) = &asked.data_store {
        require(&caller, "migrate", &id).await?;
        patch["spec"]["dataStore"] = json!(store);
    }
    if let Some(Said(wanted)) = &asked.sleep_schedule {
        require(&caller, "sleep", &id).await?;
        require(&caller, "wake", &id).await?;
        patch["spec"]["sleepSchedule"] = schedule::patch(wanted.as_ref())?;
    }
    // Who changes nothing must be allowed to change something all the same.
    if asked.labels.is_some() || patch == json!({}) {
        require(&caller, "update", &id).await?;
    }
    if let Some(labels) = &asked.labels {
        own_labels(labels.keys())?;
        patch["metadata"]["labels"] = json!(labels);
    }
    write(&caller, &control_plane, patch).await?;
    Ok(Json(ClusterNamed { id }))
}

pub(super) fn describe_sleep(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Put a hosted cluster to sleep").tag("clusters")
}

/// Takes the pods away and remembers how many there were.
pub(super) async fn sleep(caller: Caller, Named(id): Named) -> Result<Json<ClusterNamed>, Problem> {
    let control_plane = hosted(&caller, &id)?;
    require(&caller, "sleep", &id).await?;
    if let Some(patch) = desired::sleeping::asleep(&control_plane) {
        write(&caller, &control_plane, patch).await?;
    }
    Ok(Json(ClusterNamed { id }))
}

pub(super) fn describe_wake(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.summary("Wake a hosted cluster").tag("clusters")
}

/// Brings the pods back.
pub(super) async fn wake(caller: Caller, Named(id): Named) -> Result<Json<ClusterNamed>, Problem> {
    let control_plane = hosted(&caller, &id)?;
    require(&caller, "wake", &id).await?;
    if let Some(patch) = desired::sleeping::awake(&control_plane) {
        write(&caller, &control_plane, patch).await?;
    }
    Ok(Json(ClusterNamed { id }))
}

pub(super) fn describe_delete(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Delete a hosted cluster with all that is in it")
        .description("An imported cluster is forgotten by deleting its import.")
        .tag("clusters")
        .response::<204, ()>()
}

/// Deletes a control plane.
pub(super) async fn delete(caller: Caller, Named(id): Named) -> Result<StatusCode, Problem> {
    let control_plane = hosted(&caller, &id)?;
    require(&caller, "delete", &id).await?;
    api_of(&caller, &control_plane).delete(&control_plane.name_any(), &DeleteParams::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the management cluster takes as a name.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    if is_label(name) {
        return Ok(());
    }
    Err(Problem::invalid(format!(
        "name: `{name}` must have small letters, digits and dashes, and begin and end with a letter or digit"
    )))
}

/// Refuses labels that the platform sets itself.
pub(super) fn own_labels<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Problem> {
    match names.find(|name| is_platform_label(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::invalid(format!(
            "labels: `{name}` is a label of the platform, which it sets itself; leave it out"
        ))),
    }
}

/// The control plane behind an id. Whether the caller may know of it is decided next.
pub(super) fn hosted(caller: &Caller, id: &str) -> Result<Arc<TenantControlPlane>, Problem> {
    let row = find(caller, id)?;
    let found = match ClusterId::read(id) {
        Some(ClusterId::Hosted { namespace, name }) => {
            let reference = kube::runtime::reflector::ObjectRef::new(&name).within(&namespace);
            caller.hub.caches.hosted.get(&reference)
        }
        _ => None,
    };
    found.ok_or_else(|| match row.kind {
        Kind::Imported if super::may_see(caller, id) => {
            Problem::invalid("the cluster is imported: what runs its control plane is not ours to change")
        }
        _ => Problem::not_found("clusters", id),
    })
}

/// A hosted cluster, for whoever may read it.
pub(super) async fn readable(caller: &Caller, id: &str) -> Result<Arc<TenantControlPlane>, Problem> {
    let cluster = hosted(caller, id)?;
    require(caller, "get", id).await?;
    Ok(cluster)
}

pub(super) async fn require(caller: &Caller, verb: &str, id: &str) -> Result<(), Problem> {
    caller.require(&Ask { verb, resource: "clusters", name: id, place: Place::Cluster(id) }).await
}

fn api_of(caller: &Caller, control_plane: &TenantControlPlane) -> Api<TenantControlPlane> {
    Api::namespaced(caller.hub.client.clone(), &control_plane.namespace().unwrap_or_default())
}

/// Written over what was read only: what somebody else said meanwhile is not undone.
async fn write(caller: &Caller, control_plane: &TenantControlPlane, mut patch: Value) -> Result<(), Problem> {
    patch["metadata"]["resourceVersion"] = json!(control_plane.resource_version());
    let (name, parameters) = (control_plane.name_any(), PatchParams::default());
    api_of(caller, control_plane).patch(&name, &parameters, &Patch::Merge(patch)).await?;
    Ok(())
}
