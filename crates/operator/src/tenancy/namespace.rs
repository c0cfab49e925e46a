//! The namespace of a tenant: made for it, or its own because somebody who may said so.

use api::Tenant;
use api::names::labels;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt};

/// What is to be done about a namespace.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    /// It is applied. Boxed, since the other is small.
    Apply(Box<Namespace>),
    /// It is somebody else's, or nobody has said that it is the tenant's.
    Taken {
        /// Whose it is, if a tenant's.
        by: Option<String>,
    },
}

/// The namespace that a tenant needs. One that is there already is its own only if a label says so: whoever makes
/// tenants could take any namespace otherwise. Only one that was made for the tenant goes with it.
pub(super) fn wanted(tenant: &Tenant, live: Option<&Namespace>) -> Wanted {
    let (name, uid) = (tenant.name_any(), tenant.uid().unwrap_or_default());
    let is_made = live.is_none_or(|live| live.owner_references().iter().any(|owner| owner.uid == uid));
    if let Some(live) = live
        && live.labels().get(labels::TENANT) != Some(&name)
        && !is_made
    {
        return Wanted::Taken { by: live.labels().get(labels::TENANT).cloned() };
    }
    let owner = OwnerReference {
        api_version: Tenant::api_version(&()).into_owned(),
        kind: Tenant::kind(&()).into_owned(),
        name: name.clone(),
        uid,
        controller: None,
        block_owner_deletion: None,
    };
    Wanted::Apply(Box::new(Namespace {
        metadata: ObjectMeta {
            name: Some(tenant.wanted_namespace()),
            labels: Some([(labels::TENANT.to_owned(), name)].into()),
            owner_references: is_made.then(|| vec![owner]),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    }))
}

/// What the user is told of a namespace that is not the tenant's.
pub(super) fn taken(tenant: &Tenant, by: Option<&str>) -> String {
    let (name, namespace) = (tenant.name_any(), tenant.wanted_namespace());
    match by {
        Some(by) => format!(
            "the namespace `{namespace}` belongs to tenant `{by}`; delete this tenant and make it with another spec.namespace"
        ),
        None => format!(
            "the namespace `{namespace}` was there before; if it shall be this tenant's: \
             kubectl label namespace {namespace} {}={name}; else delete this tenant and make it with another spec.namespace",
            labels::TENANT
        ),
    }
}

#[cfg(test)]
mod tests {
    use api::Tenant;
    use k8s_openapi::api::core::v1::Namespace;
    use serde_json::{Value, json};

    use super::{Wanted, taken, wanted};

    fn tenant() -> Tenant {
        serde_json::from_value(json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant",
            "metadata": {"name": "acme", "uid": "7"}, "spec": {},
        }))
        .unwrap()
    }

    fn namespace(labels: &Value, owner: Option<&str>) -> Namespace {
        let owners: Vec<Value> = owner
            .map(|uid| json!({"apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "name": "acme", "uid": uid}))
            .into_iter()
            .collect();
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "acme", "labels": labels, "ownerReferences": owners},
        }))
        .unwrap()
    }

    #[test]
    fn a_namespace_that_was_made_for_the_tenant_goes_with_it_and_another_stays() {
        let owners = |live: Option<&Namespace>| match wanted(&tenant(), live) {
            Wanted::Apply(namespace) => namespace.metadata.owner_references,
            Wanted::Taken { .. } => panic!("taken"),
        };
        assert_eq!(owners(None).unwrap()[0].uid, "7");
        // Somebody took the label away: it is still the tenant's.
        assert_eq!(owners(Some(&namespace(&json!({}), Some("7")))).unwrap()[0].uid, "7");
        assert_eq!(owners(Some(&namespace(&json!({"flotilla.dev/tenant": "acme"}), None))), None);
    }

    #[test]
    fn nobody_gets_a_namespace_by_naming_it() {
        let system = wanted(&tenant(), Some(&namespace(&json!({}), None)));
        assert_eq!(system, Wanted::Taken { by: None });
        let others = wanted(&tenant(), Some(&namespace(&json!({"flotilla.dev/tenant": "globex"}), None)));
        assert_eq!(others, Wanted::Taken { by: Some("globex".to_owned()) });
        // A tenant of the same name that was there before left it.
        let former = wanted(&tenant(), Some(&namespace(&json!({}), Some("3"))));
        assert_eq!(former, Wanted::Taken { by: None });
        assert!(taken(&tenant(), None).contains("kubectl label namespace acme flotilla.dev/tenant=acme"));
        assert!(taken(&tenant(), Some("globex")).contains("belongs to tenant `globex`"));
    }
}
