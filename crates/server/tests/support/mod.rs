//! A hub on a real API server, and a hosted cluster that trusts it.

pub(crate) mod raw;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Tenant, TenantControlPlane};
use bytes::Bytes;
use desired::hub::{Certificate, FILE, Hub, config_map};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Patch, PatchParams, PostParams};
use kube::client::ConfigExt;
use kube::config::{AuthInfo, Kubeconfig};
use kube::{Api, Client};
use launcher::{ControlPlane, Options};
use records::Records;
use serde_json::{Value, json};
use server::Settings;
use tokio::task::JoinHandle;

pub(crate) const NAMESPACE: &str = "flotilla-system";
const LIMIT: Duration = Duration::from_secs(90);
/// The API servers of hosted clusters note all that comes.
const AUDIT_POLICY: &str =
    r#"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","rules":[{"level":"Metadata"}]}"#;

/// Management cluster and server.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) authority: String,
    /// Port of the metrics.
    pub(crate) metrics: u16,
    control_plane: Arc<ControlPlane>,
    settings: Settings,
    server: JoinHandle<()>,
    records: Arc<tempfile::TempDir>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1").await
    }

    /// One that people reach by a host of this machine.
    pub(crate) async fn at(host: &str) -> Self {
        Self::limited(host, 0).await
    }

    /// One where a user may ask so often; 0 is no limit.
    pub(crate) async fn limited(host: &str, requests_per_second: u32) -> Self {
        Self::tuned(host, |settings| Settings { requests_per_second, ..settings }).await
    }

    /// One with settings of its own.
    pub(crate) async fn tuned(host: &str, tune: impl FnOnce(Settings) -> Settings) -> Self {
        service::install_tls_provider();
        let control_plane = ControlPlane::start(&Options::management(api::crds)).await.unwrap();
        let client = kubekit::client(Some(&control_plane.kubeconfig_path())).await.unwrap();
        let namespace: Namespace =
            serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } })).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let records = tempfile::tempdir().unwrap();
        let [port, health, metrics] = launcher::free_ports().unwrap();
        let url = format!("https://{host}:{port}");
        let ports = [port, health, metrics];
        let settings = tune(settings(&url, ports, &control_plane.kubeconfig_path(), records.path()));
        let started = settings.clone();
        let server = tokio::spawn(async move { Box::pin(server::run(started)).await.unwrap() });
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        // Its listener is there before: what comes early waits.
        eventually("the server has what it needs", || async {
            let has = async |name| secrets.get_opt(name).await.unwrap().is_some();
            has("flotilla-server-certificate").await && has("flotilla-first-password").await
        })
        .await;
        let secret = secrets.get("flotilla-server-certificate").await.unwrap();
        let authority = text(&secret, "ca.crt");
        let (control_plane, records) = (Arc::new(control_plane), Arc::new(records));
        Self { client, url, authority, metrics, control_plane, settings, server, records }
    }

    /// Another replica of it.
    pub(crate) fn beside(&self, identity: &str) -> Self {
        let [port, health, metrics] = launcher::free_ports().unwrap();
        let own = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let settings = Settings {
            identity: identity.to_owned(),
            bind_address: own(port),
            health_probe_bind_address: own(health),
            metrics_bind_address: own(metrics),
            ..self.settings.clone()
        };
        let started = settings.clone();
        let server = tokio::spawn(async move { Box::pin(server::run(started)).await.unwrap() });
        Self {
            client: self.client.clone(),
            url: format!("https://127.0.0.1:{port}"),
            authority: self.authority.clone(),
            metrics,
            control_plane: self.control_plane.clone(),
            settings,
            server,
            records: self.records.clone(),
        }
    }

    /// Ends the replica at once.
    pub(crate) fn kill(&self) {
        self.server.abort();
    }

    /// What the server keeps in SQL.
    pub(crate) async fn records(&self) -> Records {
        Records::open(&records_url(self.records.path())).await.unwrap()
    }

    /// Password of the first user.
    pub(crate) async fn first_password(&self) -> String {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), NAMESPACE);
        text(&secrets.get("flotilla-first-password").await.unwrap(), "password")
    }

    /// One request with whatever headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let bytes = body.map(|body| serde_json::to_vec(&body).unwrap()).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(bytes))).unwrap();
        let response = self.http().request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// One request of somebody who is signed in.
    pub(crate) async fn ask(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("authorization", &bearer)], body).await
    }

    /// A session's token.
    pub(crate) async fn sign_in(&self, user: &str, password: &str) -> String {
        let body = json!({ "user": user, "password": password, "carrier": "token" });
        let answer = self.send(Method::POST, "/api/v1/session", &[], Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// Makes a user with a password and a role at a tenant; answers with a session's token.
    pub(crate) async fn member(&self, admin: &str, user: &str, role: &str, tenant: &str) -> String {
        self.holder(admin, user, role, json!({ "tenant": tenant })).await
    }

    /// Makes a user with a password and a role somewhere; answers with a session's token.
    pub(crate) async fn holder(&self, admin: &str, user: &str, role: &str, scope: Value) -> String {
        let spec = json!({ "tenant": scope["tenant"] });
        let made =
            self.ask(admin, Method::POST, "/api/v1/users", Some(json!({ "name": user, "spec": spec }))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let password = format!("correct horse {user}");
        let path = format!("/api/v1/users/{user}/password");
        let set = self.ask(admin, Method::PUT, &path, Some(json!({ "password": password }))).await;
        assert_eq!(set.status, 204, "{}", set.body);
        let spec = json!({ "user": user, "role": role, "scope": scope });
        let grant = json!({ "name": format!("{user}-{role}"), "spec": spec });
        let given = self.ask(admin, Method::POST, "/api/v1/grants", Some(grant)).await;
        assert_eq!(given.status, 201, "{}", given.body);
        self.sign_in(user, &password).await
    }

    /// Makes a tenant, whose namespace is there as the operator would have made it.
    pub(crate) async fn tenant(&self, admin: &str, name: &str, parent: Option<&str>) {
        let body = json!({ "name": name, "spec": { "parent": parent } });
        let made = self.ask(admin, Method::POST, "/api/v1/tenants", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        self.settle(name).await;
    }

    /// Does for a tenant what the operator would.
    pub(crate) async fn settle(&self, name: &str) {
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        let tenants: Api<Tenant> = Api::all(self.client.clone());
        let status = json!({ "status": { "namespace": name } });
        tenants.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    /// A real cluster, as the control plane `name` of a tenant.
    pub(crate) async fn hosted(&self, tenant: &str, name: &str) -> Hosted {
        let object = control_plane(tenant, name);
        let api: Api<TenantControlPlane> = Api::namespaced(self.client.clone(), tenant);
        let made = api.create(&PostParams::default(), &object).await.unwrap();
        let hub = Hub {
            issuer: format!("{}/issuer", self.url),
            discovery: String::new(),
            certificate: Certificate::Signed(self.authority.clone()),
        };
        let validated = desired::validate(&made).unwrap().with_hub(Some(hub));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let mut entrance: ConfigMap = config_map(&validated, "").unwrap();
        std::fs::write(&file, &entrance.data.as_ref().unwrap()[FILE]).unwrap();
        let (policy, log) = (directory.path().join("policy.json"), directory.path().join("audit.log"));
        std::fs::write(&policy, AUDIT_POLICY).unwrap();
        let flags = vec![
            format!("--authentication-config={}", file.display()),
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", log.display()),
        ];
        let options = Options { api_server_args: flags, ..Options::default() };
        let cluster = ControlPlane::start(&options).await.unwrap();
        let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig_path()).unwrap();
        let reached = kubeconfig.clusters[0].cluster.clone().unwrap();
        let data = entrance.data.as_mut().unwrap();
        data.insert("endpoint".to_owned(), reached.server.clone().unwrap());
        data.insert("ca.crt".to_owned(), certificate(&reached));
        let entrances: Api<ConfigMap> = Api::namespaced(self.client.clone(), tenant);
        entrances.create(&PostParams::default(), &entrance).await.unwrap();
        let client = kubekit::client(Some(&cluster.kubeconfig_path())).await.unwrap();
        Hosted { id: format!("{tenant}.{name}"), client, _cluster: cluster, directory }
    }

    /// kubectl, as it were: a client of a cluster through the hub.
    pub(crate) fn through(&self, id: &str, token: &str) -> Client {
        let url = format!("{}/k8s/clusters/{id}", self.url);
        let mut config = self.config(&url);
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        Client::try_from(config).unwrap()
    }

    /// The body of an answer that goes on.
    pub(crate) async fn stream(&self, token: &str, path: &str) -> hyper::body::Incoming {
        let answer = self.begin(token, path).await;
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    /// The status of an answer that may go on.
    pub(crate) async fn answers(&self, token: &str, path: &str) -> u16 {
        self.begin(token, path).await.status().as_u16()
    }

    async fn begin(&self, token: &str, path: &str) -> http::Response<hyper::body::Incoming> {
        let request =
            Request::get(format!("{}{path}", self.url)).header("authorization", format!("Bearer {token}"));
        self.http().request(request.body(Full::default()).unwrap()).await.unwrap()
    }

    fn http(&self) -> legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
        let connector = self.config(&self.url).rustls_https_connector().unwrap();
        legacy::Client::builder(TokioExecutor::new()).build(connector)
    }

    fn config(&self, url: &str) -> kube::Config {
        let mut config = kube::Config::new(url.parse().unwrap());
        let certificate = pem_to_der(&self.authority);
        config.root_cert = Some(vec![certificate]);
        config
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A cluster behind the hub, and a client past the hub with all rights.
pub(crate) struct Hosted {
    pub(crate) id: String,
    pub(crate) client: Client,
    _cluster: ControlPlane,
    directory: tempfile::TempDir,
}

impl Hosted {
    /// What the API server has seen with this text in it, from the moment on that it came.
    pub(crate) fn saw(&self, text: &str) -> Vec<Value> {
        let log = std::fs::read_to_string(self.directory.path().join("audit.log")).unwrap();
        log.lines()
            .filter(|line| line.contains(text))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the operator makes of a role that allows everything.
    pub(crate) async fn binding(&self, role: &str, cluster_role: &str) {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("flotilla:cluster:{role}") },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": cluster_role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("flotilla:cluster:{role}") }],
        });
        let binding: k8s_openapi::api::rbac::v1::ClusterRoleBinding =
            serde_json::from_value(binding).unwrap();
        Api::all(self.client.clone()).create(&PostParams::default(), &binding).await.unwrap();
    }
}

fn records_url(directory: &Path) -> String {
    format!("sqlite://{}/records.db?mode=rwc", directory.display())
}

fn settings(url: &str, [port, health, metrics]: [u16; 3], kubeconfig: &Path, records: &Path) -> Settings {
    use clap::Parser;
    let own = |port: u16| format!("127.0.0.1:{port}");
    let records = records_url(records);
    Settings::parse_from([
        "flotilla-server",
        "--url",
        url,
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
        "--bind-address",
        &own(port),
        "--health-probe-bind-address",
        &own(health),
        "--metrics-bind-address",
        &own(metrics),
        "--records",
        &records,
        "--provider-check-seconds",
        "1",
        "--strangers-per-second",
        "0",
    ])
}

/// A control plane that nobody runs.
pub(crate) fn control_plane(tenant: &str, name: &str) -> TenantControlPlane {
    serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": { "name": name, "namespace": tenant },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    }))
    .unwrap()
}

fn certificate(cluster: &kube::config::Cluster) -> String {
    use base64::Engine as _;
    let encoded = cluster.certificate_authority_data.clone().unwrap();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
}

pub(crate) fn pem_to_der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let lines: String = pem
        .lines()
        .take_while(|line| !line.starts_with("-----END"))
        .filter(|line| !line.starts_with("-----"))
        .collect();
    base64::engine::general_purpose::STANDARD.decode(lines).unwrap()
}

fn text(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

/// Waits for something to become true.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "waited in vain: {what}");
}
