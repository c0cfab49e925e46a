//! What stands in an imported cluster from the beginning: the roles that may be given there, and their groups.

use std::sync::Arc;

use api::RoleRule;
use authz::builtin_roles;
use desired::inside::{RIGHTS_GROUP, Rights, RoleRights, cluster_group, rights_objects};
use kube::ResourceExt;
use serde_json::Value;

use crate::hub::Hub;

/// Objects and the groups that they name. Custom roles are those of now: a later one needs the manifest anew.
pub(crate) fn bindings(hub: &Hub, tenant: Option<&str>) -> (Vec<Value>, Vec<String>) {
    let snapshot = hub.index.now();
    let tree = snapshot.policy.tree();
    let holds = |owner: &Option<String>| match (owner, tenant) {
        (None, _) => true,
        (Some(owner), Some(tenant)) => tree.is_within(tenant, owner),
        (Some(_), None) => false,
    };
    let builtin = builtin_roles()
        .into_iter()
        .map(|role| RoleRights { rules: role.cluster.into_iter().map(to_rule).collect(), name: role.name });
    let custom = hub.caches.roles.state();
    let custom = custom.iter().filter(|role| holds(&role.spec.tenant));
    let custom = custom.map(|role| RoleRights { name: role.name_any(), rules: role.spec.cluster.clone() });
    let roles: Vec<_> = builtin.chain(custom).filter(|role| !role.rules.is_empty()).map(Arc::new).collect();
    let of_roles = roles.iter().map(|role| cluster_group(&role.name));
    let groups = of_roles.chain([RIGHTS_GROUP.to_owned()]).collect();
    (rights_objects(&Rights { roles, projects: Vec::new() }, uplink::PROJECT_GROUPS_ROLE), groups)
}

fn to_rule(rule: authz::Rule) -> RoleRule {
    RoleRule {
        verbs: rule.verbs,
        api_groups: rule.groups,
        resources: rule.resources,
        resource_names: rule.names,
    }
}
