//! Sessions: how they are opened, bounded in time, and what their errors mean.

use std::future::Future;
use std::time::Duration;

use mysql_async::{ClientIdentity, Conn, DriverError, Opts, OptsBuilder, PoolConstraints, PoolOpts, SslOpts};
use tokio::time::timeout;

use super::MySqlStore;
use crate::sql::{REQUEST_TIMEOUT, host_and_port};
use crate::tls::client_config;
use crate::{Cause, Connection, Error, Login, Tls};

/// Most sessions at the same time.
const MOST_SESSIONS: usize = 16;
/// Errors that say that nobody is let in with these credentials: access denied, without or with a password,
/// host not allowed, method of signing in not supported, account locked (MySQL, MariaDB), password expired.
const SIGN_IN: [u16; 8] = [1045, 1698, 1130, 1251, 3118, 4151, 1820, 1862];

/// How to sign in as the administrator.
pub(super) fn options(connection: &Connection) -> Result<Opts, Error> {
    let endpoint = connection.endpoints.first().map(String::as_str).unwrap_or_default();
    let (host, port) = host_and_port(endpoint, 3306);
    let mut builder = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port)
        // A socket would be another way than the one that was named.
        .prefer_socket(false)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .setup(vec![
            // Only doubled quotes are quotes within a text, and nothing is cut to fit.
            "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
            "SET SESSION innodb_lock_wait_timeout = 20",
            "SET SESSION lock_wait_timeout = 20",
        ]);
    if let Some(limits) = PoolConstraints::new(0, MOST_SESSIONS) {
        let pool =
            PoolOpts::default().with_constraints(limits).with_inactive_connection_ttl(Duration::from_mins(1));
        builder = builder.pool_opts(pool);
    }
    if let Some(login) = &connection.login {
        builder = signed_in(builder, login);
    }
    if let Some(tls) = &connection.tls {
        builder = builder.ssl_opts(encrypted(tls)?);
    }
    Ok(builder.into())
}

/// The same with another login.
pub(super) fn signed_in(builder: OptsBuilder, login: &Login) -> OptsBuilder {
    builder.user(Some(login.username.as_str())).pass(Some(login.password.as_str()))
}

fn encrypted(tls: &Tls) -> Result<SslOpts, Error> {
    // The client library takes files' contents and tells badly what is wrong with them.
    client_config(tls)?;
    let buffer = |text: &str| text.as_bytes().to_vec();
    let identity = tls.client.as_ref().map(|client| {
        ClientIdentity::new(
            buffer(&client.certificate).into(),
            buffer(client.private_key.expose_pem()).into(),
        )
    });
    Ok(SslOpts::default()
        .with_root_certs(vec![buffer(&tls.certificate_authority).into()])
        .with_disable_built_in_roots(true)
        .with_client_identity(identity))
}

impl MySqlStore {
    /// A session of the pool.
    pub(super) async fn session(&self) -> Result<Conn, Error> {
        match timeout(REQUEST_TIMEOUT, self.shared.pool.get_conn()).await {
            Ok(opened) => opened.map_err(|error| self.not_opened(&error)),
            Err(_) => Err(self.timed_out("connect", REQUEST_TIMEOUT)),
        }
    }

    /// A new session outside of the pool.
    pub(super) async fn open(&self, options: Opts) -> Result<Conn, Error> {
        match timeout(REQUEST_TIMEOUT, Conn::new(options)).await {
            Ok(opened) => opened.map_err(|error| self.not_opened(&error)),
            Err(_) => Err(self.timed_out("connect", REQUEST_TIMEOUT)),
        }
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn bounded<T>(
        &self,
        action: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, mysql_async::Error>>,
    ) -> Result<T, Error> {
        match timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| self.failed(action, &error)),
            Err(_) => Err(self.timed_out(action, limit)),
        }
    }

    pub(super) fn failed(&self, action: &'static str, error: &mysql_async::Error) -> Error {
        let source = cause(error);
        match error {
            mysql_async::Error::Io(_) | mysql_async::Error::Driver(DriverError::ConnectionClosed) => {
                Error::Unreachable { endpoints: self.shared.endpoints.clone(), source }
            }
            _ => Error::Refused { action, source },
        }
    }

    pub(super) fn timed_out(&self, action: &'static str, limit: Duration) -> Error {
        Error::TimedOut { action, endpoints: self.shared.endpoints.clone(), seconds: limit.as_secs() }
    }

    fn not_opened(&self, error: &mysql_async::Error) -> Error {
        let (endpoints, source) = (self.shared.endpoints.clone(), cause(error));
        match error {
            mysql_async::Error::Server(told) if SIGN_IN.contains(&told.code) => {
                Error::SignIn { endpoints, source }
            }
            mysql_async::Error::Server(_) => Error::Refused { action: "connect", source },
            _ => Error::Unreachable { endpoints, source },
        }
    }
}

/// What the server or the client says, without the layers between.
fn cause(error: &mysql_async::Error) -> Cause {
    match error {
        mysql_async::Error::Server(told) => Cause::new(&told.message, None),
        other => Cause::new(&other.to_string(), std::error::Error::source(other)),
    }
}
