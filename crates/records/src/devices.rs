//! Devices that wait for a person to let them in (RFC 8628).

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use crate::RecordsError;
use crate::columns::{Columns as _, Digest, damaged, list_text};
use crate::store::Store;
use crate::text::{bounded, storable};

/// Bytes that are kept of what a device says about itself.
const LONGEST_AGENT: usize = 512;

/// A device that begins to wait.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Of its device code.
    pub id: String,
    /// Of its device code's secret.
    pub digest: Digest,
    /// What a person types.
    pub user_code: String,
    /// From where it asks.
    pub address: String,
    /// With what; at most 512 bytes are kept.
    pub agent: String,
    /// When it waits no longer.
    pub expires: Timestamp,
}

/// Who let a device in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// As whom.
    pub user: String,
    /// Which provider vouched for them.
    pub provider: String,
    /// Their groups, as the provider said.
    pub groups: Vec<String>,
    /// By which the provider is asked again; empty if it is not.
    pub voucher: String,
}

/// How far a device has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has decided.
    Pending,
    /// Somebody let it in.
    Approved(Approval),
    /// Somebody turned it away.
    Denied,
}

/// A device that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Of its device code.
    pub id: String,
    /// Of its device code's secret.
    pub digest: Digest,
    /// What a person types.
    pub user_code: String,
    /// From where it asked.
    pub address: String,
    /// With what.
    pub agent: String,
    /// When it began to wait.
    pub created: Timestamp,
    /// When it waits no longer.
    pub expires: Timestamp,
    /// How far it has come.
    pub state: DeviceState,
}

/// What a device gets when it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is let in. Nobody gets this a second time.
    Approved(Approval),
    /// It shall ask again (`authorization_pending`).
    Pending,
    /// It was turned away (`access_denied`).
    Denied,
    /// It is unknown, expired, or was let in before (`expired_token`).
    Gone,
}

/// All devices that wait.
#[derive(Clone)]
pub struct Devices {
    store: Store,
}

impl Devices {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Lets a device wait. False if another one that still waits has this user code; then draw another.
    pub async fn begin(&self, device: &NewDevice, now: Timestamp) -> Result<bool, RecordsError> {
        let begun = async {
            let mut transaction = self.store.begin().await?;
            sqlx::query("DELETE FROM devices WHERE user_code = $1 AND expires <= $2")
                .bind(storable(&device.user_code).into_owned())
                .bind(now.as_microsecond())
                .execute(&mut *transaction)
                .await?;
            let inserted = sqlx::query(
                "INSERT INTO devices (id, digest, user_code, created, expires, state, username, provider, group_names, \
                 address, agent) VALUES ($1, $2, $3, $4, $5, 'pending', '', '', '[]', $6, $7) \
                 ON CONFLICT (user_code) DO NOTHING",
            )
            .bind(storable(&device.id).into_owned())
            .bind(device.digest.text())
            .bind(storable(&device.user_code).into_owned())
            .bind(now.as_microsecond())
            .bind(device.expires.as_microsecond())
            .bind(storable(&device.address).into_owned())
            .bind(bounded(&device.agent, LONGEST_AGENT))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(inserted.rows_affected() > 0)
        };
        self.store.run("let the device wait", begun).await
    }

    /// How many wait that asked from an address.
    pub async fn waiting(&self, address: &str, now: Timestamp) -> Result<u64, RecordsError> {
        let counted = async {
            let row =
                sqlx::query("SELECT COUNT(*) AS waiting FROM devices WHERE address = $1 AND expires > $2")
                    .bind(storable(address).into_owned())
                    .bind(now.as_microsecond())
                    .fetch_one(self.store.readers())
                    .await?;
            row.number("waiting")
        };
        self.store.run("count the devices that wait", counted).await
    }

    /// Notes that a device asks. False if it does so again before an interval is over; then nothing is noted.
    pub async fn poll(
        &self,
        id: &str,
        interval: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let polled = sqlx::query("UPDATE devices SET polled = $2 WHERE id = $1 AND polled <= $3")
            .bind(storable(id).into_owned())
            .bind(now.as_microsecond())
            .bind((now - interval).as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("note that the device asks", polled).await?.rows_affected() > 0)
    }

    /// The one of an id, to compare its digest.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<Device>, RecordsError> {
        self.one("SELECT * FROM devices WHERE id = $1 AND expires > $2", id, now).await
    }

    /// The one of a user code, to show a person what they decide on.
    pub async fn find_by_user_code(
        &self,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Device>, RecordsError> {
        self.one("SELECT * FROM devices WHERE user_code = $1 AND expires > $2", code, now).await
    }

    /// Lets the device of a user code in. False if none waits or somebody has decided.
    pub async fn approve(
        &self,
        user_code: &str,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        self.decide("approved", user_code, approval, now).await
    }

    /// Turns the device of a user code away. False if none waits or somebody has decided.
    pub async fn deny(&self, user_code: &str, now: Timestamp) -> Result<bool, RecordsError> {
        let nobody = Approval::default();
        self.decide("denied", user_code, &nobody, now).await
    }

    /// What the device of an id gets. An approval is given once, however many ask at once; compare the digest first.
    pub async fn take(&self, id: &str, now: Timestamp) -> Result<Taken, RecordsError> {
        let taken = async {
            let row = sqlx::query(
                "DELETE FROM devices WHERE id = $1 AND state = 'approved' AND expires > $2 RETURNING *",
            )
            .bind(storable(id).into_owned())
            .bind(now.as_microsecond())
            .fetch_optional(self.store.writers())
            .await?;
            row.as_ref().map(approval).transpose()
        };
        if let Some(approval) = self.store.run("let the device in", taken).await? {
            return Ok(Taken::Approved(approval));
        }
        Ok(match self.find(id, now).await?.map(|device| device.state) {
            None => Taken::Gone,
            Some(DeviceState::Denied) => Taken::Denied,
            // Approved since: it gets it when it asks again.
            Some(DeviceState::Pending | DeviceState::Approved(_)) => Taken::Pending,
        })
    }

    /// Removes those that have expired. How many there were.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM devices WHERE expires <= $1")
            .bind(now.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("remove expired devices", swept).await?.rows_affected())
    }

    async fn one(
        &self,
        query: &'static str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Device>, RecordsError> {
        let found = async {
            let row = sqlx::query(query)
                .bind(storable(key).into_owned())
                .bind(now.as_microsecond())
                .fetch_optional(self.store.readers())
                .await?;
            row.as_ref().map(read).transpose()
        };
        self.store.run("look up the device", found).await
    }

    async fn decide(
        &self,
        state: &'static str,
        user_code: &str,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let decided = sqlx::query(
            "UPDATE devices SET state = $3, username = $4, provider = $5, group_names = $6, voucher = $7 \
             WHERE user_code = $1 AND state = 'pending' AND expires > $2",
        )
        .bind(storable(user_code).into_owned())
        .bind(now.as_microsecond())
        .bind(state)
        .bind(storable(&approval.user).into_owned())
        .bind(storable(&approval.provider).into_owned())
        .bind(list_text(&approval.groups))
        .bind(storable(&approval.voucher).into_owned())
        .execute(self.store.writers());
        Ok(self.store.run("decide on the device", decided).await?.rows_affected() > 0)
    }
}

fn approval(row: &AnyRow) -> sqlx::Result<Approval> {
    Ok(Approval {
        user: row.text("username")?,
        provider: row.text("provider")?,
        groups: row.list("group_names")?,
        voucher: row.text("voucher")?,
    })
}

fn read(row: &AnyRow) -> sqlx::Result<Device> {
    let state = match row.text("state")?.as_str() {
        "pending" => DeviceState::Pending,
        "approved" => DeviceState::Approved(approval(row)?),
        "denied" => DeviceState::Denied,
        _ => return Err(damaged("state")),
    };
    Ok(Device {
        id: row.text("id")?,
        digest: row.digest("digest")?,
        user_code: row.text("user_code")?,
        address: row.text("address")?,
        agent: row.text("agent")?,
        created: row.time("created")?,
        expires: row.time("expires")?,
        state,
    })
}
