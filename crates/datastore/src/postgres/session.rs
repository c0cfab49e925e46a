//! Sessions: how they are opened, bounded in time, and what their errors mean.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row};

use super::{MAINTENANCE, PostgreSqlStore};
use crate::sql::{LONG_TIMEOUT, REQUEST_TIMEOUT, host_and_port};
use crate::{Cause, Connection, Error};

/// Settings of each session, which win over those that the owner of a database gives it: names are found in
/// `pg_catalog` only, text is quoted as the standard says, and nothing waits for ever.
const OPTIONS: &str = "-c search_path=pg_catalog,pg_temp -c standard_conforming_strings=on \
                       -c default_transaction_read_only=off -c row_security=off \
                       -c statement_timeout=60s -c lock_timeout=5s \
                       -c idle_in_transaction_session_timeout=0";

/// Why there is no session.
pub(super) enum Failure {
    /// There is no such database.
    Absent(Error),
    /// The user may not enter the database, but is who it says it is.
    Forbidden(Error),
    /// Anything else.
    Other(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Absent(error) | Failure::Forbidden(error) | Failure::Other(error) => error,
        }
    }
}

/// How to sign in; the database is still to be named.
pub(super) fn config(connection: &Connection) -> Config {
    let endpoint = connection.endpoints.first().map(String::as_str).unwrap_or_default();
    let (host, port) = host_and_port(endpoint, 5432);
    let mut config = Config::new();
    config
        .host(host)
        .port(port)
        .application_name("flotilla")
        .options(OPTIONS)
        .connect_timeout(REQUEST_TIMEOUT)
        .ssl_mode(if connection.tls.is_some() { SslMode::Require } else { SslMode::Disable });
    if let Some(login) = &connection.login {
        config.user(&login.username).password(&login.password);
    }
    config
}

impl PostgreSqlStore {
    /// The session in the maintenance database.
    pub(super) async fn session(&self) -> Result<Arc<Client>, Failure> {
        let mut held = self.shared.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !session.is_closed()) {
            return Ok(session.clone());
        }
        let session = Arc::new(self.open(MAINTENANCE).await?);
        *held = Some(session.clone());
        Ok(session)
    }

    /// A new session in a database.
    pub(super) async fn open(&self, database: &str) -> Result<Client, Failure> {
        let mut config = self.shared.config.clone();
        config.dbname(database);
        self.open_with(&config).await
    }

    /// A new session with these settings.
    pub(super) async fn open_with(&self, config: &Config) -> Result<Client, Failure> {
        let endpoints = self.shared.endpoints.clone();
        let connecting = config.connect(self.shared.tls.clone());
        let (client, connection) = match timeout(REQUEST_TIMEOUT, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(not_opened(endpoints, &error)),
            Err(_) => {
                let seconds = REQUEST_TIMEOUT.as_secs();
                return Err(Failure::Other(Error::TimedOut { action: "connect", endpoints, seconds }));
            }
        };
        // It ends with the client; its error is what the client's requests fail with.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(client)
    }

    /// Asks for one row.
    pub(super) async fn ask(
        &self,
        session: &Client,
        action: &'static str,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, Error> {
        self.bounded(action, LONG_TIMEOUT, session.query_one(query, parameters)).await
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn bounded<T>(
        &self,
        action: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let Ok(answer) = timeout(limit, request).await else {
            let endpoints = self.shared.endpoints.clone();
            return Err(Error::TimedOut { action, endpoints, seconds: limit.as_secs() });
        };
        answer.map_err(|error| self.failed(action, &error))
    }

    /// What a failed request means.
    pub(super) fn failed(&self, action: &'static str, error: &tokio_postgres::Error) -> Error {
        let source = cause(error);
        let is_broken =
            std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        if error.is_closed() || is_broken || is_down(error) {
            return Error::Unreachable { endpoints: self.shared.endpoints.clone(), source };
        }
        Error::Refused { action, source }
    }
}

fn not_opened(endpoints: String, error: &tokio_postgres::Error) -> Failure {
    let source = cause(error);
    let code = match error.code() {
        Some(code) if !is_down(error) => code,
        _ => return Failure::Other(Error::Unreachable { endpoints, source }),
    };
    if *code == SqlState::INVALID_CATALOG_NAME {
        return Failure::Absent(Error::Refused { action: "enter the tenant's database", source });
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return Failure::Forbidden(Error::Refused { action: "enter the database", source });
    }
    // Class 28: invalid authorization specification.
    if code.code().starts_with("28") {
        return Failure::Other(Error::SignIn { endpoints, source });
    }
    Failure::Other(Error::Refused { action: "connect", source })
}

/// Whether the server says that it is shutting down, starting up or has crashed.
fn is_down(error: &tokio_postgres::Error) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW]
        .iter()
        .any(|state| error.code() == Some(state))
}

/// What PostgreSQL or the client says, without the layers between.
fn cause(error: &tokio_postgres::Error) -> Cause {
    match error.as_db_error() {
        Some(told) => {
            let detail = told.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
            Cause::new(&format!("{}{detail}", told.message()), None)
        }
        None => Cause::new(&error.to_string(), std::error::Error::source(error)),
    }
}
