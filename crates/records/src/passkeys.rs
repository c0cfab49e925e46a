//! How often passkeys were used: a count that goes back tells of a copy. The keys themselves are kept elsewhere.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Columns as _;
use crate::store::Store;
use crate::text::storable;

/// All passkeys, by the id of the credential.
#[derive(Clone)]
pub struct Passkeys {
    store: Store,
}

impl Passkeys {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Takes note of a new one. False if it is known already, of whomever.
    pub async fn add(&self, id: &str, user: &str, counter: u32) -> Result<bool, RecordsError> {
        let added = sqlx::query(
            "INSERT INTO passkeys (id, username, counter) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        )
        .bind(storable(id).into_owned())
        .bind(storable(user).into_owned())
        .bind(i64::from(counter))
        .execute(self.store.writers());
        Ok(self.store.run("note the passkey", added).await?.rows_affected() > 0)
    }

    /// Counts a use. False if the count has not grown, but where the authenticator counts nothing, or if it is somebody
    /// else's. One that is not known, as after a loss of the database, is known from now on.
    pub async fn used(
        &self,
        id: &str,
        user: &str,
        counter: u32,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let noted = sqlx::query(
            "INSERT INTO passkeys (id, username, counter, last_used) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET counter = excluded.counter, last_used = excluded.last_used \
             WHERE passkeys.username = excluded.username AND (passkeys.counter < excluded.counter \
             OR (passkeys.counter = 0 AND excluded.counter = 0))",
        )
        .bind(storable(id).into_owned())
        .bind(storable(user).into_owned())
        .bind(i64::from(counter))
        .bind(now.as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("count the use of the passkey", noted).await?.rows_affected() > 0)
    }

    /// When those of a user were last used, by id.
    pub async fn last_uses(&self, user: &str) -> Result<Vec<(String, Timestamp)>, RecordsError> {
        let found = async {
            let rows = sqlx::query(
                "SELECT id, last_used FROM passkeys WHERE username = $1 AND last_used IS NOT NULL ORDER BY id",
            )
            .bind(storable(user).into_owned())
            .fetch_all(self.store.readers())
            .await?;
            let read = |row: &AnyRow| Ok((row.text("id")?, row.time("last_used")?));
            rows.iter().map(read).collect()
        };
        self.store.run("look up the use of passkeys", found).await
    }

    /// Forgets one of this user; another's is left.
    pub async fn forget(&self, id: &str, user: &str) -> Result<(), RecordsError> {
        let forgotten = sqlx::query("DELETE FROM passkeys WHERE id = $1 AND username = $2")
            .bind(storable(id).into_owned())
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        self.store.run("forget the passkey", forgotten).await.map(drop)
    }

    /// Forgets all of a user. How many there were.
    pub async fn forget_all(&self, user: &str) -> Result<u64, RecordsError> {
        let forgotten = sqlx::query("DELETE FROM passkeys WHERE username = $1")
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("forget the user's passkeys", forgotten).await?.rows_affected())
    }
}
