//! What a suspension does to a tenant's control planes: they sleep, and wake with as many pods as before. Pure.

use api::TenantControlPlane;
use api::names::annotations;
use kube::ResourceExt;
use serde_json::{Value, json};

/// The change that puts a control plane to sleep, or wakes one that slept for its tenant's sake; none if it is as
/// it should be.
pub(super) fn change(cluster: &TenantControlPlane, is_held: bool) -> Option<Value> {
    let replicas = cluster.spec.replicas();
    let before = cluster.annotations().get(annotations::REPLICAS_BEFORE);
    let (replicas, before) = match (is_held, before) {
        (true, None) if replicas > 0 => (0, json!(replicas.to_string())),
        (true, Some(before)) if replicas > 0 => (0, json!(before)),
        // What somebody has raised since stays; what cannot be read is as if nothing was said.
        (false, Some(before)) if replicas == 0 => {
            (before.parse().unwrap_or(api::DEFAULT_REPLICAS), Value::Null)
        }
        (false, Some(_)) => (replicas, Value::Null),
        _ => return None,
    };
    Some(json!({
        // With the version that was read: what somebody changes meanwhile is not written over.
        "metadata": {
            "resourceVersion": cluster.metadata.resource_version,
            "annotations": {annotations::REPLICAS_BEFORE: before},
        },
        "spec": {"controlPlane": {"deployment": {"replicas": replicas}}},
    }))
}

#[cfg(test)]
mod tests {
    use api::TenantControlPlane;
    use serde_json::{Value, json};

    use super::change;

    fn cluster(replicas: Option<i32>, before: Option<&str>) -> TenantControlPlane {
        let annotations = before.map(|before| json!({"flotilla.dev/replicas-before-suspension": before}));
        serde_json::from_value(json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "a", "resourceVersion": "7", "annotations": annotations},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": replicas}},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
        }))
        .unwrap()
    }

    fn changed(cluster: &TenantControlPlane, is_held: bool) -> Option<(Value, Value)> {
        let mut change = change(cluster, is_held)?;
        let replicas = change["spec"]["controlPlane"]["deployment"]["replicas"].take();
        Some((replicas, change["metadata"]["annotations"]["flotilla.dev/replicas-before-suspension"].take()))
    }

    #[test]
    fn a_control_plane_wakes_as_it_fell_asleep() {
        assert_eq!(changed(&cluster(Some(3), None), true), Some((json!(0), json!("3"))));
        assert_eq!(changed(&cluster(None, None), true), Some((json!(0), json!("2"))));
        assert_eq!(changed(&cluster(Some(0), Some("3")), false), Some((json!(3), Value::Null)));
        assert_eq!(change(&cluster(Some(0), Some("3")), true), None);
        assert_eq!(change(&cluster(Some(3), None), false), None);
    }

    #[test]
    fn who_slept_before_sleeps_on_and_who_was_woken_by_hand_stays_awake() {
        assert_eq!(change(&cluster(Some(0), None), true), None);
        assert_eq!(change(&cluster(Some(0), None), false), None);
        assert_eq!(changed(&cluster(Some(1), Some("3")), true), Some((json!(0), json!("3"))));
        assert_eq!(changed(&cluster(Some(1), Some("3")), false), Some((json!(1), Value::Null)));
        assert_eq!(changed(&cluster(Some(0), Some("many")), false), Some((json!(2), Value::Null)));
    }
}
