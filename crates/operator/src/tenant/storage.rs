//! The tenant's place in its store: the DataStore found and read, user and role made in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{DataStore, Driver, TenantControlPlane};
use datastore::{Connection, TenantSpace};
use desired::data_store::DataStoreMaterial;
use desired::{DataStoreOutcome, Override, Validated};
use kube::ResourceExt;

use super::rivals::{Claim, taken};
use crate::context::Context;
use crate::data_stores::{chain, hold};
use crate::stores::{StoreError, connection};

/// The stores of a control plane, with room made for it in each.
pub(super) struct Storage {
    pub(super) material: DataStoreMaterial,
    pub(super) overrides: Vec<Override>,
    /// Why the store could not be asked just now, though the tenant has its place in it.
    pub(super) trouble: Option<DataStoreOutcome<'static>>,
}

/// Finds the stores and makes room. `is_set_up` says that the status knows of a place in the store: then
/// a store that does not answer stops nothing else.
pub(super) async fn prepare(
    tenant: &TenantControlPlane,
    validated: &Validated,
    is_set_up: bool,
    context: &Context,
) -> Result<Storage, DataStoreOutcome<'static>> {
    let default = Some(context.settings.datastore.as_str()).filter(|name| !name.is_empty());
    let name = validated.data_store_name().or(default).ok_or(DataStoreOutcome::Unnamed)?;
    let space = TenantSpace { schema: validated.schema().to_owned(), user: validated.user().to_owned() };
    refuse_rival(tenant, &space, name, context)?;
    let (material, connection) = read(name, context).await?;
    let trouble = match make_room(name, &connection, &space, context).await {
        Ok(()) => None,
        Err(outcome) if is_set_up => Some(outcome),
        Err(outcome) => return Err(outcome),
    };
    let mut overrides = Vec::new();
    let mut seen = BTreeMap::new();
    for wished in &validated.spec().data_store_overrides {
        let (Some(resource), Some(name)) = (&wished.resource, &wished.data_store) else { continue };
        let store = if let Some(store) = seen.get(name) {
            DataStoreMaterial::clone(store)
        } else {
            let (store, connection) = read(name, context).await?;
            make_room(name, &connection, &space, context).await?;
            seen.entry(name).or_insert(store).clone()
        };
        overrides.push(Override { resource: resource.clone(), store });
    }
    Ok(Storage { material, overrides, trouble })
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

async fn read(
    name: &str,
    context: &Context,
) -> Result<(DataStoreMaterial, Connection), DataStoreOutcome<'static>> {
    let object = context
        .caches
        .data_stores
        .get(name)
        .ok_or_else(|| DataStoreOutcome::NotFound { name: name.to_owned() })?;
    hold(&object, context)
        .await
        .map_err(|error| DataStoreOutcome::NotReady { name: name.to_owned(), message: chain(&error) })?;
    let connection = connection(&context.client, &object).await.map_err(|error| outcome(name, &error))?;
    Ok((material(&object, &connection), connection))
}

async fn make_room(
    name: &str,
    connection: &Connection,
    space: &TenantSpace,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    let store = context.connections.etcd(name, connection).await.map_err(|error| outcome(name, &error))?;
    match store.ensure(space, datastore::Access::ReadWrite).await {
        Ok(()) => Ok(()),
        Err(source) => {
            context.connections.forget(name).await;
            Err(outcome(name, &StoreError::Store { name: name.to_owned(), source }))
        }
    }
}

fn outcome(name: &str, error: &StoreError) -> DataStoreOutcome<'static> {
    let (name, message) = (name.to_owned(), chain(error));
    match error {
        StoreError::Store { .. } => DataStoreOutcome::Unreachable { name, message },
        _ => DataStoreOutcome::NotReady { name, message },
    }
}

fn material(object: &Arc<DataStore>, connection: &Connection) -> DataStoreMaterial {
    let tls = connection.tls.as_ref();
    DataStoreMaterial {
        name: object.name_any(),
        driver: Driver::Etcd,
        endpoints: connection.endpoints.clone(),
        ca_certificate: tls.map(|tls| tls.certificate_authority.clone()),
        ca_private_key: tls.and_then(|tls| tls.certificate_authority_key.clone()),
        client_certificate: tls.and_then(|tls| tls.client.clone()),
        basic_auth: None,
    }
}
