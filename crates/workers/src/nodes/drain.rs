//! Empties a node: no new pods come, those that are there are evicted, as their budgets allow.

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::Eviction;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, ObjectMeta};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use tokio::time::Instant;

use super::plan::{Allowed, plan};
use super::set_schedulable;
use crate::Error;

/// Time until an eviction that a budget forbids is tried again, as kubectl has it.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Time between two looks at a pod that ends.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most pods that are evicted at the same time.
const CONCURRENCY: usize = 10;

/// How a node is drained.
#[derive(Clone, Copy, Debug)]
pub struct DrainOptions {
    /// What else may be evicted.
    pub allowed: Allowed,
    /// How long pods get to end instead of what they ask for themselves.
    pub grace_seconds: Option<u32>,
    /// Time limit.
    pub limit: Duration,
}

/// Cordons a node and evicts its pods; the client must not try refused requests again by itself, which that
/// of [`crate::tenants::client`] does not; `tell` gets what happens, one line each.
pub async fn drain(
    client: &Client,
    node: &str,
    options: DrainOptions,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    set_schedulable(client, node, false).await?;
    tell(&format!("node {node} cordoned"));
    let plan = plan(pods_of(client, node).await?, options.allowed);
    if !plan.obstacles.is_empty() {
        return Err(Error::Obstacles { node: node.to_owned(), obstacles: plan.obstacles });
    }
    let deadline = Instant::now() + options.limit;
    let evictions = plan.evicted.iter().map(|pod| evict(client, pod, options, deadline, tell));
    let outcomes: Vec<Result<(), Error>> =
        futures::stream::iter(evictions).buffer_unordered(CONCURRENCY).collect().await;
    let mut left = Vec::new();
    for outcome in outcomes {
        match outcome {
            Err(Error::DrainTimedOut { left: pod, .. }) => left.push(pod),
            other => other?,
        }
    }
    if left.is_empty() {
        tell(&format!("node {node} drained"));
        return Ok(());
    }
    Err(Error::DrainTimedOut {
        node: node.to_owned(),
        seconds: options.limit.as_secs(),
        left: left.join("; "),
    })
}

async fn pods_of(client: &Client, node: &str) -> Result<Vec<Pod>, Error> {
    let pods: Api<Pod> = Api::all(client.clone());
    let on_node = ListParams::default().fields(&format!("spec.nodeName={node}"));
    let listed = pods.list(&on_node).await;
    Ok(listed.map_err(Error::request(format!("list the pods of node `{node}`")))?.items)
}

async fn evict(
    client: &Client,
    pod: &Pod,
    options: DrainOptions,
    deadline: Instant,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let mut why = "it ends".to_owned();
    let mut is_evicted = pod.metadata.deletion_timestamp.is_some();
    loop {
        if !is_evicted {
            if let Some(budget) = try_to_evict(&pods, pod, options.grace_seconds).await? {
                if why != budget {
                    tell(&format!("pod {namespace}/{name} waits: {budget}"));
                }
                why = budget;
            } else {
                is_evicted = true;
                "it ends".clone_into(&mut why);
                tell(&format!("pod {namespace}/{name} evicted"));
            }
        }
        if is_evicted && is_gone(&pods, pod).await? {
            return Ok(());
        }
        let pause = if is_evicted { LOOK_EVERY } else { TRY_AGAIN };
        if Instant::now() + pause > deadline {
            let left = format!("pod {namespace}/{name}: {why}");
            return Err(Error::DrainTimedOut { node: String::new(), seconds: 0, left });
        }
        tokio::time::sleep(pause).await;
    }
}

/// Answers with what a budget says against it.
async fn try_to_evict(pods: &Api<Pod>, pod: &Pod, grace: Option<u32>) -> Result<Option<String>, Error> {
    let name = pod.name_any();
    // Not `Api::evict` (kube 5.0): it writes the options under a name that the API server does not know.
    let options = grace.map(|seconds| DeleteOptions {
        grace_period_seconds: Some(seconds.into()),
        ..DeleteOptions::default()
    });
    let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
    let eviction = Eviction { delete_options: options, metadata };
    let sent =
        pods.create_subresource::<_, Value>("eviction", &name, &PostParams::default(), &eviction).await;
    match sent {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 429 => Ok(Some(status.message.clone())),
        Err(error) => Err(Error::request(format!("evict the pod `{name}`"))(error)),
    }
}

/// Whether the pod is gone; another one may have its name.
async fn is_gone(pods: &Api<Pod>, pod: &Pod) -> Result<bool, Error> {
    let name = pod.name_any();
    let found =
        pods.get_metadata_opt(&name).await.map_err(Error::request(format!("read the pod `{name}`")))?;
    Ok(found.is_none_or(|found| found.metadata.uid != pod.metadata.uid))
}
