//! Drivers of the stores that hold tenants' state: reach a store, make room for a tenant, move it to another
//! store, take it away.
//! Knows neither custom resources nor the operator.

mod cause;
mod connection;
mod etcd;

pub use cause::Cause;
pub use connection::{Connection, Tls};
pub use etcd::{Access, Copied, Copier, EtcdStore, MOST_RAISED, Progress, Raised};

/// Room for one tenant in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSpace {
    /// Key prefix and role (etcd).
    pub schema: String,
    /// User that the tenant's API server is.
    pub user: String,
}

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No endpoint answered, or TLS failed.
    #[error("failed to reach the store at {endpoints}")]
    Unreachable {
        /// The endpoints, comma-separated.
        endpoints: String,
        /// The client's reason.
        #[source]
        source: Cause,
    },
    /// The store did not answer in time.
    #[error("failed to {action}: the store at {endpoints} did not answer within {seconds} s")]
    TimedOut {
        /// What was tried.
        action: &'static str,
        /// The endpoints, comma-separated.
        endpoints: String,
        /// The limit.
        seconds: u64,
    },
    /// The store answered with an error.
    #[error("failed to {action}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The store's reason.
        #[source]
        source: Cause,
    },
    /// Another copy of the tenant has begun, or copying has ended.
    #[error("failed to write the tenant's keys: another copy took over, or the target is in use already")]
    Superseded,
    /// A user or schema that is the administrator's.
    #[error("`{name}` is the name of the store's administrator; no tenant can have it as schema or user")]
    Reserved {
        /// The name.
        name: String,
    },
    /// A schema that would not be a prefix of its own.
    #[error("`{schema}` cannot be a key prefix: it must not be empty nor contain `/`")]
    Schema {
        /// The schema.
        schema: String,
    },
}
