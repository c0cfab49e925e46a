//! What authenticators are asked to sign: each challenge once, for one purpose, for a short time.

use jiff::Timestamp;

use crate::RecordsError;
use crate::columns::Columns as _;
use crate::store::Store;
use crate::text::storable;

/// Something to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The challenge itself; random.
    pub id: String,
    /// What it is good for.
    pub purpose: String,
    /// Whom it was given to; empty if that is not known yet.
    pub user: String,
    /// From where it was asked for.
    pub address: String,
    /// When it is good no longer.
    pub expires: Timestamp,
}

/// All challenges that were not answered.
#[derive(Clone)]
pub struct Challenges {
    store: Store,
}

impl Challenges {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps one.
    pub async fn begin(&self, challenge: &Challenge) -> Result<(), RecordsError> {
        let kept = sqlx::query(
            "INSERT INTO challenges (id, purpose, username, address, expires) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(storable(&challenge.id).into_owned())
        .bind(storable(&challenge.purpose).into_owned())
        .bind(storable(&challenge.user).into_owned())
        .bind(storable(&challenge.address).into_owned())
        .bind(challenge.expires.as_microsecond())
        .execute(self.store.writers());
        self.store.run("keep the challenge", kept).await.map(drop)
    }

    /// Uses one up. True for one caller only, and only if it was made for this purpose and user and has not expired.
    pub async fn take(
        &self,
        id: &str,
        purpose: &str,
        user: &str,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let taken = sqlx::query(
            "DELETE FROM challenges WHERE id = $1 AND purpose = $2 AND username = $3 AND expires > $4",
        )
        .bind(storable(id).into_owned())
        .bind(storable(purpose).into_owned())
        .bind(storable(user).into_owned())
        .bind(now.as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("use up the challenge", taken).await?.rows_affected() > 0)
    }

    /// How many wait that were asked for from an address.
    pub async fn waiting(&self, address: &str, now: Timestamp) -> Result<u64, RecordsError> {
        let counted = async {
            let row =
                sqlx::query("SELECT COUNT(*) AS waiting FROM challenges WHERE address = $1 AND expires > $2")
                    .bind(storable(address).into_owned())
                    .bind(now.as_microsecond())
                    .fetch_one(self.store.readers())
                    .await?;
            row.number("waiting")
        };
        self.store.run("count the challenges that wait", counted).await
    }

    /// Removes those that have expired. How many there were.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM challenges WHERE expires <= $1")
            .bind(now.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove expired challenges", swept).await?.rows_affected())
    }
}
