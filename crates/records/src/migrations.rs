//! The tables, version by version. A replica applies what is missing, all or nothing, one replica at a time.

use sqlx::{Executor as _, raw_sql};

use crate::RecordsError;
use crate::address::{Address, Dialect};
use crate::store::Store;

/// Version and statements, in order. A file that was released is never changed.
const ALL: [(i64, &str); 8] = [
    (1, include_str!("../migrations/0001_sign_in.sql")),
    (2, include_str!("../migrations/0002_audit.sql")),
    (3, include_str!("../migrations/0003_usage.sql")),
    (4, include_str!("../migrations/0004_idempotency.sql")),
    (5, include_str!("../migrations/0005_usage_of_nodes.sql")),
    (6, include_str!("../migrations/0006_factors.sql")),
    (7, include_str!("../migrations/0007_providers.sql")),
    (8, include_str!("../migrations/0008_shared_vouchers.sql")),
];

/// Lets one replica in at a time; the number is ours alone. `SQLite`'s transaction does so itself. Tables that are large
/// take their time.
const ALONE: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7022134801)";

/// Why the tables are not up to date.
pub(crate) enum Fault {
    Newer { found: i64, known: i64 },
    Failed(sqlx::Error),
}

impl Fault {
    pub(crate) fn into_error(self, address: &Address) -> RecordsError {
        match self {
            Self::Newer { found, known } => {
                RecordsError::Newer { place: address.place.clone(), found, known }
            }
            Self::Failed(error) => address.cannot_open(&error),
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// Brings the tables up to date.
pub(crate) async fn apply(store: &Store) -> Result<(), Fault> {
    let mut transaction = store.begin().await?;
    if store.dialect() == Dialect::PostgreSql {
        transaction.execute(raw_sql(ALONE)).await?;
    }
    transaction
        .execute("CREATE TABLE IF NOT EXISTS migrations (version BIGINT NOT NULL PRIMARY KEY)")
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM migrations")
        .fetch_one(&mut *transaction)
        .await?;
    let known = ALL.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Err(Fault::Newer { found, known });
    }
    for (version, statements) in ALL.into_iter().filter(|(version, _)| *version > found) {
        transaction.execute(raw_sql(statements)).await?;
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn versions_count_up_from_one() {
        assert!(ALL.iter().zip(1..).all(|((version, _), expected)| *version == expected));
    }
}
