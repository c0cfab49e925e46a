//! By what the provider of a session is asked again whether it still vouches, and which sign-ins have come back.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::Columns as _;
use crate::store::Store;
use crate::text::storable;

/// What is kept beside sessions that a provider vouched for: a person's, and those of programs that the person let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Voucher {
    /// Who it is, at the provider.
    pub subject: String,
    /// Sealed by whoever keeps it here; empty if the provider gave none.
    pub refresh_token: String,
    /// When the provider last answered.
    pub checked: Timestamp,
    /// Until when somebody asks it, at most; in the past if nobody does.
    pub busy_until: Timestamp,
}

/// All vouchers.
#[derive(Clone)]
pub struct Vouchers {
    store: Store,
}

impl Vouchers {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps one as long as a session has it; the first is there already.
    pub async fn keep(
        &self,
        id: &str,
        subject: &str,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<(), RecordsError> {
        let kept = sqlx::query(
            "INSERT INTO vouchers (id, subject, refresh_token, checked, tried, busy_until) \
             VALUES ($1, $2, $3, $4, $4, 0)",
        )
        .bind(storable(id).into_owned())
        .bind(storable(subject).into_owned())
        .bind(storable(refresh_token).into_owned())
        .bind(now.as_microsecond())
        .execute(self.store.writers());
        self.store.run("keep by what the provider is asked again", kept).await.map(drop)
    }

    /// The one of an id.
    pub async fn find(&self, id: &str) -> Result<Option<Voucher>, RecordsError> {
        let found = async {
            let row = sqlx::query("SELECT * FROM vouchers WHERE id = $1")
                .bind(storable(id).into_owned())
                .fetch_optional(self.store.readers())
                .await?;
            row.as_ref().map(read).transpose()
        };
        self.store.run("look up by what the provider is asked again", found).await
    }

    /// Lets one caller ask the provider, at most for `lasts`, and not again within `pause` of the last time. True for
    /// one of all who want to at once.
    pub async fn claim(
        &self,
        id: &str,
        lasts: SignedDuration,
        pause: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let claimed = sqlx::query(
            "UPDATE vouchers SET tried = $2, busy_until = $3 \
             WHERE id = $1 AND busy_until <= $2 AND tried <= $4",
        )
        .bind(storable(id).into_owned())
        .bind(now.as_microsecond())
        .bind((now + lasts).as_microsecond())
        .bind((now - pause).as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("claim to ask the provider", claimed).await?.rows_affected() > 0)
    }

    /// The provider has answered.
    pub async fn answered(&self, id: &str, refresh_token: &str, now: Timestamp) -> Result<(), RecordsError> {
        let noted =
            sqlx::query("UPDATE vouchers SET refresh_token = $2, checked = $3, busy_until = 0 WHERE id = $1")
                .bind(storable(id).into_owned())
                .bind(storable(refresh_token).into_owned())
                .bind(now.as_microsecond())
                .execute(self.store.writers());
        self.store.run("note what the provider has answered", noted).await.map(drop)
    }

    /// The provider has not answered; another may ask it.
    pub async fn unanswered(&self, id: &str) -> Result<(), RecordsError> {
        let noted = sqlx::query("UPDATE vouchers SET busy_until = 0 WHERE id = $1")
            .bind(storable(id).into_owned())
            .execute(self.store.writers());
        self.store.run("note that the provider has not answered", noted).await.map(drop)
    }

    /// Uses up a sign-in. True once only.
    pub async fn spend_flow(&self, id: &str, expires: Timestamp) -> Result<bool, RecordsError> {
        let spent =
            sqlx::query("INSERT INTO flows (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
                .bind(storable(id).into_owned())
                .bind(expires.as_microsecond())
                .execute(self.store.writers());
        Ok(self.store.run("use up the sign-in", spent).await?.rows_affected() > 0)
    }

    /// Removes what is of no use any more: sessions that have ended need none, programs that were let in will.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), RecordsError> {
        let swept = async {
            sqlx::query(
                "DELETE FROM vouchers WHERE NOT EXISTS \
                 (SELECT 1 FROM sessions WHERE sessions.voucher = vouchers.id) AND NOT EXISTS \
                 (SELECT 1 FROM devices WHERE devices.voucher = vouchers.id)",
            )
            .execute(self.store.writers())
            .await?;
            let flows = sqlx::query("DELETE FROM flows WHERE expires <= $1").bind(now.as_microsecond());
            flows.execute(self.store.writers()).await.map(drop)
        };
        self.store.run("remove what providers are not asked with any more", swept).await
    }
}

fn read(row: &AnyRow) -> sqlx::Result<Voucher> {
    Ok(Voucher {
        subject: row.text("subject")?,
        refresh_token: row.text("refresh_token")?,
        checked: row.time("checked")?,
        busy_until: row.time("busy_until")?,
    })
}
