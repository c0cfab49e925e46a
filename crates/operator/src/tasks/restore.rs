//! Makes a tenant's contents those of an archive: what differs is written, what is not in it removed.

use std::cmp::Ordering;
use std::time::Duration;

use ::backup::Entry;
use base::{Clock, SystemClock};
use datastore::{Change, Record, Store, TenantSpace, Writer};
use jiff::Timestamp;

use super::place::Place;
use super::verify::{Archive, read_whole};
use super::{Outcome, RestoreTask, TaskError};

/// Rounds of comparing; the second one finds nothing unless somebody else writes.
const ROUNDS: u32 = 4;
/// Changes that are handed to the store at once.
const BATCH: usize = 200;
/// Bytes of changes that are handed to the store at once.
const BATCH_BYTES: usize = 4 << 20;

pub(super) async fn run(task: &RestoreTask) -> Result<Outcome, TaskError> {
    // All of it is checked before anything is changed.
    let found = read_whole(&task.place).await?;
    let (store, space) = task.store.connect(&task.place.secrets).await?;
    let pass = uuid::Uuid::new_v4().to_string();
    let mut writer = store.begin_writing(&space, &pass).await?;
    let restored_at = SystemClock.now();
    for _ in 0..ROUNDS {
        if Box::pin(round(&task.place, &store, &space, &mut writer, restored_at)).await? == 0 {
            store.end_copies(&space).await?;
            return Ok(found);
        }
    }
    Err(TaskError::Unsettled(ROUNDS))
}

/// Compares archive and store and writes what differs; returns how much that was.
async fn round(
    place: &Place,
    store: &Store,
    space: &TenantSpace,
    writer: &mut Writer,
    restored_at: Timestamp,
) -> Result<u64, TaskError> {
    let mut archive = Archive::open(place).await?;
    let mut present = store.read(space).await?;
    let (mut wanted, mut existing) = (archive.next().await?, present.next().await?);
    let taken_at = archive.header()?.facts.taken_at;
    let age = Duration::try_from(restored_at.duration_since(taken_at)).unwrap_or_default();
    let mut batch = Batch::default();
    loop {
        match order(wanted.as_ref(), existing.as_ref()) {
            None => break,
            Some(Ordering::Less) => {
                batch.extend(wanted.take().and_then(|entry| aged(entry, age)).map(Change::Put));
                wanted = archive.next().await?;
            }
            Some(Ordering::Greater) => {
                batch.extend(existing.take().map(|record| Change::Remove(record.key)));
                existing = present.next().await?;
            }
            Some(Ordering::Equal) => {
                let same = wanted.take().zip(existing.take());
                batch.extend(same.and_then(|(entry, record)| difference(entry, record, age)));
                (wanted, existing) = (archive.next().await?, present.next().await?);
            }
        }
        if batch.is_full() {
            batch.write(writer).await?;
        }
    }
    batch.write(writer).await?;
    Ok(batch.written)
}

/// Which of two keys comes first; none if there are no more.
fn order(wanted: Option<&Entry>, existing: Option<&Record>) -> Option<Ordering> {
    match (wanted, existing) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(wanted), Some(existing)) => Some(wanted.key.cmp(&existing.key)),
    }
}

/// The entry as it would be now; none if its time has ended since the backup.
fn aged(entry: Entry, age: Duration) -> Option<Record> {
    let ends_in = match entry.ends_in {
        None => None,
        Some(left) => Some(left.checked_sub(age).filter(|left| !left.is_zero())?),
    };
    Some(Record { key: entry.key, value: entry.value, ends_in })
}

fn difference(entry: Entry, record: Record, age: Duration) -> Option<Change> {
    match aged(entry, age) {
        None => Some(Change::Remove(record.key)),
        Some(wanted) if wanted.value != record.value => Some(Change::Put(wanted)),
        Some(wanted) if wanted.ends_in.is_some() != record.ends_in.is_some() => Some(Change::Put(wanted)),
        Some(_) => None,
    }
}

#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
    written: u64,
}

impl Batch {
    fn extend(&mut self, change: Option<Change>) {
        self.bytes += match &change {
            Some(Change::Put(record)) => record.key.len() + record.value.len(),
            Some(Change::Remove(key)) => key.len(),
            None => 0,
        };
        self.changes.extend(change);
    }

    fn is_full(&self) -> bool {
        self.changes.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    async fn write(&mut self, writer: &mut Writer) -> Result<(), TaskError> {
        self.written += self.changes.len() as u64;
        writer.write(&self.changes).await?;
        self.changes.clear();
        self.bytes = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::backup::Entry;

    use super::aged;

    #[test]
    fn what_ended_since_the_backup_does_not_come_back() {
        let entry = |ends_in| Entry { key: b"events/a".to_vec(), value: Vec::new(), ends_in };
        let hour = Duration::from_hours(1);
        assert_eq!(aged(entry(Some(hour)), hour), None);
        assert_eq!(aged(entry(Some(hour * 2)), hour).unwrap().ends_in, Some(hour));
        assert_eq!(aged(entry(None), hour * 9999).unwrap().ends_in, None);
    }
}
