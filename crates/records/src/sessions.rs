//! Sessions of people, in browsers and the CLI.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Columns as _, Digest, list_text};
use crate::store::Store;
use crate::text::{bounded, storable};

/// How often it is noted that a session or key is in use.
pub(crate) const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Bytes that are kept of what a browser says about itself.
const LONGEST_AGENT: usize = 512;

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// By which it is known; unique.
    pub id: String,
    /// Of the token's secret.
    pub digest: Digest,
    /// Of the token against forged requests.
    pub csrf: Digest,
    /// Whose it is.
    pub user: String,
    /// Which provider vouched.
    pub provider: String,
    /// Groups, as the provider said.
    pub groups: Vec<String>,
    /// By which the provider is asked again; empty if it is not.
    pub voucher: String,
    /// When it ends.
    pub expires: Timestamp,
    /// From where it was opened.
    pub address: String,
    /// With what; at most 512 bytes are kept.
    pub agent: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// By which it is known.
    pub id: String,
    /// Of the token's secret.
    pub digest: Digest,
    /// Of the token against forged requests.
    pub csrf: Digest,
    /// Whose it is.
    pub user: String,
    /// Which provider vouched.
    pub provider: String,
    /// Groups, as the provider said.
    pub groups: Vec<String>,
    /// By which the provider is asked again; empty if it is not.
    pub voucher: String,
    /// When it was opened.
    pub created: Timestamp,
    /// When it was last in use, up to a minute.
    pub last_seen: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// From where it was opened.
    pub address: String,
    /// With what.
    pub agent: String,
}

/// All sessions. One that has expired is not found any more.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
}

impl Sessions {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Opens one.
    pub async fn open(&self, session: &NewSession, now: Timestamp) -> Result<(), RecordsError> {
        let opened = sqlx::query(
            "INSERT INTO sessions (id, digest, csrf, username, provider, group_names, created, last_seen, expires, \
             address, agent, voucher) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)",
        )
        .bind(storable(&session.id).into_owned())
        .bind(session.digest.text())
        .bind(session.csrf.text())
        .bind(storable(&session.user).into_owned())
        .bind(storable(&session.provider).into_owned())
        .bind(list_text(&session.groups))
        .bind(now.as_microsecond())
        .bind(session.expires.as_microsecond())
        .bind(storable(&session.address).into_owned())
        .bind(bounded(&session.agent, LONGEST_AGENT))
        .bind(storable(&session.voucher).into_owned())
        .execute(self.store.writers());
        self.store.run("open the session", opened).await.map(drop)
    }

    /// The one of an id.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<Session>, RecordsError> {
        let found = async {
            let row = sqlx::query("SELECT * FROM sessions WHERE id = $1 AND expires > $2")
                .bind(storable(id).into_owned())
                .bind(now.as_microsecond())
                .fetch_optional(self.store.readers())
                .await?;
            row.as_ref().map(read).transpose()
        };
        self.store.run("look up the session", found).await
    }

    /// Notes that a session is in use; at most once a minute is anything written. True if so.
    pub async fn touch(&self, session: &Session, now: Timestamp) -> Result<bool, RecordsError> {
        if now.duration_since(session.last_seen) < NOTED_EVERY {
            return Ok(false);
        }
        let touched = sqlx::query("UPDATE sessions SET last_seen = $2 WHERE id = $1 AND last_seen <= $3")
            .bind(session.id.clone())
            .bind(now.as_microsecond())
            .bind((now - NOTED_EVERY).as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("note that the session is in use", touched).await?.rows_affected() > 0)
    }

    /// Replaces the groups of all that have a voucher, when the provider says something new. False if there is none.
    pub async fn set_groups(&self, voucher: &str, groups: &[String]) -> Result<bool, RecordsError> {
        let set = sqlx::query("UPDATE sessions SET group_names = $2 WHERE voucher = $1 AND voucher <> ''")
            .bind(storable(voucher).into_owned())
            .bind(list_text(groups))
            .execute(self.store.writers());
        Ok(self.store.run("set the session's groups", set).await?.rows_affected() > 0)
    }

    /// Ends one, of anybody. False if there was none.
    pub async fn end(&self, id: &str) -> Result<bool, RecordsError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE id = $1")
            .bind(storable(id).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("end the session", ended).await?.rows_affected() > 0)
    }

    /// Ends all of a user, but for one that may be kept. How many there were.
    pub async fn end_all(&self, user: &str, but: Option<&str>) -> Result<u64, RecordsError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE username = $1 AND id <> $2")
            .bind(storable(user).into_owned())
            .bind(storable(but.unwrap_or_default()).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("end the user's sessions", ended).await?.rows_affected())
    }

    /// Ends all that have a voucher. How many there were.
    pub async fn end_voucher(&self, voucher: &str) -> Result<u64, RecordsError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE voucher = $1 AND voucher <> ''")
            .bind(storable(voucher).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("end the sessions of a voucher", ended).await?.rows_affected())
    }

    /// Ends all that a provider vouched for. How many there were.
    pub async fn end_provider(&self, provider: &str) -> Result<u64, RecordsError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE provider = $1")
            .bind(storable(provider).into_owned())
            .execute(self.store.writers());
        Ok(self.store.run("end the provider's sessions", ended).await?.rows_affected())
    }

    /// Those of a user, the newest first.
    pub async fn of(&self, user: &str, now: Timestamp) -> Result<Vec<Session>, RecordsError> {
        let listed = async {
            let rows = sqlx::query(
                "SELECT * FROM sessions WHERE username = $1 AND expires > $2 ORDER BY created DESC, id",
            )
            .bind(storable(user).into_owned())
            .bind(now.as_microsecond())
            .fetch_all(self.store.readers())
            .await?;
            rows.iter().map(read).collect()
        };
        self.store.run("list the user's sessions", listed).await
    }

    /// Removes those that have expired. How many there were.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM sessions WHERE expires <= $1")
            .bind(now.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove expired sessions", swept).await?.rows_affected())
    }
}

fn read(row: &AnyRow) -> sqlx::Result<Session> {
    Ok(Session {
        id: row.text("id")?,
        digest: row.digest("digest")?,
        csrf: row.digest("csrf")?,
        user: row.text("username")?,
        provider: row.text("provider")?,
        groups: row.list("group_names")?,
        voucher: row.text("voucher")?,
        created: row.time("created")?,
        last_seen: row.time("last_seen")?,
        expires: row.time("expires")?,
        address: row.text("address")?,
        agent: row.text("agent")?,
    })
}
