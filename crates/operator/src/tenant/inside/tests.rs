//! Claims about a tenant's cluster, on a real API server.

mod hub;
mod joining;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::{Driver, TenantControlPlane};
use base::{Clock, SystemClock};
use desired::data_store::DataStoreMaterial;
use desired::inside::{Inputs, Kind, LiveDns, Part, Rights, Webhook, Wished, freeze};
use desired::{Endpoint, Validated, validate};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector;
use kubekit::Remote;
use launcher::{ControlPlane, Options};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::administrator::may_do_anything;
use super::bring_about::{Wish, bring_about, hold};
use super::sessions::{Access, Session, Sessions};
use crate::controllers::TenantRef;
use crate::joining::Approver;
use crate::tenancy::{View, Workers};

const LIMIT: Duration = Duration::from_secs(20);

/// A tenant's cluster, the operator's session with it, and its administrator.
struct World {
    control_plane: ControlPlane,
    sessions: Sessions,
    woken: UnboundedReceiver<TenantRef>,
    administrator: Remote,
    kubeconfig: String,
}

impl World {
    async fn new() -> Self {
        Self::with(&Options::default()).await
    }

    async fn with(options: &Options) -> Self {
        Self::of_tenants(options, View::new(reflector::store().0, reflector::store().0)).await
    }

    /// Where namespaces belong to tenants.
    async fn of_tenants(options: &Options, view: View) -> Self {
        service::install_tls_provider();
        let control_plane = ControlPlane::start(options).await.unwrap();
        let path = control_plane.kubeconfig_path();
        let client = kubekit::client(Some(&path)).await.unwrap();
        let (wake, woken) = mpsc::unbounded_channel();
        Self {
            sessions: Sessions::new(wake, approver(client.clone(), view)),
            woken,
            administrator: Remote::new(client, "administrator"),
            kubeconfig: std::fs::read_to_string(path).unwrap(),
            control_plane,
        }
    }

    async fn session(&self) -> std::sync::Arc<Session> {
        let access = Access {
            kubeconfig: self.kubeconfig.clone(),
            url: self.control_plane.server().to_owned(),
            server_name: "127.0.0.1".to_owned(),
        };
        let living = || ["uid".to_owned()].into();
        self.sessions.with("uid", TenantRef::new("blue").within("tenants"), access, living).await.unwrap()
    }

    /// A pass of the operator.
    async fn pass(&self, spec: Value) -> Wished {
        self.pass_with(spec, None).await
    }

    /// A pass where those who sign in by the hub have rights.
    async fn pass_with(&self, spec: Value, rights: Option<&Rights>) -> Wished {
        let validated = validated(spec);
        let endpoint =
            Endpoint { address: "10.0.0.7".to_owned(), port: 6443, service_ip: "10.0.0.7".parse().ok() };
        let (store, webhook, dns) = (store(), webhook(), LiveDns::default());
        let inputs = Inputs {
            endpoint: &endpoint,
            kubeconfig: &self.kubeconfig,
            store: &store,
            webhook: &webhook,
            dns: &dns,
            rights,
            namespaces: &BTreeSet::new(),
        };
        bring_about(&*self.session().await, &Wish { validated: &validated, inputs }).await.unwrap().0
    }

    async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        self.administrator.get(&kind.collection(namespace), name).await.unwrap()
    }

    /// Versions of everything of ours.
    async fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = BTreeMap::new();
        for kind in Kind::ALL {
            let collection = kind.collection("");
            for item in
                self.administrator.list(&collection, "kamaji.clastix.io/project=kamaji").await.unwrap()
            {
                let text = |pointer| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let version = text("/metadata/resourceVersion").to_owned();
                versions.insert(format!("{}/{}", kind.name(), text("/metadata/name")), version);
            }
        }
        versions
    }

    async fn woken(&mut self) {
        tokio::time::timeout(LIMIT, self.woken.recv()).await.expect("nobody noticed").unwrap();
    }
}

/// Decides nodes' requests; the same API server is the management cluster.
fn approver(management: kube::Client, view: View) -> Approver {
    let reporter = Reporter { controller: "flotilla-operator".to_owned(), instance: None };
    let recorder = Recorder::new(management.clone(), reporter);
    let clock = std::sync::Arc::new(SystemClock);
    Approver::new(Workers::new(management, view), recorder, clock, mpsc::unbounded_channel().0)
}

fn validated(spec: Value) -> Validated {
    let mut object = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": { "name": "blue", "namespace": "tenants", "uid": "uid" },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    });
    if let (Some(into), Value::Object(from)) = (object["spec"].as_object_mut(), spec) {
        into.extend(from);
    }
    validate(&serde_json::from_value::<TenantControlPlane>(object).unwrap()).unwrap()
}

fn store() -> DataStoreMaterial {
    DataStoreMaterial {
        name: "default".to_owned(),
        driver: Driver::Etcd,
        endpoints: vec!["etcd.svc:2379".to_owned()],
        ca_certificate: None,
        ca_private_key: None,
        client_certificate: None,
        basic_auth: None,
    }
}

/// Nobody answers there, so that what asks is refused.
fn webhook() -> Webhook {
    let ca = pki::CertificateAuthority::generate("a", pki::TEN_YEARS, SystemClock.now()).unwrap();
    Webhook { address: "127.0.0.1:1".to_owned(), authority: ca.pair().certificate.clone() }
}

fn addons() -> Value {
    json!({ "addons": { "coreDNS": {}, "kubeProxy": {}, "konnectivity": {} } })
}

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" } })
}

#[tokio::test]
async fn everything_is_accepted_and_a_second_pass_writes_nothing() {
    let world = World::new().await;
    let wished = world.pass(addons()).await;
    assert_eq!(wished.faults, []);
    let first = world.versions().await;
    assert_eq!(first.len(), wished.objects.len());

    world.pass(addons()).await;
    assert_eq!(world.versions().await, first, "in the same session");
    world.sessions.end("uid");
    world.pass(addons()).await;
    assert_eq!(world.versions().await, first, "in a new session");
}

#[tokio::test]
async fn the_administrators_rights_hold_when_the_first_pass_is_over() {
    let world = World::new().await;
    let client = world.administrator.client();
    assert!(!may_do_anything(client).await.unwrap(), "by nobody yet");
    world.pass(addons()).await;
    assert!(may_do_anything(client).await.unwrap());
}

#[tokio::test]
async fn what_is_changed_or_deleted_is_noticed_and_comes_back() {
    let mut world = World::new().await;
    world.pass(addons()).await;
    let changed = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kubeadm-config", "namespace": "kube-system" },
        "data": { "ClusterConfiguration": "nonsense" },
    });
    let maps = Kind::ConfigMap.collection("kube-system");
    world.administrator.apply(&maps, "kubeadm-config", &changed).await.unwrap();
    world.woken().await;
    world.pass(addons()).await;
    let found = world.get(Kind::ConfigMap, "kube-system", "kubeadm-config").await.unwrap();
    assert!(found["data"]["ClusterConfiguration"].as_str().unwrap().contains("clusterName: blue"));

    let bindings = Kind::ClusterRoleBinding.collection("");
    world.administrator.delete(&bindings, "kubeadm:cluster-admins").await.unwrap();
    world.woken().await;
    world.pass(addons()).await;
    assert!(world.get(Kind::ClusterRoleBinding, "", "kubeadm:cluster-admins").await.is_some());
}

#[tokio::test]
async fn what_is_no_longer_wished_goes_and_what_is_not_ours_stays() {
    let world = World::new().await;
    world.pass(addons()).await;
    // The user runs an agent of their own under the same name.
    let collection = Kind::DaemonSet.collection("kube-system");
    let mut own = world.get(Kind::DaemonSet, "kube-system", "konnectivity-agent").await.unwrap();
    world.administrator.delete(&collection, "konnectivity-agent").await.unwrap();
    own["metadata"] = json!({ "name": "konnectivity-agent", "namespace": "kube-system" });
    world.sessions.end("uid");
    world.administrator.apply(&collection, "konnectivity-agent", &own).await.unwrap();

    world.pass(json!({ "addons": { "coreDNS": {} } })).await;
    assert!(world.get(Kind::DaemonSet, "kube-system", "konnectivity-agent").await.is_some());
    assert!(world.get(Kind::ClusterRoleBinding, "", "system:konnectivity-server").await.is_none());
    assert!(world.get(Kind::DaemonSet, "kube-system", "kube-proxy").await.is_none());
    assert!(world.get(Kind::ClusterRoleBinding, "", "kubeadm:node-proxier").await.is_none());
    assert!(world.get(Kind::Deployment, "kube-system", "coredns").await.is_some());

    world.pass(json!({})).await;
    assert!(world.get(Kind::Deployment, "kube-system", "coredns").await.is_none());
    assert!(world.get(Kind::Service, "kube-system", "kube-dns").await.is_none());
    assert!(world.get(Kind::ConfigMap, "kube-system", "kubeadm-config").await.is_some());
}

#[tokio::test]
async fn the_agents_change_their_kind() {
    let world = World::new().await;
    world.pass(addons()).await;
    let agent = json!({ "mode": "Deployment", "replicas": 2 });
    world.pass(json!({ "addons": { "konnectivity": { "agent": agent } } })).await;
    assert!(world.get(Kind::DaemonSet, "kube-system", "konnectivity-agent").await.is_none());
    let deployment = world.get(Kind::Deployment, "kube-system", "konnectivity-agent").await.unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
}

#[tokio::test]
async fn the_name_server_keeps_the_users_corefile_and_replicas() {
    let mut world = World::new().await;
    world.pass(addons()).await;
    let own = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "coredns", "namespace": "kube-system" },
        "data": { "Corefile": ".:53 { whoami }" },
    });
    world.administrator.apply(&Kind::ConfigMap.collection("kube-system"), "coredns", &own).await.unwrap();
    world.woken().await;
    let scaled = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "coredns", "namespace": "kube-system" },
        "spec": { "replicas": 5 },
    });
    world.administrator.apply(&Kind::Deployment.collection("kube-system"), "coredns", &scaled).await.unwrap();
    world.woken().await;
    world.pass(addons()).await;
    world.sessions.end("uid");
    world.pass(addons()).await;
    let config = world.get(Kind::ConfigMap, "kube-system", "coredns").await.unwrap();
    assert_eq!(config["data"]["Corefile"], ".:53 { whoami }");
    let deployment = world.get(Kind::Deployment, "kube-system", "coredns").await.unwrap();
    assert_eq!(deployment["spec"]["replicas"], 5);
}

#[tokio::test]
async fn what_a_user_says_while_a_pass_goes_on_is_not_written_over() {
    let world = World::new().await;
    let addons = |tag: i64| json!({ "addons": { "coreDNS": { "imageTag": format!("v{tag}") } } });
    world.pass(addons(0)).await;
    let place = Kind::Deployment.collection("kube-system");
    for replicas in 3..9 {
        // The pass comes before the watch can tell of it.
        let scaled = json!({ "spec": { "replicas": replicas } });
        world.administrator.merge(&place, "coredns", None, &scaled).await.unwrap();
        world.pass(addons(replicas)).await;
        eventually(|| async {
            world.pass(addons(replicas)).await;
            let found = world.get(Kind::Deployment, "kube-system", "coredns").await.unwrap();
            assert_eq!(found["spec"]["replicas"], replicas);
            let image =
                found["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
            image.ends_with(&format!(":v{replicas}")).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn limits_of_writing_hold_for_all_but_the_operator_and_go_again() {
    let mut world = World::new().await;
    let limited = json!({ "writePermissions": { "blockCreation": true } });
    world.pass(limited.clone()).await;
    let maps = Kind::ConfigMap.collection("default");
    // The API server takes a moment until it asks a new webhook.
    let refused = eventually(|| async {
        let refused = world.administrator.apply(&maps, "a", &config_map("a")).await.err();
        if refused.is_none() {
            world.administrator.delete(&maps, "a").await.unwrap();
        }
        refused
    })
    .await;
    assert!(refused.is_answer(), "{refused}");

    let bindings = Kind::ClusterRoleBinding.collection("");
    world.administrator.delete(&bindings, "kubeadm:cluster-admins").await.unwrap();
    world.woken().await;
    assert_eq!(world.pass(limited).await.faults, []);
    assert!(world.get(Kind::ClusterRoleBinding, "", "kubeadm:cluster-admins").await.is_some());

    world.pass(json!({})).await;
    eventually(|| async { world.administrator.apply(&maps, "a", &config_map("a")).await.ok() }).await;
}

#[tokio::test]
async fn a_frozen_tenant_is_let_go_by_the_next_pass_also_if_kamaji_froze_it() {
    let world = World::new().await;
    let session = world.session().await;
    hold(&session, &freeze(&webhook())).await.unwrap();
    let kind = Kind::ValidatingWebhookConfiguration;
    assert!(world.get(kind, "", "kamaji-freeze").await.is_some());
    world.pass(json!({})).await;
    assert!(world.get(kind, "", "kamaji-freeze").await.is_none());

    let mut theirs = freeze(&webhook()).body;
    theirs["metadata"] = json!({ "name": "kamaji-freeze" });
    world.administrator.apply(&kind.collection(""), "kamaji-freeze", &theirs).await.unwrap();
    world.sessions.end("uid");
    world.pass(json!({})).await;
    assert!(world.get(kind, "", "kamaji-freeze").await.is_none());
}

#[tokio::test]
async fn what_the_api_server_refuses_is_a_fault_of_its_part_alone() {
    let world = World::new().await;
    let taken = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "taken", "namespace": "default" },
        "spec": { "clusterIP": "10.96.0.10", "ports": [{ "port": 80 }] },
    });
    world.administrator.apply(&Kind::Service.collection("default"), "taken", &taken).await.unwrap();
    let wished = world.pass(addons()).await;
    let (part, message) = &wished.faults[0];
    assert_eq!((*part, wished.faults.len()), (Part::CoreDns, 1), "{:?}", wished.faults);
    assert!(message.contains("10.96.0.10"), "{message}");
    assert!(world.get(Kind::DaemonSet, "kube-system", "kube-proxy").await.is_some());
    assert!(world.get(Kind::ConfigMap, "kube-system", "kubeadm-config").await.is_some());
}

#[tokio::test]
async fn a_session_that_ends_leaves_no_watch_behind() {
    let world = World::new().await;
    world.pass(addons()).await;
    let trace = world.session().await.trace();
    assert!(trace.strong_count() > 1, "nothing is watched");
    world.sessions.end("uid");
    eventually(|| async { (trace.strong_count() == 0).then_some(()) }).await;
}

/// Asks until there is an answer.
async fn eventually<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "not within {} s", LIMIT.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
