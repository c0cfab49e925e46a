//! What is said of Ingress, routes and the tunnel's Service.

use std::sync::Arc;

use api::TenantControlPlaneStatus;
use api::condition::{Kind, Reason, Report};
use api::gateway_api::{Gateway, TlsRoute};
use api::{IngressStatus, KonnectivityConfigMapStatus, SecretStatus, ServiceStatus};
use k8s_openapi::api::networking::v1::Ingress;

use super::Observed;
use super::fields::service_status;
use crate::gateway::{is_accepted, route_status};
use crate::{Validated, konnectivity_port};

/// What leads to the Service beside itself.
#[derive(Clone, Debug)]
pub enum Front {
    /// The spec asks for nothing.
    Unwished,
    /// An Ingress, as the cluster answered it.
    Ingress(Box<Ingress>),
    /// Routes are wished, but the cluster does not know them.
    NoGatewayApi,
    /// Routes, as the cluster answered them.
    Routes {
        /// That to the API server.
        api_server: Box<TlsRoute>,
        /// That to the tunnel, if both are wished.
        konnectivity: Option<Box<TlsRoute>>,
        /// Gateways among which are those that they attach to.
        gateways: Vec<Arc<Gateway>>,
    },
    /// It could not be brought about.
    Failed {
        /// What went wrong.
        message: String,
    },
}

/// Fills in Kamaji's fields.
pub(super) fn fill(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    observed: &Observed<'_>,
) {
    fill_konnectivity(status, control_plane, observed);
    let (ingress, routes) = match observed.front {
        None | Some(Front::Failed { .. }) => return,
        Some(Front::Unwished | Front::NoGatewayApi) => (None, None),
        Some(Front::Ingress(ingress)) => (Some(ingress_status(control_plane, ingress)), None),
        Some(Front::Routes { api_server, konnectivity, gateways }) => {
            let konnectivity = konnectivity.as_ref().map(|route| route_status(route, gateways));
            (None, Some((route_status(api_server, gateways), konnectivity)))
        }
    };
    let (api_server, konnectivity) = routes.unzip();
    status.kubernetes_resources.ingress = ingress;
    status.kubernetes_resources.gateway = api_server;
    status.addons.konnectivity.gateway = konnectivity.flatten();
}

fn ingress_status(control_plane: &Validated, ingress: &Ingress) -> IngressStatus {
    let live = ingress.status.as_ref().and_then(|status| status.load_balancer.clone());
    IngressStatus {
        load_balancer: Some(live.unwrap_or_default()),
        name: ingress.metadata.name.clone().unwrap_or_default(),
        namespace: control_plane.namespace().to_owned(),
    }
}

fn fill_konnectivity(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    observed: &Observed<'_>,
) {
    let konnectivity = &mut status.addons.konnectivity;
    let Some(port) = konnectivity_port(control_plane) else {
        konnectivity.enabled = false;
        konnectivity.config_map = KonnectivityConfigMapStatus::default();
        konnectivity.certificate = SecretStatus::default();
        konnectivity.kubeconfig = SecretStatus::default();
        konnectivity.service = None;
        return;
    };
    if let Some(config) = observed.egress_selector {
        konnectivity.config_map = KonnectivityConfigMapStatus {
            name: config.metadata.name.clone(),
            checksum: crate::metadata::checksum_of(&config.metadata),
        };
    }
    if let Some(service) = observed.service {
        let own = service_status(control_plane, service);
        konnectivity.service = Some(ServiceStatus { port: port.into(), ..own });
    }
    konnectivity.enabled |= observed.deployment.is_some();
}

/// Whether clients are led to the Service.
pub(super) fn report(observed: &Observed<'_>) -> Option<Report> {
    let kind = Kind::Exposed;
    Some(match observed.front? {
        Front::Unwished => Report::holds(
            kind,
            Reason::Exposed,
            "clients reach the Service itself; the spec asks for no more",
        ),
        Front::Ingress(ingress) => {
            let name = ingress.metadata.name.as_deref().unwrap_or_default();
            Report::holds(kind, Reason::Exposed, format!("Ingress `{name}` leads to the Service"))
        }
        Front::NoGatewayApi => Report::fails(
            kind,
            Reason::GatewayApiMissing,
            "the management cluster does not serve TLSRoutes of gateway.networking.k8s.io/v1; \
             install Gateway API 1.5 or newer, or use spec.controlPlane.ingress",
        ),
        Front::Routes { api_server, konnectivity, .. } => {
            let waiting =
                std::iter::once(api_server).chain(konnectivity).find_map(|route| not_accepted(route));
            match waiting {
                Some(message) => Report::fails(kind, Reason::RouteNotAccepted, message),
                None => {
                    Report::holds(kind, Reason::Exposed, "gateways have accepted the routes to the Service")
                }
            }
        }
        Front::Failed { message } => Report::fails(kind, Reason::ApplyFailed, message.clone()),
    })
}

/// Why no gateway leads to the route's Service yet.
fn not_accepted(route: &TlsRoute) -> Option<String> {
    let name = route.metadata.name.as_deref().unwrap_or_default();
    let parents = route.status.as_ref().map(|status| status.parents.as_slice()).unwrap_or_default();
    if parents.iter().any(is_accepted) {
        return None;
    }
    let Some(refused) = parents.first() else {
        return Some(format!(
            "no gateway has looked at TLSRoute `{name}` yet; if this lasts, check that the gateways in \
             spec.controlPlane.gateway.parentRefs exist and that a controller serves them"
        ));
    };
    let said = refused.conditions.iter().find(|condition| condition.type_ == "Accepted");
    let (reason, message) =
        said.map_or(("", ""), |condition| (condition.reason.as_str(), condition.message.as_str()));
    Some(format!(
        "Gateway `{}` does not accept TLSRoute `{name}`: {reason}: {message}; mend \
         spec.controlPlane.gateway or the gateway's listeners",
        refused.parent_ref.name
    ))
}
