//! Failures in a row of those who guess, for a name and for an address. What a failure means is the caller's rule.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Columns as _;
use crate::store::Store;
use crate::text::storable;

/// Failures in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub failures: u32,
    /// When the last one was; the beginning of 1970 if there was none.
    pub last: Timestamp,
}

/// Failures of all keys, such as `name:olga` and `address:10.0.0.1`.
#[derive(Clone)]
pub struct Guessing {
    store: Store,
}

impl Guessing {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Those of a key.
    pub async fn attempts(&self, key: &str) -> Result<Attempts, RecordsError> {
        let found = async {
            let row = sqlx::query("SELECT failures, last FROM attempts WHERE about = $1")
                .bind(storable(key).into_owned())
                .fetch_optional(self.store.readers())
                .await?;
            row.as_ref().map_or(Ok(Attempts::default()), read)
        };
        self.store.run("look up failures to sign in", found).await
    }

    /// Counts failures anew, by a rule that makes the new count of the old one. However many do so at once, each
    /// sees what the one before has made. Answers the new count.
    pub async fn failed(
        &self,
        key: &str,
        rule: impl FnOnce(Attempts) -> Attempts,
    ) -> Result<Attempts, RecordsError> {
        let counted = async {
            let mut transaction = self.store.begin().await?;
            // Writes what is there, if anything, which locks the row until the end.
            let row = sqlx::query(
                "INSERT INTO attempts (about, failures, last) VALUES ($1, 0, 0) \
                 ON CONFLICT (about) DO UPDATE SET failures = attempts.failures RETURNING failures, last",
            )
            .bind(storable(key).into_owned())
            .fetch_one(&mut *transaction)
            .await?;
            let attempts = rule(read(&row)?);
            sqlx::query("UPDATE attempts SET failures = $2, last = $3 WHERE about = $1")
                .bind(storable(key).into_owned())
                .bind(i64::from(attempts.failures))
                .bind(attempts.last.as_microsecond())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(attempts)
        };
        self.store.run("count the failure to sign in", counted).await
    }

    /// Forgets those of a key, after a success.
    pub async fn cleared(&self, key: &str) -> Result<(), RecordsError> {
        let cleared = sqlx::query("DELETE FROM attempts WHERE about = $1")
            .bind(storable(key).into_owned())
            .execute(self.store.writers());
        self.store.run("forget failures to sign in", cleared).await.map(drop)
    }

    /// Removes those whose last was before a time. How many there were.
    pub async fn sweep(&self, before: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM attempts WHERE last < $1")
            .bind(before.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove old failures to sign in", swept).await?.rows_affected())
    }
}

fn read(row: &AnyRow) -> sqlx::Result<Attempts> {
    Ok(Attempts { failures: row.number("failures")?, last: row.time("last")? })
}
