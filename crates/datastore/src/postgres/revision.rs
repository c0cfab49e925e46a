//! Raising the revision of a tenant's table.

use super::PostgreSqlStore;
use super::table::Use;

use crate::{Error, Raised, TenantSpace};

const ACTION: &str = "raise the tenant's revision";

impl PostgreSqlStore {
    /// Raises the tenant's revision to `at_least`, however far: the numbers between stay unused, and a row as
    /// kine fills gaps with has the last of them.
    ///
    /// A kine that runs meanwhile would fill each number that was left out; this is for before its start.
    pub async fn raise_revision(&self, space: &TenantSpace, at_least: i64) -> Result<Raised, Error> {
        let table = self.made_table(space).await?;
        table.begin(Use::WriteAlone).await?;
        let current = table.revision().await?;
        let missing = at_least - current;
        if missing <= 0 {
            return Ok(Raised::Done { by: 0 });
        }
        let query = "INSERT INTO public.kine \
              (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value) \
            VALUES ($1, $2, 0, 1, 0, 0, 0, NULL, NULL)";
        let name = format!("gap-{at_least}");
        table.execute(ACTION, query, &[&at_least, &name]).await?;
        let query = "SELECT setval(s, greatest($1::bigint, coalesce(pg_sequence_last_value(s), 0))) \
            FROM (SELECT pg_get_serial_sequence('public.kine', 'id')::regclass AS s) sequence";
        self.ask(&table.client, ACTION, query, &[&at_least]).await?;
        table.commit().await?;
        Ok(Raised::Done { by: missing })
    }
}
