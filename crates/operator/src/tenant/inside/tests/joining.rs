//! Claims about the requests of nodes, on a real API server with upstream's approver and signer.

use api::{JoinToken, JoinTokenSpec, JoinTokenStatus, Tenant, TenantControlPlane};
use desired::joining::{Token, counted, tenant_secret};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use kube::runtime::reflector;
use kube::{Api, Client, ResourceExt};
use launcher::Options;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use serde_json::{Value, json};

use super::{SystemClock, World, addons, eventually};
use crate::tenancy::View;
use base::Clock;

const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";
const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";

/// A cluster that is its own management cluster, with a token.
struct Joining {
    world: World,
    management: Client,
    token: Token,
}

impl Joining {
    async fn with(max_uses: Option<i32>) -> Self {
        Self::within(View::new(reflector::store().0, reflector::store().0), max_uses).await
    }

    /// Where a tenant may have so many workers and no more.
    async fn limited(workers: i32) -> Self {
        let owner: Tenant = serde_json::from_value(json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": { "name": "acme" },
            "spec": { "quota": { "workers": workers } }, "status": { "namespace": "tenants" },
        }))
        .unwrap();
        let blue = serde_json::from_value(json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": { "name": "blue", "namespace": "tenants" },
            "spec": {
                "controlPlane": { "service": { "serviceType": "ClusterIP" } },
                "kubernetes": { "version": "v1.36.3", "kubelet": {} },
            },
        }))
        .unwrap();
        Self::within(View::new(store_of(owner), store_of::<TenantControlPlane>(blue)), None).await
    }

    async fn within(view: View, max_uses: Option<i32>) -> Self {
        let options = Options { controller_manager: true, ..Options::default() };
        let world = World::of_tenants(&options, view).await;
        let management = kubekit::client(Some(&world.control_plane.kubeconfig_path())).await.unwrap();
        for definition in api::crds() {
            Api::all(management.clone()).create(&PostParams::default(), &definition).await.unwrap();
        }
        let tenants = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "tenants" } });
        world.administrator.apply("/api/v1/namespaces", "tenants", &tenants).await.unwrap();
        let token = Token::from_random([1, 2]);
        let joining = Self { world, management, token };
        joining.create_token(max_uses).await;
        joining.world.pass(addons()).await;
        joining
    }

    fn tokens(&self) -> Api<JoinToken> {
        Api::namespaced(self.management.clone(), "tenants")
    }

    async fn create_token(&self, max_uses: Option<i32>) {
        let spec =
            JoinTokenSpec { tenant_control_plane: "blue".to_owned(), max_uses, ..JoinTokenSpec::default() };
        let token = JoinToken::new("pool", spec);
        let made =
            eventually(|| async { self.tokens().create(&PostParams::default(), &token).await.ok() }).await;
        let known =
            tenant_secret(&made, &self.token, SystemClock.now() + jiff::SignedDuration::from_hours(1));
        let name = known["metadata"]["name"].as_str().unwrap().to_owned();
        self.world.administrator.apply(SECRETS, &name, &known).await.unwrap();
        let id = self.token.id().to_owned();
        self.write(JoinTokenStatus { token_id: Some(id), ..JoinTokenStatus::default() }).await;
    }

    async fn write(&self, status: JoinTokenStatus) {
        let patch = json!({ "status": status });
        self.tokens().patch_status("pool", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    async fn status(&self) -> JoinTokenStatus {
        self.tokens().get("pool").await.unwrap().status.unwrap_or_default()
    }

    /// A client that shows the token, or acts as somebody.
    async fn client(&self, user: AuthInfo) -> Client {
        let mut read = Kubeconfig::read_from(self.world.control_plane.kubeconfig_path()).unwrap();
        for named in &mut read.auth_infos {
            let mut user = user.clone();
            if user.token.is_none() {
                let own = named.auth_info.clone().unwrap();
                user.client_certificate_data = own.client_certificate_data;
                user.client_key_data = own.client_key_data;
            }
            named.auth_info = Some(user);
        }
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        Client::try_from(config).unwrap()
    }

    async fn with_token(&self, token: &Token) -> Client {
        self.client(AuthInfo { token: Some(token.expose().into()), ..AuthInfo::default() }).await
    }

    async fn node(&self, name: &str) -> Client {
        let impersonate = Some(format!("system:node:{name}"));
        let impersonate_groups = Some(vec!["system:nodes".to_owned(), "system:authenticated".to_owned()]);
        self.client(AuthInfo { impersonate, impersonate_groups, ..AuthInfo::default() }).await
    }

    async fn decided(&self, name: &str) -> (String, String) {
        let requests: Api<CertificateSigningRequest> = Api::all(self.management.clone());
        eventually(|| async {
            let found = requests.get(name).await.unwrap().status?.conditions?.pop()?;
            Some((found.type_, found.reason.unwrap_or_default()))
        })
        .await
    }

    async fn certificate(&self, name: &str) -> String {
        let requests: Api<CertificateSigningRequest> = Api::all(self.management.clone());
        eventually(|| async {
            let issued = requests.get(name).await.unwrap().status?.certificate?;
            String::from_utf8(issued.0).ok()
        })
        .await
    }
}

fn store_of<K>(object: K) -> reflector::Store<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    let (reader, mut writer) = reflector::store();
    writer.apply_watcher_event(&kube::runtime::watcher::Event::Apply(object));
    reader
}

/// Creates a request as a kubelet does. The rights of a new group take a moment.
async fn ask(client: &Client, name: &str, node: &str, signer: &str, addresses: &[&str]) {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, format!("system:node:{node}"));
    params.subject_alt_names =
        addresses.iter().map(|address| SanType::IpAddress(address.parse().unwrap())).collect();
    let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    let usage = if signer == CLIENT { "client auth" } else { "server auth" };
    let request: CertificateSigningRequest = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "request": k8s_openapi::ByteString(request.into_bytes()), "signerName": signer,
            "usages": ["digital signature", usage],
        },
    }))
    .unwrap();
    let requests: Api<CertificateSigningRequest> = Api::all(client.clone());
    eventually(|| async { requests.create(&PostParams::default(), &request).await.ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_joins_with_the_token_and_kubeadms_own_tokens_stay_upstreams() {
    let joining = Joining::with(None).await;
    let client = joining.with_token(&joining.token).await;
    ask(&client, "first", "a", CLIENT, &[]).await;
    assert_eq!(joining.decided("first").await, ("Approved".to_owned(), "FlotillaApproved".to_owned()));
    let issued = pki::inspect(&joining.certificate("first").await).unwrap();
    assert_eq!(issued.common_name, "system:node:a");
    let status = joining.status().await;
    assert_eq!((status.uses, status.nodes[0].name.as_str()), (1, "a"));

    let own = Token::from_random([3, 4]);
    let mut secret = tenant_secret(
        &JoinToken::new("x", JoinTokenSpec::default()),
        &own,
        "2100-01-01T00:00:00Z".parse().unwrap(),
    );
    let group = "system:bootstrappers:kubeadm:default-node-token";
    secret["data"]["auth-extra-groups"] = json!(k8s_openapi::ByteString(group.as_bytes().to_vec()));
    secret["metadata"]["labels"] = Value::Null;
    let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
    joining.world.administrator.apply(SECRETS, &name, &secret).await.unwrap();
    let client = joining.with_token(&own).await;
    ask(&client, "kubeadms", "b", CLIENT, &[]).await;
    assert_eq!(joining.decided("kubeadms").await, ("Approved".to_owned(), "AutoApproved".to_owned()));
    assert_eq!(joining.status().await.uses, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_at_once_never_share_the_last_use() {
    let joining = Joining::with(Some(1)).await;
    let client = joining.with_token(&joining.token).await;
    tokio::join!(ask(&client, "one", "a", CLIENT, &[]), ask(&client, "two", "b", CLIENT, &[]));
    let mut outcomes = [joining.decided("one").await, joining.decided("two").await];
    outcomes.sort();
    let expected = [("Approved", "FlotillaApproved"), ("Denied", "JoinTokenUsedUp")];
    assert_eq!(outcomes, expected.map(|(kind, reason)| (kind.to_owned(), reason.to_owned())));
    assert_eq!(joining.status().await.uses, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_machines_join_than_the_quota_leaves_room_for() {
    let joining = Joining::limited(2).await;
    let nodes: Api<Node> = Api::all(joining.management.clone());
    let old: Node = serde_json::from_value(json!({ "metadata": { "name": "old" } })).unwrap();
    nodes.create(&PostParams::default(), &old).await.unwrap();
    let client = joining.with_token(&joining.token).await;
    tokio::join!(ask(&client, "one", "a", CLIENT, &[]), ask(&client, "two", "b", CLIENT, &[]));
    let mut outcomes = [joining.decided("one").await, joining.decided("two").await];
    outcomes.sort();
    let expected = [("Approved", "FlotillaApproved"), ("Denied", "QuotaExceeded")];
    assert_eq!(outcomes, expected.map(|(kind, reason)| (kind.to_owned(), reason.to_owned())));
    assert_eq!(joining.status().await.uses, 1);
    // Who was let in and comes again takes no more room, and whoever leaves makes some.
    let let_in = joining.status().await.nodes[0].name.clone();
    ask(&client, "again", &let_in, CLIENT, &[]).await;
    assert_eq!(joining.decided("again").await.0, "Approved");
    nodes.delete("old", &DeleteParams::default()).await.unwrap();
    ask(&client, "three", "c", CLIENT, &[]).await;
    assert_eq!(joining.decided("three").await.0, "Approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_was_counted_before_a_crash_is_granted_without_another() {
    let joining = Joining::with(Some(1)).await;
    let client = joining.with_token(&joining.token).await;
    joining.world.sessions.end("uid");
    ask(&client, "first", "a", CLIENT, &[]).await;
    let requests: Api<CertificateSigningRequest> = Api::all(joining.management.clone());
    let uid = requests.get("first").await.unwrap().uid().unwrap();
    joining.write(counted(&joining.status().await, "a", "first", &uid, SystemClock.now())).await;
    joining.world.pass(addons()).await;
    assert_eq!(joining.decided("first").await.0, "Approved");
    assert_eq!(joining.status().await.uses, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_object_is_gone_lets_nobody_in_and_goes_with_the_next_session() {
    let joining = Joining::with(None).await;
    let client = joining.with_token(&joining.token).await;
    joining.tokens().delete("pool", &DeleteParams::default()).await.unwrap();
    ask(&client, "late", "a", CLIENT, &[]).await;
    assert_eq!(joining.decided("late").await, ("Denied".to_owned(), "JoinTokenUnknown".to_owned()));
    joining.world.sessions.end("uid");
    joining.world.pass(addons()).await;
    let name = format!("bootstrap-token-{}", joining.token.id());
    let administrator = &joining.world.administrator;
    eventually(|| async { administrator.get(SECRETS, &name).await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_under_its_own_addresses_only() {
    let joining = Joining::with(None).await;
    let ca = pki::CertificateAuthority::generate("a", pki::ONE_YEAR, SystemClock.now()).unwrap();
    let certificate = k8s_openapi::ByteString(ca.pair().certificate.clone().into_bytes());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "blue-api-server-certificate", "namespace": "tenants" },
        "data": { "apiserver.crt": certificate },
    });
    let administrator = &joining.world.administrator;
    let secrets = "/api/v1/namespaces/tenants/secrets";
    administrator.apply(secrets, "blue-api-server-certificate", &secret).await.unwrap();
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name } });
        administrator.apply("/api/v1/nodes", name, &node).await.unwrap();
        let addresses = json!({ "status": { "addresses": [{ "type": "InternalIP", "address": address }] } });
        administrator.merge("/api/v1/nodes", name, Some("status"), &addresses).await.unwrap();
    }
    let client = joining.node("a").await;
    ask(&client, "own", "a", SERVING, &["10.0.0.1"]).await;
    assert_eq!(joining.decided("own").await.0, "Approved");
    let issued = pki::inspect(&joining.certificate("own").await).unwrap();
    assert_eq!(issued.ip_addresses, ["10.0.0.1".parse().unwrap()].into());
    ask(&client, "other", "a", SERVING, &["10.0.0.2"]).await;
    assert_eq!(joining.decided("other").await, ("Denied".to_owned(), "AddressOfAnotherNode".to_owned()));
}
