//! Many clusters in a hub's inventory, and one real cluster behind it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::TenantControlPlane;
use desired::hub::{AUTHORITY, Certificate, ENDPOINT, FILE, Hub, config_map};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::config::Kubeconfig;
use launcher::{ControlPlane, Options};
use serde_json::{Value, json};
use stage::eventually;

use crate::memory::Memory;

/// Where the clusters of the inventory stand.
const FLEET: &str = "fleet";
const AT_ONCE: usize = 32;
const PATIENCE: Duration = Duration::from_mins(2);

/// The server without a limit of requests, as where a figure is about something else.
pub(super) const UNLIMITED: &str = "--requests-per-second=0";

/// Everything that is measured.
pub(super) struct World {
    pub(super) hub: fleet::Hub,
}

/// A cluster, past the hub and through it, as the same person.
pub(super) struct Reached {
    pub(super) direct: Client,
    pub(super) through: Client,
    _cluster: ControlPlane,
    _directory: tempfile::TempDir,
}

impl World {
    pub(super) async fn set(clusters: usize) -> Result<Self> {
        let hub = fleet::Hub::start(&[UNLIMITED]).await?;
        fill(hub.management(), clusters).await?;
        eventually("the inventory is whole", PATIENCE, || async {
            let page = hub.ask("GET", "/api/v1/clusters?limit=1", &Value::Null).await?;
            ensure!(page["total"] == clusters, "{} of {clusters}", page["total"]);
            Ok(())
        })
        .await?;
        Ok(Self { hub })
    }

    /// Memory of the server.
    pub(super) fn memory(&self) -> Result<Memory> {
        Memory::of(self.hub.pid()).context("the server is gone")
    }

    /// A real cluster that trusts the hub.
    pub(super) async fn cluster(&self) -> Result<Reached> {
        let made =
            Api::<TenantControlPlane>::namespaced(self.hub.management().clone(), FLEET).get("c-0").await?;
        let hub = Hub {
            issuer: format!("{}/issuer", self.hub.url()),
            discovery: String::new(),
            certificate: Certificate::Signed(self.hub.authority().to_owned()),
        };
        let validated = desired::validate(&made).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let validated = validated.with_hub(Some(hub));
        let mut entrance: ConfigMap = config_map(&validated, "").context("no entrance")?;
        let data = entrance.data.as_mut().context("an empty entrance")?;
        let directory = tempfile::tempdir()?;
        let file = directory.path().join(FILE);
        std::fs::write(&file, data.get(FILE).context("no configuration")?)?;
        let flag = format!("--authentication-config={}", file.display());
        let cluster =
            ControlPlane::start(&Options { api_server_args: vec![flag], ..Options::default() }).await?;
        let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig_path())?;
        let reached =
            kubeconfig.clusters.first().and_then(|named| named.cluster.clone()).context("no cluster")?;
        let endpoint = reached.server.context("no address")?;
        let authority = String::from_utf8(pki_text(reached.certificate_authority_data.as_deref())?)?;
        data.insert(ENDPOINT.to_owned(), endpoint.clone());
        data.insert(AUTHORITY.to_owned(), authority.clone());
        Api::namespaced(self.hub.management().clone(), FLEET)
            .create(&PostParams::default(), &entrance)
            .await?;
        let whole = kubekit::client(Some(&cluster.kubeconfig_path())).await?;
        let binding: ClusterRoleBinding = serde_json::from_value(json!({
            "metadata": { "name": "hub" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "flotilla:cluster:platform-admin",
            }],
        }))?;
        Api::all(whole).create(&PostParams::default(), &binding).await?;
        let path = format!("/api/v1/clusters/{FLEET}.c-0/credential");
        let issued = self.hub.ask("POST", &path, &Value::Null).await?;
        let token = issued["token"].as_str().context("no identity")?;
        let direct = kubekit::client_for_server(&endpoint, Some(&authority), Some(token))?;
        super::trusted(&direct).await?;
        let through = self.hub.client(&format!("/k8s/clusters/{FLEET}.c-0"), None)?;
        super::trusted(&through).await?;
        Ok(Reached { direct, through, _cluster: cluster, _directory: directory })
    }
}

/// Control planes of several versions, without pods.
async fn fill(client: &Client, clusters: usize) -> Result<()> {
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": FLEET } }))?;
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let api: Api<TenantControlPlane> = Api::namespaced(client.clone(), FLEET);
    stream::iter(0..clusters)
        .map(|number| {
            let api = &api;
            async move {
                let changes = json!({ "kubernetes": { "version": format!("v1.36.{}", number % 4) } });
                let tenant = stage::manifest(&format!("c-{number}"), changes)?;
                api.create(&PostParams::default(), &tenant).await.context("create a control plane")
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await
        .map(drop)
}

fn pki_text(encoded: Option<&str>) -> Result<Vec<u8>> {
    let value: k8s_openapi::ByteString = serde_json::from_value(json!(encoded.context("no authority")?))?;
    Ok(value.0)
}
