//! What a key may do of what its owner may.

use authz::{Place, Request, Tree};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_reading;

/// Limits of a key. Without any it may do what its owner may.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeyScope {
    /// It may only read.
    #[serde(default)]
    pub(crate) read_only: bool,
    /// It may be used in these tenants and below; in all if neither tenants nor clusters are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub(crate) tenants: Vec<String>,
    /// It may be used in these clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub(crate) clusters: Vec<String>,
}

impl KeyScope {
    pub(crate) fn allows(&self, request: &Request<'_>, place: Place<'_>, tree: &Tree) -> bool {
        (!self.read_only || is_reading(request.verb)) && self.reaches(place, tree)
    }

    /// Whether it may be used at a place at all.
    pub(crate) fn reaches(&self, place: Place<'_>, tree: &Tree) -> bool {
        if self.tenants.is_empty() && self.clusters.is_empty() {
            return true;
        }
        let in_cluster = match place {
            Place::Cluster(cluster) | Place::Namespace(cluster, _) => {
                self.clusters.iter().any(|own| own == cluster)
            }
            _ => false,
        };
        let tenant = tree.tenant_of(place);
        in_cluster || tenant.is_some_and(|tenant| self.tenants.iter().any(|own| tree.is_within(tenant, own)))
    }
}

#[cfg(test)]
mod tests {
    use authz::{Place, Request, Tree};

    use super::KeyScope;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.add_tenant("acme", None);
        tree.add_tenant("acme-dev", Some("acme"));
        tree.add_tenant("other", None);
        tree.add_cluster("acme-dev.c", "acme-dev");
        tree.add_cluster("other.c", "other");
        tree
    }

    #[test]
    fn a_key_that_reads_changes_nothing() {
        let scope = KeyScope { read_only: true, ..KeyScope::default() };
        let may = |verb| scope.allows(&Request::hub(verb, "clusters", ""), Place::Platform, &tree());
        assert!(may("get") && may("list") && may("watch"));
        assert!(!may("create") && !may("connect") && !may("delete"));
    }

    #[test]
    fn a_key_of_a_tenant_or_cluster_stays_there() {
        let get = Request::hub("get", "clusters", "");
        let tenant = KeyScope { tenants: vec!["acme".to_owned()], ..KeyScope::default() };
        let cluster = KeyScope { clusters: vec!["other.c".to_owned()], ..KeyScope::default() };
        let reaches = |scope: &KeyScope, place| scope.allows(&get, place, &tree());
        assert!(
            reaches(&tenant, Place::Tenant("acme-dev")) && reaches(&tenant, Place::Cluster("acme-dev.c"))
        );
        assert!(!reaches(&tenant, Place::Cluster("other.c")) && !reaches(&tenant, Place::Platform));
        assert!(reaches(&cluster, Place::Namespace("other.c", "default")));
        assert!(
            !reaches(&cluster, Place::Tenant("other")) && !reaches(&cluster, Place::Cluster("acme-dev.c"))
        );
    }
}
