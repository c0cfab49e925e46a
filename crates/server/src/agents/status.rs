//! What is written into a cluster's status: that its agent is there or not, and what it says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::condition::{put, whole_seconds};
use api::{Cluster, ClusterNodes, ClusterResources, ClusterStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use serde_json::json;
use uplink::{Amounts, End, Status};

use super::connections::{gone, heard, is_silent};
use super::rights::{RightsError, Standing};
use crate::hub::Hub;
use crate::problem::Problem;

/// So many namespaces or roles are named in a message.
const MOST_NAMED: usize = 5;
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Replicas, and what each of them writes, may meet so often.
const TRIES: usize = 8;
const LOST: &str = "AgentLost";
const CONNECTED: (&str, &str) = ("AgentConnected", "an agent of the cluster is connected");

/// Writes what an agent says.
pub(crate) async fn reported(hub: &Hub, cluster: &str, said: &Status) {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (word, message) = match (said.api_server.reachable, &said.api_server.reason) {
        (true, _) => ("Answers", "the agent reaches the API server"),
        (false, Some(reason)) => ("NoAnswer", reason.as_str()),
        (false, None) => ("NoAnswer", "the agent has not reached the API server yet"),
    };
    write(hub, cluster, |status| {
        status.agent_version = Some(said.agent_version.clone());
        if said.kubernetes_version.is_some() {
            status.kubernetes_version.clone_from(&said.kubernetes_version);
        }
        status.nodes = ClusterNodes { total: count(said.totals.nodes), ready: count(said.totals.ready) };
        status.capacity = amounts(&said.totals.capacity);
        status.allocatable = amounts(&said.totals.allocatable);
        status.usage = said.totals.usage.as_ref().map(amounts);
        let now = whole_seconds(hub.now());
        status.last_seen = Some(Time(now));
        heard(status, &hub.agents.replica().id, now);
        set(hub, status, "Connected", true, CONNECTED.0, CONNECTED.1);
        set(hub, status, "Reachable", said.api_server.reachable, word, message);
    })
    .await;
}

/// Writes that an agent was let in at this replica.
pub(crate) async fn connected(hub: &Hub, cluster: &str) {
    write(hub, cluster, |status| {
        heard(status, &hub.agents.replica().id, whole_seconds(hub.now()));
        set(hub, status, "Connected", true, CONNECTED.0, CONNECTED.1);
    })
    .await;
}

/// Writes that an agent has gone from this replica, and why none is connected any more if no other has it.
pub(super) async fn ended(hub: &Hub, cluster: &str, end: &End) {
    let message = lost(hub, end);
    write(hub, cluster, |status| {
        if gone(status, &hub.agents.replica().id, hub.now()) {
            set(hub, status, "Connected", false, LOST, &message);
        }
    })
    .await;
}

fn lost(hub: &Hub, end: &End) -> String {
    let (namespace, url) = (uplink::NAMESPACE, &hub.settings.url);
    format!("{end}; look at the pod in namespace `{namespace}` of the cluster, and whether it reaches {url}")
}

/// Writes whether members of projects have their rights in the cluster, or why not.
pub(super) async fn rights(hub: &Hub, cluster: &str, outcome: &Result<Standing, RightsError>) {
    let (reason, message) = match outcome {
        Ok(standing) if !standing.missing.is_empty() => (
            "NamespaceMissing",
            format!(
                "projects name namespaces that are not there: {}; make them, or take them out of the projects",
                named(&standing.missing)
            ),
        ),
        Ok(standing) if !standing.unknown.is_empty() => (
            "RoleMissing",
            format!(
                "people hold roles that were made after the cluster was imported, and that give nothing in it yet: {}; \
                 get the import's manifest anew and apply it",
                named(&standing.unknown)
            ),
        ),
        Ok(_) => ("AsWished", "members of projects have their rights in the namespaces of these".to_owned()),
        Err(error) => {
            let advice = "get the import's manifest anew and apply it, if it was made by an earlier version";
            ("Refused", format!("{}; {advice}", chain(error)))
        }
    };
    let is_so = reason == "AsWished";
    write(hub, cluster, |status| set(hub, status, "RightsCurrent", is_so, reason, &message)).await;
}

fn named(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).take(MOST_NAMED).collect::<Vec<_>>().join(", ")
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Finds clusters whose agent went while no replica was there to see it; never ends.
pub(crate) async fn sweep(hub: &Hub) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        for cluster in hub.caches.imported.state() {
            let name = cluster.name_any();
            let silent = |status: &ClusterStatus| is_lost(status, hub.now());
            if cluster.status.as_ref().is_some_and(silent) && !hub.agents.is_connected(&name) {
                let message = lost(hub, &End::Silent);
                // It may have come back to another replica.
                let change = |status: &mut ClusterStatus| {
                    if is_lost(status, hub.now()) {
                        status.connections.clear();
                        set(hub, status, "Connected", false, LOST, &message);
                    }
                };
                write(hub, &name, change).await;
            }
        }
    }
}

/// Whether it says that an agent is connected, of which nobody has heard for long.
fn is_lost(status: &ClusterStatus, now: Timestamp) -> bool {
    let says = status.conditions.iter().any(|known| known.type_ == "Connected" && known.status == "True");
    says && status.last_seen.as_ref().is_none_or(|seen| is_silent(seen, now))
}

/// Takes note which cluster it is. One that was known before is not another now.
pub(crate) async fn recognised(hub: &Hub, cluster: &str, uid: &str) -> Result<(), Problem> {
    let api: Api<Cluster> = Api::all(hub.client.clone());
    let live = api.get(cluster).await?;
    let known = live.status.as_ref().and_then(|status| status.cluster_uid.as_deref());
    if known.is_some_and(|known| known != uid) {
        return Err(Problem::denied(format!(
            "import `{cluster}` belongs to another cluster; make an import of its own for this one"
        )));
    }
    let patch = Patch::Merge(json!({ "status": { "clusterUID": uid } }));
    api.patch_status(cluster, &PatchParams::default(), &patch).await?;
    Ok(())
}

fn set(hub: &Hub, status: &mut ClusterStatus, kind: &str, is_so: bool, reason: &str, message: &str) {
    let condition = Condition {
        type_: kind.to_owned(),
        status: if is_so { "True" } else { "False" }.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: None,
        last_transition_time: Time(whole_seconds(hub.now())),
    };
    put(&mut status.conditions, condition);
}

/// Writes what a change makes of a cluster's status: of that of now, if somebody has written another one meanwhile.
async fn write(hub: &Hub, cluster: &str, change: impl Fn(&mut ClusterStatus)) {
    let Some(known) = hub.caches.imported.get(&ObjectRef::new(cluster)) else { return };
    let (api, mut live): (Api<Cluster>, _) = (Api::all(hub.client.clone()), Arc::unwrap_or_clone(known));
    for _ in 0..TRIES {
        match try_write(&api, &live, &change).await {
            Err(kube::Error::Api(status)) if status.is_conflict() => {}
            written => return told(cluster, written),
        }
        match api.get(cluster).await {
            Ok(found) => live = found,
            failed => return told(cluster, failed.map(drop)),
        }
    }
    tracing::warn!(cluster, "a cluster's status is written by others again and again");
}

fn told(cluster: &str, written: Result<(), kube::Error>) {
    if let Err(error) = written {
        tracing::warn!(cluster, %error, "a cluster's status could not be written");
    }
}

async fn try_write(
    api: &Api<Cluster>,
    live: &Cluster,
    change: impl Fn(&mut ClusterStatus),
) -> Result<(), kube::Error> {
    let mut status = live.status.clone().unwrap_or_default();
    change(&mut status);
    if live.status.as_ref() == Some(&status) {
        return Ok(());
    }
    // Who it is was written when it registered, and may not be in the cache yet.
    status.cluster_uid = None;
    let version = json!({ "resourceVersion": live.resource_version() });
    let patch = Patch::Merge(json!({ "metadata": version, "status": status }));
    api.patch_status(&live.name_any(), &PatchParams::default(), &patch).await.map(drop)
}

fn amounts(said: &Amounts) -> ClusterResources {
    ClusterResources {
        cpu: Quantity(format!("{}m", said.cpu_millis)),
        memory: Quantity(said.memory_bytes.to_string()),
        pods: i64::try_from(said.pods).unwrap_or(i64::MAX),
    }
}
