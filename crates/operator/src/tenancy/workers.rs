//! How many workers tenants have, and whether their quotas leave room for one more. Nodes are counted in the
//! clusters of tenants only whose workers are limited.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use api::{JoinToken, TenantControlPlane};
use authz::quota::{Amounts, Exceeded, Kind};
use jiff::{SignedDuration, Timestamp};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::sync::MutexGuard as TurnGuard;

use super::demand::{self, Key, key};
use super::forest::Forest;
use super::{View, ledger, verdict};

/// How long a node whose request was granted counts before it shows itself.
const EXPECTED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Names of nodes by cluster.
type Nodes = HashMap<Key, BTreeSet<String>>;

/// The workers of all tenants.
pub(crate) struct Workers {
    management: Client,
    view: View,
    seen: Mutex<Nodes>,
    turn: tokio::sync::Mutex<()>,
}

impl Workers {
    /// Nothing is counted yet.
    pub(crate) fn new(management: Client, view: View) -> Self {
        Self { management, view, seen: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The cluster that tenants and their tokens are in.
    pub(crate) fn management(&self) -> &Client {
        &self.management
    }

    /// Whether a quota limits the workers of the tenant whose namespace it is.
    pub(crate) fn is_limited(&self, namespace: &str) -> bool {
        is_limited(&self.view.forest(), namespace)
    }

    /// Whoever asks for room and takes it does so alone, until the guard is dropped.
    pub(crate) async fn turn(&self) -> TurnGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Notes the nodes that a cluster has, and says in its status how many there are.
    pub(crate) async fn counted(&self, cluster: Key, nodes: BTreeSet<String>) -> Result<(), kube::Error> {
        let count = i32::try_from(nodes.len()).unwrap_or(i32::MAX);
        {
            let mut seen = self.seen();
            // Nobody tells of clusters that are gone.
            seen.retain(|(namespace, name), _| self.view.cluster(namespace, name).is_some());
            seen.insert(cluster.clone(), nodes);
        }
        self.tell(&cluster, Some(count)).await
    }

    /// Forgets what was counted of a cluster whose tenant is limited no more.
    pub(crate) async fn forget(&self, cluster: &Key) -> Result<(), kube::Error> {
        self.seen().remove(cluster);
        self.tell(cluster, None).await
    }

    async fn tell(&self, (namespace, name): &Key, workers: Option<i32>) -> Result<(), kube::Error> {
        let known = self.view.cluster(namespace, name);
        let told = known.as_ref().and_then(|known| known.status.as_ref()?.workers);
        if known.is_none() || told == workers {
            return Ok(());
        }
        let api: Api<TenantControlPlane> = Api::namespaced(self.management.clone(), namespace);
        let patch = Patch::Merge(json!({"status": {"workers": workers}}));
        match api.patch_status(name, &PatchParams::default(), &patch).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// What stands against one node more in a cluster; its own nodes have just been [`Workers::counted`].
    pub(crate) async fn refusal(
        &self,
        cluster: &Key,
        node: &str,
        now: Timestamp,
    ) -> Result<Option<String>, kube::Error> {
        let forest = self.view.forest();
        let Some(tenant) = forest.owner(&cluster.0) else { return Ok(None) };
        let tokens = Api::<JoinToken>::all(self.management.clone()).list(&ListParams::default()).await?;
        let mut nodes = self.seen().clone();
        expect(&mut nodes, &tokens.items, now);
        if nodes.get(cluster).is_some_and(|nodes| nodes.contains(node)) {
            return Ok(None);
        }
        let refusal = room(&forest, tenant, &self.view.clusters(), &nodes);
        Ok(refusal.map(|refusal| verdict::exceeded(&refusal, 0).message))
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Nodes> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_limited(forest: &Forest, namespace: &str) -> bool {
    let line = forest.owner(namespace).map(|tenant| forest.line(tenant)).unwrap_or_default();
    line.iter().any(|above| {
        forest.quotas.limits.get(*above).is_some_and(|limits| limits.of(Kind::Workers).is_some())
    })
}

/// Adds the nodes that were let in a moment ago and may not show themselves yet.
fn expect(nodes: &mut Nodes, tokens: &[JoinToken], now: Timestamp) {
    for token in tokens {
        let joined = token.status.iter().flat_map(|status| &status.nodes);
        let expected = joined.filter(|joined| now.duration_since(joined.time.0) < EXPECTED_FOR);
        let cluster = (token.namespace().unwrap_or_default(), token.spec.tenant_control_plane.clone());
        for joined in expected {
            nodes.entry(cluster.clone()).or_default().insert(joined.name.clone());
        }
    }
}

/// Whether a quota leaves no room for a worker more. A cluster that was not reached since this process began has
/// as many as its status says.
fn room<'a>(
    forest: &Forest,
    tenant: &str,
    clusters: impl IntoIterator<Item = &'a Arc<TenantControlPlane>>,
    nodes: &Nodes,
) -> Option<Exceeded> {
    let counts: HashMap<Key, Amounts> = clusters
        .into_iter()
        .map(|cluster| {
            let key = key(cluster);
            let count = |nodes: &BTreeSet<String>| u64::try_from(nodes.len()).unwrap_or(u64::MAX);
            let workers = nodes.get(&key).map_or_else(|| demand::workers(cluster), count);
            (key, Amounts { workers, ..Amounts::default() })
        })
        .collect();
    let quotas = forest.quotas_with(ledger::sum(forest, counts.iter()));
    quotas.admit(&forest.tree, tenant, &Amounts { workers: 1, ..Amounts::default() }).err()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::{JoinToken, TenantControlPlane};
    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::super::forest::tests::tenant;
    use super::{Forest, Nodes, expect, is_limited, room};

    fn forest() -> Forest {
        Forest::new(&[
            tenant("acme", None, json!({"quota": {"workers": 3}})),
            tenant("dev", Some("acme"), json!({})),
            tenant("globex", None, json!({"quota": {"clusters": 3}})),
        ])
    }

    fn cluster(namespace: &str, workers: Option<i32>) -> Arc<TenantControlPlane> {
        let object = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "blue", "namespace": namespace},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
            "status": {"workers": workers},
        });
        Arc::new(serde_json::from_value(object).unwrap())
    }

    fn nodes(namespace: &str, names: &[&str]) -> Nodes {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        [((namespace.to_owned(), "blue".to_owned()), names)].into()
    }

    #[test]
    fn only_workers_that_are_limited_are_counted() {
        let limited = ["acme", "dev", "globex", "nobodys"].map(|namespace| is_limited(&forest(), namespace));
        assert_eq!(limited, [true, true, false, false]);
    }

    #[test]
    fn what_is_below_counts_above_and_what_sleeps_counts_as_it_was() {
        let clusters = [cluster("acme", Some(2)), cluster("dev", None)];
        assert_eq!(room(&forest(), "dev", &clusters, &nodes("dev", &[])), None);
        let refusal = room(&forest(), "dev", &clusters, &nodes("dev", &["a"])).unwrap();
        assert_eq!((refusal.tenant.as_str(), refusal.limit, refusal.used), ("acme", 3, 3));
        // What was counted is newer than what the status says.
        let mut seen = nodes("dev", &["a"]);
        seen.extend(nodes("acme", &["x"]));
        assert_eq!(room(&forest(), "dev", &clusters, &seen), None);
    }

    #[test]
    fn who_was_let_in_counts_before_showing_up_but_not_for_ever() {
        let let_in_at = Timestamp::UNIX_EPOCH;
        let token: JoinToken = serde_json::from_value(json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "JoinToken",
            "metadata": {"name": "pool", "namespace": "dev"}, "spec": {"tenantControlPlane": "blue"},
            "status": {"nodes": [{"name": "b", "csr": "b", "uid": "1", "time": let_in_at}]},
        }))
        .unwrap();
        let mut soon = nodes("dev", &["a", "b"]);
        expect(&mut soon, std::slice::from_ref(&token), let_in_at);
        assert_eq!(soon, nodes("dev", &["a", "b"]));
        let mut unseen = Nodes::default();
        expect(&mut unseen, std::slice::from_ref(&token), let_in_at);
        assert_eq!(unseen, nodes("dev", &["b"]));
        let mut late = Nodes::default();
        expect(&mut late, &[token], let_in_at.saturating_add(SignedDuration::from_mins(10)).unwrap());
        assert_eq!(late, Nodes::default());
    }
}
