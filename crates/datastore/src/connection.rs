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

/// Where a store is and how to sign in as its administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// `host:port`, at least one.
    pub endpoints: Vec<String>,
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
