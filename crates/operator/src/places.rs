//! Places in stores: none takes more control planes than it may, however many are created at once.
//!
//! What a control plane has is in its status. Between the decision and that status it stands here, so that
//! passes that run at the same time, or read a cache that is behind, see each other's decisions.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{DataStore, TenantControlPlane};
use desired::placement::{Candidate, StoreSelector, capacity, choose, room};
use kube::ResourceExt;

use crate::data_stores::{held_in, used_by};

/// How long a decision counts though the cache does not show it yet.
const SETTLES: Duration = Duration::from_mins(1);

/// Control planes that were given a place, by UID and store, and when.
#[derive(Default)]
pub(crate) struct Places(Mutex<Given>);

type Given = HashMap<(String, String), Instant>;

/// What decisions are made from.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    /// All control planes.
    pub(crate) tenants: &'a [Arc<TenantControlPlane>],
    /// The store of those that name none.
    pub(crate) default_store: &'a str,
}

impl Places {
    /// Gives a control plane a place in a store, or says why it gets none. Who has one keeps it.
    pub(crate) fn take(
        &self,
        tenant: &TenantControlPlane,
        store: &DataStore,
        known: Known<'_>,
    ) -> Result<(), String> {
        let (uid, name) = (tenant.uid().unwrap_or_default(), store.name_any());
        if held_in(tenant).contains(name.as_str()) || capacity(store)?.is_none() {
            return Ok(());
        }
        let mut given = self.current(known);
        let there = occupants(&name, &given, known);
        if there.contains(&uid) {
            return Ok(());
        }
        room(store, there.len())?;
        given.insert((uid, name), Instant::now());
        Ok(())
    }

    /// Chooses a store for a control plane and gives it a place there.
    pub(crate) fn choose(
        &self,
        tenant: &TenantControlPlane,
        stores: &[Arc<DataStore>],
        selectors: &[&StoreSelector],
        known: Known<'_>,
    ) -> Result<String, String> {
        let mut given = self.current(known);
        let uid = tenant.uid().unwrap_or_default();
        // Chosen a moment ago, and the cache does not show it yet.
        if let Some((_, chosen)) = given.keys().find(|(known, _)| *known == uid) {
            return Ok(chosen.clone());
        }
        let candidates: Vec<Candidate<'_>> = stores
            .iter()
            .map(|store| Candidate { store, tenants: occupants(&store.name_any(), &given, known).len() })
            .collect();
        let chosen = choose(&candidates, selectors)?.name_any();
        given.insert((uid, chosen.clone()), Instant::now());
        Ok(chosen)
    }

    /// Takes a place back that was not used.
    pub(crate) fn give_back(&self, uid: &str, store: &str) {
        self.lock().remove(&(uid.to_owned(), store.to_owned()));
    }

    /// The decisions that still count.
    fn current(&self, known: Known<'_>) -> MutexGuard<'_, Given> {
        let mut given = self.lock();
        let uid = |tenant: &Arc<TenantControlPlane>| tenant.uid().unwrap_or_default();
        if given.is_empty() {
            return given;
        }
        let all: HashMap<String, &TenantControlPlane> =
            known.tenants.iter().map(|tenant| (uid(tenant), tenant.as_ref())).collect();
        given.retain(|(uid, store), since| {
            let is_settled = |tenant: &&TenantControlPlane| held_in(tenant).contains(store.as_str());
            let is_wished = |tenant| used_by(tenant, known.default_store).contains(store.as_str());
            let tenant = all.get(uid).filter(|tenant| !is_settled(tenant));
            tenant.is_some_and(|tenant| since.elapsed() < SETTLES || is_wished(tenant))
        });
        given
    }

    fn lock(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// UIDs of the control planes that have something in the store, or are about to.
fn occupants(store: &str, given: &Given, known: Known<'_>) -> BTreeSet<String> {
    let settled = known.tenants.iter().filter(|tenant| held_in(tenant).contains(store));
    let decided = given.keys().filter(|(_, place)| place == store).map(|(uid, _)| uid.clone());
    settled.filter_map(|tenant| tenant.uid()).chain(decided).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::{DataStore, TenantControlPlane};
    use serde_json::json;

    use super::{Known, Places};

    fn tenant(uid: &str, spec_store: Option<&str>, active: Option<&str>) -> Arc<TenantControlPlane> {
        Arc::new(
            serde_json::from_value(json!({
                "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
                "metadata": {"name": uid, "uid": uid},
                "spec": {
                    "dataStore": spec_store,
                    "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                    "kubernetes": {"version": "v1.36.3", "kubelet": {}},
                },
                "status": {
                    "storage": {"dataStoreName": active}, "kubeadmPhase": {"bootstrapToken": {}},
                },
            }))
            .unwrap(),
        )
    }

    fn store(name: &str, capacity: &str) -> Arc<DataStore> {
        Arc::new(
            serde_json::from_value(json!({
                "metadata": {"name": name, "annotations": {"flotilla.dev/capacity": capacity}},
                "spec": {"driver": "etcd", "endpoints": ["store:1"]},
                "status": {"ready": true},
            }))
            .unwrap(),
        )
    }

    #[test]
    fn places_that_no_status_shows_yet_count_and_are_kept() {
        let tenants = ["a", "b", "c"].map(|uid| tenant(uid, Some("one"), None));
        let known = Known { tenants: &tenants, default_store: "" };
        let (places, one) = (Places::default(), store("one", "2"));
        for _ in 0..2 {
            places.take(&tenants[0], &one, known).unwrap();
            places.take(&tenants[1], &one, known).unwrap();
            assert!(places.take(&tenants[2], &one, known).unwrap_err().contains("takes 2"));
        }
        places.give_back("a", "one");
        places.take(&tenants[2], &one, known).unwrap();
    }

    #[test]
    fn who_is_there_stays_when_the_capacity_shrinks() {
        let tenants = ["a", "b"].map(|uid| tenant(uid, Some("one"), Some("one")));
        let known = Known { tenants: &tenants, default_store: "" };
        let places = Places::default();
        places.take(&tenants[1], &store("one", "1"), known).unwrap();
    }

    #[test]
    fn a_place_is_free_again_when_its_control_plane_is_gone() {
        let tenants = ["a", "b"].map(|uid| tenant(uid, Some("one"), None));
        let (places, one) = (Places::default(), store("one", "1"));
        places.take(&tenants[0], &one, Known { tenants: &tenants, default_store: "" }).unwrap();
        let left = Known { tenants: &tenants[1..], default_store: "" };
        places.take(&tenants[1], &one, left).unwrap();
    }

    #[test]
    fn choices_spread_and_one_that_was_made_is_made_again() {
        let tenants = ["a", "b", "c", "d"].map(|uid| tenant(uid, None, None));
        let known = Known { tenants: &tenants, default_store: "" };
        let stores = [store("one", "2"), store("two", "1")];
        let places = Places::default();
        let choose = |index: usize| places.choose(&tenants[index], &stores, &[], known);
        let chosen: Vec<_> = (0..3).map(|index| choose(index).unwrap()).collect();
        assert_eq!(chosen, ["one", "two", "one"]);
        assert_eq!(choose(1).unwrap(), "two");
        let full = choose(3).unwrap_err();
        assert!(full.contains("`one` takes 2") && full.contains("`two` takes 1"), "{full}");
    }
}
