//! What was granted a moment ago and may not be seen yet: kept where all replicas see it, so that many requests
//! at once get no more than there is. Pure.

use std::collections::{BTreeMap, HashMap};

use authz::quota::Amounts;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::demand::{Demands, Key};
use super::forest::Forest;

/// How long a grant is remembered: by then every replica has seen what came of it.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(30);

/// Grants of the last moments in one tree of tenants, by `namespace/name` of the control plane.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger(BTreeMap<String, Grant>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    namespace: String,
    until: Timestamp,
    clusters: u64,
    replicas: u64,
    cpu: u64,
    memory: u64,
}

impl Grant {
    fn amounts(&self) -> Amounts {
        Amounts {
            clusters: self.clusters,
            control_plane_replicas: self.replicas,
            cpu_millis: self.cpu,
            memory_bytes: self.memory,
            workers: 0,
        }
    }
}

impl Ledger {
    /// What stands in it; nothing if it cannot be read, since it only speaks of the last moments.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Notes a grant, and forgets what everybody has seen by now.
    pub(super) fn grant(&mut self, key: &Key, amounts: &Amounts, now: Timestamp) {
        self.0.retain(|_, grant| grant.until > now);
        let grant = Grant {
            namespace: key.0.clone(),
            until: now.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX),
            clusters: amounts.clusters,
            replicas: amounts.control_plane_replicas,
            cpu: amounts.cpu_millis,
            memory: amounts.memory_bytes,
        };
        self.0.insert(format!("{}/{}", key.0, key.1), grant);
    }

    /// How many grants are remembered beside what is seen.
    pub(super) fn unseen(&self, seen: &Demands, now: Timestamp) -> usize {
        let is_seen = |name: &str| {
            let key = name.split_once('/').map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
            key.is_some_and(|key| seen.contains_key(&key))
        };
        self.0.iter().filter(|(name, grant)| grant.until > now && !is_seen(name)).count()
    }

    /// What each tenant has by itself, but for one control plane: of each other one what is seen or what was
    /// granted, whichever is more.
    pub(super) fn own(
        &self,
        forest: &Forest,
        seen: &Demands,
        but: &Key,
        now: Timestamp,
    ) -> HashMap<String, Amounts> {
        let mut of_each: BTreeMap<Key, Amounts> =
            seen.iter().map(|(key, amounts)| (key.clone(), *amounts)).collect();
        for (name, grant) in self.0.iter().filter(|(_, grant)| grant.until > now) {
            let name = name.split_once('/').map_or(name.as_str(), |(_, name)| name);
            let known = of_each.entry((grant.namespace.clone(), name.to_owned())).or_default();
            *known = larger(known, &grant.amounts());
        }
        of_each.remove(but);
        sum(forest, of_each.iter())
    }
}

/// What each tenant has by itself.
pub(super) fn sum<'a>(
    forest: &Forest,
    demands: impl Iterator<Item = (&'a Key, &'a Amounts)>,
) -> HashMap<String, Amounts> {
    let mut own: HashMap<String, Amounts> = HashMap::new();
    for ((namespace, _), amounts) in demands {
        if let Some(tenant) = forest.owner(namespace) {
            let so_far = own.entry(tenant.to_owned()).or_default();
            *so_far = *so_far + *amounts;
        }
    }
    own
}

/// What each tenant and all below it have.
pub(super) fn totals(forest: &Forest, own: &HashMap<String, Amounts>) -> HashMap<String, Amounts> {
    let mut totals: HashMap<String, Amounts> = HashMap::new();
    for (tenant, amounts) in own {
        for above in forest.line(tenant) {
            let so_far = totals.entry(above.to_owned()).or_default();
            *so_far = *so_far + *amounts;
        }
    }
    totals
}

fn larger(one: &Amounts, other: &Amounts) -> Amounts {
    Amounts {
        clusters: one.clusters.max(other.clusters),
        control_plane_replicas: one.control_plane_replicas.max(other.control_plane_replicas),
        cpu_millis: one.cpu_millis.max(other.cpu_millis),
        memory_bytes: one.memory_bytes.max(other.memory_bytes),
        workers: one.workers.max(other.workers),
    }
}

/// What `wanted` is more than `has`.
pub(super) fn growth(has: &Amounts, wanted: &Amounts) -> Amounts {
    Amounts {
        clusters: wanted.clusters.saturating_sub(has.clusters),
        control_plane_replicas: wanted.control_plane_replicas.saturating_sub(has.control_plane_replicas),
        cpu_millis: wanted.cpu_millis.saturating_sub(has.cpu_millis),
        memory_bytes: wanted.memory_bytes.saturating_sub(has.memory_bytes),
        workers: wanted.workers.saturating_sub(has.workers),
    }
}

#[cfg(test)]
mod tests {
    use authz::quota::Amounts;
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::super::forest::tests::tenant;
    use super::{Demands, Forest, Ledger, totals};

    fn amounts(replicas: u64) -> Amounts {
        Amounts { clusters: 1, control_plane_replicas: replicas, ..Amounts::default() }
    }

    fn key(name: &str) -> (String, String) {
        ("acme".to_owned(), name.to_owned())
    }

    #[test]
    fn what_was_granted_counts_until_it_is_seen_and_never_twice() {
        let forest = Forest::new(&[tenant("acme", None, json!({}))]);
        let now = Timestamp::UNIX_EPOCH;
        let mut ledger = Ledger::default();
        ledger.grant(&key("a"), &amounts(3), now);
        ledger.grant(&key("b"), &amounts(1), now);
        let ledger = Ledger::read(&ledger.write());
        let seen: Demands = [(key("a"), amounts(2)), (key("c"), amounts(2))].into();
        assert_eq!(ledger.unseen(&seen, now), 1);
        let own = ledger.own(&forest, &seen, &key("new"), now);
        assert_eq!((own["acme"].clusters, own["acme"].control_plane_replicas), (3, 6));
        let but_a = ledger.own(&forest, &seen, &key("a"), now);
        assert_eq!((but_a["acme"].clusters, but_a["acme"].control_plane_replicas), (2, 3));
        let later = now.saturating_add(SignedDuration::from_mins(1)).unwrap();
        let own = ledger.own(&forest, &seen, &key("new"), later);
        assert_eq!((own["acme"].clusters, own["acme"].control_plane_replicas), (2, 4));
    }

    #[test]
    fn what_is_below_counts_above() {
        let forest = Forest::new(&[tenant("acme", None, json!({})), tenant("dev", Some("acme"), json!({}))]);
        let own = [("acme".to_owned(), amounts(1)), ("dev".to_owned(), amounts(2))].into();
        let totals = totals(&forest, &own);
        assert_eq!((totals["acme"].control_plane_replicas, totals["dev"].control_plane_replicas), (3, 2));
    }

    #[test]
    fn what_everybody_has_seen_is_forgotten() {
        let mut ledger = Ledger::default();
        ledger.grant(&key("a"), &amounts(1), Timestamp::UNIX_EPOCH);
        let later = Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_mins(1)).unwrap();
        ledger.grant(&key("b"), &amounts(1), later);
        assert!(!ledger.write().contains("acme/a"));
        assert_eq!(Ledger::read("no ledger"), Ledger::default());
    }
}
