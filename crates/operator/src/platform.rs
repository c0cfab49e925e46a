//! What the operator keeps for itself: the webhooks' certificate.

use std::time::Duration;

use anyhow::{Context as _, Result};
use api::names::FIELD_MANAGER;
use base::Clock;
use desired::webhook_certificate as certificate;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt};
use kubekit::{Applier, WebhookHost};
use pki::{Pair, PrivateKey};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::Settings;

/// How often the webhooks' certificate is looked at, and the CA bundles put back where somebody took them
/// away: so long at most does a replica serve with a certificate that another one has replaced.
const WEBHOOK_LOOK_EVERY: Duration = Duration::from_secs(10);

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

/// The text at a key of a Secret.
pub(crate) fn text(secret: &Secret, key: &str) -> Result<String> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(key));
    let bytes = bytes.with_context(|| format!("Secret `{}` has no key `{key}`", secret.name_any()))?;
    String::from_utf8(bytes.0.clone())
        .with_context(|| format!("`{key}` of `{}` is no text", secret.name_any()))
}
