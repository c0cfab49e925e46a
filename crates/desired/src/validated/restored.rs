//! The place in the store of a control plane that came back from a backup.

use k8s_openapi::api::core::v1::Secret;

use super::Validated;
use crate::metadata::text;

impl Validated {
    /// Takes schema and user from the Secret with the store's settings, where the spec leaves them open.
    ///
    /// For control planes whose status knows of no place yet: a backup brings them back under a new UID,
    /// and their status, if at all, a moment later. By the UID alone they would begin with an empty store.
    /// A Secret that belongs to another object, such as a namesake that is being deleted, says nothing.
    /// Of a store without users per tenant, NATS, `has_users` is false: there the Secret's user is the store's.
    #[must_use]
    pub fn restored_from(mut self, config: Option<&Secret>, has_users: bool) -> Self {
        let Some(config) = config.filter(|config| self.may_have_left(config)) else { return self };
        let known = |key| text(config, key).filter(|name| !name.is_empty()).map(str::to_owned);
        let is_open = |field: &Option<String>| field.as_deref().unwrap_or_default().is_empty();
        if let Some(schema) = known("DB_SCHEMA").filter(|_| is_open(&self.spec.data_store_schema)) {
            self.storage.schema = schema;
        }
        let user = known("DB_USER").filter(|_| has_users);
        if let Some(user) = user.filter(|_| is_open(&self.spec.data_store_username)) {
            self.storage.user = user;
        }
        self
    }

    fn may_have_left(&self, config: &Secret) -> bool {
        let owners = config.metadata.owner_references.iter().flatten();
        let mut controllers = owners.filter(|owner| owner.controller.unwrap_or_default());
        config.metadata.deletion_timestamp.is_none()
            && controllers.all(|owner| owner.uid == self.object.owner.uid)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use serde_json::{Value, json};

    use crate::{Validated, validate};

    fn control_plane(spec: &Value) -> Validated {
        let mut object = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "blue", "namespace": "tenants", "uid": "new"},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
        });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        validate(&serde_json::from_value(object).unwrap()).unwrap()
    }

    fn config(owner: Option<&str>) -> Secret {
        let owners = owner.map(|uid| {
            json!([{
                "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane", "name": "blue",
                "uid": uid, "controller": true,
            }])
        });
        serde_json::from_value(json!({
            "metadata": {"ownerReferences": owners},
            "data": {"DB_SCHEMA": "b2xk", "DB_USER": "b2xk"},
        }))
        .unwrap()
    }

    fn place(validated: &Validated) -> [&str; 2] {
        [validated.schema(), validated.user()]
    }

    #[test]
    fn a_secret_that_came_back_says_where_the_tenants_data_are() {
        assert_eq!(
            place(&control_plane(&json!({})).restored_from(Some(&config(None)), true)),
            ["old", "old"]
        );
        assert_eq!(place(&control_plane(&json!({})).restored_from(None, true)), ["new", "new"]);
    }

    #[test]
    fn the_user_of_a_store_without_users_per_tenant_is_not_taken() {
        let restored = control_plane(&json!({})).restored_from(Some(&config(None)), false);
        assert_eq!(place(&restored), ["old", "new"]);
    }

    #[test]
    fn what_the_spec_says_counts_more() {
        let written = control_plane(&json!({"dataStoreSchema": "team"}));
        assert_eq!(place(&written.restored_from(Some(&config(None)), true)), ["team", "old"]);
    }

    #[test]
    fn a_namesakes_secret_says_nothing() {
        let new = control_plane(&json!({}));
        assert_eq!(place(&new.restored_from(Some(&config(Some("another"))), true)), ["new", "new"]);
    }
}
