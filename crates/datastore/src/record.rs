//! A tenant's contents, whatever the driver: entries in the order of their keys.

use std::time::Duration;

/// One key of a tenant and what stands under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Below the tenant's root, without a slash in front: etcd's `/<schema>/X` and kine's `/registry/X`
    /// are both `X`.
    pub key: Vec<u8>,
    /// As the API server wrote it.
    pub value: Vec<u8>,
    /// What is left of its time, if it ends by itself.
    pub ends_in: Option<Duration>,
}

impl std::fmt::Debug for Record {
    /// Values may hold Secrets and are not shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Record")
            .field("key", &String::from_utf8_lossy(&self.key))
            .field("bytes", &self.value.len())
            .field("ends_in", &self.ends_in)
            .finish()
    }
}

/// What a writer is to bring about for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The key shall have this.
    Put(Record),
    /// The key shall be gone.
    Remove(Vec<u8>),
}
