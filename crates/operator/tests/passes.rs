//! The operator against a real API server and a real etcd, without pods: what one pass makes, what it
//! says of bad input, and what it leaves alone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::Future;
use std::time::{Duration, Instant};

use api::{DataStore, TenantControlPlane};
use clap::Parser;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use launcher::{ControlPlane, Options};
use operator::Settings;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// How soon a user is told.
const SOON: Duration = Duration::from_secs(5);

/// A management cluster without nodes, and an operator that serves it.
struct Stage {
    client: Client,
    operator: JoinHandle<()>,
    control_plane: ControlPlane,
}

impl Stage {
    async fn set() -> Self {
        service::install_tls_provider();
        // Its etcd is a data store too.
        let options = Options { own: true, ..Options::management(api::crds) };
        let control_plane = ControlPlane::start(&options).await.unwrap();
        let client = kubekit::client(Some(&control_plane.kubeconfig_path())).await.unwrap();
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
        let body = serde_json::from_value(json!({"metadata": {"name": "flotilla-system"}})).unwrap();
        namespaces.create(&PostParams::default(), &body).await.unwrap();
        let operator = operate(&control_plane);
        Self { client, operator, control_plane }
    }

    fn tenants(&self) -> Api<TenantControlPlane> {
        Api::namespaced(self.client.clone(), "default")
    }

    fn beside<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    async fn create_tenant(&self, name: &str, spec: Value) {
        let mut whole = json!({
            "dataStore": "store",
            "controlPlane": {"deployment": {"replicas": 1}, "service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        });
        merge(&mut whole, spec);
        let body = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": name}, "spec": whole,
        });
        let tenant = serde_json::from_value(body).unwrap();
        self.tenants().create(&PostParams::default(), &tenant).await.unwrap();
    }

    /// The API server's own etcd serves as a store, as it does for tenants.
    async fn create_store(&self) {
        let pki = self.control_plane.directory().join("pki");
        let read = |path: &str| ByteString(std::fs::read(pki.join(path)).unwrap());
        let content = |path: &str| json!({"content": read(path)});
        let body = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore",
            "metadata": {"name": "store"},
            "spec": {
                "driver": "etcd",
                "endpoints": [self.control_plane.etcd_endpoint().trim_start_matches("https://")],
                "tlsConfig": {
                    "certificateAuthority": {
                        "certificate": content("etcd-ca.crt"), "privateKey": content("etcd-ca.key"),
                    },
                    "clientCertificate": {
                        "certificate": content("apiserver-etcd-client.crt"),
                        "privateKey": content("apiserver-etcd-client.key"),
                    },
                },
            },
        });
        let store = serde_json::from_value(body).unwrap();
        Api::<DataStore>::all(self.client.clone()).create(&PostParams::default(), &store).await.unwrap();
    }

    /// Waits until a condition has a status and a reason; returns its message.
    async fn condition(&self, name: &str, kind: &str, status: &str, reason: &str) -> String {
        eventually(&format!("{name}: {kind}={status} ({reason})"), || async {
            let tenant = self.tenants().get(name).await.map_err(|error| error.to_string())?;
            let conditions = tenant.status.map(|status| status.conditions).unwrap_or_default();
            conditions
                .iter()
                .find(|found| (&*found.type_, &*found.status, &*found.reason) == (kind, status, reason))
                .map(|found| found.message.clone())
                .ok_or_else(|| format!("{conditions:?}"))
        })
        .await
    }

    /// Everything that was made for a control plane, with its version.
    async fn made(&self, name: &str) -> Vec<(String, String)> {
        let own = ListParams::default().labels(&format!("kamaji.clastix.io/name={name}"));
        let mut found = Vec::new();
        for secret in self.beside::<Secret>().list(&own).await.unwrap() {
            found.push((format!("Secret/{}", secret.name_any()), secret.resource_version().unwrap()));
        }
        for service in self.beside::<Service>().list(&own).await.unwrap() {
            found.push((format!("Service/{}", service.name_any()), service.resource_version().unwrap()));
        }
        for deployment in self.beside::<Deployment>().list(&own).await.unwrap() {
            found.push((
                format!("Deployment/{}", deployment.name_any()),
                deployment.resource_version().unwrap(),
            ));
        }
        found
    }
}

impl Stage {
    /// No kubelet runs here, so the test says that the pods are ready.
    async fn say_ready(&self, name: &str) {
        let ready = Patch::Merge(json!({"status": {"replicas": 1, "readyReplicas": 1}}));
        self.beside::<Deployment>().patch_status(name, &PatchParams::default(), &ready).await.unwrap();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.operator.abort();
    }
}

fn operate(control_plane: &ControlPlane) -> JoinHandle<()> {
    let [webhooks, metrics, health] = launcher::free_ports().unwrap();
    let settings = Settings::parse_from([
        "flotilla-operator".to_owned(),
        "--leader-elect=false".to_owned(),
        "--start-slots=1".to_owned(),
        format!("--kubeconfig={}", control_plane.kubeconfig_path().display()),
        format!("--webhook-bind-address=127.0.0.1:{webhooks}"),
        format!("--metrics-bind-address=127.0.0.1:{metrics}"),
        format!("--health-probe-bind-address=127.0.0.1:{health}"),
    ]);
    tokio::spawn(async move {
        if let Err(error) = operator::run(settings).await {
            panic!("the operator ended: {error:#}");
        }
    })
}

async fn eventually<T, F: Future<Output = Result<T, String>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(last) => assert!(began.elapsed() < SOON * 4, "{what}: last seen {last}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_leaves_nothing_and_heals() {
    let stage = Stage::set().await;
    stage.create_tenant("newer", json!({"kubernetes": {"version": "v1.99.0"}})).await;
    let message = stage.condition("newer", "Accepted", "False", "InvalidSpec").await;
    assert!(message.contains("spec.kubernetes.version") && message.contains("1.36"), "{message}");
    stage.create_tenant("street", json!({"networkProfile": {"address": "5th avenue"}})).await;
    let message = stage.condition("street", "Accepted", "False", "InvalidSpec").await;
    assert!(message.contains("spec.networkProfile.address"), "{message}");
    stage.create_tenant("lost", json!({})).await;
    let message = stage.condition("lost", "DataStoreReady", "False", "DataStoreNotFound").await;
    assert!(message.contains("store"), "{message}");
    for name in ["newer", "street", "lost"] {
        assert_eq!(stage.made(name).await, [], "{name} left something behind");
    }

    let mended = Patch::Merge(json!({"spec": {"kubernetes": {"version": "v1.36.3"}}}));
    stage.tenants().patch("newer", &PatchParams::default(), &mended).await.unwrap();
    stage.create_store().await;
    for name in ["newer", "lost"] {
        stage.condition(name, "DataStoreReady", "True", "Provisioned").await;
        stage.condition(name, "CertificatesReady", "True", "Issued").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pass_makes_everything_and_the_next_writes_nothing() {
    let stage = Stage::set().await;
    stage.create_store().await;
    stage.create_tenant("first", json!({})).await;
    stage.condition("first", "ControlPlaneAvailable", "False", "Starting").await;
    let made = stage.made("first").await;
    let kinds = |kind: &str| made.iter().filter(|(name, _)| name.starts_with(kind)).count();
    assert_eq!((kinds("Secret/"), kinds("Service/"), kinds("Deployment/")), (11, 1, 1), "{made:?}");

    // Touched from outside, it is gone over again; another one behind it shows when that is done.
    let touch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/touched": "1"}}}));
    stage.tenants().patch("first", &PatchParams::default(), &touch).await.unwrap();
    stage.create_tenant("second", json!({})).await;
    stage.condition("second", "CertificatesReady", "True", "Issued").await;
    assert_eq!(stage.made("first").await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_schema_opens_no_other_tenants_state() {
    let stage = Stage::set().await;
    stage.create_store().await;
    stage.create_tenant("victim", json!({"dataStoreSchema": "team", "dataStoreUsername": "team"})).await;
    stage.condition("victim", "DataStoreReady", "True", "Provisioned").await;
    for (name, spec) in [
        ("schema-thief", json!({"dataStoreSchema": "team"})),
        ("user-thief", json!({"dataStoreUsername": "team"})),
    ] {
        stage.create_tenant(name, spec).await;
        let message = stage.condition(name, "DataStoreReady", "False", "DataStoreNotReady").await;
        assert!(message.contains("another control plane"), "{message}");
        assert!(!message.contains("victim"), "the victim's name is told: {message}");
        assert_eq!(stage.made(name).await, [], "{name} got something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_lets_one_start_and_the_next_wait() {
    let stage = Stage::set().await;
    stage.create_store().await;
    stage.create_tenant("first", json!({})).await;
    stage.condition("first", "ControlPlaneAvailable", "False", "Starting").await;
    stage.create_tenant("second", json!({})).await;
    stage.condition("second", "ControlPlaneAvailable", "False", "WaitingForStart").await;
    let held = stage.beside::<Deployment>().get("second").await.unwrap().spec.unwrap();
    assert_eq!((held.paused, held.replicas), (Some(true), Some(0)));

    stage.say_ready("first").await;
    stage.condition("second", "ControlPlaneAvailable", "False", "Starting").await;
    let started = stage.beside::<Deployment>().get("second").await.unwrap().spec.unwrap();
    assert_eq!((started.paused.unwrap_or_default(), started.replicas), (false, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_fewer_slots_than_tenants_holds_back_nothing_that_runs() {
    let mut stage = Stage::set().await;
    stage.create_store().await;
    let names = ["one", "two", "three", "four"];
    for name in names {
        stage.create_tenant(name, json!({})).await;
        stage.condition(name, "ControlPlaneAvailable", "False", "Starting").await;
        stage.say_ready(name).await;
    }
    let deployments: Api<Deployment> = stage.beside();
    let specs = || async {
        let all = deployments.list(&ListParams::default()).await.unwrap();
        all.into_iter()
            .map(|deployment| (deployment.name_any(), deployment.metadata.generation))
            .collect::<Vec<_>>()
    };
    let before = specs().await;
    for _ in 0..3 {
        stage.operator.abort();
        stage.operator = operate(&stage.control_plane);
        // Made after the restart, it is gone over after the others were.
        stage.create_tenant("marker", json!({"controlPlane": {"deployment": {"replicas": 0}}})).await;
        stage.condition("marker", "ControlPlaneAvailable", "False", "Sleeping").await;
        stage.tenants().delete("marker", &DeleteParams::default()).await.unwrap();
        eventually("the marker is gone", || async {
            let left = stage.tenants().get_opt("marker").await.unwrap();
            left.map_or(Ok(()), |left| Err(format!("{:?}", left.finalizers())))
        })
        .await;
        let after: Vec<_> = specs().await.into_iter().filter(|(name, _)| name != "marker").collect();
        assert_eq!(after, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_exist_are_kept_and_deletion_frees_the_store() {
    let stage = Stage::set().await;
    stage.create_store().await;
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let ca = pki::CertificateAuthority::generate_with(
        pki::KeyAlgorithm::Rsa2048,
        "kubernetes",
        pki::TEN_YEARS,
        now,
    )
    .unwrap();
    let pair = ca.pair();
    let adopted = json!({
        "metadata": {"name": "old-ca", "labels": {
            "kamaji.clastix.io/project": "kamaji", "kamaji.clastix.io/name": "old", "kamaji.clastix.io/component": "ca",
        }},
        "stringData": {"ca.crt": pair.certificate, "ca.key": pair.private_key.expose_pem()},
    });
    let adopted: Secret = serde_json::from_value(adopted).unwrap();
    stage.beside::<Secret>().create(&PostParams::default(), &adopted).await.unwrap();
    stage.create_tenant("old", json!({})).await;
    stage.condition("old", "CertificatesReady", "True", "Issued").await;
    let data = stage.beside::<Secret>().get("old-ca").await.unwrap().data.unwrap();
    assert_eq!(data["ca.crt"].0, pair.certificate.as_bytes());
    assert_eq!(data["tls.key"].0, pair.private_key.expose_pem().as_bytes());
    let leaf = stage.beside::<Secret>().get("old-api-server-certificate").await.unwrap().data.unwrap();
    let leaf = String::from_utf8(leaf["apiserver.crt"].0.clone()).unwrap();
    assert!(pki::inspect(&leaf).unwrap().is_signed_by(&pair.certificate));

    let store: Api<DataStore> = Api::all(stage.client.clone());
    eventually("the store knows who uses it", || async {
        let used_by = store.get("store").await.unwrap().status.unwrap_or_default().used_by;
        if used_by == ["default/old"] { Ok(()) } else { Err(format!("{used_by:?}")) }
    })
    .await;
    stage.tenants().delete("old", &DeleteParams::default()).await.unwrap();
    eventually("the control plane is gone", || async {
        match stage.tenants().get_opt("old").await.unwrap() {
            None => Ok(()),
            Some(left) => Err(format!("{:?}", left.finalizers())),
        }
    })
    .await;
    eventually("nothing holds the store any more", || async {
        let held = store.get("store").await.unwrap().metadata.finalizers.unwrap_or_default();
        if held.is_empty() { Ok(()) } else { Err(format!("{held:?}")) }
    })
    .await;
}
