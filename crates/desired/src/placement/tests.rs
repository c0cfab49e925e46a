//! Selectors, capacities and choices.

use api::DataStore;
use serde_json::json;

use super::{Candidate, StoreSelector, choose, room};

fn store(name: &str, labels: &serde_json::Value, capacity: Option<&str>, driver: &str) -> DataStore {
    let annotations = capacity.map(|text| json!({"flotilla.dev/capacity": text}));
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"driver": driver, "endpoints": ["store:1"]},
        "status": {"ready": true},
    }))
    .unwrap()
}

fn selects(text: &str, labels: &serde_json::Value) -> bool {
    text.parse::<StoreSelector>().unwrap().matches(&store("a", labels, None, "etcd"))
}

#[test]
fn selectors_are_read_as_kubectl_reads_them() {
    let labels = json!({"tier": "gold", "zone": "b"});
    for text in ["", "tier=gold", "tier==gold, zone!=a", "zone in (a, b),tier", "!old", "zone notin (c)"] {
        assert!(selects(text, &labels), "{text}");
    }
    for text in ["tier=silver", "zone in (a,c)", "!tier", "tier=gold,zone=a", "old"] {
        assert!(!selects(text, &labels), "{text}");
    }
    for text in ["tier gold", "zone in a,b", "zone within (a)", "=x", "a=b=c", "zone in (a", "!"] {
        let error = text.parse::<StoreSelector>().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("write it like"), "{text}: {error}");
    }
}

#[test]
fn the_one_with_the_fewest_that_matches_and_has_room_is_chosen() {
    let (gold, silver) = (json!({"tier": "gold"}), json!({"tier": "silver"}));
    let stores = [
        (store("a", &gold, None, "etcd"), 5),
        (store("b", &gold, Some("2"), "MySQL"), 2),
        (store("c", &silver, None, "etcd"), 0),
        (store("d", &gold, Some("9"), "PostgreSQL"), 3),
    ];
    let candidates: Vec<_> =
        stores.iter().map(|(store, tenants)| Candidate { store, tenants: *tenants }).collect();
    let name = |text: &str| {
        let selector: StoreSelector = text.parse().unwrap();
        choose(&candidates, &[&selector]).map(|store| store.metadata.name.clone().unwrap())
    };
    assert_eq!(name("").unwrap(), "c");
    assert_eq!(name("tier=gold").unwrap(), "d");
    assert!(name("tier=wood").unwrap_err().contains("`tier=wood`"));
    let full = choose(&candidates[1..2], &[]).unwrap_err();
    assert!(full.contains("takes 2") && full.contains("flotilla.dev/capacity"), "{full}");
    let mut away = stores[0].0.clone();
    away.status = None;
    let away = choose(&[Candidate { store: &away, tenants: 0 }], &[]).unwrap_err();
    assert!(away.contains("`a` is not ready"), "{away}");
}

#[test]
fn a_capacity_is_a_number_and_nats_takes_one() {
    let broken = room(&store("a", &json!({}), Some("many"), "etcd"), 0).unwrap_err();
    assert!(broken.contains("`many`"), "{broken}");
    let nats = store("n", &json!({}), Some("7"), "NATS");
    assert!(room(&nats, 0).is_ok());
    assert!(room(&nats, 1).unwrap_err().contains("NATS"));
    assert!(room(&store("a", &json!({}), Some("0"), "etcd"), 0).is_err());
}
