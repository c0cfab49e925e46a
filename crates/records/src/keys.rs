//! Keys of programs.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Columns as _, Digest};
use crate::sessions::NOTED_EVERY;
use crate::store::Store;
use crate::text::storable;

/// A key to add.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// By which it is known; unique.
    pub id: String,
    /// Of the key's secret.
    pub digest: Digest,
    /// Whose it is.
    pub user: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do: JSON that only the server understands.
    pub scope: String,
    /// When it ends; never if `None`.
    pub expires: Option<Timestamp>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// By which it is known.
    pub id: String,
    /// Of the key's secret.
    pub digest: Digest,
    /// Whose it is.
    pub user: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do: JSON that only the server understands.
    pub scope: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it ends; never if `None`.
    pub expires: Option<Timestamp>,
    /// When it was last in use, up to a minute.
    pub last_used: Option<Timestamp>,
    /// From where it was last in use.
    pub last_address: Option<String>,
}

/// All keys. One that has expired is listed, so that its owner sees why it fails, but not found.
#[derive(Clone)]
pub struct Keys {
    store: Store,
}

impl Keys {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Adds one.
    pub async fn add(&self, key: &NewKey, now: Timestamp) -> Result<(), RecordsError> {
        let added = sqlx::query(
            "INSERT INTO api_keys (id, digest, username, name, scope, created, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(storable(&key.id).into_owned())
        .bind(key.digest.text())
        .bind(storable(&key.user).into_owned())
        .bind(storable(&key.name).into_owned())
        .bind(storable(&key.scope).into_owned())
        .bind(now.as_microsecond())
        .bind(key.expires.map(Timestamp::as_microsecond))
        .execute(self.store.writers());
        self.store.run("add the key", added).await.map(drop)
    }

    /// The one of an id, if it has not expired.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<Key>, RecordsError> {
        let found = async {
            let row =
                sqlx::query("SELECT * FROM api_keys WHERE id = $1 AND (expires IS NULL OR expires > $2)")
                    .bind(storable(id).into_owned())
                    .bind(now.as_microsecond())
                    .fetch_optional(self.store.readers())
                    .await?;
            row.as_ref().map(read).transpose()
        };
        self.store.run("look up the key", found).await
    }

    /// Those of a user, the newest first, with those that have expired.
    pub async fn of(&self, user: &str) -> Result<Vec<Key>, RecordsError> {
        let listed = async {
            let rows = sqlx::query("SELECT * FROM api_keys WHERE username = $1 ORDER BY created DESC, id")
                .bind(storable(user).into_owned())
                .fetch_all(self.store.readers())
                .await?;
            rows.iter().map(read).collect()
        };
        self.store.run("list the user's keys", listed).await
    }

    /// Deletes one of this user; one of somebody else is left. False if there was none.
    pub async fn delete(&self, id: &str, user: &str) -> Result<bool, RecordsError> {
        let deleted = sqlx::query("DELETE FROM api_keys WHERE id = $1 AND username = $2")
            .bind(storable(id).into_owned())
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("delete the key", deleted).await?.rows_affected() > 0)
    }

    /// Deletes all of a user. How many there were.
    pub async fn delete_all(&self, user: &str) -> Result<u64, RecordsError> {
        let deleted = sqlx::query("DELETE FROM api_keys WHERE username = $1")
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("delete the user's keys", deleted).await?.rows_affected())
    }

    /// Notes that a key is in use, and from where; at most once a minute is anything written. True if so.
    pub async fn used(&self, key: &Key, address: &str, now: Timestamp) -> Result<bool, RecordsError> {
        if key.last_used.is_some_and(|last| now.duration_since(last) < NOTED_EVERY) {
            return Ok(false);
        }
        let used = sqlx::query(
            "UPDATE api_keys SET last_used = $2, last_address = $3 \
             WHERE id = $1 AND (last_used IS NULL OR last_used <= $4)",
        )
        .bind(key.id.clone())
        .bind(now.as_microsecond())
        .bind(storable(address).into_owned())
        .bind((now - NOTED_EVERY).as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("note that the key is in use", used).await?.rows_affected() > 0)
    }

    /// Removes those that expired before a time. How many there were.
    pub async fn sweep(&self, before: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM api_keys WHERE expires <= $1")
            .bind(before.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove expired keys", swept).await?.rows_affected())
    }
}

fn read(row: &AnyRow) -> sqlx::Result<Key> {
    Ok(Key {
        id: row.text("id")?,
        digest: row.digest("digest")?,
        user: row.text("username")?,
        name: row.text("name")?,
        scope: row.text("scope")?,
        created: row.time("created")?,
        expires: row.optional_time("expires")?,
        last_used: row.optional_time("last_used")?,
        last_address: row.optional_text("last_address")?,
    })
}
