//! The etcd driver: one user, one role and one key range per tenant.

mod access;
mod health;
mod member;
mod range;
mod reader;
mod revision;
mod writer;

pub use member::{EtcdMember, KnownMember, MemberStatus, RaisedAlarm, Snapshot};
pub use reader::EtcdReader;
pub use revision::MOST_RAISED;
pub use writer::EtcdWriter;

use std::future::Future;
use std::time::Duration;

use etcd_client::{Certificate, Client, ConnectOptions, GetOptions, Identity, KvClient, TlsOptions};
use tokio::time::timeout;

use crate::{Cause, Connection, Error, TenantSpace};

/// Longest wait for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Name of etcd's all-powerful user and role.
const ROOT: &str = "root";
/// A key that no tenant can own.
const PROBE: &str = "flotilla/health";
/// Largest answer that is taken: a page of the largest values that an API server stores.
const LARGEST_ANSWER: usize = 256 << 20;

/// A connection to an etcd cluster as its administrator. Clones share it.
#[derive(Clone)]
pub struct EtcdStore {
    client: Client,
    endpoints: String,
}

impl EtcdStore {
    /// Connects and asks for something, so that bad credentials show now. Those of a tenant are good too.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let store = Self::open(connection).await?;
        match store.check().await {
            Err(Error::Refused { source, .. }) if says(&source, "permission denied") => Ok(store),
            Err(Error::Refused { source, .. }) if is_about_credentials(&source) => {
                Err(Error::SignIn { endpoints: store.endpoints, source })
            }
            other => other.map(|()| store),
        }
    }

    /// Connects without asking for anything.
    async fn open(connection: &Connection) -> Result<Self, Error> {
        let endpoints = connection.endpoints_text();
        let scheme = if connection.tls.is_some() { "https" } else { "http" };
        let urls: Vec<String> =
            connection.endpoints.iter().map(|endpoint| format!("{scheme}://{endpoint}")).collect();
        let connecting = Client::connect(urls, Some(options(connection)));
        match timeout(REQUEST_TIMEOUT, connecting).await {
            Ok(Ok(client)) => Ok(Self { client, endpoints }),
            Ok(Err(source)) => Err(Error::Unreachable { endpoints, source: source.into() }),
            Err(_) => Err(timed_out("connect", endpoints, REQUEST_TIMEOUT)),
        }
    }

    /// Whether the store answers a read of the administrator that needs a quorum.
    pub async fn check(&self) -> Result<(), Error> {
        self.newest_revision().await.map(|_| ())
    }

    /// The newest revision: it grows by one with each write, whoever writes.
    pub async fn revision(&self, _: &TenantSpace) -> Result<i64, Error> {
        self.newest_revision().await
    }

    async fn newest_revision(&self) -> Result<i64, Error> {
        let mut keys = self.keys();
        // Linearizable, so it fails without a leader.
        let probe = keys.get(PROBE, Some(GetOptions::new().with_count_only()));
        let answer = self.bounded("read from the store", REQUEST_TIMEOUT, probe).await?;
        Ok(answer.header().map_or(0, etcd_client::ResponseHeader::revision))
    }

    fn keys(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(LARGEST_ANSWER)
    }

    async fn bounded<T>(
        &self,
        action: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, etcd_client::Error>>,
    ) -> Result<T, Error> {
        match timeout(limit, request).await {
            Ok(answer) => answer.map_err(|source| Error::Refused { action, source: source.into() }),
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

fn timed_out(action: &'static str, endpoints: String, limit: Duration) -> Error {
    Error::TimedOut { action, endpoints, seconds: limit.as_secs() }
}

/// etcd tells these cases apart by text only (`rpctypes`).
fn says(error: &Cause, words: &str) -> bool {
    error.to_string().contains(words)
}

fn is_about_credentials(error: &Cause) -> bool {
    ["authentication failed", "user name is empty", "user name not found", "invalid auth token"]
        .into_iter()
        .any(|words| says(error, words))
}
