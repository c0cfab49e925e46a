//! Writes a tenant's entries as kine would, as long as no other writer has begun.

use super::PostgreSqlStore;
use super::table::{Table, Use};
use crate::sql::{self, BATCH_BYTES, BATCH_CHANGES, FENCE, LONG_TIMEOUT};
use crate::{Change, Error, TenantSpace};

const ACTION: &str = "write the tenant's keys";

/// Adds one row per key, as kine does for a creation or an update.
const PUT: &str = "INSERT INTO public.kine \
      (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value) \
    SELECT nextval(pg_get_serial_sequence('public.kine', 'id')::regclass), w.name, \
      CASE WHEN p.deleted = 0 THEN 0 ELSE 1 END, 0, \
      CASE WHEN p.deleted = 0 THEN coalesce(nullif(p.create_revision, 0), p.id) END, \
      coalesce(p.id, 0), w.lease, w.value, CASE WHEN p.deleted = 0 THEN p.value END \
    FROM unnest($1::text[], $2::bytea[], $3::int4[]) AS w(name, value, lease) \
    LEFT JOIN LATERAL (SELECT k.id, k.deleted, k.create_revision, k.value FROM ONLY public.kine k \
      WHERE k.name = w.name COLLATE \"C\" ORDER BY k.id DESC LIMIT 1) p ON true";

/// Adds one row per key that is there, as kine does for a deletion.
const REMOVE: &str = "INSERT INTO public.kine \
      (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value) \
    SELECT nextval(pg_get_serial_sequence('public.kine', 'id')::regclass), w.name, 0, 1, \
      coalesce(nullif(p.create_revision, 0), p.id), p.id, 0, NULL, p.value \
    FROM unnest($1::text[]) AS w(name) \
    JOIN LATERAL (SELECT k.id, k.deleted, k.create_revision, k.value FROM ONLY public.kine k \
      WHERE k.name = w.name COLLATE \"C\" ORDER BY k.id DESC LIMIT 1) p ON p.deleted = 0";

/// Writes one tenant's entries in transactions that hold only while this writer is the latest.
pub struct PostgreSqlWriter {
    table: Table,
    pass: Vec<u8>,
}

impl PostgreSqlStore {
    /// Begins to write the tenant's entries; earlier writers are shut out. The table is made if kine has not
    /// made it yet.
    pub async fn begin_writing(&self, space: &TenantSpace, pass: &str) -> Result<PostgreSqlWriter, Error> {
        let table = self.made_table(space).await?;
        // Waits until what an earlier writer has under way is over.
        table.begin(Use::WriteAlone).await?;
        let pass = pass.as_bytes().to_vec();
        let query = "UPDATE ONLY public.kine SET value = $1 WHERE name = $2";
        if table.execute("announce a copy", query, &[&pass, &FENCE]).await? == 0 {
            let query = "INSERT INTO public.kine \
                  (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value) \
                VALUES (nextval(pg_get_serial_sequence('public.kine', 'id')::regclass), $2, 1, 0, NULL, 0, 0, \
                  $1, NULL)";
            table.execute("announce a copy", query, &[&pass, &FENCE]).await?;
        }
        table.commit().await?;
        Ok(PostgreSqlWriter { table, pass })
    }

    /// Lets no writer write the tenant's entries here any more.
    ///
    /// The row of the pass stays as one of those with which kine fills gaps, so that the newest revision
    /// does not go back.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        let client = match self.open(&space.schema).await {
            Ok(client) => client,
            Err(super::session::Failure::Absent(_)) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        let table = Table { store: self.clone(), client };
        if !table.begin(Use::WriteAlone).await? {
            return Ok(());
        }
        let query = "UPDATE ONLY public.kine SET name = 'gap-' || id, created = 0, deleted = 1, value = NULL \
                     WHERE name = $1";
        table.execute("end copies of the tenant", query, &[&FENCE]).await?;
        table.commit().await
    }
}

impl PostgreSqlWriter {
    /// Brings the changes about, each key at most once.
    pub async fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        let mut batch = Batch::default();
        for change in changes {
            if batch.count >= BATCH_CHANGES || batch.bytes >= BATCH_BYTES {
                self.commit(std::mem::take(&mut batch)).await?;
            }
            batch.add(change)?;
        }
        self.commit(batch).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), Error> {
        if batch.count == 0 {
            return Ok(());
        }
        let written = self.commit_inner(&batch).await;
        if written.is_err() {
            // The next batch begins anew; a broken connection has nothing to undo.
            let _ = self.table.run("end a transaction", "ROLLBACK").await;
        }
        written
    }

    async fn commit_inner(&self, batch: &Batch) -> Result<(), Error> {
        let Table { store, client } = &self.table;
        if !self.table.begin(Use::Write).await? {
            return Err(Error::Superseded);
        }
        let query = "SELECT value FROM ONLY public.kine WHERE name = $1 FOR UPDATE";
        let held = store.bounded(ACTION, LONG_TIMEOUT, client.query_opt(query, &[&FENCE])).await?;
        if held.and_then(|row| row.get::<_, Option<Vec<u8>>>(0)).as_ref() != Some(&self.pass) {
            return Err(Error::Superseded);
        }
        if !batch.removed.is_empty() {
            self.table.execute(ACTION, REMOVE, &[&batch.removed]).await?;
        }
        if !batch.names.is_empty() {
            self.table.execute(ACTION, PUT, &[&batch.names, &batch.values, &batch.leases]).await?;
        }
        self.table.commit().await
    }
}

impl std::fmt::Debug for PostgreSqlWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostgreSqlWriter").finish_non_exhaustive()
    }
}

/// Changes that go in one transaction.
#[derive(Default)]
struct Batch {
    names: Vec<String>,
    values: Vec<Vec<u8>>,
    leases: Vec<i32>,
    removed: Vec<String>,
    count: usize,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, change: &Change) -> Result<(), Error> {
        self.count += 1;
        match change {
            Change::Remove(key) => self.removed.push(sql::name(ACTION, key)?),
            Change::Put(record) => {
                self.bytes += record.key.len() + record.value.len();
                self.names.push(sql::name(ACTION, &record.key)?);
                self.values.push(record.value.clone());
                self.leases.push(sql::lease(record));
            }
        }
        Ok(())
    }
}
