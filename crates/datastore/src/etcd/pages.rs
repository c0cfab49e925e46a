//! Reads a tenant's keys in order, a page at a time.

use std::collections::VecDeque;
use std::time::Duration;

use etcd_client::{GetOptions, KeyValue};

use super::EtcdStore;
use super::range::{key_range, range_end};
use crate::Error;

/// Longest wait for a page.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Keys of the first page, while their size is not known; together they stay below what is taken as an
/// answer even if each is as large as etcd allows.
const FIRST_PAGE: i64 = 64;
/// Bytes that later pages aim at.
const PAGE_BYTES: usize = 4 << 20;

/// A tenant's keys, in order. The pages are not of one moment.
pub(super) struct Pages<'a> {
    store: &'a EtcdStore,
    next: Vec<u8>,
    end: String,
    limit: i64,
    page: VecDeque<KeyValue>,
    is_last: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(store: &'a EtcdStore, schema: &str) -> Result<Self, Error> {
        let range = key_range(schema)?;
        let end = range_end(&range);
        let next = range.into_bytes();
        Ok(Self { store, next, end, limit: FIRST_PAGE, page: VecDeque::new(), is_last: false })
    }

    /// The next key, without taking it.
    pub(super) async fn peek(&mut self) -> Result<Option<&KeyValue>, Error> {
        if self.page.is_empty() && !self.is_last {
            self.turn().await?;
        }
        Ok(self.page.front())
    }

    /// Takes the key that was looked at.
    pub(super) fn take(&mut self) -> Option<KeyValue> {
        self.page.pop_front()
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let mut keys = self.store.keys();
        let options = GetOptions::new().with_range(self.end.as_str()).with_limit(self.limit);
        let page = keys.get(self.next.as_slice(), Some(options));
        let mut answer = self.store.bounded("read the tenant's keys", PAGE_TIMEOUT, page).await?;
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
}
