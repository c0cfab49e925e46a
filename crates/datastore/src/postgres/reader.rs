//! Reads a tenant's entries as they were at one moment.

use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;
use tokio_postgres::{Client, RowStream};

use super::PostgreSqlStore;
use crate::{Error, Record, TenantSpace, sql};

const ACTION: &str = "read the tenant's keys";
/// Longest wait for an entry.
const ENTRY_TIMEOUT: Duration = Duration::from_mins(1);
/// The newest row of each key that is not gone, in the order of the keys' bytes.
const QUERY: &str = "SELECT name, value, coalesce(lease, 0)::bigint FROM (\
    SELECT DISTINCT ON (name COLLATE \"C\") name, value, lease, deleted FROM ONLY public.kine \
    WHERE name >= '/registry/' COLLATE \"C\" AND name < '/registry0' COLLATE \"C\" \
    ORDER BY name COLLATE \"C\", id DESC) newest WHERE deleted = 0 ORDER BY name COLLATE \"C\"";

/// A tenant's entries at one moment, in order. The server sends them as they are taken.
pub struct PostgreSqlReader {
    store: PostgreSqlStore,
    /// None where there is no table.
    rows: Option<Pin<Box<RowStream>>>,
    /// Keeps the transaction.
    _client: Option<Client>,
    revision: i64,
}

impl PostgreSqlStore {
    /// The tenant's entries as they are now; none without a database or table.
    pub async fn read(&self, space: &TenantSpace) -> Result<PostgreSqlReader, Error> {
        let Some(table) = self.table(space).await? else {
            return Ok(PostgreSqlReader { store: self.clone(), rows: None, _client: None, revision: 0 });
        };
        // Taking the entries may last as long as writing them elsewhere.
        table.run(ACTION, "SET LOCAL statement_timeout = 0").await?;
        let revision = table.revision().await?;
        let nothing: [&str; 0] = [];
        let rows = table.client.query_raw(QUERY, nothing);
        let rows = self.bounded(ACTION, sql::LONG_TIMEOUT, rows).await?;
        let rows = Some(Box::pin(rows));
        Ok(PostgreSqlReader { store: self.clone(), rows, _client: Some(table.client), revision })
    }
}

impl PostgreSqlReader {
    /// The tenant's revision at which everything is read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The next entry. kine keeps no time of writing, so one that ends by itself is told with its whole time,
    /// as kine counts it after a start.
    pub async fn next(&mut self) -> Result<Option<Record>, Error> {
        let Some(rows) = &mut self.rows else { return Ok(None) };
        loop {
            let row = match timeout(ENTRY_TIMEOUT, rows.next()).await {
                Ok(None) => return Ok(None),
                Ok(Some(row)) => row.map_err(|error| self.store.failed(ACTION, &error))?,
                Err(_) => {
                    let endpoints = self.store.shared.endpoints.clone();
                    let seconds = ENTRY_TIMEOUT.as_secs();
                    return Err(Error::TimedOut { action: ACTION, endpoints, seconds });
                }
            };
            let name: &str = row.get(0);
            let value: Option<Vec<u8>> = row.get(1);
            if let Some(record) = sql::record(name.as_bytes(), value.unwrap_or_default(), row.get(2)) {
                return Ok(Some(record));
            }
        }
    }
}

impl std::fmt::Debug for PostgreSqlReader {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostgreSqlReader").field("revision", &self.revision).finish_non_exhaustive()
    }
}
