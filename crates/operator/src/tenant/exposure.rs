//! What the control plane is reached through: its Service and the address that the cluster answers.

use api::condition::Kind;
use desired::{Endpoint, Validated};

use super::pass::{Pass, Stop};
use crate::caches::Caches;
use crate::context::Context;

/// Applies the Service and finds the address, if there is one yet.
pub(super) async fn apply_service(
    pass: &mut Pass,
    validated: &Validated,
    context: &Context,
) -> Result<Option<Endpoint>, Stop> {
    let live = Caches::find(&context.caches.services, validated.namespace(), validated.name());
    let applied = context.applier.apply(&desired::service(validated), live.as_deref()).await;
    let applied = applied.map_err(|error| Stop::new(Kind::AddressAssigned, &error))?.into_inner();
    let endpoint = desired::endpoint(validated, &applied);
    pass.service = Some(applied);
    pass.endpoint = Some(endpoint.clone());
    Ok(endpoint.ok())
}
