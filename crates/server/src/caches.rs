//! What the server reads of the management cluster: caches that one watch each keeps current.

use std::future::Future;
use std::pin::Pin;

use api::names::labels;
use api::{
    Cluster, ClusterTransfer, Grant, HubSettings, IdentityProvider, Project, Role, Template, Tenant,
    TenantControlPlane, TenantRestore, User,
};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use kubekit::{Filled, cached, trimmed};

use crate::cluster_id::ClusterId;

/// Readers of all caches.
#[derive(Clone)]
pub(crate) struct Caches {
    pub(crate) tenants: Store<Tenant>,
    pub(crate) projects: Store<Project>,
    pub(crate) roles: Store<Role>,
    pub(crate) grants: Store<Grant>,
    pub(crate) users: Store<User>,
    pub(crate) providers: Store<IdentityProvider>,
    pub(crate) templates: Store<Template>,
    pub(crate) settings: Store<HubSettings>,
    pub(crate) imported: Store<Cluster>,
    pub(crate) hosted: Store<TenantControlPlane>,
    /// What fills hosted control planes.
    pub(crate) restores: Store<TenantRestore>,
    /// What gives hosted control planes to other tenants.
    pub(crate) transfers: Store<ClusterTransfer>,
    /// How the hub reaches hosted control planes.
    pub(crate) entrances: Store<ConfigMap>,
    filled: Vec<Filled>,
}

/// What a change was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// Tenants, projects, roles, grants, users or identity providers.
    Facts,
    /// A cluster.
    Cluster(ClusterId),
}

/// All changes of all caches; they are current only as long as it is polled.
pub(crate) type Changes = Pin<Box<dyn Stream<Item = Changed> + Send>>;

impl Caches {
    /// Caches that fill as soon as the changes are polled.
    pub(crate) fn new(client: &Client) -> (Self, Changes) {
        let all = watcher::Config::default;
        let hub = all().labels(&format!("{}={}", labels::HUB, labels::HUB_VALUE));
        let (tenants, first, of_tenants) = cached(Api::<Tenant>::all(client.clone()), all(), trimmed);
        let (projects, second, of_projects) = cached(Api::<Project>::all(client.clone()), all(), trimmed);
        let (roles, third, of_roles) = cached(Api::<Role>::all(client.clone()), all(), trimmed);
        let (grants, fourth, of_grants) = cached(Api::<Grant>::all(client.clone()), all(), trimmed);
        let (users, fifth, of_users) = cached(Api::<User>::all(client.clone()), all(), trimmed);
        let (imported, sixth, of_imported) = cached(Api::<Cluster>::all(client.clone()), all(), trimmed);
        let (hosted, seventh, of_hosted) =
            cached(Api::<TenantControlPlane>::all(client.clone()), all(), trimmed);
        let (entrances, eighth, of_entrances) = cached(Api::<ConfigMap>::all(client.clone()), hub, trimmed);
        let (providers, ninth, of_providers) =
            cached(Api::<IdentityProvider>::all(client.clone()), all(), trimmed);
        let (templates, tenth, of_templates) = cached(Api::<Template>::all(client.clone()), all(), trimmed);
        let (restores, eleventh, of_restores) =
            cached(Api::<TenantRestore>::all(client.clone()), all(), trimmed);
        let (transfers, twelfth, of_transfers) =
            cached(Api::<ClusterTransfer>::all(client.clone()), all(), trimmed);
        let (settings, thirteenth, of_settings) =
            cached(Api::<HubSettings>::all(client.clone()), all(), trimmed);
        let filled = vec![
            first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth, eleventh, twelfth,
            thirteenth,
        ];
        let changes = futures::stream::select_all([
            facts(of_tenants),
            facts(of_projects),
            facts(of_roles),
            facts(of_grants),
            facts(of_users),
            facts(of_providers),
            // Nobody's rights hang on one of these.
            of_templates.filter_map(|_| to(None)).boxed(),
            of_settings.filter_map(|_| to(None)).boxed(),
            of_imported.filter_map(|change| to(change.ok().map(|it| imported_id(&it)))).boxed(),
            of_hosted.filter_map(|change| to(change.ok().map(|it| hosted_id(&it)))).boxed(),
            of_restores.filter_map(|change| to(change.ok().map(|it| restored_id(&it)))).boxed(),
            of_transfers
                .flat_map(|change| futures::stream::iter(change.map(ends).unwrap_or_default()))
                .boxed(),
            of_entrances.filter_map(|change| to(change.ok().and_then(|it| entrance_id(&it)))).boxed(),
        ]);
        (
            Self {
                tenants,
                projects,
                roles,
                grants,
                users,
                providers,
                templates,
                settings,
                imported,
                hosted,
                restores,
                transfers,
                entrances,
                filled,
            },
            changes.boxed(),
        )
    }

    /// Waits until every cache has seen everything once: nobody has a right before.
    pub(crate) async fn filled(&self) {
        for filled in &self.filled {
            filled.wait().await;
        }
    }
}

/// Id of a hosted cluster.
pub(crate) fn hosted_id(control_plane: &TenantControlPlane) -> ClusterId {
    ClusterId::Hosted {
        namespace: control_plane.namespace().unwrap_or_default(),
        name: control_plane.name_any(),
    }
}

/// The control plane that a restore fills.
fn restored_id(restore: &TenantRestore) -> ClusterId {
    ClusterId::Hosted {
        namespace: restore.namespace().unwrap_or_default(),
        name: restore.spec.tenant_control_plane.clone(),
    }
}

/// Both ends of a transfer.
fn ends(transfer: ClusterTransfer) -> Vec<Changed> {
    let ClusterTransfer { spec, status, .. } = transfer;
    let source = ClusterId::Hosted { namespace: spec.from.namespace, name: spec.from.name };
    let destination = status.and_then(|status| status.destination);
    let destination = destination.map(|it| ClusterId::Hosted { namespace: it.namespace, name: it.name });
    [Some(source), destination].into_iter().flatten().map(Changed::Cluster).collect()
}

/// Id of an imported cluster.
pub(crate) fn imported_id(cluster: &Cluster) -> ClusterId {
    ClusterId::Imported(cluster.name_any())
}

/// The control plane to which an entrance leads.
pub(crate) fn entrance_id(entrance: &ConfigMap) -> Option<ClusterId> {
    let name = entrance.labels().get(labels::NAME)?.clone();
    Some(ClusterId::Hosted { namespace: entrance.namespace()?, name })
}

fn facts<K>(
    changes: impl Stream<Item = Result<K, watcher::Error>> + Send + 'static,
) -> Pin<Box<dyn Stream<Item = Changed> + Send>>
where
    K: Send + 'static,
{
    changes.map(|_| Changed::Facts).boxed()
}

fn to(id: Option<ClusterId>) -> impl Future<Output = Option<Changed>> {
    std::future::ready(id.map(Changed::Cluster))
}
