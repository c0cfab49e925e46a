//! The tenant's place in its stores: each DataStore found and read, user and role made in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{DataStore, Driver, TenantControlPlane};
use datastore::{Access, Connection, EtcdStore, TenantSpace};
use desired::data_store::DataStoreMaterial;
use desired::migration::Move;
use desired::{DataStoreOutcome, Override, Validated};
use kube::ResourceExt;

use super::rivals::{Claim, taken};
use crate::context::Context;
use crate::data_stores::{chain, hold, store_of};
use crate::stores::{StoreError, connection};

/// The stores of a control plane, with room made for it in each.
pub(super) struct Storage {
    pub(super) material: DataStoreMaterial,
    pub(super) overrides: Vec<Override>,
    /// Why a store could not be asked just now, though the tenant has its place in it.
    pub(super) trouble: Option<DataStoreOutcome<'static>>,
}

impl Storage {
    /// Names of the stores that hold overrides.
    pub(super) fn override_stores(&self) -> Vec<String> {
        self.overrides.iter().map(|entry| entry.store.name.clone()).collect()
    }
}

/// A store that was found and read.
pub(super) struct Found {
    pub(super) object: Arc<DataStore>,
    pub(super) connection: Connection,
}

/// Finds the stores and makes room. Of a control plane that has its place already, a store that does not
/// answer stops nothing else.
pub(super) async fn prepare(
    tenant: &TenantControlPlane,
    validated: &Validated,
    moving: &Move,
    context: &Context,
) -> Result<Storage, DataStoreOutcome<'static>> {
    let name = store_of(tenant, &context.settings.datastore);
    if name.is_empty() {
        return Err(DataStoreOutcome::Unnamed);
    }
    let is_set_up = tenant.status.as_ref().is_some_and(|status| status.storage.setup.user.is_some());
    let space = space(validated);
    refuse_rival(tenant, &space, name, context)?;
    let found = read(name, context).await?;
    let mut trouble = None;
    let mut room = |made: Result<(), DataStoreOutcome<'static>>| match made {
        Err(outcome) if is_set_up => {
            trouble.get_or_insert(outcome);
            Ok(())
        }
        other => other,
    };
    room(open(name, &found, &space, moving, context).await)?;
    let mut overrides = Vec::new();
    let mut seen = BTreeMap::new();
    for wished in &validated.spec().data_store_overrides {
        let (Some(resource), Some(name)) = (&wished.resource, &wished.data_store) else { continue };
        if !seen.contains_key(name) {
            let found = read(name, context).await?;
            room(make_room(name, &found, &space, Access::ReadWrite, context).await)?;
            seen.insert(name, material(&found));
        }
        overrides.extend(
            seen.get(name).map(|store| Override { resource: resource.clone(), store: store.clone() }),
        );
    }
    Ok(Storage { material: material(&found), overrides, trouble })
}

/// The tenant's place in any store.
pub(super) fn space(validated: &Validated) -> TenantSpace {
    TenantSpace { schema: validated.schema().to_owned(), user: validated.user().to_owned() }
}

fn refuse_rival(
    tenant: &TenantControlPlane,
    space: &TenantSpace,
    name: &str,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    let uid = tenant.uid().unwrap_or_default();
    let claim = Claim { uid: &uid, schema: &space.schema, user: &space.user };
    let Some(part) = taken(claim, tenant, context.caches.tenants.state().into_iter()) else { return Ok(()) };
    let message = format!(
        "spec.{part} belongs to another control plane, whose state this one would share; \
         delete this one and create it with another {part}, or with none"
    );
    Err(DataStoreOutcome::NotReady { name: name.to_owned(), message })
}

/// Finds a store and reads how to reach it.
pub(super) async fn read(name: &str, context: &Context) -> Result<Found, DataStoreOutcome<'static>> {
    let object = context
        .caches
        .data_stores
        .get(name)
        .ok_or_else(|| DataStoreOutcome::NotFound { name: name.to_owned() })?;
    hold(&object, context)
        .await
        .map_err(|error| DataStoreOutcome::NotReady { name: name.to_owned(), message: chain(&error) })?;
    let connection = connection(&context.client, &object).await.map_err(|error| outcome(name, &error))?;
    Ok(Found { object, connection })
}

/// The connection to a store that was found.
pub(super) async fn connect(
    name: &str,
    found: &Found,
    context: &Context,
) -> Result<EtcdStore, DataStoreOutcome<'static>> {
    context.connections.etcd(name, &found.connection).await.map_err(|error| outcome(name, &error))
}

/// Gives the tenant what it may do in the store that is in use.
async fn open(
    name: &str,
    found: &Found,
    space: &TenantSpace,
    moving: &Move,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    if matches!(moving, Move::Finish(_)) {
        // Before the tenant writes here: a copy that another replica still runs must not.
        let store = connect(name, found, context).await?;
        store.end_copies(space).await.map_err(|source| unreachable(name, source))?;
    }
    let access = if moving.bars_writes() { Access::ReadOnly } else { Access::ReadWrite };
    make_room(name, found, space, access, context).await
}

/// Makes room for a tenant in a store.
pub(super) async fn make_room(
    name: &str,
    found: &Found,
    space: &TenantSpace,
    access: Access,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    let store = connect(name, found, context).await?;
    match store.ensure(space, access).await {
        Ok(()) => Ok(()),
        Err(source) => {
            context.connections.forget(name).await;
            Err(unreachable(name, source))
        }
    }
}

/// What the status says of a store that failed.
pub(super) fn unreachable(name: &str, source: datastore::Error) -> DataStoreOutcome<'static> {
    outcome(name, &StoreError::Store { name: name.to_owned(), source })
}

fn outcome(name: &str, error: &StoreError) -> DataStoreOutcome<'static> {
    let (name, message) = (name.to_owned(), chain(error));
    match error {
        StoreError::Store { .. } => DataStoreOutcome::Unreachable { name, message },
        _ => DataStoreOutcome::NotReady { name, message },
    }
}

fn material(found: &Found) -> DataStoreMaterial {
    let tls = found.connection.tls.as_ref();
    DataStoreMaterial {
        name: found.object.name_any(),
        driver: Driver::Etcd,
        endpoints: found.connection.endpoints.clone(),
        ca_certificate: tls.map(|tls| tls.certificate_authority.clone()),
        ca_private_key: tls.and_then(|tls| tls.certificate_authority_key.clone()),
        client_certificate: tls.and_then(|tls| tls.client.clone()),
        basic_auth: None,
    }
}
