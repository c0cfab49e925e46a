//! Keeps two control planes from sharing one place in a store: whoever wrote another one's schema or user
//! into its spec would read and write that one's state.

use api::TenantControlPlane;
use kube::ResourceExt;

/// What a control plane claims in the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim<'a> {
    /// UID of the control plane.
    pub(super) uid: &'a str,
    /// Database, key prefix or bucket.
    pub(super) schema: &'a str,
    /// User.
    pub(super) user: &'a str,
}

/// Which part of the claim another control plane holds, or claimed earlier; none if it is free.
///
/// Stores are not compared: a claim is kept while its owner moves between stores.
pub(super) fn taken(
    claim: Claim<'_>,
    own: &TenantControlPlane,
    all: impl Iterator<Item = impl AsRef<TenantControlPlane>>,
) -> Option<&'static str> {
    all.filter(|other| other.as_ref().uid().as_deref() != Some(claim.uid)).find_map(|other| {
        let other = other.as_ref();
        let uid = other.uid().unwrap_or_default();
        let setup = other.status.as_ref().map(|status| &status.storage.setup);
        let held = |recorded: Option<&String>, wished: Option<&String>| -> String {
            let texts = [recorded, wished].into_iter().flatten();
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or(&uid).clone()
        };
        let schema =
            held(setup.and_then(|setup| setup.schema.as_ref()), other.spec.data_store_schema.as_ref());
        let user = held(setup.and_then(|setup| setup.user.as_ref()), other.spec.data_store_username.as_ref());
        let part = match (schema == claim.schema, user == claim.user) {
            (true, _) => "dataStoreSchema",
            (_, true) => "dataStoreUsername",
            _ => return None,
        };
        let is_set_up = setup.is_some_and(|setup| setup.user.is_some());
        (is_set_up || came_before(other, own)).then_some(part)
    })
}

fn came_before(other: &TenantControlPlane, own: &TenantControlPlane) -> bool {
    let place = |tenant: &TenantControlPlane| {
        (tenant.metadata.creation_timestamp.as_ref().map(|time| time.0), tenant.uid())
    };
    place(other) < place(own)
}

#[cfg(test)]
mod tests {
    use super::{Claim, taken};
    use api::TenantControlPlane;
    use serde_json::json;
    use std::sync::Arc;

    fn tenant(uid: &str, created: &str, schema: &str, user: Option<&str>) -> Arc<TenantControlPlane> {
        let setup = user.map_or_else(|| json!({}), |user| json!({"schema": schema, "user": user}));
        let body = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": uid, "uid": uid, "creationTimestamp": created},
            "spec": {
                "dataStoreSchema": schema,
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
            "status": {"storage": {"setup": setup}, "kubeadmPhase": {"bootstrapToken": {}}},
        });
        Arc::new(serde_json::from_value(body).unwrap())
    }

    const CLAIM: Claim<'static> = Claim { uid: "mine", schema: "team", user: "mine" };

    #[test]
    fn a_schema_that_another_one_uses_is_taken_whoever_came_first() {
        let own = tenant("mine", "2026-01-01T00:00:00Z", "team", None);
        let other = tenant("other", "2026-01-02T00:00:00Z", "team", Some("other"));
        assert_eq!(taken(CLAIM, &own, [own.clone(), other].iter()), Some("dataStoreSchema"));
    }

    #[test]
    fn of_two_new_ones_the_earlier_wins() {
        let own = tenant("mine", "2026-01-01T00:00:00Z", "team", None);
        let later = tenant("other", "2026-01-02T00:00:00Z", "team", None);
        assert_eq!(taken(CLAIM, &own, [later].iter()), None);
        let earlier = tenant("other", "2025-12-31T00:00:00Z", "team", None);
        assert_eq!(taken(CLAIM, &own, [earlier].iter()), Some("dataStoreSchema"));
    }

    #[test]
    fn another_schema_or_the_own_object_is_no_rival() {
        let own = tenant("mine", "2026-01-01T00:00:00Z", "team", Some("mine"));
        let other = tenant("other", "2025-01-01T00:00:00Z", "team-b", Some("other"));
        assert_eq!(taken(CLAIM, &own, [own.clone(), other].iter()), None);
    }

    #[test]
    fn the_user_of_another_one_is_taken_too() {
        let own = tenant("mine", "2026-01-01T00:00:00Z", "team", None);
        let other = tenant("other", "2026-01-02T00:00:00Z", "elsewhere", Some("mine"));
        assert_eq!(taken(CLAIM, &own, [other].iter()), Some("dataStoreUsername"));
    }
}
