//! The Secrets of a control plane: those that exist, those that shall be, one write for each difference.

use std::sync::Arc;

use api::Driver;
use api::condition::Kind;
use api::names::{Component, labels};
use desired::{Credentials, Endpoint, Renewal, Secrets, Validated};
use futures::future::try_join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams};

use super::pass::Stop;
use super::storage::Storage;
use super::tunnel;
use crate::caches::Caches;
use crate::context::Context;

/// What the status tells of a store that holds a place for the tenant.
pub(super) struct ReadyStore {
    pub(super) name: String,
    pub(super) driver: Driver,
    pub(super) config: Secret,
    pub(super) certificate: Option<Secret>,
}

/// Issues what is missing or due and writes what differs.
pub(super) async fn apply(
    validated: &Validated,
    endpoint: &Endpoint,
    storage: &Storage,
    context: &Context,
    now: Timestamp,
) -> Result<(Credentials, ReadyStore), Stop> {
    let renewal = Renewal { now, deadline: context.settings.certificate_expiration_deadline };
    let mut existing =
        existing(validated, context).await.map_err(|error| Stop::new(Kind::CertificatesReady, &error))?;
    let known = tunnel::known(validated, context).await;
    let known = known.map_err(|error| Stop::new(Kind::CertificatesReady, &error))?;
    existing.extend(known.clone());
    let live = Caches::find(&context.caches.deployments, validated.namespace(), validated.name());
    let spread = desired::spread(live.as_deref());
    let credentials = desired::credentials(validated, endpoint, &existing, renewal, &spread)
        .map_err(|error| Stop::new(Kind::CertificatesReady, &error))?;
    let store = store_secrets(validated, storage, &existing, renewal)
        .map_err(|error| Stop::new(Kind::DataStoreReady, &error))?;
    let store_secrets = std::iter::once(&store.config).chain(&store.certificate);
    let all = credentials.secrets().iter().chain(store_secrets);
    context.metrics.state.note_certificates(validated.namespace(), validated.name(), all.clone());
    // An authority stands before anything that it signed: what an ending operator leaves is never orphaned.
    let roots = ROOTS.map(|root| root.object_name(validated.name()));
    let (first, then): (Vec<_>, Vec<_>) = all.partition(|secret| roots.contains(&secret.name_any()));
    for secrets in [first, then] {
        let writes = secrets
            .into_iter()
            .map(|secret| context.applier.apply(secret, existing.get(&secret.name_any()).map(AsRef::as_ref)));
        let written = try_join_all(writes).await;
        written.map_err(|error| Stop::new(Kind::CertificatesReady, &error))?;
    }
    tunnel::tell(validated, &credentials, &known, context).await?;
    remove_stale(validated, context).await.map_err(|error| Stop::new(Kind::CertificatesReady, &error))?;
    Ok((credentials, store))
}

/// Removes the Secrets of what the spec no longer asks for.
async fn remove_stale(validated: &Validated, context: &Context) -> Result<(), kube::Error> {
    let names = REMOVABLE.map(|part| part.object_name(validated.name()));
    let cached = context.caches.secrets_of(validated.namespace(), &names);
    let stale: Vec<String> =
        desired::stale_credentials(validated, &cached).iter().map(|secret| secret.name_any()).collect();
    let api: Api<Secret> = Api::namespaced(context.client.clone(), validated.namespace());
    for name in stale {
        match api.delete(&name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            other => other.map(|_| ())?,
        }
    }
    Ok(())
}

/// The Secrets that exist. The cache may not have seen them yet, and a key that is made twice breaks
/// the cluster: where one is missing, the API server is asked.
async fn existing(validated: &Validated, context: &Context) -> Result<Secrets, kube::Error> {
    let wanted = desired::credential_components(validated).into_iter().chain(STORE);
    let names: Vec<String> = wanted.map(|part| part.object_name(validated.name())).collect();
    let cached = context.caches.secrets_of(validated.namespace(), &names);
    if cached.len() == names.len() {
        return Ok(cached);
    }
    let api: Api<Secret> = Api::namespaced(context.client.clone(), validated.namespace());
    let own = format!("{}={},{}={}", labels::PROJECT, labels::PROJECT_VALUE, labels::NAME, validated.name());
    let listed = api.list(&ListParams::default().labels(&own)).await?;
    let mut found: Secrets = listed.into_iter().map(|secret| (secret.name_any(), Arc::new(secret))).collect();
    // A user may have put authorities of their own there, without any label.
    let roots = ROOTS.map(|root| root.object_name(validated.name()));
    let brought = roots.iter().filter(|name| !found.contains_key(*name)).map(|name| api.get_opt(name));
    let brought = try_join_all(brought.collect::<Vec<_>>()).await?;
    found.extend(brought.into_iter().flatten().map(|secret| (secret.name_any(), Arc::new(secret))));
    Ok(found)
}

/// What everything else is derived from: of these, what was there before counts.
const ROOTS: [Component; 3] = [Component::Ca, Component::FrontProxyCa, Component::ServiceAccount];

const STORE: [Component; 2] = [Component::DataStoreConfig, Component::DataStoreCertificate];

/// Secrets that come and go with the spec.
const REMOVABLE: [Component; 3] =
    [Component::KonnectivityCertificate, Component::KonnectivityKubeconfig, Component::TunnelClient];

fn store_secrets(
    validated: &Validated,
    storage: &Storage,
    existing: &Secrets,
    renewal: Renewal,
) -> Result<ReadyStore, desired::data_store::Error> {
    let find = |part: Component| existing.get(&part.object_name(validated.name())).map(AsRef::as_ref);
    let material = &storage.material;
    let config = if let Some(password) = &storage.password {
        // The store has this one, whatever stands in the cache.
        desired::data_store::config_secret(validated, material, None, password.expose())
    } else {
        let (existing, new) = (find(Component::DataStoreConfig), uuid::Uuid::new_v4().to_string());
        desired::data_store::config_secret(validated, material, existing, &new)
    };
    let present = find(Component::DataStoreCertificate);
    let standing = present
        .filter(|_| storage.trouble.is_some())
        .and_then(|present| desired::data_store::standing_certificate_secret(validated, present));
    let certificate = if let Some(standing) = standing {
        Some(standing)
    } else {
        let further: Vec<_> = storage.overrides.iter().map(|entry| &entry.store).collect();
        desired::data_store::certificate_secret(validated, material, &further, present, renewal)?
    };
    Ok(ReadyStore { name: material.name.clone(), driver: material.driver, config, certificate })
}
