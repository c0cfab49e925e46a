//! How to reach a store: endpoints and credentials, already read from wherever they stand.

use pki::{Pair, PrivateKey};

/// Certificates of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Authority that signed the store's certificates, PEM.
    pub certificate_authority: String,
    /// Key of that authority, where tenants' certificates are signed by it.
    pub certificate_authority_key: Option<PrivateKey>,
    /// The administrator's client certificate.
    pub client: Option<Pair>,
}

/// Kind of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// etcd, with a user by certificate per tenant.
    Etcd,
    /// PostgreSQL behind kine.
    PostgreSql,
    /// MySQL or MariaDB behind kine.
    MySql,
    /// NATS `JetStream` behind kine.
    Nats,
}

/// User name and password. The `Debug` form hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The password of a tenant's user. The `Debug` form hides it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the store only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// Where a store is and how to sign in as its administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Kind of the store.
    pub driver: Driver,
    /// `host:port`, at least one.
    pub endpoints: Vec<String>,
    /// User name and password, where the store takes them.
    pub login: Option<Login>,
    /// TLS, if the store speaks it.
    pub tls: Option<Tls>,
}

impl Connection {
    /// The endpoints for messages.
    #[must_use]
    pub fn endpoints_text(&self) -> String {
        self.endpoints.join(", ")
    }
}
