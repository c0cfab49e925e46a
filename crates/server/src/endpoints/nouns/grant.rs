//! Grants: nobody gives what they lack.

use api::{Grant, GrantSpec};
use authz::{Place, Plane, Scope, Tree};
use kube::runtime::reflector::{ObjectRef, Store};

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::Caller;
use crate::index::to_scope;
use crate::problem::Problem;

impl Noun for Grant {
    const RESOURCE: &'static str = "grants";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.grants
    }

    fn place<'a>(_: &'a str, spec: &'a GrantSpec) -> Place<'a> {
        let scope = &spec.scope;
        match (&scope.tenant, &scope.project, &scope.cluster) {
            (Some(tenant), None, None) => Place::Tenant(tenant),
            (None, Some(project), None) => Place::Project(project),
            (None, None, Some(cluster)) => Place::Cluster(cluster),
            // Of the platform, or of no place: nobody else looks after it.
            _ => Place::Platform,
        }
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { spec, .. } => given(caller, spec),
            Change::Replace { old, spec } if old.spec == **spec => Ok(()),
            Change::Replace { .. } => {
                Err(Problem::invalid("spec: a grant stays as it was made; delete it and make another"))
            }
            Change::Delete { .. } => Ok(()),
        }
    }
}

fn given(caller: &Caller, spec: &GrantSpec) -> Result<(), Problem> {
    if spec.user.is_some() == spec.group.is_some() {
        return Err(Problem::invalid("name either `user` or `group`"));
    }
    let scope = to_scope(&spec.scope)
        .ok_or_else(|| Problem::invalid("scope: name one place: platform, tenant, project or cluster"))?;
    let policy = &caller.snapshot.policy;
    let missing = || {
        Problem::invalid(format!(
            "role: there is no role `{}` here; list roles to see which there are",
            spec.role
        ))
    };
    let role = policy.role(&spec.role).ok_or_else(missing)?;
    let custom = caller.hub.caches.roles.get(&ObjectRef::new(&spec.role));
    let home = custom.as_ref().and_then(|role| role.spec.tenant.as_deref());
    if home.is_some_and(|home| !is_within(policy.tree(), &scope, home)) {
        return Err(missing());
    }
    may_give(caller, role, &scope)
}

fn is_within(tree: &Tree, scope: &Scope, home: &str) -> bool {
    tree.tenant_of(Tree::place(scope)).is_some_and(|tenant| tree.is_within(tenant, home))
}

/// Whether the caller holds all of a role at a scope.
pub(super) fn may_give(caller: &Caller, role: &authz::Role, scope: &Scope) -> Result<(), Problem> {
    caller.snapshot.policy.may_grant(&caller.subject, role, scope).map_err(|lacking| {
        let plane = match lacking.plane {
            Plane::Hub => "of the hub",
            Plane::Cluster => "inside clusters",
        };
        Problem::denied(format!(
            "you cannot give role `{}` here, since you lack a part of it: {} {} {plane}; ask somebody who has it",
            role.name,
            lacking.verb,
            if lacking.resource.is_empty() { "objects" } else { lacking.resource },
        ))
    })
}
