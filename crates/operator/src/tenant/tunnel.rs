//! What a control plane has of the shared tunnel: the tunnel's knowledge of it, and the endpoints by which
//! its workers find the tunnel.

use std::sync::Arc;

use api::condition::Kind;
use api::names::Component;
use desired::{Credentials, Secrets, Validated, shared_tunnel};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::Api;

use super::exposure::remove;
use super::pass::Stop;
use crate::caches::Caches;
use crate::context::Context;
use crate::tunnel;

/// The Secret that tells the tunnel of a control plane, as it is. The cache may not have seen it yet, and
/// a key is made only once.
pub(super) async fn known(validated: &Validated, context: &Context) -> Result<Secrets, kube::Error> {
    let Some(tunnel) = shared_tunnel::of(validated) else {
        return Ok(Secrets::new());
    };
    let name = shared_tunnel::secret_name(&validated.owner().uid);
    let cached = Caches::find(&context.caches.secrets, &tunnel.namespace, &name);
    let found = if cached.is_some() {
        cached
    } else {
        let secrets = Api::<Secret>::namespaced(context.client.clone(), &tunnel.namespace);
        secrets.get_opt(&name).await?.map(Arc::new)
    };
    Ok(found.map(|secret| (name, secret)).into_iter().collect())
}

/// Tells the tunnel, or takes back what it was told.
pub(super) async fn tell(
    validated: &Validated,
    credentials: &Credentials,
    known: &Secrets,
    context: &Context,
) -> Result<(), Stop> {
    let stop = |error: &dyn std::error::Error| Stop::new(Kind::CertificatesReady, error);
    if let Some(wanted) = credentials.tunnel() {
        let live = known.get(&wanted.name_any()).map(AsRef::as_ref);
        context.applier.apply(wanted, live).await.map_err(|error| stop(&error))?;
        return Ok(());
    }
    let uid = &validated.owner().uid;
    let namespace = &context.settings.tunnel_namespace;
    if Caches::find(&context.caches.secrets, namespace, &shared_tunnel::secret_name(uid)).is_some() {
        tunnel::forget(context, uid).await.map_err(|error| stop(&error))?;
    }
    Ok(())
}

/// Applies the endpoints, or removes those that nobody asks for any more.
pub(super) async fn lead(validated: &Validated, context: &Context) -> Result<(), Stop> {
    let name = Component::TunnelEndpoints.object_name(validated.name());
    let standing = context.tunnel.standing(validated.namespace(), &name).await;
    let Some((pods, live)) = standing else { return Ok(()) };
    let Some(wanted) = shared_tunnel::endpoints(validated, pods.iter().map(AsRef::as_ref)) else {
        let removed = remove(live.as_deref(), validated, context).await;
        return removed.map_err(|error| Stop::new(Kind::AddressAssigned, &error));
    };
    let applied = context.applier.apply(&wanted, live.as_deref()).await;
    applied.map(|_| ()).map_err(|error| Stop::new(Kind::AddressAssigned, &error))
}
