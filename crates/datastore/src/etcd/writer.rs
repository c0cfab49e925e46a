//! Writes a tenant's keys, as long as no other writer has begun.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp};

use super::range::{fence_key, key_range};
use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Change, Error, TenantSpace};

/// Longest wait for a batch of writes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// etcd takes up to 128 operations in one transaction by default.
const BATCH_OPERATIONS: usize = 100;
/// etcd takes requests of up to 1.5 MiB by default; a larger value goes alone, as it came.
const BATCH_BYTES: usize = 512 << 10;
/// Keys that end within the same span of this many seconds share a lease, and end together at its end.
const LEASE_SPAN: u64 = 10;

/// Writes one tenant's keys in transactions that hold only while this writer is the latest.
pub struct EtcdWriter {
    store: EtcdStore,
    root: String,
    /// That this writer's pass stands in the store.
    valid: Compare,
    began: Instant,
    /// Leases by the span, counted from `began`, in which they end.
    leases: HashMap<u64, i64>,
}

impl EtcdStore {
    /// Begins to write the tenant's keys; earlier writers are shut out.
    pub async fn begin_writing(&self, space: &TenantSpace, pass: &str) -> Result<EtcdWriter, Error> {
        let mut keys = self.keys();
        let written = keys.put(fence_key(space)?, pass, None);
        self.bounded("announce a copy", REQUEST_TIMEOUT, written).await?;
        Ok(EtcdWriter {
            store: self.clone(),
            root: key_range(&space.schema)?,
            valid: Compare::value(fence_key(space)?, CompareOp::Equal, pass),
            began: Instant::now(),
            leases: HashMap::new(),
        })
    }

    /// Lets no writer write the tenant's keys here any more.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        let mut keys = self.keys();
        let deleted = keys.delete(fence_key(space)?, None);
        self.bounded("end copies of the tenant", REQUEST_TIMEOUT, deleted).await.map(|_| ())
    }
}

impl EtcdWriter {
    /// Brings the changes about, each key at most once.
    ///
    /// A key that ends by itself gets a lease that ends at the same time, up to [`LEASE_SPAN`] later.
    pub async fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        let mut batch = Batch::default();
        for change in changes {
            let bytes = match change {
                Change::Put(record) => record.key.len() + record.value.len(),
                Change::Remove(key) => key.len(),
            };
            if batch.operations.len() >= BATCH_OPERATIONS || batch.bytes + bytes > BATCH_BYTES {
                self.commit(&mut batch).await?;
            }
            batch.bytes += bytes;
            batch.operations.push(self.operation(change).await?);
        }
        self.commit(&mut batch).await
    }

    async fn operation(&mut self, change: &Change) -> Result<TxnOp, Error> {
        let place = |key: &[u8]| [self.root.as_bytes(), key].concat();
        Ok(match change {
            Change::Remove(key) => TxnOp::delete(place(key), None),
            Change::Put(record) => {
                let key = place(&record.key);
                let lease = match record.ends_in {
                    None => 0,
                    Some(left) => self.lease(left).await?,
                };
                TxnOp::put(key, record.value.as_slice(), Some(PutOptions::new().with_lease(lease)))
            }
        })
    }

    async fn lease(&mut self, left: Duration) -> Result<i64, Error> {
        let now = self.began.elapsed().as_secs();
        let span = (now + left.as_secs()) / LEASE_SPAN;
        if let Some(known) = self.leases.get(&span) {
            return Ok(*known);
        }
        let left = (span + 1) * LEASE_SPAN - now;
        let mut leases = self.store.client.lease_client();
        let granted = leases.grant(left.try_into().unwrap_or(i64::MAX), None);
        let granted = self.store.bounded("make a lease", REQUEST_TIMEOUT, granted).await?.id();
        self.leases.insert(span, granted);
        Ok(granted)
    }

    async fn commit(&self, batch: &mut Batch) -> Result<(), Error> {
        let operations = std::mem::take(batch).operations;
        if operations.is_empty() {
            return Ok(());
        }
        let mut keys = self.store.keys();
        let written = keys.txn(Txn::new().when([self.valid.clone()]).and_then(operations));
        let written = self.store.bounded("write the tenant's keys", WRITE_TIMEOUT, written).await?;
        if written.succeeded() { Ok(()) } else { Err(Error::Superseded) }
    }
}

impl std::fmt::Debug for EtcdWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EtcdWriter").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Writes that go in one transaction.
#[derive(Default)]
struct Batch {
    operations: Vec<TxnOp>,
    bytes: usize,
}
