//! The etcd driver: one user, one role and one key range per tenant.

use std::future::Future;
use std::time::Duration;

use etcd_client::{
    AuthClient, Certificate, Client, ConnectOptions, DeleteOptions, GetOptions, Identity, Permission,
    TlsOptions, UserAddOptions,
};
use tokio::time::timeout;

use crate::{Connection, Error, TenantSpace};

/// Longest wait for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for taking a tenant's keys away.
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);
/// Name of etcd's all-powerful user and role.
const ROOT: &str = "root";

/// A connection to an etcd cluster as its administrator. Clones share it.
#[derive(Clone)]
pub struct EtcdStore {
    client: Client,
    endpoints: String,
}

impl EtcdStore {
    /// Connects and asks for a member's status, so that bad credentials show now.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let endpoints = connection.endpoints_text();
        let scheme = if connection.tls.is_some() { "https" } else { "http" };
        let urls: Vec<String> =
            connection.endpoints.iter().map(|endpoint| format!("{scheme}://{endpoint}")).collect();
        let connecting = Client::connect(urls, Some(options(connection)));
        let client = match timeout(REQUEST_TIMEOUT, connecting).await {
            Ok(Ok(client)) => client,
            Ok(Err(source)) => return Err(Error::Unreachable { endpoints, source: Box::new(source) }),
            Err(_) => return Err(timed_out("connect", endpoints, REQUEST_TIMEOUT)),
        };
        let store = Self { client, endpoints };
        store.check().await?;
        Ok(store)
    }

    /// Whether the store answers a read of the administrator that needs a quorum.
    pub async fn check(&self) -> Result<(), Error> {
        let mut client = self.client.kv_client();
        // A key that no tenant can own: linearizable, so it fails without a leader.
        let probe = client.get("flotilla/health", Some(GetOptions::new().with_count_only()));
        self.bounded("read from the store", REQUEST_TIMEOUT, probe).await.map(|_| ())
    }

    /// Makes room for a tenant: a user that signs in by certificate, and a role over `/<schema>/`.
    ///
    /// The range ends in `/`, so that a schema which is the prefix of another one reaches nothing of
    /// it. Everything that exists already is left as it is.
    pub async fn ensure(&self, space: &TenantSpace) -> Result<(), Error> {
        let range = key_range(&space.schema)?;
        let mut auth = self.client.auth_client();
        let permitted = match auth.role_get(space.schema.as_str()).await {
            Ok(role) => role.permissions().iter().any(|held| {
                held.key() == range.as_bytes() && held.range_end() == range_end(&range).as_bytes()
            }),
            Err(_) => false,
        };
        if !permitted {
            let added = auth.role_add(space.schema.as_str());
            self.tolerating_existing("add the tenant's role", added).await?;
            let permission = Permission::read_write(range.as_str()).with_range_end(range_end(&range));
            let granted = auth.role_grant_permission(space.schema.as_str(), permission);
            self.bounded("grant the tenant's key range to its role", REQUEST_TIMEOUT, granted).await?;
        }
        self.ensure_user(&mut auth, space).await
    }

    /// Takes a tenant away: keys, user and role. What is gone already is no error.
    pub async fn remove(&self, space: &TenantSpace) -> Result<(), Error> {
        let range = key_range(&space.schema)?;
        let mut keys = self.client.kv_client();
        let deleted = keys.delete(range, Some(DeleteOptions::new().with_prefix()));
        self.bounded("delete the tenant's keys", DELETE_TIMEOUT, deleted).await?;
        let mut auth = self.client.auth_client();
        self.tolerating_absent("delete the tenant's user", auth.user_delete(space.user.as_str())).await?;
        self.tolerating_absent("delete the tenant's role", auth.role_delete(space.schema.as_str())).await
    }

    /// Switches authentication on, with a user `root` that signs in by certificate.
    pub async fn enable_authentication(&self) -> Result<(), Error> {
        let mut auth = self.client.auth_client();
        let user = auth.user_add(ROOT, "", Some(UserAddOptions::new().with_no_pwd()));
        self.tolerating_existing("add the root user", user).await?;
        self.tolerating_existing("add the root role", auth.role_add(ROOT)).await?;
        self.bounded("grant the root role", REQUEST_TIMEOUT, auth.user_grant_role(ROOT, ROOT)).await?;
        self.bounded("switch authentication on", REQUEST_TIMEOUT, auth.auth_enable()).await.map(|_| ())
    }

    async fn ensure_user(&self, auth: &mut AuthClient, space: &TenantSpace) -> Result<(), Error> {
        if let Ok(user) = auth.user_get(space.user.as_str()).await
            && user.roles().contains(&space.schema)
        {
            return Ok(());
        }
        let options = UserAddOptions::new().with_no_pwd();
        let added = auth.user_add(space.user.as_str(), "", Some(options));
        self.tolerating_existing("add the tenant's user", added).await?;
        let granted = auth.user_grant_role(space.user.as_str(), space.schema.as_str());
        self.bounded("give the tenant's role to its user", REQUEST_TIMEOUT, granted).await.map(|_| ())
    }

    async fn tolerating_existing<T>(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<(), Error> {
        match self.bounded(action, REQUEST_TIMEOUT, request).await {
            Err(Error::Refused { source, .. }) if says(&source, "already exists") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn tolerating_absent<T>(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<(), Error> {
        match self.bounded(action, REQUEST_TIMEOUT, request).await {
            Err(Error::Refused { source, .. }) if says(&source, "not found") => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn bounded<T>(
        &self,
        action: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<T, Error> {
        match timeout(limit, request).await {
            Ok(answer) => answer.map_err(|source| Error::Refused { action, source: Box::new(source) }),
            Err(_) => Err(timed_out(action, self.endpoints.clone(), limit)),
        }
    }
}

impl std::fmt::Debug for EtcdStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EtcdStore").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

fn options(connection: &Connection) -> ConnectOptions {
    let options = ConnectOptions::new()
        .with_connect_timeout(REQUEST_TIMEOUT)
        .with_keep_alive(Duration::from_secs(30), REQUEST_TIMEOUT);
    let Some(tls) = &connection.tls else { return options };
    let authority = Certificate::from_pem(&tls.certificate_authority);
    let mut settings = TlsOptions::new().ca_certificate(authority);
    if let Some(client) = &tls.client {
        settings =
            settings.identity(Identity::from_pem(&client.certificate, client.private_key.expose_pem()));
    }
    options.with_tls(settings)
}

/// The tenant's keys: `/<schema>/`.
fn key_range(schema: &str) -> Result<String, Error> {
    if schema.is_empty() || schema.contains('/') {
        return Err(Error::Schema { schema: schema.to_owned() });
    }
    Ok(format!("/{schema}/"))
}

/// First key behind a range that ends in `/`: `0` follows `/` in ASCII.
fn range_end(range: &str) -> String {
    format!("{}0", range.trim_end_matches('/'))
}

/// etcd tells these two cases apart by text only (`rpctypes`).
fn says(error: &etcd_client::Error, words: &str) -> bool {
    error.to_string().contains(words)
}

fn timed_out(action: &'static str, endpoints: String, limit: Duration) -> Error {
    Error::TimedOut { action, endpoints, seconds: limit.as_secs() }
}

#[cfg(test)]
mod tests {
    use super::{key_range, range_end};

    #[test]
    fn a_range_holds_its_own_keys_and_none_of_a_longer_name() {
        let range = key_range("team").unwrap();
        let end = range_end(&range);
        let holds = |key: &str| key >= range.as_str() && key < end.as_str();
        assert!(holds("/team/registry/pods/a"));
        assert!(holds("/team/\u{7f}"));
        for foreign in ["/team", "/team-b/registry", "/team2/x", "/tea/x", "/teams/registry"] {
            assert!(!holds(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_schema_that_is_no_name_is_refused() {
        assert!(key_range("").is_err());
        assert!(key_range("a/b").is_err());
    }
}
