//! What the operator keeps for itself and for the chart: the webhooks' certificate, the managed etcd's
//! certificates and its authentication.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use api::names::FIELD_MANAGER;
use base::Clock;
use datastore::{Connection, EtcdStore, Tls};
use desired::managed_etcd::{self, ManagedEtcd};
use desired::{Renewal, webhook_certificate as certificate};
use jiff::SignedDuration;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use kubekit::{Applier, WebhookHost};
use pki::{Pair, PrivateKey};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::Settings;

/// How often the managed etcd's certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How often the webhooks' certificate is looked at, and the CA bundles put back where somebody took them
/// away: so long at most does a replica serve with a certificate that another one has replaced.
const WEBHOOK_LOOK_EVERY: Duration = Duration::from_secs(10);
/// How soon a managed etcd that does not answer yet is tried again.
const ETCD_RETRY: Duration = Duration::from_secs(1);
/// Certificates of the managed etcd are renewed this long before they end.
const ETCD_DEADLINE: SignedDuration = SignedDuration::from_hours(24 * 60);

/// The webhooks' certificate: the one in the Secret, or a new one. Its authority is put into the
/// webhook configurations.
pub(crate) async fn webhook_certificate(
    client: &Client,
    settings: &Settings,
    clock: &dyn Clock,
) -> Result<Pair> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &settings.namespace);
    let existing =
        secrets.get_opt(certificate::SECRET_NAME).await.context("failed to read the webhook Secret")?;
    let (service, namespace) = (&settings.webhook_service_name, &settings.namespace);
    let wanted = certificate::secret(service, namespace, existing.as_ref(), clock.now())?;
    let applied = match &existing {
        Some(_) => {
            Applier::new(client.clone(), FIELD_MANAGER).apply(&wanted, existing.as_ref()).await?.into_inner()
        }
        // Created and not applied: of two replicas that start together one must win.
        None => match secrets.create(&PostParams::default(), &wanted).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                secrets.get(certificate::SECRET_NAME).await
            }
            other => other,
        }
        .context("failed to make the webhook Secret")?,
    };
    let authority = text(&applied, "ca.crt")?;
    let mutating = &settings.mutating_webhook_configuration;
    let validating = &settings.validating_webhook_configuration;
    fill_ca_bundle::<MutatingWebhookConfiguration>(client, mutating, &authority).await?;
    fill_ca_bundle::<ValidatingWebhookConfiguration>(client, validating, &authority).await?;
    Ok(Pair {
        certificate: text(&applied, "tls.crt")?,
        private_key: PrivateKey::from_pem(text(&applied, "tls.key")?),
    })
}

/// Renews the webhooks' certificate in time and serves the new one without a restart.
pub(crate) async fn keep_webhook_certificate(
    client: &Client,
    settings: &Settings,
    host: &WebhookHost,
    clock: &dyn Clock,
) -> Result<()> {
    let mut served: Option<Pair> = None;
    loop {
        tokio::time::sleep(WEBHOOK_LOOK_EVERY).await;
        match webhook_certificate(client, settings, clock).await {
            Ok(pair) if served.as_ref() == Some(&pair) => {}
            Ok(pair) => {
                host.reload(&pair.certificate, pair.private_key.expose_pem()).await?;
                served = Some(pair);
            }
            Err(error) => tracing::warn!("failed to keep the webhooks' certificate, trying again: {error:#}"),
        }
    }
}

/// Makes the managed etcd's certificates and switches its authentication on; never returns unless a
/// key cannot be made. Without a managed etcd it only waits.
pub(crate) async fn keep_managed_etcd(client: &Client, settings: &Settings, clock: &dyn Clock) -> Result<()> {
    let Some(name) = &settings.managed_etcd else { return std::future::pending().await };
    let etcd = ManagedEtcd { name, namespace: &settings.namespace };
    let mut protected = false;
    loop {
        let pause = match keep_etcd_once(client, etcd, clock, protected).await {
            Ok(()) => {
                if !protected {
                    tracing::info!(etcd = name, "authentication is on");
                }
                protected = true;
                LOOK_EVERY
            }
            Err(error) => {
                tracing::debug!("the managed etcd is not there yet: {error:#}");
                ETCD_RETRY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn keep_etcd_once(
    client: &Client,
    etcd: ManagedEtcd<'_>,
    clock: &dyn Clock,
    protected: bool,
) -> Result<()> {
    let api: Api<Secret> = Api::namespaced(client.clone(), etcd.namespace);
    let own = ListParams::default().labels(&format!("app.kubernetes.io/name={}", etcd.name));
    let existing: BTreeMap<String, Arc<Secret>> =
        api.list(&own).await?.into_iter().map(|secret| (secret.name_any(), Arc::new(secret))).collect();
    let renewal = Renewal { now: clock.now(), deadline: ETCD_DEADLINE };
    let applier = Applier::new(client.clone(), FIELD_MANAGER);
    let mut stored = BTreeMap::new();
    for secret in managed_etcd::secrets(etcd, &existing, renewal)? {
        let name = secret.name_any();
        let live = existing.get(&name).map(AsRef::as_ref);
        stored.insert(name, applier.apply(&secret, live).await?.into_inner());
    }
    if protected {
        return Ok(());
    }
    let root = stored
        .get(&format!("{}-root", etcd.name))
        .context("the Secret of the managed etcd's administrator is missing")?;
    let connection = Connection {
        endpoints: vec![format!("{}-client.{}.svc:2379", etcd.name, etcd.namespace)],
        tls: Some(Tls {
            certificate_authority: text(root, "ca.crt")?,
            certificate_authority_key: None,
            client: Some(Pair {
                certificate: text(root, "tls.crt")?,
                private_key: PrivateKey::from_pem(text(root, "tls.key")?),
            }),
        }),
    };
    EtcdStore::connect(&connection).await?.enable_authentication().await?;
    Ok(())
}

/// Puts the authority's certificate into every webhook of a configuration; one that does not exist is
/// left alone, since the chart may be told not to install it.
async fn fill_ca_bundle<K>(client: &Client, name: &str, authority: &str) -> Result<()>
where
    K: Resource<DynamicType = ()> + WebhookBundles + Clone + std::fmt::Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(client.clone());
    let Some(found) = api.get_opt(name).await.with_context(|| format!("failed to read `{name}`"))? else {
        tracing::warn!(configuration = name, "no such webhook configuration; nothing calls the webhooks");
        return Ok(());
    };
    let bundle = k8s_openapi::ByteString(authority.as_bytes().to_vec());
    let operations: Vec<_> = found
        .bundles()
        .into_iter()
        .enumerate()
        .filter(|(_, present)| present.as_ref() != Some(&bundle))
        .map(|(index, _)| {
            json!({"op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": bundle})
        })
        .collect();
    if operations.is_empty() {
        return Ok(());
    }
    let patch: json_patch::Patch = serde_json::from_value(json!(operations))?;
    api.patch(name, &PatchParams::default(), &Patch::<()>::Json(patch))
        .await
        .with_context(|| format!("failed to put the CA bundle into `{name}`"))?;
    Ok(())
}

/// The CA bundles of a webhook configuration, in the order of its webhooks.
trait WebhookBundles {
    fn bundles(&self) -> Vec<Option<k8s_openapi::ByteString>>;
}

impl WebhookBundles for MutatingWebhookConfiguration {
    fn bundles(&self) -> Vec<Option<k8s_openapi::ByteString>> {
        self.webhooks.iter().flatten().map(|webhook| webhook.client_config.ca_bundle.clone()).collect()
    }
}

impl WebhookBundles for ValidatingWebhookConfiguration {
    fn bundles(&self) -> Vec<Option<k8s_openapi::ByteString>> {
        self.webhooks.iter().flatten().map(|webhook| webhook.client_config.ca_bundle.clone()).collect()
    }
}

fn text(secret: &Secret, key: &str) -> Result<String> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key));
    let bytes = bytes.with_context(|| format!("Secret `{}` has no key `{key}`", secret.name_any()))?;
    String::from_utf8(bytes.0.clone())
        .with_context(|| format!("`{key}` of `{}` is no text", secret.name_any()))
}
