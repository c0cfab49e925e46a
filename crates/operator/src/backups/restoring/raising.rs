//! Resource versions after a restore go on rising.

use api::TenantRestore;
use datastore::{Raised, TenantSpace};
use kube::ResourceExt;

use crate::backups::{Hindrance, inputs};
use crate::context::Context;
use crate::data_stores::chain;
use crate::events::{Notice, publish};
use crate::stores::connection;

/// Raises the store's revision above that of the backup, so that the versions which clients know stay in the
/// past also in a store that was lost and made anew.
pub(super) async fn raise(
    restore: &TenantRestore,
    at_least: i64,
    context: &Context,
) -> Result<(), Hindrance> {
    let namespace = restore.namespace().unwrap_or_default();
    let source = inputs::source(&namespace, &restore.spec.tenant_control_plane, context)?;
    let setup = source.tenant.status.clone().unwrap_or_default().storage.setup;
    let space =
        TenantSpace { schema: setup.schema.unwrap_or_default(), user: setup.user.unwrap_or_default() };
    let name = source.store.name_any();
    let refused = |error: &dyn std::error::Error| {
        Hindrance::new("DataStoreNotReady", format!("DataStore `{name}`: {}", chain(error)))
    };
    let wanted = connection(&context.client, &source.store).await.map_err(|error| refused(&error))?;
    let store = context.connections.open(&name, &wanted).await.map_err(|error| refused(&error))?;
    match store.raise_revision(&space, at_least).await.map_err(|error| refused(&error))? {
        Raised::Done { .. } => {}
        Raised::TooFar { missing } => {
            let note = format!(
                "resource versions go back by {missing} in DataStore `{name}`, as raising them takes one write each: \
                 restart clients that keep watches or versions, such as kubelets"
            );
            let notice =
                Notice { is_trouble: true, reason: "ResourceVersionsGoBack", action: "Restore", note };
            publish(context, restore, notice).await;
        }
    }
    Ok(())
}
