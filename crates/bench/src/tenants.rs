//! Control planes as the bench makes, watches and removes them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use api::{TenantControlPlane, VersionState};
use futures::future::{self, BoxFuture};
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::arguments::Arguments;

/// How long removed control planes may take to be gone, pods included.
const REMOVAL_DEADLINE: Duration = Duration::from_mins(3);

/// Pause between looks at what is being removed.
const REMOVAL_POLL: Duration = Duration::from_millis(500);

/// The control planes in the bench's namespace.
pub(crate) struct Tenants {
    client: Client,
    control_planes: Api<TenantControlPlane>,
    pods: Api<Pod>,
    settings: Settings,
}

/// What all control planes have in common.
struct Settings {
    namespace: String,
    version: String,
    data_store: String,
    service_type: String,
}

/// How a herd came up: the time of each that did, and how many were wanted.
pub(crate) struct Herd {
    pub(crate) wanted: usize,
    pub(crate) ready_after: BTreeMap<String, Duration>,
}

impl Herd {
    /// The moment when all were Ready; nothing if some never were.
    pub(crate) fn all_ready_after(&self) -> Option<Duration> {
        (self.ready_after.len() == self.wanted).then(|| self.ready_after.values().max().copied()).flatten()
    }
}

impl Tenants {
    pub(crate) fn new(client: Client, arguments: &Arguments) -> Self {
        Self {
            control_planes: Api::namespaced(client.clone(), &arguments.namespace),
            pods: Api::namespaced(client.clone(), &arguments.namespace),
            client,
            settings: Settings {
                namespace: arguments.namespace.clone(),
                version: arguments.version.clone(),
                data_store: arguments.data_store.clone(),
                service_type: arguments.service_type.clone(),
            },
        }
    }

    /// Makes the namespace and removes what an earlier run left in it.
    pub(crate) async fn prepare(&self) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let name = &self.settings.namespace;
        if namespaces.get_opt(name).await.context("read the namespace")?.is_none() {
            let namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
            let made = namespaces.create(&PostParams::default(), &namespace).await;
            made.with_context(|| format!("create namespace {name}"))?;
        }
        self.remove_control_planes().await
    }

    /// Creates `count` control planes at once and waits until all are Ready or time is up.
    pub(crate) async fn create(&self, prefix: &str, count: usize, deadline: Duration) -> Result<Herd> {
        let objects = (0..count)
            .map(|index| self.control_plane(&format!("{prefix}-{index}"), &Value::Null))
            .collect::<Result<Vec<_>>>()?;
        let started = Instant::now();
        let options = PostParams::default();
        let made = objects.iter().map(|object| self.control_planes.create(&options, object));
        for outcome in future::join_all(made).await {
            outcome.context("create a control plane")?;
        }
        let mut herd = Herd { wanted: count, ready_after: BTreeMap::new() };
        // Running out of time is a result, not an error: the herd says how far it came.
        let _ = tokio::time::timeout(deadline, self.watch_until_ready(started, &mut herd)).await;
        Ok(herd)
    }

    async fn watch_until_ready(&self, started: Instant, herd: &mut Herd) {
        let events = watcher(self.control_planes.clone(), watcher::Config::default());
        let mut changed = events.default_backoff().applied_objects().boxed();
        while herd.ready_after.len() < herd.wanted {
            // The watcher reconnects by itself; an error is followed by another try.
            if let Some(Ok(control_plane)) = changed.next().await
                && is_ready(&control_plane)
            {
                herd.ready_after.entry(control_plane.name_any()).or_insert_with(|| started.elapsed());
            }
        }
    }

    /// Creates a control plane with `spec` laid over the usual one.
    pub(crate) async fn create_one(&self, name: &str, spec: &Value) -> Result<()> {
        let tenant = self.control_plane(name, spec)?;
        let made = Box::pin(self.control_planes.create(&PostParams::default(), &tenant)).await;
        made.map(|_| ()).with_context(|| format!("create {name}"))
    }

    /// Changes the spec of a control plane.
    pub(crate) async fn change(&self, name: &str, spec: &Value) -> Result<()> {
        let change = Patch::Merge(json!({"spec": spec}));
        let changed = Box::pin(self.control_planes.patch(name, &PatchParams::default(), &change)).await;
        changed.map(|_| ()).with_context(|| format!("change {name}"))
    }

    /// Waits until a control plane is as `is_done` wants it.
    pub(crate) async fn wait(
        &self,
        name: &str,
        limit: Duration,
        is_done: impl Fn(&TenantControlPlane) -> bool,
    ) -> Result<()> {
        let selection = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let events = watcher(self.control_planes.clone(), selection);
        let mut changed = events.default_backoff().applied_objects().boxed();
        let watching = async {
            loop {
                // The watcher reconnects by itself; an error is followed by another try.
                if let Some(Ok(live)) = changed.next().await
                    && is_done(&live)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, watching).await.with_context(|| format!("{name} took over {limit:?}"))
    }

    /// A client of a control plane's own API server, with its administrator's rights.
    pub(crate) async fn client_of(&self, name: &str) -> Result<Client> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.settings.namespace);
        let data = secrets.get(&format!("{name}-admin-kubeconfig")).await?.data.unwrap_or_default();
        let bytes = data.get("super-admin.conf").or_else(|| data.get("admin.conf"));
        let bytes = bytes.context("the administrator's Secret holds no kubeconfig")?;
        let text = std::str::from_utf8(&bytes.0).context("the kubeconfig is no text")?;
        let server = pki::KubeconfigContents::read(text).context("read the kubeconfig")?.server;
        let host = server.trim_start_matches("https://").rsplit_once(':').map_or("", |(host, _)| host);
        let server_name = host.trim_matches(['[', ']']).to_owned();
        // Over HTTP/2, as kubectl: an API server that ends says so to a client that keeps its connection.
        let endpoint = kubekit::Endpoint { url: server, server_name };
        Ok(kubekit::shared_client_for_kubeconfig(text, &endpoint, "flotilla-bench").await?)
    }

    /// The pods of the control planes that exist.
    pub(crate) async fn pods(&self) -> Result<Vec<Pod>> {
        Ok(self.pods.list(&ListParams::default()).await.context("list the pods")?.items)
    }

    async fn names(&self) -> Result<Vec<String>> {
        let found = self.control_planes.list_metadata(&ListParams::default()).await;
        Ok(found.context("list the control planes")?.iter().map(ResourceExt::name_any).collect())
    }

    /// Removes all control planes and waits until their pods are gone too.
    pub(crate) fn remove_control_planes(&self) -> BoxFuture<'_, Result<()>> {
        // Boxed: the client's futures are large, and this one is part of most others here.
        async move {
            for name in self.names().await? {
                let removed = self.control_planes.delete(&name, &DeleteParams::default()).await;
                removed.with_context(|| format!("delete {name}"))?;
            }
            self.wait_until_removed().await
        }
        .boxed()
    }

    /// Waits until no pod of any control plane is left.
    pub(crate) async fn wait_for_no_pods(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let pods = self.pods().await?.len();
            if pods == 0 {
                return Ok(());
            }
            if started.elapsed() > REMOVAL_DEADLINE {
                bail!("{pods} pods are still there after {REMOVAL_DEADLINE:?}");
            }
            tokio::time::sleep(REMOVAL_POLL).await;
        }
    }

    async fn wait_until_removed(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let left = self.names().await?.len();
            let pods = self.pods().await?.len();
            if left == 0 && pods == 0 {
                return Ok(());
            }
            if started.elapsed() > REMOVAL_DEADLINE {
                bail!("{left} control planes and {pods} pods are still there after {REMOVAL_DEADLINE:?}");
            }
            tokio::time::sleep(REMOVAL_POLL).await;
        }
    }

    /// Removes everything that the bench made.
    pub(crate) async fn remove_all(&self) -> Result<()> {
        self.remove_control_planes().await?;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let name = &self.settings.namespace;
        namespaces
            .delete(name, &DeleteParams::default())
            .await
            .with_context(|| format!("delete namespace {name}"))?;
        Ok(())
    }

    fn control_plane(&self, name: &str, spec: &Value) -> Result<TenantControlPlane> {
        let settings = &self.settings;
        let mut whole = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1",
            "kind": "TenantControlPlane",
            "metadata": {"name": name, "namespace": settings.namespace},
            "spec": {
                "dataStore": settings.data_store,
                "controlPlane": {
                    "deployment": {"replicas": 1},
                    "service": {"serviceType": settings.service_type},
                },
                "kubernetes": {"version": settings.version, "kubelet": {"cgroupfs": "systemd"}},
            },
        });
        lay_over(&mut whole["spec"], spec);
        serde_json::from_value(whole)
            .context("build the control plane; is --service-type one of ClusterIP, NodePort, LoadBalancer?")
    }
}

/// Ready as every operator of these resources says it.
fn is_ready(control_plane: &TenantControlPlane) -> bool {
    state(control_plane) == Some(VersionState::Ready)
}

/// The state that every operator of these resources tells.
pub(crate) fn state(control_plane: &TenantControlPlane) -> Option<VersionState> {
    control_plane.status.as_ref()?.kubernetes_resources.version.status
}

fn lay_over(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                lay_over(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// Container restarts of `pods`, init containers included.
pub(crate) fn restarts(pods: &[Pod]) -> i32 {
    let statuses = pods.iter().filter_map(|pod| pod.status.as_ref());
    statuses
        .flat_map(|status| [&status.container_statuses, &status.init_container_statuses])
        .flatten()
        .flatten()
        .map(|container| container.restart_count)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn herd_is_ready_when_its_last_member_is() {
        let mut herd = Herd { wanted: 2, ready_after: BTreeMap::new() };
        herd.ready_after.insert("a".to_owned(), Duration::from_secs(3));
        assert_eq!(herd.all_ready_after(), None);
        herd.ready_after.insert("b".to_owned(), Duration::from_secs(5));
        assert_eq!(herd.all_ready_after(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn restarts_of_all_containers_are_added_up() {
        let pod: Pod = serde_json::from_value(json!({"status": {
            "containerStatuses": [
                {"name": "a", "restartCount": 2, "ready": true, "image": "", "imageID": ""},
                {"name": "b", "restartCount": 1, "ready": true, "image": "", "imageID": ""}],
            "initContainerStatuses": [
                {"name": "c", "restartCount": 4, "ready": true, "image": "", "imageID": ""}]
        }}))
        .unwrap();
        assert_eq!(restarts(&[pod, Pod::default()]), 7);
    }
}
