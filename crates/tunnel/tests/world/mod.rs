//! A tunnel on loopback, tenants with their own authorities, API servers and agents of them.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

pub mod agents;
pub mod client;
pub mod servers;
pub mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;

use base::{Clock, SystemClock};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pki::{CertificateAuthority, CertificatePlan, KeyAlgorithm, ONE_YEAR, Pair, ServiceAccountPair};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tunnel::{Limits, Listeners, Metrics, ORGANIZATION, Registry, ServerPair, Tenant};

pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// A running tunnel; dropping it ends it.
pub struct Tunnel {
    pub registry: Registry,
    pub agents: SocketAddr,
    pub api_servers: SocketAddr,
    pub authority: CertificateAuthority,
    pub metrics: prometheus_client::registry::Registry,
    _task: JoinSet<()>,
}

impl Tunnel {
    pub async fn start() -> Self {
        Self::start_with(Limits::default(), "tunnel-0", 1).await
    }

    pub async fn start_with(limits: Limits, identity: &'static str, replicas: usize) -> Self {
        let authority = authority("flotilla-tunnel");
        let metrics = Metrics::default();
        let mut known = prometheus_client::registry::Registry::default();
        metrics.register(&mut known);
        let registry = Registry::new(limits, metrics);
        registry.set_own(ServerPair::read(&own_secret(&authority)).unwrap());
        let listen = || TcpListener::bind("127.0.0.1:0");
        let listeners = Listeners { agents: listen().await.unwrap(), api_servers: listen().await.unwrap() };
        let agents = listeners.agents.local_addr().unwrap();
        let api_servers = listeners.api_servers.local_addr().unwrap();
        let mut task = JoinSet::new();
        let served = registry.clone();
        task.spawn(async move {
            tunnel::serve(listeners, served, Arc::new(SystemClock), identity, replicas).await.unwrap();
        });
        Self { registry, agents, api_servers, authority, metrics: known, _task: task }
    }

    /// A tenant that the tunnel knows.
    pub fn tenant(&self, uid: &str) -> TenantWorld {
        let tenant = TenantWorld::new(uid, KeyAlgorithm::EcdsaP256);
        self.know(&tenant);
        tenant
    }

    pub fn know(&self, tenant: &TenantWorld) {
        self.registry.put(Tenant::read(&tenant.secret()).unwrap());
    }

    pub fn metric(&self, line: &str) -> Option<String> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.metrics).unwrap();
        text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' ').map(str::to_owned))
    }
}

/// A tenant's authority and token keys.
pub struct TenantWorld {
    pub uid: String,
    pub authority: CertificateAuthority,
    pub keys: ServiceAccountPair,
}

impl TenantWorld {
    pub fn new(uid: &str, algorithm: KeyAlgorithm) -> Self {
        let keys = ServiceAccountPair::generate(algorithm).unwrap();
        Self { uid: uid.to_owned(), authority: authority("kubernetes"), keys }
    }

    pub fn name(&self) -> String {
        format!("tenants/{}", self.uid)
    }

    pub fn secret(&self) -> Secret {
        let addresses = vec![std::net::IpAddr::from([127, 0, 0, 1])];
        let plan = CertificatePlan::server("konnectivity-server", Vec::new(), addresses);
        let pair = plan.issue(&self.authority, SystemClock.now()).unwrap();
        let mut secret = tls_secret(&format!("tunnel-{}", self.uid), &pair);
        let data = secret.data.as_mut().unwrap();
        data.insert("sa.pub".to_owned(), ByteString(self.keys.public_key.clone().into_bytes()));
        data.insert("issuer".to_owned(), ByteString(ISSUER.as_bytes().to_vec()));
        let named = ("flotilla.dev/control-plane".to_owned(), self.name());
        secret.metadata.annotations = Some([named].into());
        secret
    }

    pub fn alpn(&self) -> String {
        format!("flotilla-{}", self.uid)
    }

    pub fn token(&self) -> String {
        tokens::token(&self.keys, &tokens::claims())
    }
}

pub fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::generate(name, ONE_YEAR, SystemClock.now()).unwrap()
}

/// The certificate of an API server.
pub fn client_pair(authority: &CertificateAuthority, uid: &str) -> Pair {
    CertificatePlan::client(uid, [ORGANIZATION]).issue(authority, SystemClock.now()).unwrap()
}

/// The tunnel's own Secret.
pub fn own_secret(authority: &CertificateAuthority) -> Secret {
    let plan =
        CertificatePlan::server("flotilla-tunnel", vec!["localhost".to_owned()], vec![[127, 0, 0, 1].into()]);
    let mut secret = tls_secret("tunnel-server", &plan.issue(authority, SystemClock.now()).unwrap());
    let ca = ByteString(authority.pair().certificate.clone().into_bytes());
    secret.data.as_mut().unwrap().insert("ca.crt".to_owned(), ca);
    secret
}

fn tls_secret(name: &str, pair: &Pair) -> Secret {
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(
            [
                ("tls.crt".to_owned(), bytes(&pair.certificate)),
                ("tls.key".to_owned(), bytes(pair.private_key.expose_pem())),
            ]
            .into(),
        ),
        ..Secret::default()
    }
}

/// Waits until `condition` gives something.
pub async fn eventually<T>(what: &str, mut condition: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begin = tokio::time::Instant::now();
    loop {
        match condition().await {
            Ok(found) => return found,
            Err(last) if begin.elapsed().as_secs() >= 30 => panic!("{what}: {last}"),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}
