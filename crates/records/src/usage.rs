//! What tenants use, by day and cluster.

mod query;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::Transaction;
use sqlx::any::Any;

pub use query::{UsageFilter, UsageGroup, UsageGrouping};

use crate::RecordsError;
use crate::store::Store;
use crate::text::storable;

/// Most that is counted at once, so that no sum overflows: ten thousand such are still below the largest number.
const MOST: u64 = 900_000_000_000_000;
/// Kinds of amounts.
const COUNT: usize = 8;

/// Amounts of what is used, each over time. Whole numbers, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// Seconds that the control plane was there and not asleep.
    pub control_plane_seconds: u64,
    /// Seconds of its replicas together.
    pub replica_seconds: u64,
    /// Thousandths of CPU cores that the control plane asks for, times seconds.
    pub cpu_millicore_seconds: u64,
    /// MiB of memory that the control plane asks for, times seconds.
    pub memory_mebibyte_seconds: u64,
    /// Seconds of its nodes together.
    pub node_seconds: u64,
    /// Thousandths of CPU cores that its nodes have, times seconds.
    pub node_cpu_millicore_seconds: u64,
    /// MiB of memory that its nodes have, times seconds.
    pub node_memory_mebibyte_seconds: u64,
    /// Requests.
    pub requests: u64,
}

impl Amounts {
    /// Names of the amounts, in the order of [`Self::values`].
    pub const COLUMNS: [&'static str; COUNT] = [
        "control_plane_seconds",
        "replica_seconds",
        "cpu_millicore_seconds",
        "memory_mebibyte_seconds",
        "node_seconds",
        "node_cpu_millicore_seconds",
        "node_memory_mebibyte_seconds",
        "requests",
    ];

    /// The amounts.
    #[must_use]
    pub fn values(&self) -> [u64; COUNT] {
        [
            self.control_plane_seconds,
            self.replica_seconds,
            self.cpu_millicore_seconds,
            self.memory_mebibyte_seconds,
            self.node_seconds,
            self.node_cpu_millicore_seconds,
            self.node_memory_mebibyte_seconds,
            self.requests,
        ]
    }

    fn of(values: [u64; COUNT]) -> Self {
        let [
            control_plane_seconds,
            replica_seconds,
            cpu_millicore_seconds,
            memory_mebibyte_seconds,
            node_seconds,
            node_cpu_millicore_seconds,
            node_memory_mebibyte_seconds,
            requests,
        ] = values;
        Self {
            control_plane_seconds,
            replica_seconds,
            cpu_millicore_seconds,
            memory_mebibyte_seconds,
            node_seconds,
            node_cpu_millicore_seconds,
            node_memory_mebibyte_seconds,
            requests,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (ours, theirs) = (self.values(), other.values());
        Self::of(std::array::from_fn(|place| ours[place].saturating_add(theirs[place])))
    }
}

/// What one cluster of a tenant used on one day (UTC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayUsage {
    /// The day.
    pub day: Date,
    /// The tenant.
    pub tenant: String,
    /// The cluster.
    pub cluster: String,
    /// How much.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// What all tenants use.
#[derive(Clone)]
pub struct Metering {
    store: Store,
}

impl Metering {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Adds what was used in an interval, all or nothing. The interval's key says who measured what and when, such as
    /// `clusters/2026-11-29T00:05Z`; what comes with a key that was reported before is not counted. True if it was.
    pub async fn report(
        &self,
        interval: &str,
        usage: &[DayUsage],
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        // In one order, so that reports do not wait for each other in a circle, and each row once.
        let mut rows = BTreeMap::<(Date, &str, &str), Amounts>::new();
        for row in usage {
            let sum = rows.entry((row.day, &row.tenant, &row.cluster)).or_default();
            *sum = sum.plus(row.amounts);
        }
        let reported = async {
            let mut transaction = self.store.begin().await?;
            let claimed = sqlx::query(
                "INSERT INTO usage_intervals (interval_key, reported) VALUES ($1, $2) \
                 ON CONFLICT (interval_key) DO NOTHING",
            )
            .bind(storable(interval).into_owned())
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await?;
            if claimed.rows_affected() == 0 {
                return Ok(false);
            }
            for ((day, tenant, cluster), amounts) in rows {
                add(&mut transaction, day, tenant, cluster, amounts).await?;
            }
            transaction.commit().await?;
            Ok(true)
        };
        self.store.run("report what was used", reported).await
    }

    /// Forgets the keys of intervals that were reported before a time; none must be reported again after that. What was
    /// used stays. How many there were.
    pub async fn sweep(&self, before: Timestamp) -> Result<u64, RecordsError> {
        let swept = sqlx::query("DELETE FROM usage_intervals WHERE reported < $1")
            .bind(before.as_microsecond())
            .execute(self.store.writers());
        Ok(self.store.run("forget reported intervals", swept).await?.rows_affected())
    }
}

async fn add(
    transaction: &mut Transaction<'static, Any>,
    day: Date,
    tenant: &str,
    cluster: &str,
    amounts: Amounts,
) -> sqlx::Result<()> {
    let mut query = sqlx::query(
        "INSERT INTO usage_by_day (day, tenant, cluster, control_plane_seconds, replica_seconds, \
         cpu_millicore_seconds, memory_mebibyte_seconds, node_seconds, node_cpu_millicore_seconds, \
         node_memory_mebibyte_seconds, requests) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (day, tenant, cluster) DO UPDATE SET \
         control_plane_seconds = usage_by_day.control_plane_seconds + excluded.control_plane_seconds, \
         replica_seconds = usage_by_day.replica_seconds + excluded.replica_seconds, \
         cpu_millicore_seconds = usage_by_day.cpu_millicore_seconds + excluded.cpu_millicore_seconds, \
         memory_mebibyte_seconds = usage_by_day.memory_mebibyte_seconds + excluded.memory_mebibyte_seconds, \
         node_seconds = usage_by_day.node_seconds + excluded.node_seconds, \
         node_cpu_millicore_seconds = usage_by_day.node_cpu_millicore_seconds + excluded.node_cpu_millicore_seconds, \
         node_memory_mebibyte_seconds = \
         usage_by_day.node_memory_mebibyte_seconds + excluded.node_memory_mebibyte_seconds, \
         requests = usage_by_day.requests + excluded.requests",
    )
    .bind(day.to_string())
    .bind(storable(tenant).into_owned())
    .bind(storable(cluster).into_owned());
    for value in amounts.values() {
        query = query.bind(value.min(MOST).cast_signed());
    }
    query.execute(&mut **transaction).await.map(drop)
}
