//! Reads a tenant's keys in order as they were at one moment, a page at a time.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use etcd_client::{GetOptions, KeyValue, ResponseHeader};

use super::range::{FENCE, key_range, range_end};
use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Error, Record, TenantSpace};

/// Longest wait for a page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Keys of the first page, while their size is not known; together they stay below what is taken as an
/// answer even if each is as large as etcd allows.
const FIRST_PAGE: i64 = 64;
/// Bytes that later pages aim at.
const PAGE_BYTES: usize = 4 << 20;

/// A tenant's keys at one revision, in order.
pub struct EtcdReader {
    store: EtcdStore,
    root: String,
    next: Vec<u8>,
    limit: i64,
    page: VecDeque<KeyValue>,
    is_last: bool,
    /// 0 until the first page is read.
    revision: i64,
    /// When the leases that were met end; none for those that have ended.
    leases: HashMap<i64, Option<Instant>>,
}

impl EtcdStore {
    /// The tenant's keys as they are now.
    pub async fn read(&self, space: &TenantSpace) -> Result<EtcdReader, Error> {
        let root = key_range(&space.schema)?;
        let mut reader = EtcdReader {
            store: self.clone(),
            next: root.clone().into_bytes(),
            root,
            limit: FIRST_PAGE,
            page: VecDeque::new(),
            is_last: false,
            revision: 0,
            leases: HashMap::new(),
        };
        reader.turn().await?;
        Ok(reader)
    }
}

impl EtcdReader {
    /// The store's revision at which everything is read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The next entry. One whose lease ends before it is come to is left out.
    pub async fn next(&mut self) -> Result<Option<Record>, Error> {
        loop {
            if self.page.is_empty() && !self.is_last {
                self.turn().await?;
            }
            let Some(entry) = self.page.pop_front() else { return Ok(None) };
            if entry.key().get(self.root.len()..) == Some(FENCE.as_bytes()) {
                continue;
            }
            let ends_in = match entry.lease() {
                0 => None,
                lease => match self.left(lease).await? {
                    Some(left) => Some(left),
                    None => continue,
                },
            };
            let (key, value) = entry.into_key_value();
            let key = key.get(self.root.len()..).unwrap_or_default().to_vec();
            return Ok(Some(Record { key, value, ends_in }));
        }
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let mut keys = self.store.keys();
        let end = range_end(&self.root);
        let options = GetOptions::new().with_range(end).with_limit(self.limit).with_revision(self.revision);
        let page = keys.get(self.next.as_slice(), Some(options));
        let mut answer = self.store.bounded("read the tenant's keys", PAGE_TIMEOUT, page).await?;
        if self.revision == 0 {
            self.revision = answer.header().map_or(0, ResponseHeader::revision);
        }
        self.is_last = !answer.more();
        self.page = answer.take_kvs().into();
        let bytes: usize = self.page.iter().map(|entry| entry.key().len() + entry.value().len()).sum();
        let fitting = (PAGE_BYTES * self.page.len()).checked_div(bytes).unwrap_or_default();
        self.limit = fitting.clamp(1, 2000).try_into().unwrap_or(FIRST_PAGE);
        if let Some(last) = self.page.back() {
            self.next = last.key().to_vec();
            // The key that follows it immediately.
            self.next.push(0);
        }
        Ok(())
    }

    /// What is left of a lease's time; none if it has ended.
    async fn left(&mut self, lease: i64) -> Result<Option<Duration>, Error> {
        let end = if let Some(known) = self.leases.get(&lease) {
            *known
        } else {
            let end = self.end_of(lease).await?;
            self.leases.insert(lease, end);
            end
        };
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        Ok(left.filter(|left| !left.is_zero()))
    }

    async fn end_of(&self, lease: i64) -> Result<Option<Instant>, Error> {
        let mut leases = self.store.client.lease_client();
        let asked = leases.time_to_live(lease, None);
        // etcd answers with less than zero for one that it does not know any more.
        let left = self.store.bounded("read a lease", REQUEST_TIMEOUT, asked).await?.ttl();
        let left = u64::try_from(left).ok().map(Duration::from_secs);
        Ok(left.map(|left| Instant::now() + left))
    }
}

impl std::fmt::Debug for EtcdReader {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EtcdReader")
            .field("root", &self.root)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
