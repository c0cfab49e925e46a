//! The PostgreSQL driver: one database and one user per tenant, in which kine keeps its table.
//!
//! A tenant owns its database and may put code into it: triggers, rules, functions. The administrator
//! therefore looks at nothing in there but kine's table, and only after it was found to be without any
//! ([`table`]), with names that are found in `pg_catalog` alone.

mod access;
mod names;
mod reader;
mod revision;
mod session;
mod table;
mod tls;
mod writer;

pub use reader::PostgreSqlReader;
pub use writer::PostgreSqlWriter;

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_postgres::{Client, Config};

use crate::sql::REQUEST_TIMEOUT;
use crate::{Connection, Error, Health, TenantSpace};
use tls::Connector;

/// Database that the administrator works from; it is there in each server.
const MAINTENANCE: &str = "postgres";

/// A connection to a PostgreSQL server. Clones share it; it is made again by itself when it breaks.
///
/// Of several endpoints the first is used, as kine does in the tenants' pods.
#[derive(Clone)]
pub struct PostgreSqlStore {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    tls: Connector,
    endpoints: String,
    /// Session in the maintenance database.
    session: Mutex<Option<Arc<Client>>>,
}

impl PostgreSqlStore {
    /// Connects and signs in, so that bad credentials show now. Those of a tenant are good too.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let shared = Shared {
            config: session::config(connection),
            tls: Connector::new(connection.tls.as_ref())?,
            endpoints: connection.endpoints_text(),
            session: Mutex::new(None),
        };
        let store = Self { shared: Arc::new(shared) };
        match store.session().await {
            // The database is closed to tenants, which is no matter of their credentials.
            Err(session::Failure::Forbidden(_)) => Ok(store),
            other => other.map(|_| store).map_err(Error::from),
        }
    }

    /// What the server says about itself.
    pub async fn health(&self) -> Result<Health, Error> {
        let action = "read from the store";
        let session = self.session().await?;
        let query = "SELECT current_setting('server_version'), pg_is_in_recovery(), \
                     (SELECT sum(pg_database_size(oid))::bigint FROM pg_database WHERE datallowconn \
                      AND has_database_privilege(oid, 'CONNECT'))";
        let row = self.bounded(action, REQUEST_TIMEOUT, session.query_one(query, &[])).await?;
        let (version, is_standby, used): (String, bool, Option<i64>) = (row.get(0), row.get(1), row.get(2));
        Ok(Health {
            version,
            used: used.and_then(|used| used.try_into().ok()),
            limit: None,
            refuses_writes: is_standby
                .then(|| "it is a standby; point the endpoint at the primary".to_owned()),
        })
    }

    /// How many keys a tenant has; 0 without its database.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        let Some(table) = self.table(space).await? else { return Ok(0) };
        table.count().await
    }

    /// The newest revision of the tenant's table; 0 without one.
    pub async fn revision(&self, space: &TenantSpace) -> Result<i64, Error> {
        let Some(table) = self.table(space).await? else { return Ok(0) };
        table.revision().await
    }
}

impl std::fmt::Debug for PostgreSqlStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PostgreSqlStore")
            .field("endpoints", &self.shared.endpoints)
            .finish_non_exhaustive()
    }
}
