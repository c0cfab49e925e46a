//! The tenant's place in its stores: each DataStore found and read, user and role made in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::names::Component;
use api::{DataStore, Driver, TenantControlPlane};
use datastore::{Access, Connection, Password, Store, TenantSpace};
use desired::data_store::{DataStoreMaterial, Login, kept_password};
use desired::migration::Move;
use desired::{DataStoreOutcome, Override, Validated};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::Api;

use super::placement;
use super::rivals::{Claim, taken};
use crate::context::Context;
use crate::data_stores::{chain, hold, store_of};
use crate::stores::{StoreError, connection};

/// The stores of a control plane, with room made for it in each.
pub(super) struct Storage {
    pub(super) material: DataStoreMaterial,
    pub(super) overrides: Vec<Override>,
    /// Password of the tenant's user, where the store knows users by passwords.
    pub(super) password: Option<Password>,
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
    let name = store_of(tenant, context.settings.default_store());
    if name.is_empty() {
        return Err(placement::choose(tenant, context).await);
    }
    let is_set_up = tenant.status.as_ref().is_some_and(|status| status.storage.setup.user.is_some());
    let space = space(validated);
    refuse_rival(tenant, &space, name, context)?;
    placement::take(tenant, name, context)?;
    let found = read(name, context).await?;
    let password = password(name, &found, validated, context).await?;
    let mut trouble = None;
    let mut room = |made: Result<(), DataStoreOutcome<'static>>| match made {
        Err(outcome) if is_set_up => {
            trouble.get_or_insert(outcome);
            Ok(())
        }
        other => other,
    };
    let place = Place { name, found: &found, space: &space, password: password.as_ref() };
    room(open(&place, moving, context).await)?;
    let mut overrides = Vec::new();
    let mut seen = BTreeMap::new();
    for wished in &validated.spec().data_store_overrides {
        let (Some(resource), Some(name)) = (&wished.resource, &wished.data_store) else { continue };
        if !seen.contains_key(name) {
            placement::take(tenant, name, context)?;
            let found = read(name, context).await?;
            let place = Place { name, found: &found, space: &space, password: None };
            room(make_room(&place, Access::ReadWrite, context).await)?;
            seen.insert(name, material(&found));
        }
        overrides.extend(
            seen.get(name).map(|store| Override { resource: resource.clone(), store: store.clone() }),
        );
    }
    Ok(Storage { material: material(&found), overrides, password, trouble })
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
) -> Result<Store, DataStoreOutcome<'static>> {
    context.connections.open(name, &found.connection).await.map_err(|error| outcome(name, &error))
}

/// The password of the tenant's user: the one that its Secret has, or a new one. None where stores know
/// no such users.
///
/// The API server is asked, since a cache that is behind would have the pods replaced for a password
/// that is made anew.
pub(super) async fn password(
    name: &str,
    found: &Found,
    validated: &Validated,
    context: &Context,
) -> Result<Option<Password>, DataStoreOutcome<'static>> {
    if matches!(found.object.spec.driver, Driver::Etcd | Driver::Nats) {
        return Ok(None);
    }
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), validated.namespace());
    let config = secrets.get_opt(&Component::DataStoreConfig.object_name(validated.name())).await;
    let config = config.map_err(|error| DataStoreOutcome::NotReady {
        name: name.to_owned(),
        message: format!("the tenant's password could not be read: {}", chain(&error)),
    })?;
    let kept = kept_password(validated, config.as_ref()).map(str::to_owned);
    Ok(Some(Password::new(kept.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()))))
}

/// A tenant's place in a store.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) found: &'a Found,
    pub(super) space: &'a TenantSpace,
    pub(super) password: Option<&'a Password>,
}

/// Gives the tenant what it may do in the store that is in use.
async fn open(place: &Place<'_>, moving: &Move, context: &Context) -> Result<(), DataStoreOutcome<'static>> {
    if matches!(moving, Move::Finish(_)) {
        // Before the tenant writes here: a copy that another replica still runs must not.
        let store = connect(place.name, place.found, context).await?;
        store.end_copies(place.space).await.map_err(|source| unreachable(place.name, source))?;
    }
    let access = if moving.bars_writes() { Access::ReadOnly } else { Access::ReadWrite };
    make_room(place, access, context).await
}

/// Makes room for a tenant in a store.
pub(super) async fn make_room(
    place: &Place<'_>,
    access: Access,
    context: &Context,
) -> Result<(), DataStoreOutcome<'static>> {
    let store = connect(place.name, place.found, context).await?;
    let none = Password::default();
    match store.ensure(place.space, access, place.password.unwrap_or(&none)).await {
        Ok(()) => Ok(()),
        Err(source) => {
            context.connections.forget(place.name).await;
            Err(unreachable(place.name, source))
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
    let login = found.connection.login.as_ref();
    DataStoreMaterial {
        name: found.object.name_any(),
        driver: found.object.spec.driver,
        endpoints: found.connection.endpoints.clone(),
        ca_certificate: tls.map(|tls| tls.certificate_authority.clone()),
        ca_private_key: tls.and_then(|tls| tls.certificate_authority_key.clone()),
        client_certificate: tls.and_then(|tls| tls.client.clone()),
        basic_auth: login
            .map(|login| Login { username: login.username.clone(), password: login.password.clone() }),
    }
}
