//! Requests that pass through this replica into clusters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::Offset;
use records::{Amounts, DayUsage};
use uuid::Uuid;

/// Counts by tenant, by cluster.
type Counts = HashMap<String, HashMap<String, AtomicU64>>;

/// What was counted and is not written yet.
#[derive(Default)]
pub(crate) struct Requests {
    counts: RwLock<Counts>,
    /// What is being written; it is written under its key until that is known to have worked.
    pending: Mutex<Option<Batch>>,
}

/// Requests of some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) key: String,
    pub(super) rows: Vec<DayUsage>,
}

impl Requests {
    /// Counts one request.
    pub(crate) fn count(&self, tenant: &str, cluster: &str) {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get(cluster).and_then(|tenants| tenants.get(tenant)) {
            count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        drop(counts);
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        let tenants = counts.entry(cluster.to_owned()).or_default();
        tenants.entry(tenant.to_owned()).or_default().fetch_add(1, Ordering::Relaxed);
    }

    /// What is to be written: what was not written last time, or else what was counted since.
    pub(super) fn batch(&self, replica: &str, now: Timestamp) -> Option<Batch> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.is_none() {
            let counts = std::mem::take(&mut *self.counts.write().unwrap_or_else(PoisonError::into_inner));
            let rows = rows(counts, now);
            let key = format!("requests/{replica}/{}", Uuid::new_v4());
            *pending = (!rows.is_empty()).then_some(Batch { key, rows });
        }
        pending.clone()
    }

    /// Forgets what was written.
    pub(super) fn written(&self, batch: &Batch) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.take_if(|pending| pending.key == batch.key);
    }
}

fn rows(counts: Counts, now: Timestamp) -> Vec<DayUsage> {
    let day = Offset::UTC.to_datetime(now).date();
    let of_cluster = |(cluster, tenants): (String, HashMap<String, AtomicU64>)| {
        tenants.into_iter().map(move |(tenant, count)| {
            let amounts = Amounts { requests: count.into_inner(), ..Amounts::default() };
            DayUsage { day, tenant, cluster: cluster.clone(), amounts }
        })
    };
    counts.into_iter().flat_map(of_cluster).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Requests;

    #[test]
    fn what_was_not_written_comes_again_under_its_key_and_nothing_comes_twice() {
        let requests = Requests::default();
        let batch = || requests.batch("hub-0", Timestamp::UNIX_EPOCH);
        assert_eq!(batch(), None);
        for (tenant, cluster) in [("acme", "acme.web"), ("acme", "acme.web"), ("acme", "edge")] {
            requests.count(tenant, cluster);
        }
        let first = batch().unwrap();
        let mut seen: Vec<_> =
            first.rows.iter().map(|row| (row.cluster.as_str(), row.amounts.requests)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("acme.web", 2), ("edge", 1)]);
        requests.count("acme", "edge");
        assert_eq!(batch().unwrap(), first);
        requests.written(&first);
        let second = batch().unwrap();
        assert_eq!((second.rows.len(), second.rows[0].amounts.requests), (1, 1));
        assert_ne!(second.key, first.key);
        requests.written(&second);
        assert_eq!(batch(), None);
    }
}
