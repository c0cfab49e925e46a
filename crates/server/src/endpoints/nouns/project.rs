//! Projects: whoever puts a namespace into one must be allowed to in that cluster.

use api::{Project, ProjectSpec, quota_fault};
use authz::Place;
use kube::ResourceExt;
use kube::runtime::reflector::Store;

use super::{Change, Noun};
use crate::caches::Caches;
use crate::caller::{Ask, Caller};
use crate::problem::Problem;

impl Noun for Project {
    const RESOURCE: &'static str = "projects";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.projects
    }

    fn place<'a>(name: &'a str, _: &'a ProjectSpec) -> Place<'a> {
        Place::Project(name)
    }

    fn home<'a>(_: &'a str, spec: &'a ProjectSpec) -> Place<'a> {
        Place::Tenant(&spec.tenant)
    }

    async fn check(caller: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        match change {
            Change::Create { name, spec } => added(caller, name, &[], spec).await,
            Change::Replace { old, spec } => added(caller, &old.name_any(), &old.spec.namespaces, spec).await,
            Change::Delete { .. } => Ok(()),
        }
    }
}

async fn added(
    caller: &Caller,
    name: &str,
    before: &[api::ProjectNamespace],
    spec: &ProjectSpec,
) -> Result<(), Problem> {
    if let Some(fault) = quota_fault(&spec.quota) {
        return Err(Problem::invalid(format!("quota: {fault}")));
    }
    for part in spec.namespaces.iter().filter(|part| !before.contains(part)) {
        let place = Place::Cluster(&part.cluster);
        caller.require(&Ask { verb: "update", resource: "projects", name, place }).await?;
        if let Some(other) = caller.snapshot.policy.tree().project_of(&part.cluster, &part.namespace) {
            return Err(Problem::invalid(format!(
                "namespaces: `{}` of cluster `{}` is in {} already; take it out there first",
                part.namespace,
                part.cluster,
                if other == name { "this project" } else { "another project" },
            )));
        }
    }
    Ok(())
}
