//! Makes a tenant's keys in one store the same as in another.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::time::Duration;

use etcd_client::{Compare, CompareOp, KeyValue, PutOptions, Txn, TxnOp};

use super::pages::Pages;
use super::range::key_range;
use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Error, TenantSpace};

/// Longest wait for a batch of writes.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// etcd takes up to 128 operations in one transaction by default.
const BATCH_OPERATIONS: usize = 100;
/// etcd takes requests of up to 1.5 MiB by default; a larger value goes alone, as it came.
const BATCH_BYTES: usize = 512 << 10;

/// How far a copy is; read while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    examined: AtomicU64,
}

impl Progress {
    /// Keys that were gone through in this round, and how many there are.
    #[must_use]
    pub fn seen(&self) -> (u64, u64) {
        (self.examined.load(Memory::Relaxed), self.total.load(Memory::Relaxed))
    }
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Keys that the source has.
    pub examined: u64,
    /// Keys that the target lacked or had otherwise.
    pub written: u64,
    /// Keys that the source has no more.
    pub removed: u64,
}

impl Copied {
    /// Whether both stores were found to be the same.
    #[must_use]
    pub fn is_settled(self) -> bool {
        self.written == 0 && self.removed == 0
    }
}

/// Copies one tenant between two stores, in rounds: each compares all keys and writes what differs, so
/// that it may be stopped anywhere and begun again.
///
/// Of several copiers of a tenant only the one that began last writes, and none does after
/// [`EtcdStore::end_copies`]: one that was cut off from its program harms nothing.
pub struct Copier {
    source: EtcdStore,
    target: EtcdStore,
    space: TenantSpace,
    /// Stands in the target while this copier may write.
    pass: Vec<u8>,
    /// Leases of the target by those of the source that they stand for.
    leases: HashMap<i64, i64>,
}

impl Copier {
    /// Begins to copy the keys of `space`; `pass` is a text that no other copier has.
    pub async fn begin(
        source: EtcdStore,
        target: EtcdStore,
        space: TenantSpace,
        pass: &str,
    ) -> Result<Self, Error> {
        let mut keys = target.keys();
        let written = Box::pin(keys.put(pass_key(&space)?, pass, None));
        target.bounded("announce a copy", REQUEST_TIMEOUT, written).await?;
        Ok(Self { source, target, space, pass: pass.into(), leases: HashMap::new() })
    }

    /// One round: afterwards the target has what the source had, if nobody wrote to it meanwhile.
    ///
    /// A key that ends with a lease ends at the same time in the target, by a lease of its own there.
    pub async fn round(&mut self, progress: &Progress) -> Result<Copied, Error> {
        // Requests to both stores make a large future, which its callers need not carry.
        Box::pin(self.compare(progress)).await
    }

    async fn compare(&mut self, progress: &Progress) -> Result<Copied, Error> {
        progress.examined.store(0, Memory::Relaxed);
        progress.total.store(self.source.count(&self.space).await?, Memory::Relaxed);
        let (source, target) = (self.source.clone(), self.target.clone());
        let mut wanted = Pages::new(&source, &self.space.schema)?;
        let mut present = Pages::new(&target, &self.space.schema)?;
        let valid = Compare::value(pass_key(&self.space)?, CompareOp::Equal, self.pass.clone());
        let mut batch = Batch::default();
        let mut copied = Copied::default();
        loop {
            match order(wanted.peek().await?, present.peek().await?) {
                None => break,
                Some(Ordering::Greater) => {
                    let Some(surplus) = present.take() else { break };
                    batch.remove(&surplus);
                }
                Some(order) => {
                    let Some(entry) = wanted.take() else { break };
                    let existing = if order == Ordering::Equal { present.take() } else { None };
                    self.bring(entry, existing, &mut batch).await?;
                    copied.examined += 1;
                    progress.examined.fetch_add(1, Memory::Relaxed);
                }
            }
            if batch.is_full() {
                batch.write(&target, &valid, &mut copied).await?;
            }
        }
        batch.write(&target, &valid, &mut copied).await?;
        Ok(copied)
    }

    /// Writes an entry unless it is there already.
    async fn bring(
        &mut self,
        entry: KeyValue,
        existing: Option<KeyValue>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let lease = match entry.lease() {
            0 => Some(0),
            lease => self.lease(lease).await?,
        };
        match (lease, existing) {
            // The lease has ended since the key was read, and the key with it.
            (None, Some(existing)) => batch.remove(&existing),
            (None, None) => {}
            (Some(lease), Some(existing))
                if existing.value() == entry.value() && existing.lease() == lease => {}
            (Some(lease), _) => batch.put(entry, lease),
        }
        Ok(())
    }

    /// The lease of the target that stands for one of the source; none if that has ended.
    async fn lease(&mut self, lease: i64) -> Result<Option<i64>, Error> {
        if let Some(known) = self.leases.get(&lease) {
            return Ok(Some(*known));
        }
        let mut leases = self.source.client.lease_client();
        let asked = leases.time_to_live(lease, None);
        // etcd answers with less than zero for one that it does not know any more.
        let left = self.source.bounded("read a lease", REQUEST_TIMEOUT, asked).await?.ttl();
        if left <= 0 {
            return Ok(None);
        }
        let mut leases = self.target.client.lease_client();
        let granted = leases.grant(left, None);
        let granted = self.target.bounded("make a lease", REQUEST_TIMEOUT, granted).await?.id();
        self.leases.insert(lease, granted);
        Ok(Some(granted))
    }
}

impl EtcdStore {
    /// Lets no copier write the tenant's keys here any more.
    pub async fn end_copies(&self, space: &TenantSpace) -> Result<(), Error> {
        let mut keys = self.keys();
        let deleted = keys.delete(pass_key(space)?, None);
        self.bounded("end copies of the tenant", REQUEST_TIMEOUT, deleted).await.map(|_| ())
    }
}

/// Where the pass of the copier that may write stands: a key that no tenant can own.
fn pass_key(space: &TenantSpace) -> Result<String, Error> {
    Ok(format!("flotilla/copy{}", key_range(&space.schema)?))
}

/// Which of two keys comes first; none if there are no more.
fn order(wanted: Option<&KeyValue>, present: Option<&KeyValue>) -> Option<Ordering> {
    match (wanted, present) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(wanted), Some(present)) => Some(wanted.key().cmp(present.key())),
    }
}

/// Writes that go in one transaction.
#[derive(Default)]
struct Batch {
    operations: Vec<TxnOp>,
    bytes: usize,
    written: u64,
    removed: u64,
}

impl Batch {
    fn put(&mut self, entry: KeyValue, lease: i64) {
        let (key, value) = entry.into_key_value();
        self.bytes += key.len() + value.len();
        self.written += 1;
        self.operations.push(TxnOp::put(key, value, Some(PutOptions::new().with_lease(lease))));
    }

    fn remove(&mut self, entry: &KeyValue) {
        self.bytes += entry.key().len();
        self.removed += 1;
        self.operations.push(TxnOp::delete(entry.key(), None));
    }

    fn is_full(&self) -> bool {
        self.operations.len() >= BATCH_OPERATIONS || self.bytes >= BATCH_BYTES
    }

    async fn write(&mut self, target: &EtcdStore, valid: &Compare, copied: &mut Copied) -> Result<(), Error> {
        if self.operations.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(self);
        let mut keys = target.keys();
        let written = keys.txn(Txn::new().when([valid.clone()]).and_then(batch.operations));
        let written = target.bounded("write the tenant's keys", WRITE_TIMEOUT, written).await?;
        if !written.succeeded() {
            return Err(Error::Superseded);
        }
        copied.written += batch.written;
        copied.removed += batch.removed;
        Ok(())
    }
}
