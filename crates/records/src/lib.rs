//! What grows without bound, and what several replicas of the hub's server must share, in SQL.
//!
//! [`Records::open`] takes `sqlite:///path?mode=rwc` (one replica) or `postgres://user:password@host/database` (any
//! number, in a database of its own). What was acknowledged is on disk. Nothing here decides: times, digests and
//! rules come in as arguments, what is known goes out.
//!
//! Texts from outside are kept without the character NUL, which PostgreSQL cannot store.

mod address;
mod attempts;
mod audit;
mod challenges;
mod codes;
mod columns;
mod devices;
mod error;
mod idempotency;
mod keys;
mod links;
mod migrations;
mod passkeys;
mod sessions;
mod statement;
mod store;
mod text;
mod usage;
mod vouchers;

use std::fmt;

pub use attempts::{Attempts, Guessing};
pub use audit::{Audit, AuditEntry, AuditFilter, Cursor, Decision, Page, RecordedEntry};
pub use challenges::{Challenge, Challenges};
pub use codes::Codes;
pub use columns::Digest;
pub use devices::{Approval, Device, DeviceState, Devices, NewDevice, Taken};
pub use error::RecordsError;
pub use idempotency::{Begun, Claim, Idempotency, LONGEST_BODY, Response};
pub use keys::{Key, Keys, NewKey};
pub use links::{Link, Links};
pub use passkeys::Passkeys;
pub use sessions::{NewSession, Session, Sessions};
pub use usage::{Amounts, DayUsage, Metering, UsageFilter, UsageGroup, UsageGrouping};
pub use vouchers::{Voucher, Vouchers};

use store::Store;

/// All records of a hub. Clones share the connections.
#[derive(Clone)]
pub struct Records {
    store: Store,
    audit: Audit,
}

impl Records {
    /// Connects and brings the tables up to date. Several may do so at once.
    ///
    /// # Errors
    /// If the URL is none of ours, nothing answers there, or a newer program wrote what is there.
    pub async fn open(url: &str) -> Result<Self, RecordsError> {
        let store = Store::open(url).await?;
        let audit = Audit::start(store.clone());
        Ok(Self { store, audit })
    }

    /// Sessions of people.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.store.clone())
    }

    /// By what providers are asked again.
    #[must_use]
    pub fn vouchers(&self) -> Vouchers {
        Vouchers::new(self.store.clone())
    }

    /// Keys of programs.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::new(self.store.clone())
    }

    /// Failures in a row of those who guess.
    #[must_use]
    pub fn guessing(&self) -> Guessing {
        Guessing::new(self.store.clone())
    }

    /// One-time codes that were used.
    #[must_use]
    pub fn codes(&self) -> Codes {
        Codes::new(self.store.clone())
    }

    /// What authenticators are asked to sign.
    #[must_use]
    pub fn challenges(&self) -> Challenges {
        Challenges::new(self.store.clone())
    }

    /// How often passkeys were used.
    #[must_use]
    pub fn passkeys(&self) -> Passkeys {
        Passkeys::new(self.store.clone())
    }

    /// Devices that wait for a person to let them in.
    #[must_use]
    pub fn devices(&self) -> Devices {
        Devices::new(self.store.clone())
    }

    /// Who is who at identity providers.
    #[must_use]
    pub fn links(&self) -> Links {
        Links::new(self.store.clone())
    }

    /// Who did what.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit.clone()
    }

    /// What tenants use.
    #[must_use]
    pub fn metering(&self) -> Metering {
        Metering::new(self.store.clone())
    }

    /// Answers to requests that may come again.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        Idempotency::new(self.store.clone())
    }

    /// Whether the database answers, for a readiness check.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<(), RecordsError> {
        self.store.ping().await
    }

    /// Waits for what is under way and closes the connections of all clones. What comes later fails.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Records").field("place", &self.store.place()).finish_non_exhaustive()
    }
}
