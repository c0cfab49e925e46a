//! The driver of NATS `JetStream`: one bucket per tenant, as kine makes and reads it.
//!
//! The bucket is a stream `KV_<bucket>`; its sequence is what kine gives out as revision.

mod bucket;
mod entry;
mod keys;
mod reader;
mod revision;
mod s2;
mod writer;

pub use reader::NatsReader;
pub use writer::NatsWriter;

use std::error::Error as Failure;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{Context, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::tls::client_config;
use crate::{Cause, Connection, Error, Health};

/// Longest wait for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Messages on their way whose answers are waited for together.
const WINDOW: usize = 256;

/// A connection to a NATS server or cluster. Clones share it; it is made again by itself when it breaks.
#[derive(Clone)]
pub struct NatsStore {
    client: Client,
    jetstream: Context,
    endpoints: String,
}

impl NatsStore {
    /// Connects and signs in, so that bad credentials show now.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let endpoints = connection.endpoints_text();
        let scheme = if connection.tls.is_some() { "tls" } else { "nats" };
        let urls: Vec<String> =
            connection.endpoints.iter().map(|endpoint| format!("{scheme}://{endpoint}")).collect();
        let connecting = options(connection)?.connect(urls);
        let client = match timeout(REQUEST_TIMEOUT, connecting).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(not_connected(endpoints, &error)),
            Err(_) => return Err(timed_out("connect", endpoints)),
        };
        let jetstream = ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .max_ack_inflight(2 * WINDOW)
            .build(client.clone());
        Ok(Self { client, jetstream, endpoints })
    }

    /// What the server says about itself and the account's share of its storage.
    pub async fn health(&self) -> Result<Health, Error> {
        let account: Account =
            self.ask("read the store's account", "INFO", &serde_json::json!({})).await?.done()?;
        Ok(Health {
            version: self.client.server_info().version,
            used: Some(account.storage),
            // Zero and less stand for no limit.
            limit: u64::try_from(account.limits.max_storage).ok().filter(|limit| *limit > 0),
            refuses_writes: None,
        })
    }

    /// Asks the interface of `JetStream`, whose answer may be a refusal.
    async fn ask<T: DeserializeOwned>(
        &self,
        action: &'static str,
        subject: &str,
        question: &(impl Serialize + ?Sized + Sync),
    ) -> Result<Answer<T>, Error> {
        let asked = self.jetstream.request(subject.to_owned(), question);
        match timeout(REQUEST_TIMEOUT, asked).await {
            Ok(Ok(response)) => Ok(Answer { action, response }),
            Ok(Err(error)) => Err(refused(action, &error)),
            Err(_) => Err(timed_out(action, self.endpoints.clone())),
        }
    }
}

impl std::fmt::Debug for NatsStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NatsStore").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// What `JetStream` answered.
struct Answer<T> {
    action: &'static str,
    response: Response<T>,
}

impl<T> Answer<T> {
    /// The answer, or the refusal as an error.
    fn done(self) -> Result<T, Error> {
        match self.response {
            Response::Ok(answer) => Ok(answer),
            Response::Err { error } => Err(refused(self.action, &error)),
        }
    }

    /// The answer, or none if what was asked for is not there.
    fn found(self) -> Result<Option<T>, Error> {
        match self.response {
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            _ => self.done().map(Some),
        }
    }
}

/// The part that is read of what the server says about an account.
#[derive(serde::Deserialize)]
struct Account {
    storage: u64,
    limits: Limits,
}

#[derive(serde::Deserialize)]
struct Limits {
    max_storage: i64,
}

fn options(connection: &Connection) -> Result<ConnectOptions, Error> {
    let mut options = ConnectOptions::new()
        .name("flotilla")
        .connection_timeout(REQUEST_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(Duration::from_secs(30))
        // What a server says of its peers may be no address that is reached from here.
        .ignore_discovered_servers();
    if let Some(login) = &connection.login {
        options = options.user_and_password(login.username.clone(), login.password.clone());
    }
    if let Some(tls) = &connection.tls {
        options = options.require_tls(true).tls_client_config(client_config(tls)?);
    }
    Ok(options)
}

fn not_connected(endpoints: String, error: &async_nats::ConnectError) -> Error {
    let source = Cause::new(&error.kind().to_string(), error.source());
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Error::SignIn { endpoints, source }
        }
        ConnectErrorKind::TimedOut => timed_out("connect", endpoints),
        _ => Error::Unreachable { endpoints, source },
    }
}

fn refused(action: &'static str, error: &(dyn Failure + 'static)) -> Error {
    Error::Refused { action, source: Cause::new(&error.to_string(), error.source()) }
}

fn timed_out(action: &'static str, endpoints: String) -> Error {
    Error::TimedOut { action, endpoints, seconds: REQUEST_TIMEOUT.as_secs() }
}
