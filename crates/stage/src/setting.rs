//! Sets the stage: control plane, definitions, webhooks, store, and those who play.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use api::{DataStore, TenantControlPlane};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{Api, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource};
use launcher::{CommandSpec, ControlPlane, Etcd, free_ports};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::tenants::Tenants;
use crate::{Fuse, Operator, addresses, pods, proxy, store};

/// Namespace of the operator, as in the chart.
const NAMESPACE: &str = "flotilla-system";
/// What is played is not done by the controller manager too. Lists of controllers add up.
const CONTROLLERS: &str = "--controllers=-deployment-controller,-replicaset-controller";

/// How a stage differs from the usual one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Leaves the admission webhooks out, so that the operator gets to see what they would refuse.
    pub without_webhooks: bool,
    /// Has an API server of its own, which can be restarted.
    pub own: bool,
}

/// A management cluster without nodes.
pub struct Stage {
    client: Client,
    control_plane: ControlPlane,
    store: Etcd,
    fuse: Fuse,
    tenants: Tenants,
    proxy_kubeconfig: PathBuf,
    players: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Starts everything but the operator.
    pub async fn set(options: Options) -> Result<Self> {
        // Another part of the program may have chosen a provider before; either serves.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let control_plane = ControlPlane::start(&launcher::Options {
            own: options.own,
            ..launcher::Options::management(api::crds)
        })
        .await?;
        let client = client(&control_plane.kubeconfig_path()).await?;
        let store = Etcd::start().await?;
        let fuse = Fuse::default();
        let tenants = Tenants::new(fuse.clone());
        let (address, proxy) = proxy::serve(client.clone(), fuse.clone()).await?;
        let proxy_kubeconfig = control_plane.directory().join("proxy.kubeconfig");
        std::fs::write(&proxy_kubeconfig, kubeconfig(&format!("http://{address}")))?;
        let playing = tokio::spawn(pods::play(client.clone(), tenants.clone()));
        let players = vec![proxy, playing];
        let mut stage = Self { client, control_plane, store, fuse, tenants, proxy_kubeconfig, players };
        stage.install(options).await?;
        Ok(stage)
    }

    /// A client with all rights, past the proxy.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The fuse that the operator's writes pass.
    #[must_use]
    pub fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// The store behind DataStore `store`.
    pub fn store(&mut self) -> &mut Etcd {
        &mut self.store
    }

    /// The management cluster's processes.
    pub fn control_plane(&mut self) -> &mut ControlPlane {
        &mut self.control_plane
    }

    /// Control planes in a namespace.
    #[must_use]
    pub fn tenants(&self, namespace: &str) -> Api<TenantControlPlane> {
        Api::namespaced(self.client(), namespace)
    }

    /// Objects of a kind in a namespace.
    #[must_use]
    pub fn objects<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client(), namespace)
    }

    /// What stands in the cluster of the control plane `uid`, by path.
    #[must_use]
    pub fn inside(&self, uid: &str) -> std::collections::BTreeMap<String, Value> {
        self.tenants.all_objects(uid)
    }

    /// Starts the operator; its requests pass the fuse.
    pub async fn operator(&self, program: &Path, flags: &[&str]) -> Result<Operator> {
        self.start_operator(program, flags, &self.proxy_kubeconfig).await
    }

    /// Starts the operator without proxy and fuse.
    pub async fn operator_directly(&self, program: &Path, flags: &[&str]) -> Result<Operator> {
        self.start_operator(program, flags, &self.control_plane.kubeconfig_path()).await
    }

    async fn start_operator(&self, program: &Path, flags: &[&str], kubeconfig: &Path) -> Result<Operator> {
        let [metrics, health] = free_ports()?;
        let webhooks = addresses::webhooks(self.control_plane.services());
        let log = self.control_plane.directory().join("operator.log");
        let spec = CommandSpec::new("flotilla-operator", program, log)
            .args([
                format!("--kubeconfig={}", kubeconfig.display()),
                format!("--namespace={NAMESPACE}"),
                "--leader-elect=false".to_owned(),
                format!("--webhook-bind-address={webhooks}"),
                format!("--metrics-bind-address=127.0.0.1:{metrics}"),
                format!("--health-probe-bind-address=127.0.0.1:{health}"),
            ])
            .args(flags.iter().copied());
        Operator::start(spec, (Ipv4Addr::LOCALHOST, health).into()).await
    }

    async fn install(&mut self, options: Options) -> Result<()> {
        self.create_namespace(NAMESPACE).await?;
        self.control_plane.start_controller_manager(&[CONTROLLERS])?;
        let store = serde_json::from_value(store::object("store", &self.store))?;
        Api::<DataStore>::all(self.client()).create(&PostParams::default(), &store).await?;
        if !options.without_webhooks {
            self.install_webhooks().await?;
        }
        Ok(())
    }

    /// Makes a namespace.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
        Api::all(self.client()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// The chart's own webhooks, behind a Service whose address is this machine.
    async fn install_webhooks(&self) -> Result<()> {
        let address = addresses::webhooks(self.control_plane.services());
        let service: Service = serde_json::from_value(json!({
            "metadata": {"name": "flotilla-webhook"},
            "spec": {"clusterIP": address.ip(), "ports": [{"port": address.port()}]},
        }))?;
        self.objects(NAMESPACE).create(&PostParams::default(), &service).await?;
        for document in chart()? {
            match document["kind"].as_str() {
                Some("MutatingWebhookConfiguration") => {
                    self.install_one::<MutatingWebhookConfiguration>(document).await?;
                }
                Some("ValidatingWebhookConfiguration") => {
                    self.install_one::<ValidatingWebhookConfiguration>(document).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn install_one<K>(&self, mut document: Value) -> Result<()>
    where
        K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::Serialize + DeserializeOwned,
    {
        for webhook in document["webhooks"].as_array_mut().into_iter().flatten() {
            webhook["clientConfig"]["service"]["port"] =
                json!(addresses::webhooks(self.control_plane.services()).port());
        }
        let object: K = serde_json::from_value(document)?;
        Api::all(self.client()).create(&PostParams::default(), &object).await?;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.players.iter().for_each(JoinHandle::abort);
    }
}

/// The chart as it is rendered with its defaults.
fn chart() -> Result<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/flotilla/tests/default.golden.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_multiple(&text).context("parse the rendered chart")
}

fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "stage",
        "clusters": [{"name": "stage", "cluster": {"server": server}}],
        "users": [{"name": "stage", "user": {}}],
        "contexts": [{"name": "stage", "context": {"cluster": "stage", "user": "stage"}}],
    })
    .to_string()
}

async fn client(path: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(path)?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
