//! The hub of a local cluster, as people reach it.

use anyhow::{Context, Result, ensure};
use http::Request;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};

use crate::Cluster;

/// Where the hub runs.
const NAMESPACE: &str = "flotilla-system";

/// The hub.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Its address.
    pub url: String,
    /// Authority of its certificate, PEM.
    pub authority: String,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status of HTTP.
    pub status: u16,
    /// The body; null if it is no JSON.
    pub body: Value,
}

impl Hub {
    /// Who is there before anybody is invited.
    pub const FIRST_USER: &str = "admin";

    /// The hub of a cluster.
    pub async fn find(cluster: &Cluster) -> Result<Self> {
        let client = cluster.client().await?;
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        let authority = value(&secrets.get("flotilla-server-certificate").await?, "ca.crt")?;
        let services: Api<Service> = Api::namespaced(client, NAMESPACE);
        let status = services.get("flotilla-server").await?.status.unwrap_or_default();
        let ingress = status.load_balancer.and_then(|balancer| balancer.ingress).unwrap_or_default();
        let address = ingress.first().and_then(|ingress| ingress.ip.clone()).context("no address")?;
        Ok(Self { url: format!("https://{address}"), authority })
    }

    /// A session of the first user.
    pub async fn admin(&self, cluster: &Cluster) -> Result<String> {
        self.sign_in(Self::FIRST_USER, &Self::first_password(cluster).await?).await
    }

    /// The password that the hub made for its first user.
    pub async fn first_password(cluster: &Cluster) -> Result<String> {
        let secrets: Api<Secret> = Api::namespaced(cluster.client().await?, NAMESPACE);
        value(&secrets.get("flotilla-first-password").await?, "password")
    }

    /// A client of the hub itself, or of a cluster behind it.
    pub fn client(&self, path: &str, token: Option<&str>) -> Result<Client> {
        Ok(kubekit::client_for_server(&format!("{}{path}", self.url), Some(&self.authority), token)?)
    }

    /// Asks the hub.
    pub async fn ask(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer> {
        let bytes = body.map(|body| serde_json::to_vec(&body)).transpose()?.unwrap_or_default();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let response = self.client("", token)?.send(request.body(bytes.into())?).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    /// As [`Hub::ask`], where another status is a failure.
    pub async fn expect(
        &self,
        token: &str,
        status: u16,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value> {
        let answer = self.ask(Some(token), method, path, body).await?;
        ensure!(answer.status == status, "{method} {path}: {} {}", answer.status, answer.body);
        Ok(answer.body)
    }

    /// A session's token.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<String> {
        self.sign_in_at(None, user, password).await
    }

    /// A session's token of somebody whom a directory knows.
    pub async fn sign_in_at(&self, provider: Option<&str>, user: &str, password: &str) -> Result<String> {
        let body = json!({ "provider": provider, "user": user, "password": password, "carrier": "token" });
        let answer = self.ask(None, "POST", "/api/v1/session", Some(body)).await?;
        let token = answer.body["token"].as_str().map(str::to_owned);
        token.with_context(|| format!("{user} is not let in: {} {}", answer.status, answer.body))
    }

    /// Makes a user with a role in a tenant.
    pub async fn member(&self, admin: &str, user: &str, role: &str, tenant: &str) -> Result<String> {
        let spec = json!({ "name": user, "spec": { "tenant": tenant } });
        self.expect(admin, 201, "POST", "/api/v1/users", Some(spec)).await?;
        let password = Self::password(user);
        let path = format!("/api/v1/users/{user}/password");
        self.expect(admin, 204, "PUT", &path, Some(json!({ "password": password }))).await?;
        let spec = json!({ "user": user, "role": role, "scope": { "tenant": tenant } });
        let grant = json!({ "name": user, "spec": spec });
        self.expect(admin, 201, "POST", "/api/v1/grants", Some(grant)).await?;
        self.sign_in(user, &password).await
    }

    /// The password of a member.
    #[must_use]
    pub fn password(user: &str) -> String {
        format!("story of {user} and the hub")
    }
}

fn value(secret: &Secret, key: &str) -> Result<String> {
    let value = secret.data.as_ref().and_then(|data| data.get(key)).with_context(|| format!("no {key}"))?;
    Ok(String::from_utf8(value.0.clone())?)
}
