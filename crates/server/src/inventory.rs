//! All clusters, hosted and imported, as rows that are kept current and can be watched.

mod query;
mod row;
mod works;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{broadcast, watch};

pub(crate) use query::{ClusterPage, ClusterQuery, select};
pub(crate) use row::{
    ClusterRow, Kind, Nodes, Reading, Resources, RowCondition, conditions, hosted, imported,
};
pub(crate) use works::Works;

/// Changes that a slow watcher may be behind; beyond that it is told to read everything again.
const BEHIND: usize = 1024;

/// A change of the inventory.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) id: String,
    /// As it is now, or as it was last if it is gone.
    pub(crate) row: Arc<ClusterRow>,
    pub(crate) is_gone: bool,
}

type Rows = BTreeMap<String, Arc<ClusterRow>>;

/// All rows.
pub(crate) struct Inventory {
    rows: RwLock<Rows>,
    changes: broadcast::Sender<Change>,
    is_complete: watch::Sender<bool>,
}

impl Default for Inventory {
    fn default() -> Self {
        Self {
            rows: RwLock::default(),
            changes: broadcast::channel(BEHIND).0,
            is_complete: watch::Sender::new(false),
        }
    }
}

impl Inventory {
    /// Takes a row as the management cluster shows it now; nothing is told if it is as before.
    pub(crate) fn put(&self, mut row: ClusterRow) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = rows.get(&row.id) {
            row.keep(known);
        }
        self.set(&mut rows, row);
    }

    /// Takes what a hosted cluster says of its nodes.
    pub(crate) fn read(&self, id: &str, reading: &Reading) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = rows.get(id) else { return };
        let mut row = (**known).clone();
        row.take(reading);
        self.set(&mut rows, row);
    }

    /// Those who watch are not told of what was only heard of again: that would be every cluster every minute.
    fn set(&self, rows: &mut Rows, row: ClusterRow) {
        let row = Arc::new(row);
        let known = rows.insert(row.id.clone(), row.clone());
        if known.is_none_or(|known| !known.says_as(&row)) {
            // Told while the rows are held, so that whoever watches and then reads misses nothing.
            let _ = self.changes.send(Change { id: row.id.clone(), row, is_gone: false });
        }
    }

    /// Notes that every cluster is there that the management cluster knows.
    pub(crate) fn complete(&self) {
        self.is_complete.send_replace(true);
    }

    /// Waits until every cluster is there.
    pub(crate) async fn completed(&self) {
        // The sender lives as long as the inventory.
        let _ = self.is_complete.subscribe().wait_for(|is_complete| *is_complete).await;
    }

    /// Takes a row away.
    pub(crate) fn remove(&self, id: &str) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = rows.remove(id) {
            let _ = self.changes.send(Change { id: id.to_owned(), row, is_gone: true });
        }
    }

    /// All rows, by id.
    pub(crate) fn rows(&self) -> Vec<Arc<ClusterRow>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One row.
    pub(crate) fn row(&self, id: &str) -> Option<Arc<ClusterRow>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All rows, and the changes from then on.
    pub(crate) fn watch(&self) -> (Vec<Arc<ClusterRow>>, broadcast::Receiver<Change>) {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        (rows.values().cloned().collect(), self.changes.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{ClusterRow, Inventory, Nodes, Reading};

    fn row(id: &str, version: &str) -> ClusterRow {
        ClusterRow { id: id.to_owned(), version: Some(version.to_owned()), ..ClusterRow::default() }
    }

    #[test]
    fn whoever_watches_gets_what_there_is_and_every_change_after_it() {
        let inventory = Inventory::default();
        inventory.put(row("a", "v1"));
        let (rows, mut changes) = inventory.watch();
        assert_eq!(rows.len(), 1);
        inventory.put(row("a", "v1"));
        inventory.put(row("a", "v2"));
        inventory.remove("a");
        inventory.remove("a");
        let seen: Vec<_> = std::iter::from_fn(|| changes.try_recv().ok())
            .map(|change| (change.row.version.clone().unwrap(), change.is_gone))
            .collect();
        assert_eq!(seen, [("v2".to_owned(), false), ("v2".to_owned(), true)]);
    }
    #[test]
    fn what_a_cluster_said_of_its_nodes_stays_and_is_told_when_it_differs() {
        let inventory = Inventory::default();
        let reading = |total, second| Reading {
            nodes: Nodes { total, ready: total },
            time: Timestamp::from_second(second).unwrap(),
            ..Reading::default()
        };
        inventory.put(row("a", "v1"));
        let (_, mut changes) = inventory.watch();
        inventory.read("a", &reading(2, 10));
        inventory.read("a", &reading(2, 70));
        inventory.read("unknown", &reading(2, 70));
        inventory.put(row("a", "v1"));
        inventory.put(row("a", "v2"));
        let seen: Vec<_> = std::iter::from_fn(|| changes.try_recv().ok())
            .map(|change| (change.row.version.clone().unwrap(), change.row.nodes.unwrap().total))
            .collect();
        assert_eq!(seen, [("v1".to_owned(), 2), ("v2".to_owned(), 2)]);
        assert_eq!(inventory.row("a").unwrap().last_seen, Some(Timestamp::from_second(70).unwrap()));
        // One that is made anew under the same name has none of it.
        inventory.remove("a");
        inventory.put(row("a", "v2"));
        assert_eq!(inventory.row("a").unwrap().nodes, None);
    }
}
