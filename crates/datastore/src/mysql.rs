//! The driver of MySQL and MariaDB: one database and one user per tenant, in which kine keeps its table.
//!
//! A tenant has no right to put code into its database (triggers, views, routines), so that the
//! administrator can look into it without harm, as long as the table is an ordinary one.

mod access;
mod names;
mod reader;
mod session;
mod sessions;
mod table;
mod writer;

pub use reader::MySqlReader;
pub use writer::MySqlWriter;

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use mysql_async::{Opts, Pool};

use crate::sql::{LONG_TIMEOUT, REQUEST_TIMEOUT};
use crate::{Connection, Error, Health, TenantSpace};

/// A connection to a MySQL or MariaDB server. Clones share it; it is made again by itself when it breaks.
///
/// Of several endpoints the first is used, as kine does in the tenants' pods.
#[derive(Clone)]
pub struct MySqlStore {
    shared: Arc<Shared>,
}

struct Shared {
    options: Opts,
    pool: Pool,
    endpoints: String,
}

impl MySqlStore {
    /// Connects and signs in, so that bad credentials show now. Those of a tenant are good too.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let options = session::options(connection)?;
        let pool = Pool::new(options.clone());
        let endpoints = connection.endpoints_text();
        let store = Self { shared: Arc::new(Shared { options, pool, endpoints }) };
        store.session().await?;
        Ok(store)
    }

    /// What the server says about itself.
    pub async fn health(&self) -> Result<Health, Error> {
        let action = "read from the store";
        let mut session = self.session().await?;
        let asked = session.query_first("SELECT VERSION(), CAST(@@GLOBAL.read_only AS CHAR)");
        let found: Option<(String, String)> = self.bounded(action, REQUEST_TIMEOUT, asked).await?;
        let asked = session.query_first(
            "SELECT CAST(SUM(data_length + index_length) AS UNSIGNED) FROM information_schema.TABLES",
        );
        let used: Option<Option<u64>> = self.bounded(action, REQUEST_TIMEOUT, asked).await?;
        let (version, read_only) = found.unwrap_or_default();
        Ok(Health {
            version,
            used: used.flatten(),
            limit: None,
            refuses_writes: (!matches!(read_only.as_str(), "0" | "OFF"))
                .then(|| "read_only is on; point the endpoint at the primary, or switch it off".to_owned()),
        })
    }

    /// How many keys a tenant has; 0 without its database.
    pub async fn count(&self, space: &TenantSpace) -> Result<u64, Error> {
        let mut session = self.session().await?;
        if !self.has_table(&mut session, space).await? {
            return Ok(0);
        }
        let query = format!(
            "SELECT COUNT(*) FROM {table} k JOIN (SELECT MAX(id) AS id FROM {table} \
             WHERE name >= '/registry/' AND name < '/registry0' GROUP BY name) n ON k.id = n.id \
             WHERE k.deleted = 0 AND k.name <> '/registry/health'",
            table = table::name(space)
        );
        let counted = session.query_first(query);
        let count: Option<u64> = self.bounded("count the tenant's keys", LONG_TIMEOUT, counted).await?;
        Ok(count.unwrap_or_default())
    }

    /// The newest revision of the tenant's table; 0 without one.
    pub async fn revision(&self, space: &TenantSpace) -> Result<i64, Error> {
        let mut session = self.session().await?;
        if !self.has_table(&mut session, space).await? {
            return Ok(0);
        }
        self.newest(&mut session, space).await
    }
}

impl std::fmt::Debug for MySqlStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MySqlStore")
            .field("endpoints", &self.shared.endpoints)
            .finish_non_exhaustive()
    }
}
