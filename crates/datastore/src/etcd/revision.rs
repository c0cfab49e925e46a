//! Raises a store's revision, so that the versions which a tenant's clients know stay in the past.
//!
//! etcd numbers its writes, and Kubernetes shows that number as `resourceVersion`. A tenant that came to
//! a store with a lower number would see its versions go back: clients wait for versions that do not
//! come, and an old copy of an object may carry the number of a newer one. etcd has no request that
//! raises the number but writing, so this is one small write per number, and therefore bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::task::JoinSet;

use super::{EtcdStore, REQUEST_TIMEOUT};
use crate::{Error, Raised, TenantSpace};

/// How many revisions are made up for at most: each is a write that stays in the store's history until
/// it is compacted, some 200 bytes.
pub const MOST_RAISED: i64 = 200_000;
/// Writes under way at the same time; etcd puts them on disk together.
const PARALLEL: usize = 128;
/// The key that is written; no tenant can own it.
const KEY: &str = "flotilla/revision";

impl EtcdStore {
    /// Raises the revision to `at_least` by writing.
    pub async fn raise_revision(&self, _: &TenantSpace, at_least: i64) -> Result<Raised, Error> {
        let current = self.newest_revision().await?;
        let missing = at_least - current;
        if missing <= 0 {
            return Ok(Raised::Done { by: 0 });
        }
        if missing > MOST_RAISED {
            return Ok(Raised::TooFar { missing });
        }
        let left = Arc::new(AtomicI64::new(missing));
        let mut writers = JoinSet::new();
        for _ in 0..PARALLEL.min(missing.try_into().unwrap_or(PARALLEL)) {
            writers.spawn(write_while_left(self.clone(), left.clone()));
        }
        while let Some(writer) = writers.join_next().await {
            // A writer that panicked wrote too little, which the check below finds.
            writer.unwrap_or(Ok(()))?;
        }
        let reached = self.newest_revision().await?;
        if reached < at_least {
            return Ok(Raised::TooFar { missing: at_least - reached });
        }
        Ok(Raised::Done { by: missing })
    }
}

async fn write_while_left(store: EtcdStore, left: Arc<AtomicI64>) -> Result<(), Error> {
    let mut keys = store.keys();
    while left.fetch_sub(1, Ordering::Relaxed) > 0 {
        let written = keys.put(KEY, "", None);
        store.bounded("raise the store's revision", REQUEST_TIMEOUT, written).await?;
    }
    Ok(())
}
