//! What can go wrong with records. No text holds the URL's password.

use std::sync::Arc;

/// Why records were not read or kept. Clones are the same failure, told to each whose entry it hit.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordsError {
    /// The URL cannot be used.
    #[error(
        "the database's URL cannot be used: {reason}; give sqlite:///absolute/path?mode=rwc or \
         postgres://user:password@host/database"
    )]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing usable is there.
    #[error("the database {place} cannot be opened: {reason}; {hint}")]
    Open {
        /// A path, or host and name, without user and password.
        place: String,
        /// What the driver said.
        reason: String,
        /// What to look at.
        hint: &'static str,
    },
    /// A newer program wrote what is there.
    #[error(
        "the database {place} has tables of version {found}, this program knows {known}; run the newer program, or \
         restore a copy from before it ran"
    )]
    Newer {
        /// As in [`Self::Open`].
        place: String,
        /// The version that is there.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// A statement failed.
    #[error("cannot {action}; see whether the database runs and has room")]
    Failed {
        /// What was to be done, after "cannot".
        action: &'static str,
        /// What the driver said.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// No answer came in time; whether it was done is unknown.
    #[error(
        "cannot {action}: no answer within {seconds} s; see whether the database runs and is not overloaded"
    )]
    Unanswered {
        /// As in [`Self::Failed`].
        action: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A cursor is none that a page came with.
    #[error("the cursor is none of ours; begin with the first page")]
    Cursor,
    /// A value is larger than is kept.
    #[error("the {what} has {size} bytes and at most {limit} are kept; do not keep it")]
    TooLarge {
        /// Which value.
        what: &'static str,
        /// What it has.
        size: usize,
        /// What it may have.
        limit: usize,
    },
}
