//! Routes and gateways of Gateway API, in clusters that serve it.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::TenantControlPlane;
use api::gateway_api::{Gateway, TlsRoute};
use futures::Stream;
use kube::runtime::reflector::Store;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use kubekit::{Filled, cached_from, trimmed};

use crate::caches::{Caches, ours};
use crate::controllers::TenantRef;
use crate::discovery::GatewayApi;

/// Readers of what is cached once the cluster serves it.
#[derive(Clone)]
pub(crate) struct Routes {
    api: GatewayApi,
    attached: Store<TlsRoute>,
    gateways: Store<Gateway>,
    filled: [Filled; 2],
}

/// The streams that keep the caches current.
pub(crate) struct Changes<R, G> {
    pub(crate) routes: R,
    pub(crate) gateways: G,
}

impl Routes {
    /// Caches that begin when the cluster serves what they hold.
    #[expect(clippy::type_complexity, reason = "the types of the streams have no names")]
    pub(crate) fn begin(
        api: GatewayApi,
        client: &Client,
    ) -> (
        Self,
        Changes<
            impl Stream<Item = Result<TlsRoute, watcher::Error>> + Send + use<>,
            impl Stream<Item = Result<Gateway, watcher::Error>> + Send + use<>,
        >,
    ) {
        let all = watcher::Config::default;
        let (routes, routes_filled, routes_changes) =
            cached_from(api.clone().served(), Api::all(client.clone()), ours(), trimmed);
        let (gateways, gateways_filled, gateways_changes) =
            cached_from(api.clone().served(), Api::all(client.clone()), all(), trimmed);
        let changes = Changes { routes: routes_changes, gateways: gateways_changes };
        (Self { api, attached: routes, gateways, filled: [routes_filled, gateways_filled] }, changes)
    }

    /// Waits until the caches have seen everything once; tells whether the cluster serves it at all.
    pub(crate) async fn filled(&self) -> bool {
        if !self.api.is_served() {
            return false;
        }
        for filled in &self.filled {
            filled.wait().await;
        }
        true
    }

    /// A route by name.
    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<Arc<TlsRoute>> {
        Caches::find(&self.attached, namespace, name)
    }

    /// Gateways of the names that the control plane's routes name.
    pub(crate) fn gateways_of(&self, tenant: &TenantControlPlane) -> Vec<Arc<Gateway>> {
        let names = parents(tenant);
        let gateways = self.gateways.state().into_iter();
        gateways.filter(|gateway| names.contains(gateway.name_any().as_str())).collect()
    }
}

/// Control planes whose routes name the gateway.
pub(crate) fn users_of(tenants: &Store<TenantControlPlane>, gateway: &Gateway) -> Vec<TenantRef> {
    let name = gateway.name_any();
    let users = tenants.state().into_iter().filter(|tenant| parents(tenant).contains(name.as_str()));
    users.map(|tenant| TenantRef::from_obj(tenant.as_ref())).collect()
}

/// Control planes that are to be reached through gateways.
pub(crate) fn all_users(tenants: &Store<TenantControlPlane>) -> Vec<TenantRef> {
    let users = tenants.state().into_iter().filter(|tenant| tenant.spec.control_plane.gateway.is_some());
    users.map(|tenant| TenantRef::from_obj(tenant.as_ref())).collect()
}

fn parents(tenant: &TenantControlPlane) -> BTreeSet<&str> {
    let gateway = tenant.spec.control_plane.gateway.iter();
    gateway.flat_map(|gateway| &gateway.parent_refs).map(|parent| parent.name.as_str()).collect()
}
