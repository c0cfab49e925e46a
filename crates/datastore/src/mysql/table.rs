//! kine's table in a tenant's database.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::MySqlStore;
use super::names::quoted;
use crate::sql::{FENCE, LONG_TIMEOUT, REQUEST_TIMEOUT};
use crate::{Cause, Error, Raised, TenantSpace};

/// Columns and indexes as kine 0.17 makes them at its first start. In one statement, for kine adds no index
/// to a table that is there.
const COLUMNS: &str = "(id BIGINT UNSIGNED AUTO_INCREMENT, name VARCHAR(630) CHARACTER SET ascii, \
    created INTEGER, deleted INTEGER, create_revision BIGINT UNSIGNED, prev_revision BIGINT UNSIGNED, \
    lease INTEGER, value MEDIUMBLOB, old_value MEDIUMBLOB, PRIMARY KEY (id), \
    INDEX kine_name_index (name), INDEX kine_name_id_index (name, id), \
    INDEX kine_id_deleted_index (id, deleted), INDEX kine_prev_revision_index (prev_revision), \
    UNIQUE INDEX kine_name_prev_revision_uindex (name, prev_revision)) ENGINE = InnoDB";

/// The table as statements have it.
pub(super) fn name(space: &TenantSpace) -> String {
    format!("{}.`kine`", quoted(&space.schema))
}

impl MySqlStore {
    /// Whether there is a table; one that does not keep its rows itself is refused.
    pub(super) async fn has_table(&self, session: &mut Conn, space: &TenantSpace) -> Result<bool, Error> {
        let action = "look for the tenant's table";
        let query = "SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES \
                     WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'kine'";
        let looked = session.exec_first(query, (space.schema.as_str(),));
        let found: Option<(String, Option<String>)> = self.bounded(action, REQUEST_TIMEOUT, looked).await?;
        match found {
            None => Ok(false),
            Some((kind, Some(engine))) if kind == "BASE TABLE" && engine == "InnoDB" => Ok(true),
            Some(_) => {
                let message = "table `kine` is not as kine makes it: it must be a table of InnoDB";
                Err(Error::Refused { action, source: Cause::new(message, None) })
            }
        }
    }

    /// Makes the table if it is not there yet. Tables belong to nobody here.
    pub(super) async fn make_table(&self, session: &mut Conn, space: &TenantSpace) -> Result<(), Error> {
        if self.has_table(session, space).await? {
            return Ok(());
        }
        let made = session.query_drop(format!("CREATE TABLE IF NOT EXISTS {} {COLUMNS}", name(space)));
        self.bounded("make the tenant's table", LONG_TIMEOUT, made).await
    }

    pub(super) async fn newest(&self, session: &mut Conn, space: &TenantSpace) -> Result<i64, Error> {
        let asked = session.query_first(format!("SELECT MAX(id) FROM {}", name(space)));
        let newest: Option<Option<u64>> =
            self.bounded("read the tenant's revision", LONG_TIMEOUT, asked).await?;
        Ok(newest.flatten().and_then(|newest| newest.try_into().ok()).unwrap_or_default())
    }

    /// Raises the tenant's revision to `at_least`, however far: the numbers between stay unused, and a row as
    /// kine fills gaps with has the last of them.
    ///
    /// A kine that runs meanwhile would fill each number that was left out; this is for before its start.
    pub async fn raise_revision(&self, space: &TenantSpace, at_least: i64) -> Result<Raised, Error> {
        let mut session = self.session().await?;
        self.make_table(&mut session, space).await?;
        let missing = at_least - self.newest(&mut session, space).await?;
        if missing <= 0 {
            return Ok(Raised::Done { by: 0 });
        }
        // InnoDB numbers later rows from here on.
        let query = format!(
            "INSERT INTO {} (id, name, created, deleted, create_revision, prev_revision, lease, value, \
             old_value) VALUES (?, ?, 0, 1, 0, 0, 0, NULL, NULL)",
            name(space)
        );
        let added = session.exec_drop(query, (at_least, format!("gap-{at_least}")));
        self.bounded("raise the tenant's revision", LONG_TIMEOUT, added).await?;
        Ok(Raised::Done { by: missing })
    }

    /// Lets no writer write the tenant's entries here any more.
    ///
    /// The row of the pass stays as one of those with which kine fills gaps, so that the newest revision
    /// does not go back.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        let mut session = self.session().await?;
        if !self.has_table(&mut session, space).await? {
            return Ok(());
        }
        let query = format!(
            "UPDATE {} SET name = CONCAT('gap-', id), created = 0, deleted = 1, value = NULL WHERE name = ?",
            name(space)
        );
        let ended = session.exec_drop(query, (FENCE,));
        self.bounded("end copies of the tenant", LONG_TIMEOUT, ended).await
    }
}
