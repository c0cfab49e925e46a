//! One-time codes that were used, so that none is good twice.

use crate::RecordsError;
use crate::store::Store;
use crate::text::storable;

/// The last step whose code was accepted, of each user.
#[derive(Clone)]
pub struct Codes {
    store: Store,
}

impl Codes {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Uses the code of a step (RFC 6238: time divided by the length of a step). True for one caller only, and only if
    /// no later step was accepted.
    pub async fn accept_step(&self, user: &str, step: u64) -> Result<bool, RecordsError> {
        // A step beyond the range is of no time that comes.
        let Ok(step) = i64::try_from(step) else { return Ok(false) };
        let accepted = sqlx::query(
            "INSERT INTO codes (username, step) VALUES ($1, $2) \
             ON CONFLICT (username) DO UPDATE SET step = excluded.step WHERE codes.step < excluded.step",
        )
        .bind(storable(user).into_owned())
        .bind(step)
        .execute(self.store.writers());
        Ok(self.store.run("note that the code was used", accepted).await?.rows_affected() > 0)
    }

    /// Forgets a user who is gone.
    pub async fn forget(&self, user: &str) -> Result<(), RecordsError> {
        let forgotten = sqlx::query("DELETE FROM codes WHERE username = $1")
            .bind(storable(user).into_owned())
            .execute(self.store.writers());
        self.store.run("forget the user's codes", forgotten).await.map(drop)
    }
}
