//! Drivers of the stores that hold tenants' state: reach a store, make room for a tenant, move it to another
//! store, take it away.
//! Knows neither custom resources nor the operator.

mod access;
mod cause;
mod connection;
mod copy;
mod etcd;
mod health;
mod mysql;
mod nats;
mod postgres;
mod record;
mod sql;
mod store;
mod tls;

pub use access::{Access, Raised};
pub use cause::Cause;
pub use connection::{Connection, Driver, Login, Password, Tls};
pub use copy::{Copied, Copier, Progress};
pub use etcd::{
    EtcdMember, EtcdReader, EtcdStore, EtcdWriter, KnownMember, MOST_RAISED, MemberStatus, RaisedAlarm,
    Snapshot,
};
pub use health::{Health, Support};
pub use mysql::{MySqlReader, MySqlStore, MySqlWriter};
pub use nats::{NatsReader, NatsStore, NatsWriter};
pub use postgres::{PostgreSqlReader, PostgreSqlStore, PostgreSqlWriter};
pub use record::{Change, Record};
pub use store::{Reader, Store, Writer};

/// Room for one tenant in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSpace {
    /// Key prefix and role (etcd), database (SQL) or bucket (NATS).
    pub schema: String,
    /// User that the tenant's API server is; NATS has none per tenant.
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
    /// The store took the connection, but not the credentials.
    #[error("the store at {endpoints} refuses the credentials")]
    SignIn {
        /// The endpoints, comma-separated.
        endpoints: String,
        /// The store's reason.
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
    /// A schema that NATS would not take as the name of a bucket.
    #[error("`{schema}` cannot be a NATS bucket: it must consist of letters, digits, `-` and `_`")]
    Bucket {
        /// The schema.
        schema: String,
    },
    /// A certificate or key that cannot be used.
    #[error("the store's {what} cannot be used")]
    Certificates {
        /// Which of them.
        what: &'static str,
        /// The reason.
        #[source]
        source: Cause,
    },
    /// A name that the store takes, but as another's.
    #[error("the {what} `{name}` exists and is not this tenant's; choose another name")]
    Taken {
        /// `database` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name that the store would not take, or take for another.
    #[error("`{name}` cannot be a name in {store}: {reason}")]
    Name {
        /// The schema or user.
        name: String,
        /// Product.
        store: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A schema that would not be a prefix of its own.
    #[error("`{schema}` cannot be a key prefix: it must not be empty nor contain `/`")]
    Schema {
        /// The schema.
        schema: String,
    },
}
