//! Rights of projects' members in imported clusters. The roles stand there by the manifest; what binds them in the
//! namespaces of projects, and which groups the agent may act as for that, is kept as wished while an agent is connected.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use api::hard_limits;
use api::names::labels;
use authn::KeyError;
use authz::Place;
use desired::inside::{
    Key, Kind, Object, ProjectRights, RIGHTS_GROUP, cluster_group, is_right, project_group, project_objects,
    role_of,
};
use futures::future::try_join_all;
use kube::runtime::reflector::ObjectRef;
use kubekit::{Remote, RemoteError, is_current};
use serde_json::{Value, json};
use tokio::time::Instant;
use uplink::PROJECT_GROUPS_ROLE;

use super::reach::reach;
use super::status;
use crate::hub::Hub;
use crate::index::Snapshot;

/// How often it is looked whether projects are others.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is not as wished is tried again, and what somebody in the cluster has changed is changed back.
const AGAIN: Duration = Duration::from_secs(15);
const REPAIR: Duration = Duration::from_mins(10);
/// Most writes at the same time.
const CONCURRENCY: usize = 8;

/// Projects with namespaces in a cluster, by name.
type Projects = Vec<ProjectRights>;

/// What people shall have in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wished {
    projects: Projects,
    /// Roles that somebody holds there.
    roles: BTreeSet<String>,
}

/// Why members of projects do not have their rights.
#[derive(Debug, thiserror::Error)]
pub(super) enum RightsError {
    /// The hub can sign nothing.
    #[error("the hub could sign no identity for itself")]
    Sign(#[from] KeyError),
    /// The cluster refuses or does not answer.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The manifest was made before projects reached into imported clusters.
    #[error("the cluster has no ClusterRole `{PROJECT_GROUPS_ROLE}`")]
    Manifest,
}

/// What stands after a pass.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Groups that have rights in the cluster, and that its agent may act as.
    pub(super) groups: BTreeSet<String>,
    /// Namespaces of projects that are not there.
    pub(super) missing: BTreeSet<String>,
    /// Roles that somebody holds, and that the manifest did not bring: they were made after it.
    pub(super) unknown: BTreeSet<String>,
}

/// The last pass.
struct Last {
    wished: Wished,
    at: Instant,
    outcome: Result<Standing, RightsError>,
}

impl Last {
    fn is_due(&self, wished: &Wished, now: Instant) -> bool {
        let is_whole = self.outcome.as_ref().is_ok_and(|standing| standing.missing.is_empty());
        self.wished != *wished || now >= self.at + if is_whole { REPAIR } else { AGAIN }
    }
}

/// Keeps a cluster as wished while its agent is connected; never ends.
pub(super) async fn follow(hub: &Hub, cluster: &str) -> Infallible {
    let mut changes = hub.index.changes();
    changes.mark_changed();
    let (mut wished, mut last): (_, Option<Last>) = (Wished::default(), None);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // Before the first report nothing can be asked.
        if !hub.agents.is_connected(cluster) {
            continue;
        }
        if changes.has_changed().unwrap_or(true) {
            changes.mark_unchanged();
            wished = Wished::of(hub, cluster);
        }
        let now = Instant::now();
        if last.as_ref().is_none_or(|last| last.is_due(&wished, now)) {
            let outcome = pass(hub, cluster, &wished).await;
            match &outcome {
                Ok(standing) => hub.agents.note(cluster, standing.groups.clone()),
                Err(error) => {
                    tracing::warn!(
                        cluster,
                        error = error as &dyn std::error::Error,
                        "rights of projects are not as wished"
                    );
                }
            }
            last = Some(Last { wished: wished.clone(), at: now, outcome });
        }
        if let Some(last) = &last {
            status::rights(hub, cluster, &last.outcome).await;
        }
    }
}

impl Wished {
    fn of(hub: &Hub, cluster: &str) -> Self {
        let snapshot = hub.index.now();
        let projects = projects(hub, &snapshot, cluster);
        // Only custom roles can be unknown in a cluster.
        if hub.caches.roles.is_empty() {
            return Self { projects, roles: BTreeSet::new() };
        }
        let of_projects = projects.iter().map(|project| Place::Project(&project.name));
        let members = [Place::Cluster(cluster)].into_iter().chain(of_projects);
        let holdings = members.flat_map(|place| snapshot.policy.members(place));
        let means_something = holdings.filter(|holding| !holding.role.cluster.is_empty());
        let roles = means_something.map(|holding| holding.role.name.clone()).collect();
        Self { projects, roles }
    }
}

fn projects(hub: &Hub, snapshot: &Snapshot, cluster: &str) -> Projects {
    let owned = |(name, namespaces): (&str, BTreeSet<&str>)| {
        let project = hub.caches.projects.get(&ObjectRef::new(name));
        ProjectRights {
            name: name.to_owned(),
            namespaces: namespaces.into_iter().map(str::to_owned).collect(),
            quota: project.map(|project| hard_limits(&project.spec.quota)).unwrap_or_default(),
        }
    };
    snapshot.policy.tree().projects_in(cluster).into_iter().map(owned).collect()
}

async fn pass(hub: &Hub, cluster: &str, wished: &Wished) -> Result<Standing, RightsError> {
    let projects = &wished.projects;
    let remote = reach(hub, &hub.agents.sessions, cluster, RIGHTS_GROUP)?;
    let ours = format!("{}={}", labels::HUB, labels::HUB_VALUE);
    let cluster_roles = remote.list(&Kind::ClusterRole.collection(""), &ours).await?;
    let roles: Vec<&str> =
        cluster_roles.iter().filter_map(|role| role_of(text(role, "/metadata/name"))).collect();
    let of_projects = project_groups(projects, &roles);
    admit(&remote, &of_projects).await?;
    let objects: Vec<Object> = projects
        .iter()
        .flat_map(|project| project.namespaces.iter().map(move |namespace| (project, namespace)))
        .flat_map(|(project, namespace)| project_objects(project, namespace, &roles))
        .collect();
    let bindings = remote.list(&Kind::RoleBinding.collection(""), &ours).await?;
    let quotas = remote.list(&Kind::ResourceQuota.collection(""), &ours).await?;
    let found = [(Kind::RoleBinding, &bindings), (Kind::ResourceQuota, &quotas)];
    let found = found.into_iter().flat_map(|(kind, live)| live.iter().map(move |one| (key(kind, one), one)));
    let found = found.collect();
    let missing = write(&remote, &objects, &found).await?;
    remove(&remote, &objects, &found).await?;
    let unknown = wished.roles.iter().filter(|role| !roles.contains(&role.as_str())).cloned().collect();
    let groups = roles.iter().map(|role| cluster_group(role)).chain(of_projects).collect();
    Ok(Standing { groups, missing, unknown })
}

fn project_groups(projects: &Projects, roles: &[&str]) -> BTreeSet<String> {
    let of = |project: &ProjectRights| {
        roles.iter().map(|role| project_group(&project.name, role)).collect::<Vec<_>>()
    };
    projects.iter().flat_map(of).collect()
}

/// Lets the agent act as these groups of projects, and as no others.
async fn admit(remote: &Remote, groups: &BTreeSet<String>) -> Result<(), RightsError> {
    let collection = Kind::ClusterRole.collection("");
    let live = remote.get(&collection, PROJECT_GROUPS_ROLE).await?.ok_or(RightsError::Manifest)?;
    let wished = groups_role(groups);
    if !is_current(&live, &wished) {
        remote.apply(&collection, PROJECT_GROUPS_ROLE, &wished).await?;
    }
    Ok(())
}

fn groups_role(groups: &BTreeSet<String>) -> Value {
    let rule = json!({
        "apiGroups": [""], "resources": ["groups"], "resourceNames": groups, "verbs": ["impersonate"],
    });
    // A rule without names would allow all of them.
    let rules: Vec<Value> = (!groups.is_empty()).then_some(rule).into_iter().collect();
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": PROJECT_GROUPS_ROLE }, "rules": rules,
    })
}

/// Writes what is not as wished. Answers with the namespaces that are not there.
async fn write(
    remote: &Remote,
    wished: &[Object],
    found: &BTreeMap<Key, &Value>,
) -> Result<BTreeSet<String>, RemoteError> {
    let is_due =
        |object: &&Object| !found.get(&object.key).is_some_and(|live| is_current(live, &object.body));
    let due: Vec<&Object> = wished.iter().filter(is_due).collect();
    let mut missing = BTreeSet::new();
    for objects in due.chunks(CONCURRENCY) {
        let writes = objects.iter().map(|object| write_one(remote, object, found.get(&object.key).copied()));
        let written = try_join_all(writes).await?;
        let refused = objects.iter().zip(written).filter(|(_, is_written)| !is_written);
        missing.extend(refused.map(|(object, _)| object.key.namespace.to_string()));
    }
    Ok(missing)
}

/// Tells whether the namespace of the object is there.
async fn write_one(remote: &Remote, object: &Object, live: Option<&Value>) -> Result<bool, RemoteError> {
    let collection = object.key.kind.collection(&object.key.namespace);
    // What a binding binds to cannot be changed.
    if live.is_some_and(|live| live["roleRef"] != object.body["roleRef"]) {
        remote.delete(&collection, &object.key.name).await?;
    }
    match remote.apply(&collection, &object.key.name, &object.body).await {
        Err(error) if error.is_not_found() => Ok(false),
        written => written.map(|_| true),
    }
}

/// Removes what gave rights, and limited, in namespaces that are in no project any more.
async fn remove(
    remote: &Remote,
    wished: &[Object],
    found: &BTreeMap<Key, &Value>,
) -> Result<(), RemoteError> {
    let wished: BTreeSet<&Key> = wished.iter().map(|object| &object.key).collect();
    for key in found.keys().filter(|key| is_right(key) && !wished.contains(key)) {
        remote.delete(&key.kind.collection(&key.namespace), &key.name).await?;
    }
    Ok(())
}

fn key(kind: Kind, live: &Value) -> Key {
    Key::new(kind, text(live, "/metadata/namespace"), text(live, "/metadata/name"))
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::time::Instant;

    use desired::inside::ProjectRights;

    use super::{Last, Projects, RightsError, Standing, Wished, groups_role, project_groups};

    fn projects() -> Projects {
        let namespaces = ["web".to_owned(), "late".to_owned()].into();
        vec![ProjectRights { name: "shop".to_owned(), namespaces, ..ProjectRights::default() }]
    }

    #[test]
    fn the_agent_may_act_as_the_groups_of_projects_and_without_any_as_none() {
        let groups = project_groups(&projects(), &["read-only", "project-owner"]);
        let role = groups_role(&groups);
        let names = ["flotilla:project:shop:project-owner", "flotilla:project:shop:read-only"];
        assert_eq!(role["rules"][0]["resourceNames"], json!(names));
        assert_eq!(groups_role(&[].into())["rules"], json!([]));
    }

    #[test]
    fn what_is_not_as_wished_is_tried_again_soon_and_other_projects_at_once() {
        let at = Instant::now();
        let wished = |projects, roles: &[&str]| Wished {
            projects,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        let now = wished(projects(), &[]);
        let after = |outcome, wished: &Wished, seconds| {
            let last = Last { wished: now.clone(), at, outcome };
            last.is_due(wished, at + Duration::from_secs(seconds))
        };
        let missing = || Standing { missing: ["late".to_owned()].into(), ..Standing::default() };
        assert!(!after(Ok(Standing::default()), &now, 100));
        assert!(after(Ok(Standing::default()), &wished(Projects::new(), &[]), 1));
        assert!(after(Ok(Standing::default()), &wished(projects(), &["late"]), 1));
        assert!(after(Ok(missing()), &now, 15) && !after(Ok(missing()), &now, 14));
        assert!(after(Err(RightsError::Manifest), &now, 15));
    }
}
