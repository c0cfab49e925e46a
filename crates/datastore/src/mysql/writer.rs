//! Writes a tenant's entries as kine would, as long as no other writer has begun.

use std::collections::HashMap;

use mysql_async::prelude::Queryable;
use mysql_async::{IsolationLevel, Params, Transaction, TxOpts, Value};

use super::{MySqlStore, table};
use crate::sql::{self, BATCH_BYTES, BATCH_CHANGES, FENCE, LONG_TIMEOUT};
use crate::{Cause, Change, Error, TenantSpace};

const ACTION: &str = "write the tenant's keys";

/// Writes one tenant's entries in transactions that hold only while this writer is the latest.
pub struct MySqlWriter {
    store: MySqlStore,
    table: String,
    pass: Vec<u8>,
}

/// What is asked of the newest row of a key.
type Columns = (u64, Vec<u8>, Option<i64>, u64, Option<Vec<u8>>);

/// The newest row of a key.
struct Newest {
    id: u64,
    name: Vec<u8>,
    is_gone: bool,
    /// Revision in which the key was made.
    made: u64,
    value: Option<Vec<u8>>,
}

impl MySqlStore {
    /// Begins to write the tenant's entries; earlier writers are shut out. The table is made if kine has not
    /// made it yet.
    pub async fn begin_writing(&self, space: &TenantSpace, pass: &str) -> Result<MySqlWriter, Error> {
        let action = "announce a copy";
        let mut session = self.session().await?;
        self.make_table(&mut session, space).await?;
        let (table, pass) = (table::name(space), pass.as_bytes().to_vec());
        // Waits until what an earlier writer has under way is over. Two that announce themselves for the
        // first time cannot both add the row; the one that is later changes it.
        let query = format!(
            "INSERT INTO {table} (name, created, deleted, create_revision, prev_revision, lease, value, \
             old_value) VALUES (?, 1, 0, NULL, 0, 0, ?, NULL) ON DUPLICATE KEY UPDATE value = VALUES(value)"
        );
        let announced = session.exec_drop(query, (FENCE, &pass));
        self.bounded(action, LONG_TIMEOUT, announced).await?;
        Ok(MySqlWriter { store: self.clone(), table, pass })
    }
}

impl MySqlWriter {
    /// Brings the changes about, each key at most once.
    pub async fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        let (mut begin, mut bytes) = (0, 0);
        for (place, change) in changes.iter().enumerate() {
            if place - begin >= BATCH_CHANGES || bytes >= BATCH_BYTES {
                self.commit(changes.get(begin..place).unwrap_or_default()).await?;
                (begin, bytes) = (place, 0);
            }
            bytes += match change {
                Change::Put(record) => record.key.len() + record.value.len(),
                Change::Remove(key) => key.len(),
            };
        }
        self.commit(changes.get(begin..).unwrap_or_default()).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut session = self.store.session().await?;
        let mut settings = TxOpts::default();
        settings.with_isolation_level(IsolationLevel::ReadCommitted);
        let begun = session.start_transaction(settings);
        let mut transaction = self.store.bounded(ACTION, LONG_TIMEOUT, begun).await?;
        let written = self.rows(&mut transaction, changes).await;
        if let Err(error) = written {
            // The next batch begins anew; a broken session has nothing to undo.
            let _ = transaction.rollback().await;
            return Err(error);
        }
        self.store.bounded(ACTION, LONG_TIMEOUT, transaction.commit()).await
    }

    async fn rows(&self, transaction: &mut Transaction<'_>, changes: &[Change]) -> Result<(), Error> {
        let query = format!("SELECT value FROM {} WHERE name = ? FOR UPDATE", self.table);
        let held = transaction.exec_first(query, (FENCE,));
        let held: Option<Option<Vec<u8>>> = self.store.bounded(ACTION, LONG_TIMEOUT, held).await?;
        if held.flatten().as_ref() != Some(&self.pass) {
            return Err(Error::Superseded);
        }
        let mut newest = self.newest(transaction, changes).await?;
        let mut values = Vec::with_capacity(changes.len() * 8);
        let mut seen = HashMap::new();
        for change in changes {
            let (Change::Put(crate::Record { key, .. }) | Change::Remove(key)) = change;
            let name = sql::name(ACTION, key)?;
            let folded = name.to_ascii_lowercase();
            if let Some(other) = seen.insert(folded.clone(), name.clone()) {
                return Err(same(&name, other.as_bytes()));
            }
            let newest = newest.remove(folded.as_bytes());
            values.extend(row(change, name, newest)?.into_iter().flatten());
        }
        if values.is_empty() {
            return Ok(());
        }
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; values.len() / 8].join(", ");
        let query = format!(
            "INSERT INTO {} (name, created, deleted, create_revision, prev_revision, lease, value, old_value) \
             VALUES {rows}",
            self.table
        );
        let added = transaction.exec_drop(query, Params::Positional(values));
        self.store.bounded(ACTION, LONG_TIMEOUT, added).await
    }

    /// The newest rows of the keys that are changed, by name without regard to case, as the table has it.
    async fn newest(
        &self,
        transaction: &mut Transaction<'_>,
        changes: &[Change],
    ) -> Result<HashMap<Vec<u8>, Newest>, Error> {
        let mut names = Vec::with_capacity(changes.len());
        for change in changes {
            let (Change::Put(crate::Record { key, .. }) | Change::Remove(key)) = change;
            let name = sql::name(ACTION, key)?;
            if !name.is_ascii() {
                return Err(foreign(&name));
            }
            names.push(Value::Bytes(name.into_bytes()));
        }
        let places = vec!["?"; names.len()].join(", ");
        let query = format!(
            "SELECT k.id, k.name, k.deleted, COALESCE(NULLIF(k.create_revision, 0), k.id), k.value \
             FROM {table} k JOIN (SELECT MAX(id) AS id FROM {table} WHERE name IN ({places}) GROUP BY name) n \
             ON k.id = n.id",
            table = self.table
        );
        let rows = transaction.exec(query, Params::Positional(names));
        let rows: Vec<Columns> = self.store.bounded(ACTION, LONG_TIMEOUT, rows).await?;
        let found = rows.into_iter().map(|(id, name, deleted, made, value)| {
            let is_gone = deleted.unwrap_or_default() != 0;
            (name.to_ascii_lowercase(), Newest { id, name, is_gone, made, value })
        });
        Ok(found.collect())
    }
}

impl std::fmt::Debug for MySqlWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MySqlWriter").field("table", &self.table).finish_non_exhaustive()
    }
}

/// The columns of the row that kine would add; none if there is nothing to remove.
fn row(change: &Change, name: String, newest: Option<Newest>) -> Result<Option<[Value; 8]>, Error> {
    let previous = newest.as_ref().map_or(0, |newest| newest.id);
    let present = newest.filter(|newest| !newest.is_gone);
    if let Some(other) = present.as_ref().filter(|present| present.name != name.as_bytes()) {
        return Err(same(&name, &other.name));
    }
    let text = Value::from(name);
    let row = match (change, present) {
        (Change::Remove(_), None) => return Ok(None),
        (Change::Remove(_), Some(present)) => [
            text,
            Value::from(0),
            Value::from(1),
            Value::from(present.made),
            Value::from(previous),
            Value::from(0),
            Value::NULL,
            Value::from(present.value),
        ],
        (Change::Put(record), present) => [
            text,
            Value::from(i32::from(present.is_none())),
            Value::from(0),
            Value::from(present.as_ref().map(|present| present.made)),
            Value::from(previous),
            Value::from(sql::lease(record)),
            Value::from(record.value.as_slice()),
            Value::from(present.and_then(|present| present.value)),
        ],
    };
    Ok(Some(row))
}

/// kine's table takes names of ASCII characters only.
fn foreign(name: &str) -> Error {
    let message = format!(
        "kine on MySQL cannot hold `{name}`, as it takes names of ASCII characters only: delete this object, or \
         use another driver"
    );
    Error::Refused { action: ACTION, source: Cause::new(&message, None) }
}

/// kine's table takes keys that differ in case only for one.
fn same(name: &str, other: &[u8]) -> Error {
    let message = format!(
        "kine on MySQL cannot hold both `{name}` and `{}`, which differ in case only: delete one of these \
         objects, or use another driver",
        String::from_utf8_lossy(other)
    );
    Error::Refused { action: ACTION, source: Cause::new(&message, None) }
}
