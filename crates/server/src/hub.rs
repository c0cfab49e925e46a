//! What every request is answered from. Clones share one state.

use std::ops::Deref;
use std::sync::Arc;

use authn::Sealer;
use base::Clock;
use jiff::Timestamp;
use kube::Client;
use kube::Resource;
use kube::runtime::reflector::{Lookup, ObjectRef, Store};
use records::Records;

use crate::Settings;
use crate::agents::Agents;
use crate::caches::Caches;
use crate::discovery::Discovery;
use crate::entrances::Entrances;
use crate::fairness::Fairness;
use crate::identities::Identities;
use crate::index::Index;
use crate::inventory::Inventory;
use crate::metering::Metering;
use crate::passwords::Hashing;
use crate::signing_keys::SigningKeys;
use crate::streams::Streams;

/// How long a change may take to come back in the caches. Other replicas see it in the same time.
const SETTLES: std::time::Duration = std::time::Duration::from_secs(2);
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(5);

/// The server's state.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) caches: Caches,
    pub(crate) index: Index,
    pub(crate) inventory: Inventory,
    pub(crate) entrances: Entrances,
    pub(crate) agents: Agents,
    pub(crate) records: Records,
    pub(crate) fairness: Fairness,
    pub(crate) hashing: Hashing,
    pub(crate) metering: Metering,
    pub(crate) discovery: Discovery,
    pub(crate) streams: Streams,
    pub(crate) signing: SigningKeys,
    pub(crate) identities: Identities,
    /// Of what others keep for the server.
    pub(crate) sealer: Sealer,
    /// Of the authority that signed the server's certificate; what clients are told to trust.
    pub(crate) authority: String,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The server's state, shared.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Inner>);

impl Hub {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits until a cache shows an object as it was written, or without it, so that what was decided holds from the
    /// next request on.
    pub(crate) async fn settled<K>(&self, store: &Store<K>, name: &str, version: Option<&str>)
    where
        K: Resource<DynamicType = ()> + Lookup<DynamicType = ()> + Clone + 'static,
    {
        let reference = ObjectRef::new(name);
        let shows = || match (store.get(&reference), version) {
            (None, None) => true,
            (Some(object), Some(version)) => is_at(object.meta().resource_version.as_deref(), version),
            // One that finalizers keep is on its way out.
            (Some(object), None) => object.meta().deletion_timestamp.is_some(),
            (None, Some(_)) => false,
        };
        let waiting = async {
            while !shows() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(SETTLES, waiting).await.is_err() {
            tracing::warn!(name, "a change has not come back from the management cluster yet");
        }
        self.index.changed();
    }
}

/// Whether an object is at a version or a later one. Versions of one resource are numbers that grow.
fn is_at(version: Option<&str>, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<u128>().ok();
    match (version.and_then(number), number(wanted)) {
        (Some(version), Some(wanted)) => version >= wanted,
        _ => version == Some(wanted),
    }
}

impl Deref for Hub {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::is_at;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_at(Some("100"), "99") && is_at(Some("99"), "99") && !is_at(Some("98"), "99"));
        assert!(!is_at(None, "1") && is_at(Some("a"), "a"));
    }
}
