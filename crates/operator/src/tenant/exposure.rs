//! What the control plane is reached through: its Service and the address that the cluster answers, and
//! what stands before the Service.

use std::fmt::Debug;

use api::TenantControlPlane;
use api::condition::Kind;
use api::names::Component;
use desired::{Endpoint, Front, Validated};
use kube::Resource;
use serde::de::DeserializeOwned;

use super::pass::{Pass, Stop};
use crate::caches::Caches;
use crate::context::Context;
use crate::data_stores::chain;

/// Applies the Service and finds the address, if there is one yet.
pub(super) async fn apply_service(
    pass: &mut Pass,
    validated: &Validated,
    context: &Context,
) -> Result<Option<Endpoint>, Stop> {
    let live = Caches::find(&context.caches.services, validated.namespace(), validated.name());
    let pods = Caches::find(&context.caches.deployments, validated.namespace(), validated.name());
    let wanted = desired::service(validated, pods.as_deref(), live.as_deref());
    let applied = context.applier.apply(&wanted, live.as_deref()).await;
    let applied = applied.map_err(|error| Stop::new(Kind::AddressAssigned, &error))?.into_inner();
    let endpoint = desired::endpoint(validated, &applied);
    pass.service = Some(applied);
    pass.endpoint = Some(endpoint.clone());
    Ok(endpoint.ok())
}

/// Applies the Ingress or the routes, and removes what the spec no longer asks for. What fails here is
/// told, and stops nothing else.
pub(super) async fn apply_front(
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
) -> Front {
    let outcome = async {
        let ingress = apply_ingress(validated, context).await?;
        let routes = apply_routes(tenant, validated, context).await?;
        Ok::<_, FrontError>(ingress.or(routes).unwrap_or(Front::Unwished))
    };
    outcome.await.unwrap_or_else(|error| Front::Failed { message: chain(&error) })
}

/// Why what stands before the Service is not as it should be.
#[derive(Debug, thiserror::Error)]
enum FrontError {
    #[error(transparent)]
    Apply(#[from] kubekit::ApplyError),
    #[error("failed to remove what the spec no longer asks for")]
    Remove(#[from] kube::Error),
}

async fn apply_ingress(validated: &Validated, context: &Context) -> Result<Option<Front>, FrontError> {
    let live = Caches::find(&context.caches.ingresses, validated.namespace(), validated.name());
    let Some(wanted) = desired::ingress(validated) else {
        remove(live.as_deref(), validated, context).await?;
        return Ok(None);
    };
    let applied = context.applier.apply(&wanted, live.as_deref()).await?.into_inner();
    Ok(Some(Front::Ingress(Box::new(applied))))
}

async fn apply_routes(
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
) -> Result<Option<Front>, FrontError> {
    let wanted = desired::route(validated);
    if !context.routes.filled().await {
        return Ok(wanted.map(|_| Front::NoGatewayApi));
    }
    let find =
        |part: Component| context.routes.find(validated.namespace(), &part.object_name(validated.name()));
    let (api_server, agents) = (find(Component::Gateway), find(Component::KonnectivityGateway));
    let konnectivity = if let Some(wanted) = desired::konnectivity_route(validated) {
        Some(Box::new(context.applier.apply(&wanted, agents.as_deref()).await?.into_inner()))
    } else {
        remove(agents.as_deref(), validated, context).await?;
        None
    };
    let Some(wanted) = wanted else {
        remove(api_server.as_deref(), validated, context).await?;
        return Ok(None);
    };
    let applied = context.applier.apply(&wanted, api_server.as_deref()).await?.into_inner();
    let gateways = context.routes.gateways_of(tenant);
    Ok(Some(Front::Routes { api_server: Box::new(applied), konnectivity, gateways }))
}

/// Removes an object, unless somebody else's.
pub(super) async fn remove<K>(
    live: Option<&K>,
    validated: &Validated,
    context: &Context,
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
{
    match live {
        Some(live) if is_controlled_by(live, &validated.owner().uid) => context.applier.delete(live).await,
        _ => Ok(()),
    }
}

fn is_controlled_by<K: Resource>(object: &K, uid: &str) -> bool {
    let owners = object.meta().owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.controller == Some(true) && owner.uid == uid)
}
