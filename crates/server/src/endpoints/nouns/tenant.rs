//! Tenants: what is above a tenant decides how much it may have and where it stands.

use api::{Tenant, TenantSpec};
use authz::Place;
use kube::ResourceExt;
use kube::runtime::reflector::Store;

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::{Ask, Caller};
use crate::problem::Problem;

impl Noun for Tenant {
    const RESOURCE: &'static str = "tenants";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.tenants
    }

    fn place<'a>(name: &'a str, _: &'a TenantSpec) -> Place<'a> {
        Place::Tenant(name)
    }

    fn home<'a>(_: &'a str, spec: &'a TenantSpec) -> Place<'a> {
        above(spec)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { name, spec } => own_namespace(name, spec),
            Change::Replace { old, spec } => {
                own_namespace(&old.name_any(), spec)?;
                replaced(caller, old, spec).await
            }
            // A tenant does not end itself: its data would go with it.
            Change::Delete { old } => from_above(caller, "delete", old).await,
        }
    }
}

/// Where the tenant above a tenant stands.
fn above(spec: &TenantSpec) -> Place<'_> {
    spec.parent.as_deref().map_or(Place::Platform, Place::Tenant)
}

async fn replaced(caller: &Caller, old: &Tenant, spec: &TenantSpec) -> Result<(), Problem> {
    let is_moved = old.spec.parent != spec.parent;
    let is_limited = old.spec.quota != spec.quota
        || old.spec.state != spec.state
        || old.spec.deletion_grace_period != spec.deletion_grace_period;
    if is_moved || is_limited {
        from_above(caller, "update", old).await?;
    }
    if is_moved {
        let name = old.name_any();
        caller.require(&Ask { verb: "create", resource: "tenants", name: &name, place: above(spec) }).await?;
    }
    Ok(())
}

/// Quota, state and place of a tenant are for those who may change tenants where the one above it stands.
async fn from_above(caller: &Caller, verb: &str, old: &Tenant) -> Result<(), Problem> {
    let name = old.name_any();
    caller.require(&Ask { verb, resource: "tenants", name: &name, place: above(&old.spec) }).await
}

/// Through the hub a tenant's namespace is called like the tenant: nobody takes over one that others use.
fn own_namespace(name: &str, spec: &TenantSpec) -> Result<(), Problem> {
    match spec.namespace.as_deref() {
        None | Some("") => Ok(()),
        Some(namespace) if namespace == name => Ok(()),
        Some(namespace) => Err(Problem::invalid(format!(
            "namespace: `{namespace}` can be given with kubectl only; leave it out, and the namespace is called `{name}`"
        ))),
    }
}
