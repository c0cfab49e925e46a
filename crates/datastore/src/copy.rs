//! Makes a tenant's contents in one store the same as in another, whatever the drivers.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use crate::{Change, Error, Reader, Record, Store, TenantSpace, Writer};

/// Changes that are handed to the writer at once.
const BATCH_CHANGES: usize = 500;
/// Bytes that are handed to the writer at once, but for a larger value.
const BATCH_BYTES: usize = 2 << 20;

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
/// [`Store::end_copies`]: one that was cut off from its program harms nothing.
#[derive(Debug)]
pub struct Copier {
    source: Store,
    target: Store,
    space: TenantSpace,
    writer: Writer,
}

impl Copier {
    /// Begins to copy the keys of `space`; `pass` is a text that no other copier has.
    ///
    /// # Errors
    /// [`Error`] if the target does not answer or refuses.
    pub async fn begin(source: Store, target: Store, space: TenantSpace, pass: &str) -> Result<Self, Error> {
        let writer = target.begin_writing(&space, pass).await?;
        Ok(Self { source, target, space, writer })
    }

    /// One round: afterwards the target has what the source had, if nobody wrote to it meanwhile.
    ///
    /// A key that ends by itself does so in the target too.
    ///
    /// # Errors
    /// [`Error::Superseded`] if another copier took over, [`Error`] if a store does not answer or refuses.
    pub async fn round(&mut self, progress: &Progress) -> Result<Copied, Error> {
        progress.examined.store(0, Memory::Relaxed);
        progress.total.store(self.source.count(&self.space).await?, Memory::Relaxed);
        let mut wanted = Ahead::new(self.source.read(&self.space).await?);
        let mut present = Ahead::new(self.target.read(&self.space).await?);
        let mut batch = Batch::default();
        let mut copied = Copied::default();
        loop {
            match order(wanted.peek().await?, present.peek().await?) {
                None => break,
                Some(Ordering::Greater) => {
                    let Some(surplus) = present.take() else { break };
                    batch.add(Change::Remove(surplus.key));
                }
                Some(order) => {
                    let Some(entry) = wanted.take() else { break };
                    let existing = if order == Ordering::Equal { present.take() } else { None };
                    if !existing.is_some_and(|existing| is_same(&entry, &existing)) {
                        batch.add(Change::Put(entry));
                    }
                    copied.examined += 1;
                    progress.examined.fetch_add(1, Memory::Relaxed);
                }
            }
            if batch.is_full() {
                batch.write(&mut self.writer, &mut copied).await?;
            }
        }
        batch.write(&mut self.writer, &mut copied).await?;
        Ok(copied)
    }
}

/// Times are not compared: what is left of them is told differently well, and it runs on both sides.
fn is_same(wanted: &Record, present: &Record) -> bool {
    wanted.value == present.value && wanted.ends_in.is_some() == present.ends_in.is_some()
}

/// Which of two keys comes first; none if there are no more.
fn order(wanted: Option<&Record>, present: Option<&Record>) -> Option<Ordering> {
    match (wanted, present) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(wanted), Some(present)) => Some(wanted.key.cmp(&present.key)),
    }
}

/// A reader whose next entry can be looked at.
struct Ahead {
    reader: Reader,
    front: Option<Record>,
    is_over: bool,
}

impl Ahead {
    fn new(reader: Reader) -> Self {
        Self { reader, front: None, is_over: false }
    }

    async fn peek(&mut self) -> Result<Option<&Record>, Error> {
        if self.front.is_none() && !self.is_over {
            self.front = self.reader.next().await?;
            self.is_over = self.front.is_none();
        }
        Ok(self.front.as_ref())
    }

    fn take(&mut self) -> Option<Record> {
        self.front.take()
    }
}

/// Changes that are written together.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, change: Change) {
        self.bytes += match &change {
            Change::Put(record) => record.key.len() + record.value.len(),
            Change::Remove(key) => key.len(),
        };
        self.changes.push(change);
    }

    fn is_full(&self) -> bool {
        self.changes.len() >= BATCH_CHANGES || self.bytes >= BATCH_BYTES
    }

    async fn write(&mut self, writer: &mut Writer, copied: &mut Copied) -> Result<(), Error> {
        let batch = std::mem::take(self);
        if batch.changes.is_empty() {
            return Ok(());
        }
        writer.write(&batch.changes).await?;
        let written = batch.changes.iter().filter(|change| matches!(change, Change::Put(_))).count();
        copied.written += written as u64;
        copied.removed += (batch.changes.len() - written) as u64;
        Ok(())
    }
}
