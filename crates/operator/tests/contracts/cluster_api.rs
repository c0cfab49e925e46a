//! What the Cluster API provider for Kamaji writes into a control plane, and what it reads from it and when.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use api::{TenantControlPlane, VersionState};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use pki::KubeconfigContents;
use serde_json::{Value, json};
use stage::{Stage, eventually};
use tokio::task::JoinHandle;

use crate::{NAMESPACE, PATIENCE, ready, set};

const NAME: &str = "capi";

/// What the provider saw at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sight {
    state: Option<&'static str>,
    version: Option<String>,
    endpoint: Option<String>,
    kubeconfig: Option<String>,
    authority: Option<String>,
}

/// Everything that the provider sets.
fn written() -> Value {
    let resources = json!({"requests": {"cpu": "10m"}});
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {
            "name": NAME,
            "labels": {"cluster.x-k8s.io/cluster-name": NAME, "team": "a"},
            "annotations": {"cluster.x-k8s.io/note": "kept"},
            "ownerReferences": [{
                "apiVersion": "controlplane.cluster.x-k8s.io/v1alpha2", "kind": "KamajiControlPlane",
                "name": NAME, "uid": "00000000-0000-0000-0000-000000000001", "controller": true,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "dataStore": "store",
            "controlPlane": {
                "deployment": {
                    "replicas": 2,
                    "registrySettings": {"registry": "registry.k8s.io", "tagSuffix": ""},
                    "extraArgs": {
                        "apiServer": ["--profiling=false"], "controllerManager": ["--profiling=false"],
                        "scheduler": ["--profiling=false"], "kine": [],
                    },
                    "resources": {
                        "apiServer": resources, "controllerManager": resources, "scheduler": resources,
                    },
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "additionalMetadata": {"labels": {"from": "capi"}},
                    "podAdditionalMetadata": {"labels": {"from": "capi"}},
                    "strategy": {
                        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0},
                    },
                    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
                    "topologySpreadConstraints": [{
                        "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                    }],
                    "probes": {"liveness": {"periodSeconds": 20}},
                },
                "service": {"serviceType": "ClusterIP", "additionalMetadata": {"labels": {"from": "capi"}}},
            },
            "kubernetes": {
                "version": "v1.35.4",
                "kubelet": {"preferredAddressTypes": ["InternalIP", "ExternalIP", "Hostname"]},
                "admissionControllers": ["ServiceAccount", "ResourceQuota"],
            },
            "networkProfile": {
                "port": 6443, "serviceCidrs": ["10.96.0.0/16"], "podCidrs": ["10.244.0.0/16"],
                "clusterDomain": "cluster.local", "dnsServiceIPs": ["10.96.0.10"],
                "certSANs": ["api.example.com"],
            },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_api_finds_what_it_reads_when_it_reads_it() {
    let (stage, _operator) = set().await;
    let seen = Record::begin(&stage);
    let tenant = serde_json::from_value(written()).unwrap();
    eventually("the control plane is admitted", PATIENCE, || async {
        let parameters = PostParams { field_manager: Some("manager".to_owned()), ..PostParams::default() };
        Ok(stage.tenants(NAMESPACE).create(&parameters, &tenant).await?)
    })
    .await
    .unwrap();
    let tenant = ready(&stage, NAME).await;

    keeps_what_the_provider_wrote(&tenant);
    counts_replicas(&tenant, 2);
    for sight in seen.sights().iter().filter(|sight| sight.state == Some("Ready")) {
        assert_eq!(sight.version.as_deref(), Some("v1.35.4"), "{sight:?}");
        assert!(sight.endpoint.as_ref().is_some_and(|endpoint| endpoint.ends_with(":6443")), "{sight:?}");
        assert!(sight.kubeconfig.is_some() && sight.authority.is_some(), "initialized too early: {sight:?}");
    }
    hands_out_what_the_provider_copies(&stage, &tenant).await;

    let upgrade = Patch::Merge(json!({"spec": {"kubernetes": {"version": "v1.36.3"}}}));
    seen.sights().clear();
    stage.tenants(NAMESPACE).patch(NAME, &PatchParams::default(), &upgrade).await.unwrap();
    state(&stage, "v1.36.3").await;
    let states: BTreeSet<_> = seen.sights().iter().filter_map(|sight| sight.state).collect();
    assert!(states.is_subset(&["Ready", "Upgrading"].into()), "not ready during the upgrade: {states:?}");

    let scale = Patch::Merge(json!({"spec": {"controlPlane": {"deployment": {"replicas": 3}}}}));
    stage.tenants(NAMESPACE).patch(NAME, &PatchParams::default(), &scale).await.unwrap();
    eventually("three replicas are counted", PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(NAME).await?;
        let deployment = tenant.status.and_then(|status| status.kubernetes_resources.deployment);
        let ready = deployment.and_then(|deployment| deployment.ready_replicas);
        anyhow::ensure!(ready == Some(3), "{ready:?}");
        Ok(())
    })
    .await
    .unwrap();
}

fn keeps_what_the_provider_wrote(tenant: &TenantControlPlane) {
    let owners = tenant.metadata.owner_references.clone().unwrap_or_default();
    assert!(owners.iter().any(|owner| owner.kind == "KamajiControlPlane" && owner.controller == Some(true)));
    assert_eq!(tenant.labels()["cluster.x-k8s.io/cluster-name"], NAME);
    assert_eq!(tenant.annotations()["cluster.x-k8s.io/note"], "kept");
    let spec = serde_json::to_value(&tenant.spec).unwrap();
    for (place, value) in leaves("", &written()["spec"]) {
        assert_eq!(spec.pointer(&place), Some(&value), "{place}");
    }
}

/// Values that are no objects, with their place.
fn leaves(place: &str, value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(fields) => {
            let below = |(key, value): (&String, &Value)| {
                leaves(&format!("{place}/{}", key.replace('/', "~1")), value)
            };
            fields.iter().flat_map(below).collect()
        }
        // An empty list is as good as none.
        Value::Array(items) if items.is_empty() => Vec::new(),
        other => vec![(place.to_owned(), other.clone())],
    }
}

fn counts_replicas(tenant: &TenantControlPlane, wanted: i32) {
    let resources = tenant.status.clone().unwrap().kubernetes_resources;
    let deployment = resources.deployment.unwrap();
    let counts = [
        deployment.ready_replicas,
        deployment.replicas,
        deployment.available_replicas,
        deployment.updated_replicas,
    ];
    assert!(counts.iter().all(|count| *count == Some(wanted)), "{counts:?}");
    assert_eq!(deployment.selector, format!("kamaji.clastix.io/name={NAME}"));
}

/// The provider copies the kubeconfig; the CA it leaves where cluster and control plane have one name, as
/// the Secret is there already, under the keys that Cluster API knows.
async fn hands_out_what_the_provider_copies(stage: &Stage, tenant: &TenantControlPlane) {
    let status = tenant.status.clone().unwrap();
    let get = |name: String| {
        let api: Api<Secret> = stage.objects(NAMESPACE);
        async move { api.get(&name).await.unwrap() }
    };
    let text =
        |secret: &Secret, key: &str| String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap();
    let admin = get(status.kubeconfig.admin.secret_name.unwrap()).await;
    let ca = get(status.certificates.ca.secret_name.unwrap()).await;
    assert_eq!(ca.name_any(), format!("{NAME}-ca"));
    assert_eq!(text(&ca, "ca.crt"), text(&ca, "tls.crt"));
    assert_eq!(text(&ca, "ca.key"), text(&ca, "tls.key"));
    let owner = &ca.metadata.owner_references.as_ref().unwrap()[0];
    assert_eq!((owner.kind.as_str(), Some(owner.uid.clone())), ("TenantControlPlane", tenant.uid()));
    let endpoint = status.control_plane_endpoint.unwrap();
    for (key, server) in [
        ("admin.conf", format!("https://{endpoint}")),
        ("admin.svc", format!("https://{NAME}.{NAMESPACE}.svc:6443")),
    ] {
        let contents = KubeconfigContents::read(&text(&admin, key)).unwrap();
        assert_eq!(contents.server, server);
        assert_eq!(contents.certificate_authority, text(&ca, "ca.crt"));
    }
}

async fn state(stage: &Stage, version: &str) {
    eventually(&format!("{version} is installed"), PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(NAME).await?;
        let found = tenant.status.unwrap_or_default().kubernetes_resources.version;
        anyhow::ensure!(found.version.as_deref() == Some(version), "{found:?}");
        anyhow::ensure!(found.status == Some(VersionState::Ready), "{found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

/// What each change of the control plane showed.
struct Record {
    sights: Arc<Mutex<Vec<Sight>>>,
    watch: JoinHandle<()>,
}

impl Record {
    fn begin(stage: &Stage) -> Self {
        let sights = Arc::new(Mutex::new(Vec::new()));
        let (notes, api) = (sights.clone(), stage.tenants(NAMESPACE));
        let watch = tokio::spawn(async move {
            let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
            while let Some(event) = events.next().await {
                if let Ok(Event::Apply(tenant) | Event::InitApply(tenant)) = event {
                    notes.lock().unwrap().push(sight(&tenant));
                }
            }
        });
        Self { sights, watch }
    }

    fn sights(&self) -> MutexGuard<'_, Vec<Sight>> {
        self.sights.lock().unwrap()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn sight(tenant: &TenantControlPlane) -> Sight {
    let status = tenant.status.clone().unwrap_or_default();
    let version = status.kubernetes_resources.version;
    let state = version.status.map(|state| match state {
        VersionState::Ready => "Ready",
        VersionState::Upgrading => "Upgrading",
        _ => "another",
    });
    Sight {
        state,
        version: version.version,
        endpoint: status.control_plane_endpoint,
        kubeconfig: status.kubeconfig.admin.secret_name,
        authority: status.certificates.ca.secret_name,
    }
}
