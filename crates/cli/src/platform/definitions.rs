//! The custom resource definitions. Helm installs those of a chart once and never updates them, so they
//! are brought up to date here.

use api::names::FIELD_MANAGER;
use kube::Client;
use kubekit::Applier;

use crate::Error;

/// Applies the definitions of this version.
pub(super) async fn apply(client: &Client) -> Result<(), Error> {
    let applier = Applier::new(client.clone(), FIELD_MANAGER);
    for definition in api::crds() {
        applier.apply(&definition, None).await.map_err(Error::Definitions)?;
    }
    Ok(())
}
