//! kine's table in a tenant's database.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::PostgreSqlStore;
use super::names::quoted;
use crate::sql::{LONG_TIMEOUT, REQUEST_TIMEOUT};
use crate::{Cause, Error, TenantSpace};

/// Table and indexes as kine 0.17 makes them at its first start.
const MAKE: &str = r#"
CREATE TABLE public.kine (id BIGSERIAL PRIMARY KEY, name text COLLATE "C", created INTEGER, deleted INTEGER,
  create_revision BIGINT, prev_revision BIGINT, lease INTEGER, value bytea, old_value bytea);
CREATE INDEX kine_name_index ON public.kine (name);
CREATE INDEX kine_name_id_index ON public.kine (name, id);
CREATE INDEX kine_id_deleted_index ON public.kine (id, deleted);
CREATE INDEX kine_prev_revision_index ON public.kine (prev_revision);
CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON public.kine (name, prev_revision);
CREATE INDEX kine_list_query_index ON public.kine (name, id DESC, deleted);
"#;

/// Whether it is a plain table with kine's columns, and nothing that would run a tenant's code.
const IS_PLAIN: &str = r"
SELECT c.relkind = 'r' AND NOT c.relispartition
  AND (SELECT count(*) = 9 AND bool_and(a.attgenerated = '' AND CASE a.attname::text
         WHEN 'name' THEN a.atttypid = 25 WHEN 'value' THEN a.atttypid = 17
         WHEN 'old_value' THEN a.atttypid = 17
         WHEN 'id' THEN a.atttypid IN (20, 23) WHEN 'create_revision' THEN a.atttypid IN (20, 23)
         WHEN 'prev_revision' THEN a.atttypid IN (20, 23)
         WHEN 'created' THEN a.atttypid = 23 WHEN 'deleted' THEN a.atttypid = 23
         WHEN 'lease' THEN a.atttypid = 23 ELSE false END)
       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype NOT IN ('p', 'u', 'n'))
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
                  AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
FROM pg_class c WHERE c.oid = to_regclass('public.kine')";

/// What a transaction is going to do with the table; others may do less at the same time.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// Read it as it is at one moment.
    Read,
    /// Add rows.
    Write,
    /// Add rows while nobody else does.
    WriteAlone,
}

impl Use {
    /// The lock is taken before the first look, so that the table stays what it was found to be.
    fn begin(self) -> &'static str {
        match self {
            Self::Read => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE ONLY public.kine IN ACCESS SHARE MODE"
            }
            Self::Write => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE ONLY public.kine IN ROW EXCLUSIVE MODE"
            }
            Self::WriteAlone => {
                "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '30s'; \
                 LOCK TABLE ONLY public.kine IN SHARE ROW EXCLUSIVE MODE"
            }
        }
    }
}

/// A session in a transaction that has looked at a tenant's table. Dropping it undoes what was not committed.
pub(super) struct Table {
    pub(super) store: PostgreSqlStore,
    pub(super) client: Client,
}

impl PostgreSqlStore {
    /// The tenant's table for reading; none if there is no database or no table.
    pub(super) async fn table(&self, space: &TenantSpace) -> Result<Option<Table>, Error> {
        let client = match self.open(&space.schema).await {
            Ok(client) => client,
            Err(super::session::Failure::Absent(_)) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        let table = Table { store: self.clone(), client };
        Ok(table.begin(Use::Read).await?.then_some(table))
    }

    /// The tenant's table, made if it is not there yet, outside of a transaction.
    pub(super) async fn made_table(&self, space: &TenantSpace) -> Result<Table, Error> {
        let client = self.open(&space.schema).await?;
        let table = Table { store: self.clone(), client };
        table.make().await?;
        Ok(table)
    }
}

impl Table {
    /// Begins a transaction; false if there is no table.
    pub(super) async fn begin(&self, wanted: Use) -> Result<bool, Error> {
        let action = "open the tenant's table";
        match tokio::time::timeout(LONG_TIMEOUT, self.client.batch_execute(wanted.begin())).await {
            Ok(Err(error)) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
                self.run("end a transaction", "ROLLBACK").await?;
                return Ok(false);
            }
            Ok(begun) => begun.map_err(|error| self.store.failed(action, &error))?,
            Err(_) => {
                let endpoints = self.store.shared.endpoints.clone();
                return Err(Error::TimedOut { action, endpoints, seconds: LONG_TIMEOUT.as_secs() });
            }
        }
        let looked = self.client.query_one(IS_PLAIN, &[]);
        let is_plain: bool = self.store.bounded(action, REQUEST_TIMEOUT, looked).await?.get(0);
        if is_plain {
            return Ok(true);
        }
        let message = "table `public.kine` is not as kine makes it: other columns, triggers, rules, \
                       constraints or computed indexes; remove them";
        Err(Error::Refused { action, source: Cause::new(message, None) })
    }

    /// Runs statements without an answer.
    pub(super) async fn run(&self, action: &'static str, statements: &str) -> Result<(), Error> {
        self.store.bounded(action, LONG_TIMEOUT, self.client.batch_execute(statements)).await
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        action: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.store.bounded(action, LONG_TIMEOUT, self.client.execute(statement, parameters)).await
    }

    pub(super) async fn commit(&self) -> Result<(), Error> {
        self.run("commit", "COMMIT").await
    }

    pub(super) async fn count(&self) -> Result<u64, Error> {
        let query = "SELECT count(*) FROM (\
             SELECT DISTINCT ON (name) name, deleted FROM ONLY public.kine \
             WHERE name >= '/registry/' COLLATE \"C\" AND name < '/registry0' COLLATE \"C\" \
             ORDER BY name, id DESC) newest WHERE deleted = 0 AND name <> '/registry/health'";
        let row = self.client.query_one(query, &[]);
        let count: i64 = self.store.bounded("count the tenant's keys", LONG_TIMEOUT, row).await?.get(0);
        Ok(count.try_into().unwrap_or_default())
    }

    pub(super) async fn revision(&self) -> Result<i64, Error> {
        let row = self.client.query_one("SELECT coalesce(max(id), 0)::bigint FROM ONLY public.kine", &[]);
        Ok(self.store.bounded("read the tenant's revision", LONG_TIMEOUT, row).await?.get(0))
    }

    /// Makes the table if it is not there yet. It belongs to whom the database belongs to, as if kine had
    /// made it; while the tenant may not write, that is the administrator.
    async fn make(&self) -> Result<(), Error> {
        let action = "make the tenant's table";
        let query = "SELECT to_regclass('public.kine') IS NOT NULL, pg_get_userbyid(datdba)::text, \
                     current_user::text FROM pg_database WHERE datname = current_database()";
        let row = self.store.bounded(action, REQUEST_TIMEOUT, self.client.query_one(query, &[])).await?;
        let (is_there, owner, own): (bool, String, String) = (row.get(0), row.get(1), row.get(2));
        if is_there {
            return Ok(());
        }
        let mut statements = format!("BEGIN; {MAKE}");
        if owner != own {
            statements.extend(["ALTER TABLE public.kine OWNER TO ", quoted(&owner).as_str(), "; "]);
        }
        statements.push_str("COMMIT");
        self.run(action, &statements).await
    }
}
