//! Clusters that were imported.

use api::{Cluster, ClusterSpec};
use authz::Place;
use kube::ResourceExt;
use kube::runtime::reflector::Store;

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::{Ask, Caller};
use crate::problem::Problem;

impl Noun for Cluster {
    const RESOURCE: &'static str = "clusters";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.imported
    }

    fn place<'a>(name: &'a str, _: &'a ClusterSpec) -> Place<'a> {
        Place::Cluster(name)
    }

    fn home<'a>(_: &'a str, spec: &'a ClusterSpec) -> Place<'a> {
        owner(spec)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { .. } | Change::Delete { .. } => Ok(()),
            Change::Replace { old, spec } if old.spec.tenant == spec.tenant => Ok(()),
            Change::Replace { old, spec } => {
                let name = old.name_any();
                let ask =
                    Ask { verb: "transfer", resource: "clusters", name: &name, place: owner(&old.spec) };
                caller.require(&ask).await?;
                caller.require(&Ask { verb: "create", place: owner(spec), ..ask }).await
            }
        }
    }
}

fn owner(spec: &ClusterSpec) -> Place<'_> {
    spec.tenant.as_deref().map_or(Place::Platform, Place::Tenant)
}
