//! Control planes of the stories.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use api::TenantControlPlane;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::{Cluster, eventually};

/// How long a control plane may take to be ready on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// A control plane to make.
#[derive(Debug, Clone)]
pub struct TenantSpec {
    name: String,
    spec: Value,
}

impl TenantSpec {
    /// One replica, reached inside the management cluster, state in the default DataStore.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let spec = json!({
            "dataStore": "default",
            "controlPlane": {
                "deployment": {"replicas": 1},
                "service": {"serviceType": "ClusterIP"},
            },
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        });
        Self { name: name.to_owned(), spec }
    }

    /// One with all addons, for machines that are namespaces of one machine: control groups of version 1, a
    /// disk that is nobody's own, and settings of the kernel that they may not write.
    #[must_use]
    pub fn with_workers(name: &str) -> Self {
        let patch = |path: &str, value: Value| json!({ "op": "add", "path": path, "value": value });
        let eviction =
            json!({ "memory.available": "100Mi", "nodefs.available": "512Mi", "imagefs.available": "512Mi" });
        Self::new(name)
            .with("/controlPlane/service/serviceType", json!("LoadBalancer"))
            .with(
                "/kubernetes/kubelet/configurationJSONPatches",
                json!([
                    patch("/failCgroupV1", json!(false)),
                    // Certificates that the tenant's authority signs, which whoever calls a kubelet can check.
                    patch("/serverTLSBootstrap", json!(true)),
                    patch("/evictionHard", eviction),
                    patch("/imageGCHighThresholdPercent", json!(100)),
                    patch("/imageGCLowThresholdPercent", json!(99)),
                ]),
            )
            .with(
                "/addons",
                json!({
                    "coreDNS": {},
                    "konnectivity": {},
                    "kubeProxy": { "configurationJSONPatches": [
                        patch("/conntrack", json!({
                            "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
                        })),
                    ] },
                }),
            )
    }

    /// Sets a field of the spec by its JSON pointer; objects on the way are made.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        let mut place = &mut self.spec;
        for step in pointer.trim_start_matches('/').split('/') {
            place = &mut place[step];
        }
        *place = value;
        self
    }
}

/// The control planes of one namespace.
#[derive(Clone)]
pub struct Tenants {
    client: Client,
    cluster: Cluster,
    namespace: String,
}

impl Tenants {
    /// Those of a namespace, which is made if it is not there.
    pub async fn new(cluster: &Cluster, namespace: &str) -> Result<Self> {
        let client = cluster.client().await?;
        let body: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        match namespaces.create(&PostParams::default(), &body).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            other => other.map(|_| ()).context("make the namespace")?,
        }
        Ok(Self { client, cluster: cluster.clone(), namespace: namespace.to_owned() })
    }

    /// The API of the control planes.
    #[must_use]
    pub fn api(&self) -> Api<TenantControlPlane> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A namespaced API beside them.
    #[must_use]
    pub fn beside<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates one.
    pub async fn create(&self, tenant: &TenantSpec) -> Result<TenantControlPlane, kube::Error> {
        let body = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1",
            "kind": "TenantControlPlane",
            "metadata": {"name": tenant.name, "namespace": self.namespace},
            "spec": tenant.spec,
        });
        let object = serde_json::from_value(body).map_err(kube::Error::SerdeError)?;
        self.api().create(&PostParams::default(), &object).await
    }

    /// Changes one by a merge patch of its spec.
    pub async fn change(&self, name: &str, spec: Value) -> Result<(), kube::Error> {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api().patch(name, &PatchParams::default(), &patch).await.map(|_| ())
    }

    /// Waits until one is Ready.
    pub async fn ready(&self, name: &str) -> Result<TenantControlPlane> {
        self.condition(name, "Ready", "True", None, PATIENCE).await
    }

    /// Waits until a condition has a status and, if given, a reason.
    pub async fn condition(
        &self,
        name: &str,
        kind: &str,
        status: &str,
        reason: Option<&str>,
        limit: Duration,
    ) -> Result<TenantControlPlane> {
        eventually(&format!("{name}: {kind}={status}"), limit, || async {
            let tenant = self.api().get(name).await?;
            let conditions =
                tenant.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
            let found = conditions.iter().find(|condition| condition.type_ == kind);
            match found {
                Some(found)
                    if found.status == status && reason.is_none_or(|reason| found.reason == reason) =>
                {
                    Ok(tenant)
                }
                _ => bail!("{conditions:?}"),
            }
        })
        .await
    }

    /// Writes the administrator's kubeconfig of one to a file.
    pub async fn kubeconfig(&self, name: &str) -> Result<PathBuf> {
        let secret: Secret = self.beside().get(&format!("{name}-admin-kubeconfig")).await?;
        let data = secret.data.unwrap_or_default();
        let content = data.get("admin.conf").context("no key admin.conf")?;
        let path = self.cluster.directory().join(format!("story-{}-{name}.kubeconfig", self.namespace));
        std::fs::write(&path, &content.0)?;
        Ok(path)
    }

    /// Pods of one.
    pub async fn pods(&self, name: &str) -> Result<Vec<Pod>> {
        let own = ListParams::default().labels(&format!("kamaji.clastix.io/name={name}"));
        Ok(self.beside::<Pod>().list(&own).await?.items)
    }

    /// Sum of the restarts of all containers of one.
    pub async fn restarts(&self, name: &str) -> Result<i32> {
        let pods = self.pods(name).await?;
        let statuses =
            pods.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref()).flatten();
        Ok(statuses.map(|container| container.restart_count).sum())
    }

    /// Deletes one and waits until it is gone.
    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.api().delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
            other => other.map(|_| ())?,
        }
        eventually(&format!("{name} is gone"), Duration::from_mins(1), || async {
            match self.api().get_opt(name).await? {
                None => Ok(()),
                Some(left) => bail!("finalizers {:?}", left.finalizers()),
            }
        })
        .await
    }
}
