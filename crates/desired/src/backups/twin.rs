//! The control plane that a clone is: like its original, but for what only one can have.

use api::TenantControlPlane;
use api::names::annotations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// A control plane like another in the same namespace, which the `TenantRestore` named `restore` fills before its first
/// start. Its place in a store, its address and its front are its own; so will be its authorities and keys.
#[must_use]
pub fn twin(original: &TenantControlPlane, name: &str, restore: &str) -> TenantControlPlane {
    let mut spec = original.spec.clone();
    spec.data_store_schema = None;
    spec.data_store_username = None;
    // A host name leads to the original.
    spec.control_plane.ingress = None;
    spec.control_plane.gateway = None;
    if let Some(network) = spec.network_profile.as_mut() {
        network.address = None;
        network.advertise_address = None;
    }
    let mut annotations = vec![(annotations::HOLD.to_owned(), restore.to_owned())];
    let asleep = original
        .metadata
        .annotations
        .as_ref()
        .and_then(|all| all.get_key_value(annotations::REPLICAS_BEFORE_SLEEP));
    annotations.extend(asleep.map(|(key, replicas)| (key.clone(), replicas.clone())));
    let mut made = TenantControlPlane::new(name, spec);
    made.metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: original.metadata.namespace.clone(),
        annotations: Some(annotations.into_iter().collect()),
        ..ObjectMeta::default()
    };
    made
}

#[cfg(test)]
mod tests {
    use api::TenantControlPlane;
    use serde_json::json;

    use super::twin;

    #[test]
    fn a_clone_shares_nothing_that_only_one_can_have() {
        let original: TenantControlPlane = serde_json::from_value(json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {
                "name": "shop", "namespace": "team", "uid": "u1", "resourceVersion": "7",
                "labels": {"tier": "gold"}, "finalizers": ["a.b/c"],
                "annotations": {
                    "flotilla.dev/replicas-before-sleep": "3",
                    "flotilla.dev/sleep-schedule-followed": "Sleep 2026-11-30T19:00:00Z",
                },
            },
            "spec": {
                "dataStore": "first", "dataStoreSchema": "u1", "dataStoreUsername": "u1",
                "controlPlane": {
                    "service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": 0},
                    "ingress": {"hostname": "shop.example.com"}, "gateway": {"hostname": "shop.example.com"},
                },
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
                "networkProfile": {"address": "192.0.2.1", "advertiseAddress": "192.0.2.1", "port": 7443},
                "sleepSchedule": {"sleep": "0 20 * * *"},
            },
            "status": {"controlPlaneEndpoint": "192.0.2.1:7443"},
        }))
        .unwrap();
        let made = serde_json::to_value(twin(&original, "copy", "copy-1")).unwrap();
        assert_eq!(
            made["metadata"],
            json!({
                "name": "copy", "namespace": "team",
                "annotations": {"flotilla.dev/hold": "copy-1", "flotilla.dev/replicas-before-sleep": "3"},
            })
        );
        let mut expected = serde_json::to_value(&original.spec).unwrap();
        let own =
            ["/dataStoreSchema", "/dataStoreUsername", "/controlPlane/ingress", "/controlPlane/gateway"];
        for path in own.into_iter().chain(["/networkProfile/address", "/networkProfile/advertiseAddress"]) {
            let (parent, field) = path.rsplit_once('/').unwrap();
            assert!(expected.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).is_some());
        }
        assert_eq!((&made["spec"], &made["status"]), (&expected, &json!(null)));
    }
}
