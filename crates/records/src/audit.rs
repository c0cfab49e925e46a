//! Who did what.

mod entry;
mod filter;
mod id;
mod outcome;
mod writer;

use futures::stream::{self, Stream};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use entry::{AuditEntry, Decision, RecordedEntry};
pub use filter::AuditFilter;

use crate::RecordsError;
use crate::store::Store;
use filter::{Order, select};
use writer::Job;

/// Entries that wait for the writer; beyond that, those who append wait.
const WAITING: usize = 4096;
/// Entries of the longest page.
const LONGEST_PAGE: u32 = 1000;
/// Entries that an export reads at once.
const EXPORTED_AT_ONCE: u32 = 500;
/// Entries that a sweep removes at once, so that those who append get in between.
const SWEPT_AT_ONCE: i64 = 2000;
/// What fails if the writer is gone.
const APPEND: &str = "append to the audit log";

/// Where a page ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(Uuid);

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.simple().fmt(formatter)
    }
}

impl std::str::FromStr for Cursor {
    type Err = RecordsError;

    fn from_str(text: &str) -> Result<Self, RecordsError> {
        Uuid::try_parse(text).map(Self).map_err(|_| RecordsError::Cursor)
    }
}

/// Some entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<RecordedEntry>,
    /// Where older ones are; nothing if there are none.
    pub next: Option<Cursor>,
}

/// The log of all replicas.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    writer: mpsc::Sender<Job>,
}

impl Audit {
    /// Starts the writer, which ends with the last clone.
    pub(crate) fn start(store: Store) -> Self {
        let (writer, jobs) = mpsc::channel(WAITING);
        tokio::spawn(writer::run(store.clone(), jobs));
        Self { store, writer }
    }

    /// Appends an entry and returns its id once it is on disk. Many at once are committed together. If it fails, the
    /// caller decides whether what is to be logged may happen. An entry is appended even if nobody waits for it any more.
    pub async fn append(&self, entry: AuditEntry) -> Result<Uuid, RecordsError> {
        let id = id::at(entry.time);
        let (answer, answered) = oneshot::channel();
        let gone = || RecordsError::Failed { action: APPEND, source: sqlx::Error::PoolClosed.into() };
        self.writer.send(Job { id, entry, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?.map(|()| id)
    }

    /// A page of at most `size` entries (1 to 1000), the newest first, after a cursor. Entries that come meanwhile are
    /// newer than the first page, so that later ones have no gap and nothing twice.
    pub async fn query(
        &self,
        filter: &AuditFilter,
        size: u32,
        after: Option<Cursor>,
    ) -> Result<Page, RecordsError> {
        let size = size.clamp(1, LONGEST_PAGE);
        let mut entries =
            self.read(filter, Order::NewestFirst, after.map(|cursor| cursor.0), size + 1).await?;
        let has_more = entries.len() > size as usize;
        entries.truncate(size as usize);
        let next = entries.last().filter(|_| has_more).map(|entry| Cursor(entry.id));
        Ok(Page { entries, next })
    }

    /// All entries, the oldest first, read as they are taken. What another replica appends meanwhile with a time that
    /// the export has passed is not in it: end the filter's time a little before now.
    pub fn export(
        &self,
        filter: AuditFilter,
    ) -> impl Stream<Item = Result<RecordedEntry, RecordsError>> + Send + use<> {
        let audit = self.clone();
        let pages = stream::try_unfold(Some(None), move |state: Option<Option<Uuid>>| {
            let (audit, filter) = (audit.clone(), filter.clone());
            async move {
                let Some(after) = state else { return Ok::<_, RecordsError>(None) };
                let entries = audit.read(&filter, Order::OldestFirst, after, EXPORTED_AT_ONCE).await?;
                let is_last = entries.len() < EXPORTED_AT_ONCE as usize;
                let next = entries.last().filter(|_| !is_last).map(|entry| Some(entry.id));
                Ok(Some((stream::iter(entries.into_iter().map(Ok)), next)))
            }
        });
        futures::TryStreamExt::try_flatten(pages)
    }

    /// Removes the entries before a time, some at a time. How many there were.
    pub async fn sweep(&self, before: Timestamp) -> Result<u64, RecordsError> {
        let mut removed = 0;
        loop {
            let swept = sqlx::query(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)",
            )
            .bind(id::text(id::first(before)))
            .bind(SWEPT_AT_ONCE)
            .execute(self.store.writers());
            let some = self.store.run("remove old entries of the audit log", swept).await?.rows_affected();
            removed += some;
            if some == 0 {
                return Ok(removed);
            }
        }
    }

    async fn read(
        &self,
        filter: &AuditFilter,
        order: Order,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<RecordedEntry>, RecordsError> {
        let Some(query) = select(filter, self.store.dialect(), order, after, limit) else {
            return Ok(Vec::new());
        };
        let found = async {
            let rows: Vec<AnyRow> = query?.fetch(self.store.readers()).await?;
            rows.iter().map(entry::read).collect()
        };
        self.store.run("read the audit log", found).await
    }
}
