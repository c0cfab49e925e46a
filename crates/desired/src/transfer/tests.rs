//! Tests of what goes along with a transfer.

use api::TenantControlPlane;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use super::{hindrance, luggage, successor, unpacked};

fn source() -> Value {
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {
            "name": "shop", "namespace": "acme", "uid": "u1", "resourceVersion": "7", "labels": {"tier": "gold"},
            "finalizers": ["a.b/c"],
            "annotations": {
                "flotilla.dev/given-away-by": "t1", "flotilla.dev/replicas-before-sleep": "3",
                "kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "blue",
            },
        },
        "spec": {
            "dataStore": "first",
            "controlPlane": {"service": {"serviceType": "LoadBalancer"}, "deployment": {"replicas": 2}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
        "status": {
            "controlPlaneEndpoint": "192.0.2.7:6443",
            "storage": {"dataStoreName": "first", "setup": {"schema": "acme_shop", "user": "acme_user"}},
            "kubeadmPhase": {"bootstrapToken": {}},
        },
    })
}

fn read(value: &Value) -> TenantControlPlane {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn who_gets_it_gets_its_place_in_the_store_and_its_address() {
    let made = serde_json::to_value(successor(&read(&source()), "globex", "store", "t1")).unwrap();
    assert_eq!(
        made["metadata"],
        json!({
            "name": "store", "namespace": "globex", "labels": {"tier": "gold"},
            "finalizers": ["finalizer.kamaji.clastix.io"],
            "annotations": {
                "flotilla.dev/awaited-by": "t1", "flotilla.dev/load-balancer-address": "192.0.2.7",
                "flotilla.dev/replicas-before-sleep": "3", "team": "blue",
            },
        })
    );
    let mut expected = serde_json::to_value(read(&source()).spec).unwrap();
    expected["dataStoreSchema"] = json!("acme_shop");
    expected["dataStoreUsername"] = json!("acme_user");
    assert_eq!((&made["spec"], &made["status"]), (&expected, &Value::Null));
}

#[test]
fn an_address_is_asked_for_only_where_a_load_balancer_gave_it() {
    let asked = |change: &dyn Fn(&mut Value)| {
        let mut source = source();
        change(&mut source);
        let made = successor(&read(&source), "globex", "shop", "t1");
        made.metadata.annotations.unwrap().get("flotilla.dev/load-balancer-address").cloned()
    };
    assert_eq!(asked(&|_| ()).as_deref(), Some("192.0.2.7"));
    let six = asked(&|source| source["status"]["controlPlaneEndpoint"] = json!("[2001:db8::7]:6443"));
    assert_eq!(six.as_deref(), Some("2001:db8::7"));
    assert_eq!(asked(&|source| source["status"]["controlPlaneEndpoint"] = json!("lb.example:6443")), None);
    assert_eq!(asked(&|source| source["spec"]["networkProfile"] = json!({"address": "192.0.2.7"})), None);
    let kind = asked(&|source| {
        source["spec"]["controlPlane"]["service"]["serviceType"] = json!("ClusterIP");
    });
    assert_eq!(kind, None);
}

#[test]
fn what_is_under_way_hinders() {
    let said = |path: &str, value: Value| {
        let mut source = source();
        *source.pointer_mut(path).unwrap() = value;
        hindrance(&read(&source), "t1").unwrap_or_default()
    };
    assert_eq!(hindrance(&read(&source()), "t1"), None);
    let annotations = "/metadata/annotations";
    assert!(said(annotations, json!({"flotilla.dev/hold": "r"})).contains("TenantRestore `r`"));
    assert!(
        said(annotations, json!({"flotilla.dev/given-away-by": "t2"})).contains("ClusterTransfer `t2` gives")
    );
    assert!(
        said(annotations, json!({"flotilla.dev/awaited-by": "t0"})).contains("ClusterTransfer `t0` has not")
    );
    assert!(said(annotations, json!({"kamaji.clastix.io/paused": ""})).contains("is paused"));
    assert!(said("/status/storage/setup", json!({})).contains("no place"));
    assert!(said("/spec/dataStore", json!("second")).contains("moves to another"));
    let migration = json!({
        "dataStoreName": "first", "setup": {"schema": "s", "user": "u"},
        "migration": {"from": "first", "to": "second", "phase": "Copying", "startedAt": "2026-11-30T12:00:00Z"},
    });
    assert!(said("/status/storage", migration.clone()).contains("moves to another"));
    let mut over = migration;
    over["migration"]["phase"] = json!("GivenUp");
    assert_eq!(said("/status/storage", over), "");
}

#[test]
fn secrets_belong_to_the_successor_under_its_name() {
    let names: Vec<_> = luggage("shop", "store").into_iter().map(|part| (part.from, part.to)).collect();
    let pair = |suffix: &str| (format!("shop-{suffix}"), format!("store-{suffix}"));
    let parts = ["ca", "front-proxy-ca-certificate", "sa-certificate", "datastore-config", "backup-key"];
    assert_eq!(names, parts.map(pair));
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {
            "name": "shop-ca", "namespace": "acme", "uid": "s1", "finalizers": ["x"],
            "labels": {"kamaji.clastix.io/name": "shop", "kamaji.clastix.io/component": "ca"},
            "annotations": {"flotilla.dev/desired-hash": "h", "kamaji.clastix.io/checksum": "c"},
        },
        "data": {"ca.crt": "eA=="}, "type": "Opaque",
    }))
    .unwrap();
    let mut made = successor(&read(&source()), "globex", "store", "t1");
    made.metadata.uid = Some("u2".to_owned());
    let owner = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane", "name": "store", "uid": "u2",
        "controller": true, "blockOwnerDeletion": true,
    });
    assert_eq!(
        serde_json::to_value(unpacked(&secret, "store-ca", &made)).unwrap(),
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "store-ca", "namespace": "globex", "ownerReferences": [owner],
                "labels": {"kamaji.clastix.io/name": "store", "kamaji.clastix.io/component": "ca"},
                "annotations": {"kamaji.clastix.io/checksum": "c"},
            },
            "data": {"ca.crt": "eA=="}, "type": "Opaque",
        })
    );
}
