//! Roles: nobody makes one with rights that they lack.

use api::{Role, RoleSpec};
use authz::{Place, Scope, builtin_roles};
use kube::runtime::reflector::Store;

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::Caller;
use crate::index::to_role;
use crate::problem::Problem;

impl Noun for Role {
    const RESOURCE: &'static str = "roles";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.roles
    }

    fn place<'a>(_: &'a str, spec: &'a RoleSpec) -> Place<'a> {
        spec.tenant.as_deref().map_or(Place::Platform, Place::Tenant)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { name, spec } => held(caller, name, spec),
            Change::Replace { old, spec } => {
                if old.spec.tenant != spec.tenant {
                    return Err(Problem::invalid("tenant: a role stays in its tenant; make another role"));
                }
                held(caller, old.metadata.name.as_deref().unwrap_or_default(), spec)
            }
            Change::Delete { .. } => Ok(()),
        }
    }
}

fn held(caller: &Caller, name: &str, spec: &RoleSpec) -> Result<(), Problem> {
    if name.starts_with("system-") || builtin_roles().iter().any(|role| role.name == name) {
        return Err(Problem::invalid(format!("name: `{name}` is taken by a built-in role; choose another")));
    }
    let scope = spec.tenant.clone().map_or(Scope::Platform, Scope::Tenant);
    let role = to_role(&Role::new(name, spec.clone()));
    super::grant::may_give(caller, &role, &scope)
}
