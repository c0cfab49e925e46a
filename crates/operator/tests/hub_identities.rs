//! Identities that the hub signs, at a real API server with the very configuration that the operator writes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use api::TenantControlPlane;
use authn::{Identity, Issuer};
use axum::routing::get;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base::{Clock, SystemClock};
use desired::hub::{Certificate, FILE, Hub, config_map};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::api::PostParams;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use launcher::{ControlPlane, Options};
use pki::{CertificateAuthority, CertificatePlan, KeyAlgorithm, ServiceAccountPair, TEN_YEARS};
use serde_json::{Value, json};
use stage::eventually;

const LIMIT: Duration = Duration::from_mins(1);
/// The API server looks at its file every minute at least, and waits 10 s for a new issuer.
const RELOAD: Duration = Duration::from_secs(150);
const LASTS: SignedDuration = SignedDuration::from_mins(10);
const CLUSTER: &str = "tenants.blue";
/// Nobody listens there: what is asked for is the discovery URL.
const ISSUER: &str = "https://hub.invalid/issuer";

fn key() -> String {
    ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap().private_key.expose_pem().to_owned()
}

/// Serves discovery and keys as the hub does inside the management cluster. Answers with its address.
async fn serve(issuer: &Issuer, authority: &CertificateAuthority) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let plan = CertificatePlan::server("hub", Vec::new(), vec![Ipv4Addr::LOCALHOST.into()]);
    let pair = plan.issue(authority, SystemClock.now()).unwrap();
    let (certificate, key) =
        (pair.certificate.into_bytes(), pair.private_key.expose_pem().as_bytes().to_vec());
    let tls = RustlsConfig::from_pem(certificate, key).await.unwrap();
    let mut discovery = issuer.discovery();
    // The keys are fetched from where the document says: also inside the management cluster.
    discovery["jwks_uri"] = json!(format!("https://{address}/keys"));
    let keys = serde_json::to_value(issuer.key_set()).unwrap();
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(move || async move { Json(discovery) }))
        .route("/keys", get(move || async move { Json(keys) }));
    let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
    tokio::spawn(server.serve(routes.into_make_service()));
    address
}

/// What the operator writes for the API server to read.
fn configuration(hub: Hub) -> String {
    let object = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": { "name": "blue", "namespace": "tenants", "uid": "uid" },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    });
    let validated =
        desired::validate(&serde_json::from_value::<TenantControlPlane>(object).unwrap()).unwrap();
    let map = config_map(&validated.with_hub(Some(hub)), "").unwrap();
    map.data.unwrap().remove(FILE).unwrap()
}

/// A hub that is served, and its keys.
async fn hub() -> (Hub, Issuer) {
    service::install_tls_provider();
    let issuer = Issuer::new(ISSUER, [key().as_str()]).unwrap();
    let authority = CertificateAuthority::generate("hub", TEN_YEARS, SystemClock.now()).unwrap();
    let address = serve(&issuer, &authority).await;
    let hub = Hub {
        issuer: ISSUER.to_owned(),
        discovery: format!("https://{address}/.well-known/openid-configuration"),
        certificate: Certificate::Signed(authority.pair().certificate.clone()),
    };
    (hub, issuer)
}

/// A cluster that trusts a hub, and the hub's key.
struct World {
    control_plane: ControlPlane,
    issuer: Issuer,
    /// The API server goes on reading what is in it.
    directory: tempfile::TempDir,
}

impl World {
    /// The hub is trusted from the beginning.
    async fn new() -> Self {
        let (hub, issuer) = hub().await;
        Self::start(configuration(hub), issuer).await
    }

    async fn start(configuration: String, issuer: Issuer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        std::fs::write(&path, configuration).unwrap();
        let flag = format!("--authentication-config={}", path.display());
        let options = Options { api_server_args: vec![flag], ..Options::default() };
        let control_plane = ControlPlane::start(&options).await.unwrap();
        Self { control_plane, issuer, directory }
    }

    /// Puts another file in place, as a kubelet does when the ConfigMap changes.
    fn reconfigure(&self, configuration: String) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, configuration).unwrap();
        std::fs::rename(new, self.directory.path().join(FILE)).unwrap();
    }

    fn sign(&self, identity: &Identity, cluster: &str) -> String {
        self.issuer.issue(identity, cluster, LASTS, SystemClock.now()).unwrap()
    }

    async fn client(&self, token: &str) -> Client {
        let mut kubeconfig = Kubeconfig::read_from(self.control_plane.kubeconfig_path()).unwrap();
        for named in &mut kubeconfig.auth_infos {
            named.auth_info = Some(AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() });
        }
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        Client::try_from(config).unwrap()
    }

    /// Who the API server takes the bearer of a token for; the code of its refusal.
    async fn review(&self, token: &str) -> Result<Value, u16> {
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let request = kube::core::Request::new("/apis/authentication.k8s.io/v1/selfsubjectreviews");
        let request = request.create(&PostParams::default(), serde_json::to_vec(&review).unwrap()).unwrap();
        match self.client(token).await.request::<Value>(request).await {
            Ok(answer) => Ok(answer["status"]["userInfo"].clone()),
            Err(kube::Error::Api(status)) => Err(status.code),
            Err(error) => panic!("{error}"),
        }
    }
}

fn identity(groups: &[&str]) -> Identity {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Identity { user: "olga".to_owned(), groups }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_the_hub_is_who_it_says_and_no_other_is_taken() {
    let world = World::new().await;
    let olga = identity(&["flotilla:cluster:read-only", "flotilla:project:shop:project-owner"]);
    let token = world.sign(&olga, CLUSTER);
    // The API server fetches the keys once it runs.
    let user = eventually("the token is taken", LIMIT, || async {
        world.review(&token).await.map_err(|code| anyhow::anyhow!("{code}"))
    })
    .await
    .unwrap();
    assert_eq!(user["username"], "flotilla:user:olga");
    assert_eq!(
        user["groups"],
        json!(["flotilla:cluster:read-only", "flotilla:project:shop:project-owner", "system:authenticated"])
    );
    let nobodys = world.review(&world.sign(&identity(&[]), CLUSTER)).await.unwrap();
    assert_eq!(nobodys["groups"], json!(["system:authenticated"]));

    // Signed by the hub, and yet not taken.
    for groups in [
        &["system:masters"][..],
        &["flotilla:cluster:read-only", "system:masters"],
        &["kubeadm:cluster-admins"],
        &["system:authenticated"],
        &["flotilla:operator"],
        &[""],
        &[" flotilla:cluster:read-only"],
    ] {
        assert_eq!(world.review(&world.sign(&identity(groups), CLUSTER)).await, Err(401), "{groups:?}");
    }
    for cluster in ["tenants.green", "blue.tenants", "tenants", ""] {
        assert_eq!(world.review(&world.sign(&olga, cluster)).await, Err(401), "{cluster}");
    }
    let at = |from: Timestamp, lasts| world.issuer.issue(&olga, CLUSTER, lasts, from).unwrap();
    let now = SystemClock.now();
    let expired = at(now - SignedDuration::from_mins(11), LASTS);
    assert_eq!(world.review(&expired).await, Err(401));
    let too_long = at(now, SignedDuration::from_secs(desired::hub::LONGEST_SECONDS + 1));
    assert_eq!(world.review(&too_long).await, Err(401));
    let long = at(now, SignedDuration::from_secs(desired::hub::LONGEST_SECONDS));
    assert!(world.review(&long).await.is_ok());

    // Not signed by the hub.
    let other = Issuer::new(ISSUER, [key().as_str()]).unwrap();
    let foreign = other.issue(&olga, CLUSTER, LASTS, now).unwrap();
    assert_eq!(world.review(&foreign).await, Err(401));
    let parts: Vec<&str> = token.split('.').collect();
    let foreign_parts: Vec<&str> = foreign.split('.').collect();
    for forged in [
        format!("{}.{}.{}", parts[0], parts[1], foreign_parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        // `{"alg":"none"}`
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
    ] {
        assert_eq!(world.review(&forged).await, Err(401), "{forged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_awaited_the_hubs_authority_trusts_the_hub_without_a_new_start() {
    let (hub, issuer) = hub().await;
    let awaiting = configuration(Hub { certificate: Certificate::Awaited, ..hub.clone() });
    let world = World::start(awaiting, issuer).await;
    let token = world.sign(&identity(&[]), CLUSTER);
    assert_eq!(world.review(&token).await, Err(401));
    world.reconfigure(configuration(hub));
    let user = eventually("the token is taken", RELOAD, || async {
        world.review(&token).await.map_err(|code| anyhow::anyhow!("{code}"))
    })
    .await
    .unwrap();
    assert_eq!(user["username"], "flotilla:user:olga");
    assert_eq!(world.review(&world.sign(&identity(&["system:masters"]), CLUSTER)).await, Err(401));
}
