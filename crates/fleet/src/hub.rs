//! A hub as a process, on a real API server without an operator.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, client::Body};
use launcher::{CommandSpec, ControlPlane, Distribution, ExitReport, Options, Process, free_ports};
use serde_json::{Value, json};
use stage::eventually;
use zeroize::Zeroizing;

const NAMESPACE: &str = "flotilla-system";
const PATIENCE: Duration = Duration::from_mins(2);

/// The hub, to which its first user is signed in. Sessions outlive the process.
pub struct Hub {
    client: Client,
    url: String,
    authority: String,
    password: Zeroizing<String>,
    token: String,
    spec: CommandSpec,
    process: Process,
    _control_plane: ControlPlane,
}

impl Hub {
    /// Starts an API server and a hub with these flags.
    ///
    /// # Errors
    /// If one of them does not come up.
    pub async fn start(flags: &[&str]) -> Result<Self> {
        Self::start_as("127.0.0.1", flags).await
    }

    /// The same under a name of this machine: browsers make passkeys for no address.
    ///
    /// # Errors
    /// If one of them does not come up.
    pub async fn start_as(host: &str, flags: &[&str]) -> Result<Self> {
        let control_plane = ControlPlane::start(&Options::management(api::crds)).await?;
        let client = kubekit::client(Some(&control_plane.kubeconfig_path())).await?;
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        let [port, health, metrics] = free_ports()?;
        let url = format!("https://{host}:{port}");
        let program = Distribution::find(None)?.program("flotilla-server")?;
        let directory = control_plane.directory();
        let spec = CommandSpec::new("flotilla-server", &program, directory.join("server.log")).args([
            format!("--url={url}"),
            format!("--kubeconfig={}", control_plane.kubeconfig_path().display()),
            format!("--bind-address=127.0.0.1:{port}"),
            format!("--health-probe-bind-address=127.0.0.1:{health}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics}"),
            format!("--records=sqlite://{}/records.db?mode=rwc", directory.display()),
        ]);
        let process = Process::spawn(&spec.clone().args(flags))?;
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        let (authority, password, token) = eventually("somebody can sign in", PATIENCE, || async {
            let certificate = secrets.get("flotilla-server-certificate").await?;
            let authority = value(&certificate, "ca.crt")?;
            let password = Zeroizing::new(value(&secrets.get("flotilla-first-password").await?, "password")?);
            let hub = kubekit::client_for_server(&url, Some(&authority), None)?;
            let body = json!({ "user": "admin", "password": *password, "carrier": "token" });
            let answer = send(&hub, "POST", "/api/v1/session", &body).await?;
            let token = answer["token"].as_str().context("no token")?.to_owned();
            Ok((authority, password, token))
        })
        .await?;
        Ok(Self { client, url, authority, password, token, spec, process, _control_plane: control_plane })
    }

    /// Kills the process and starts it anew with these flags. Returns when it answers.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn restart(&mut self, flags: &[&str]) -> Result<()> {
        self.kill().await;
        self.spawn(flags)?;
        eventually("the hub answers", PATIENCE, || async {
            self.ask("GET", "/api/v1/session", &Value::Null).await.map(drop)
        })
        .await
    }

    /// Kills the process, of which nobody is told.
    pub async fn kill(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Asks the process to stop, and kills it if it has not after two minutes.
    pub async fn stop(&mut self) -> ExitReport {
        self.process.stop(PATIENCE).await
    }

    /// Starts the process with these flags, and waits for nothing.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(&mut self, flags: &[&str]) -> Result<()> {
        self.process = Process::spawn(&self.spec.clone().args(flags))?;
        Ok(())
    }

    /// Id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// URL of the hub.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Certificate of its authority, PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Password of the first user, `admin`.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The management cluster, with all rights.
    #[must_use]
    pub fn management(&self) -> &Client {
        &self.client
    }

    /// A client of what is below a path of the hub, with a token or as its first user.
    ///
    /// # Errors
    /// If the path makes no URL.
    pub fn client(&self, path: &str, token: Option<&str>) -> Result<Client> {
        let (url, token) = (format!("{}{path}", self.url), token.unwrap_or(&self.token));
        Ok(kubekit::client_for_server(&url, Some(&self.authority), Some(token))?)
    }

    /// A client with a token that tries nothing again by itself.
    ///
    /// # Errors
    /// If the hub's authority is none.
    pub async fn client_without_retries(&self, token: &str) -> Result<Client> {
        let authority = STANDARD.encode(&self.authority);
        let kubeconfig: Kubeconfig = serde_json::from_value(json!({
            "current-context": "hub",
            "clusters": [{ "name": "hub", "cluster": {
                "server": self.url, "certificate-authority-data": authority,
            } }],
            "users": [{ "name": "hub", "user": { "token": token } }],
            "contexts": [{ "name": "hub", "context": { "cluster": "hub", "user": "hub" } }],
        }))?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        Ok(Client::try_from(config)?)
    }

    /// Asks the hub as its first user; a body that is null is none.
    ///
    /// # Errors
    /// If it is not reached, or answers no success.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        send(&self.client("", None)?, method, path, body).await
    }

    /// Makes a tenant and its owner, of one name. Answers with a session's token.
    ///
    /// # Errors
    /// If the hub refuses.
    pub async fn owner(&self, name: &str) -> Result<String> {
        let password = format!("correct horse {name}");
        let grant = json!({ "user": name, "role": "tenant-owner", "scope": { "tenant": name } });
        self.ask("POST", "/api/v1/tenants", &json!({ "name": name, "spec": {} })).await?;
        self.ask("POST", "/api/v1/users", &json!({ "name": name, "spec": { "tenant": name } })).await?;
        let path = format!("/api/v1/users/{name}/password");
        self.ask("PUT", &path, &json!({ "password": password })).await?;
        self.ask("POST", "/api/v1/grants", &json!({ "name": name, "spec": grant })).await?;
        let body = json!({ "user": name, "password": password, "carrier": "token" });
        let session = self.ask("POST", "/api/v1/session", &body).await?;
        Ok(session["token"].as_str().context("no token")?.to_owned())
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hub").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<Value> {
    let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(bytes))?;
    let response = client.send(request).await?;
    let status = response.status();
    let bytes = response.into_body().collect_bytes().await?;
    ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn value(secret: &Secret, key: &str) -> Result<String> {
    let value = secret.data.as_ref().and_then(|data| data.get(key)).with_context(|| format!("no {key}"))?;
    Ok(String::from_utf8(value.0.clone())?)
}
