//! Reads a tenant's entries as they were at one moment.

use std::collections::{HashMap, VecDeque};

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::{MySqlStore, table};
use crate::sql::{self, LONG_TIMEOUT};
use crate::{Error, Record, TenantSpace};

const ACTION: &str = "read the tenant's keys";
/// Entries that are read at once.
const PAGE_ENTRIES: usize = 1000;
/// Bytes that are read at once, but for a larger value.
const PAGE_BYTES: u64 = 4 << 20;

/// A tenant's entries at one moment, in order.
///
/// The table orders names without regard to case, so their order by bytes is made here; the keys are held in
/// memory, the values are read page by page.
pub struct MySqlReader {
    store: MySqlStore,
    /// In a transaction; none where there is no table.
    session: Option<Conn>,
    table: String,
    left: VecDeque<Entry>,
    page: VecDeque<Record>,
    revision: i64,
}

struct Entry {
    id: u64,
    name: Vec<u8>,
    lease: i64,
    bytes: u64,
}

impl MySqlStore {
    /// The tenant's entries as they are now; none without a database or table.
    pub async fn read(&self, space: &TenantSpace) -> Result<MySqlReader, Error> {
        let mut reader = MySqlReader {
            store: self.clone(),
            session: None,
            table: table::name(space),
            left: VecDeque::new(),
            page: VecDeque::new(),
            revision: 0,
        };
        let mut session = self.session().await?;
        if !self.has_table(&mut session, space).await? {
            return Ok(reader);
        }
        let begin = [
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ];
        for statement in begin {
            self.bounded(ACTION, LONG_TIMEOUT, session.query_drop(statement)).await?;
        }
        reader.revision = self.newest(&mut session, space).await?;
        let query = format!(
            "SELECT k.id, k.name, COALESCE(k.lease, 0), COALESCE(LENGTH(k.value), 0) FROM {table} k \
             JOIN (SELECT MAX(id) AS id FROM {table} WHERE name >= '/registry/' AND name < '/registry0' \
             GROUP BY name) n ON k.id = n.id WHERE k.deleted = 0",
            table = reader.table
        );
        let rows = session.query_map(query, |(id, name, lease, bytes)| Entry { id, name, lease, bytes });
        let mut entries: Vec<Entry> = self.bounded(ACTION, LONG_TIMEOUT, rows).await?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        reader.left = entries.into();
        reader.session = Some(session);
        Ok(reader)
    }
}

impl MySqlReader {
    /// The tenant's revision at which everything is read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The next entry. kine keeps no time of writing, so one that ends by itself is told with its whole time,
    /// as kine counts it after a start.
    pub async fn next(&mut self) -> Result<Option<Record>, Error> {
        while self.page.is_empty() && !self.left.is_empty() {
            self.turn().await?;
        }
        Ok(self.page.pop_front())
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let (mut count, mut bytes) = (0, 0);
        for entry in self.left.iter().take(PAGE_ENTRIES) {
            bytes += entry.bytes;
            if count > 0 && bytes > PAGE_BYTES {
                break;
            }
            count += 1;
        }
        let page: Vec<Entry> = self.left.drain(..count).collect();
        let ids: Vec<String> = page.iter().map(|entry| entry.id.to_string()).collect();
        let query = format!("SELECT id, value FROM {} WHERE id IN ({})", self.table, ids.join(", "));
        let rows = session.query(query);
        let rows: Vec<(u64, Option<Vec<u8>>)> = self.store.bounded(ACTION, LONG_TIMEOUT, rows).await?;
        let mut values: HashMap<u64, Option<Vec<u8>>> = rows.into_iter().collect();
        self.page.extend(page.into_iter().filter_map(|entry| {
            let value = values.remove(&entry.id).flatten().unwrap_or_default();
            sql::record(&entry.name, value, entry.lease)
        }));
        Ok(())
    }
}

impl std::fmt::Debug for MySqlReader {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MySqlReader")
            .field("left", &self.left.len())
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
