//! What a member without data is told at its start. etcd reads it only when its disk is empty.
//!
//! The rule: an empty disk never founds a second cluster and never takes the place of the member whose
//! disk it was. It gets in only as a new member, and only once the operator has told the others. (While one
//! joins, etcd wants all names in the list: for these seconds a second lost disk would not be refused.)

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::managed_etcd::ManagedEtcd;

/// Key of the list of members in the ConfigMap.
pub const CLUSTER_KEY: &str = "initial-cluster";
/// Key of what the list means.
pub const STATE_KEY: &str = "initial-cluster-state";
/// A list without any of our members: whoever has no data finds itself absent and ends.
const NOBODY: &str = "nobody=https://nobody.invalid:2380";

/// Who may start with an empty disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// All of so many members, which found the cluster.
    Founding(u32),
    /// Nobody: the cluster stands.
    Closed,
    /// The one that was added last, among these numbers of pods, ascending.
    Joining(Vec<u32>),
}

/// Name of the ConfigMap.
#[must_use]
pub fn entry_name(etcd: ManagedEtcd<'_>) -> String {
    format!("{}-members", etcd.name)
}

/// The ConfigMap that the members' pods read.
#[must_use]
pub fn entry(etcd: ManagedEtcd<'_>, entry: &Entry) -> ConfigMap {
    let (state, cluster) = match entry {
        Entry::Founding(size) => ("new", list(etcd, 0..*size)),
        Entry::Closed => ("existing", NOBODY.to_owned()),
        Entry::Joining(ordinals) => ("existing", list(etcd, ordinals.iter().copied())),
    };
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(entry_name(etcd)),
            namespace: Some(etcd.namespace.to_owned()),
            labels: Some([("app.kubernetes.io/name".to_owned(), etcd.name.to_owned())].into()),
            ..ObjectMeta::default()
        },
        data: Some([(STATE_KEY.to_owned(), state.to_owned()), (CLUSTER_KEY.to_owned(), cluster)].into()),
        ..ConfigMap::default()
    }
}

/// What such a ConfigMap says; what a hand has made of it counts as closed, which harms nobody.
#[must_use]
pub fn read_entry(etcd: ManagedEtcd<'_>, found: &ConfigMap) -> Entry {
    let text = |key: &str| found.data.as_ref().and_then(|data| data.get(key)).map_or("", String::as_str);
    let names = text(CLUSTER_KEY).split(',').map(|pair| pair.split_once('=').map_or("", |(name, _)| name));
    let Some(mut ordinals) = names.map(|name| etcd.ordinal_of_pod(name)).collect::<Option<Vec<_>>>() else {
        return Entry::Closed;
    };
    ordinals.sort_unstable();
    if text(STATE_KEY) == "new" {
        return Entry::Founding(u32::try_from(ordinals.len()).unwrap_or(u32::MAX));
    }
    Entry::Joining(ordinals)
}

fn list(etcd: ManagedEtcd<'_>, ordinals: impl Iterator<Item = u32>) -> String {
    let pairs = ordinals.map(|ordinal| format!("{}={}", etcd.member_name(ordinal), etcd.peer_url(ordinal)));
    pairs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{CLUSTER_KEY, Entry, entry, read_entry};
    use crate::managed_etcd::ManagedEtcd;

    const ETCD: ManagedEtcd<'static> = ManagedEtcd { name: "flotilla-etcd", namespace: "system" };

    #[test]
    fn what_is_written_is_read_again() {
        for wanted in [Entry::Founding(3), Entry::Closed, Entry::Joining(vec![0, 2])] {
            assert_eq!(read_entry(ETCD, &entry(ETCD, &wanted)), wanted);
        }
    }

    #[test]
    fn a_closed_list_names_no_member() {
        let data = entry(ETCD, &Entry::Closed).data.unwrap();
        assert!(!data.get(CLUSTER_KEY).unwrap().contains("flotilla-etcd"));
    }

    #[test]
    fn nonsense_lets_nobody_in() {
        let mut found = entry(ETCD, &Entry::Founding(3));
        found.data.as_mut().unwrap().insert(CLUSTER_KEY.to_owned(), "what,ever=".to_owned());
        assert_eq!(read_entry(ETCD, &found), Entry::Closed);
        found.data = None;
        assert_eq!(read_entry(ETCD, &found), Entry::Closed);
    }
}
