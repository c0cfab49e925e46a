//! Answers to requests that may come again, so that what was asked twice is done once.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Columns as _, Digest};
use crate::store::Store;
use crate::text::storable;

/// Bytes of the longest body that is kept.
pub const LONGEST_BODY: usize = 1024 * 1024;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Body, at most [`LONGEST_BODY`] bytes.
    pub body: String,
}

/// The right to answer a request. It ends by itself, so that a replica that dies does not block the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    user: String,
    key: String,
    /// Tells this claim from a later one of the same key.
    until: Timestamp,
}

/// What is known of a key of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: do it, then [`Idempotency::finish`].
    Claimed(Claim),
    /// Somebody does it just now.
    InProgress,
    /// It was done: answer this.
    Replay(Response),
    /// The key was used for another request.
    Conflict,
}

/// All answers.
#[derive(Clone)]
pub struct Idempotency {
    store: Store,
}

impl Idempotency {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Claims a key of a user for a request until a time, unless it is known. One of many at once gets it.
    pub async fn begin(
        &self,
        user: &str,
        key: &str,
        request: Digest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Begun, RecordsError> {
        let (user, key) = (storable(user).into_owned(), storable(key).into_owned());
        let begun = async {
            // Takes over a row that has expired, in place, or makes one.
            let claimed = sqlx::query(
                "INSERT INTO idempotency (username, request_key, digest, expires) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (username, request_key) DO UPDATE SET digest = excluded.digest, status = NULL, \
                 body = NULL, expires = excluded.expires WHERE idempotency.expires <= $5",
            )
            .bind(user.clone())
            .bind(key.clone())
            .bind(request.text())
            .bind(until.as_microsecond())
            .bind(now.as_microsecond())
            .execute(self.store.writers())
            .await?;
            if claimed.rows_affected() > 0 {
                return Ok(None);
            }
            let row = sqlx::query("SELECT * FROM idempotency WHERE username = $1 AND request_key = $2")
                .bind(user.clone())
                .bind(key.clone())
                .fetch_optional(self.store.readers())
                .await?;
            // Given up in between: who asks again gets it.
            row.as_ref().map_or(Ok(Begun::InProgress), |row| known(row, request)).map(Some)
        };
        let begun = self.store.run("claim the idempotency key", begun).await?;
        Ok(begun.unwrap_or(Begun::Claimed(Claim { user, key, until })))
    }

    /// Keeps the answer until a time. False if the claim had ended and somebody else has the key.
    pub async fn finish(
        &self,
        claim: &Claim,
        response: &Response,
        until: Timestamp,
    ) -> Result<bool, RecordsError> {
        let size = response.body.len();
        if size > LONGEST_BODY {
            return Err(RecordsError::TooLarge { what: "body of the answer", size, limit: LONGEST_BODY });
        }
        let finished = sqlx::query(
            "UPDATE idempotency SET status = $4, body = $5, expires = $6 \
             WHERE username = $1 AND request_key = $2 AND expires = $3 AND status IS NULL",
        )
        .bind(claim.user.clone())
        .bind(claim.key.clone())
        .bind(claim.until.as_microsecond())
        .bind(i64::from(response.status))
        .bind(storable(&response.body).into_owned())
        .bind(until.as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("keep the answer", finished).await?.rows_affected() > 0)
    }

    /// Gives the key back, when nothing was done and the request may be tried again. False if the claim had ended.
    pub async fn give_up(&self, claim: &Claim) -> Result<bool, RecordsError> {
        let given_up = sqlx::query(
            "DELETE FROM idempotency WHERE username = $1 AND request_key = $2 AND expires = $3 AND status IS NULL",
        )
        .bind(claim.user.clone())
        .bind(claim.key.clone())
        .bind(claim.until.as_microsecond())
        .execute(self.store.writers());
        Ok(self.store.run("give the idempotency key back", given_up).await?.rows_affected() > 0)
    }

    /// Removes what has expired. How many there were.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM idempotency WHERE expires <= $1")
            .bind(now.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove expired answers", swept).await?.rows_affected())
    }
}

fn known(row: &AnyRow, request: Digest) -> sqlx::Result<Begun> {
    if row.digest("digest")? != request {
        return Ok(Begun::Conflict);
    }
    let Some(body) = row.optional_text("body")? else { return Ok(Begun::InProgress) };
    Ok(Begun::Replay(Response { status: row.number("status")?, body }))
}
