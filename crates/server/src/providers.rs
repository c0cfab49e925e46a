//! Identity providers as they are asked: their settings, their secrets, and for whom each may vouch.

use std::sync::Arc;

use api::{IdentityProvider, IdentityProviderSpec};
use authn::{LdapDirectory, LdapSettings, OidcProvider, OidcSettings, ProviderError};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use serde_json::json;
use zeroize::Zeroizing;

use crate::FIELD_MANAGER;
use crate::hub::Hub;
use crate::index::Snapshot;
use crate::problem::Problem;

/// The provider of local users, which is the hub itself.
pub(crate) const LOCAL: &str = "local";
/// Key of a provider's Secret.
const SECRET: &str = "secret";
/// What is asked of `OpenID` Connect providers where nothing is named.
const SCOPES: [&str; 4] = ["profile", "email", "groups", "offline_access"];

/// The one of a name.
pub(crate) fn find(hub: &Hub, name: &str) -> Option<Arc<IdentityProvider>> {
    hub.caches.providers.get(&ObjectRef::new(name))
}

/// Whether a provider may vouch for a user: one of a tenant for users of it and of those below only.
pub(crate) fn may_vouch(provider: &IdentityProviderSpec, user: &str, snapshot: &Snapshot) -> bool {
    let Some(tenant) = &provider.tenant else { return true };
    snapshot.home(user).is_some_and(|home| snapshot.policy.tree().is_within(home, tenant))
}

/// An `OpenID` Connect provider, ready to be asked.
pub(crate) async fn oidc(hub: &Hub, provider: &IdentityProvider) -> Result<OidcProvider, ProviderError> {
    let name = provider.name_any();
    let other = || ProviderError::Settings("it is not asked with OpenID Connect".to_owned());
    let spec = provider.spec.oidc.as_ref().ok_or_else(other)?;
    let scopes = if spec.scopes.is_empty() { SCOPES.map(str::to_owned).into() } else { spec.scopes.clone() };
    let or = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    OidcProvider::new(OidcSettings {
        issuer: spec.issuer.clone(),
        client_id: spec.client_id.clone(),
        client_secret: secret(hub, &name).await?,
        ca_bundle: spec.ca_bundle.clone(),
        scopes,
        user_name_claim: or(&spec.username_claim, "preferred_username"),
        groups_claim: or(&spec.groups_claim, "groups"),
        redirect_uri: format!("{}/api/v1/session/oidc/{name}/callback", hub.settings.url),
    })
}

/// A directory, ready to be asked.
pub(crate) async fn ldap(hub: &Hub, provider: &IdentityProvider) -> Result<LdapDirectory, ProviderError> {
    let other = || ProviderError::Settings("it takes no passwords".to_owned());
    let spec = provider.spec.ldap.as_ref().ok_or_else(other)?;
    let or = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    LdapDirectory::new(LdapSettings {
        url: spec.url.clone(),
        start_tls: spec.start_tls,
        ca_bundle: spec.ca_bundle.clone(),
        bind_dn: spec.bind_dn.clone(),
        bind_password: secret(hub, &provider.name_any()).await?.unwrap_or_default(),
        user_base: spec.user_base.clone(),
        user_filter: spec.user_filter.clone(),
        user_name_attribute: or(&spec.user_name_attribute, "uid"),
        id_attribute: or(&spec.id_attribute, "entryUUID"),
        group_base: spec.group_base.clone(),
        group_filter: or(&spec.group_filter, "(member={dn})"),
        group_name_attribute: or(&spec.group_name_attribute, "cn"),
    })
}

/// Writes a failure into the log, where whoever runs the hub finds what its settings lack.
pub(crate) fn note(provider: &str, error: &ProviderError) {
    tracing::warn!(provider, error = error as &dyn std::error::Error, "an identity provider did not vouch");
}

fn secret_name(provider: &str) -> String {
    format!("provider-{provider}")
}

fn secrets(hub: &Hub) -> Api<Secret> {
    Api::namespaced(hub.client.clone(), &hub.settings.namespace)
}

async fn secret(hub: &Hub, provider: &str) -> Result<Option<Zeroizing<String>>, ProviderError> {
    let found = secrets(hub).get_opt(&secret_name(provider)).await;
    let found =
        found.map_err(|error| ProviderError::Unreachable(format!("its secret cannot be read: {error}")))?;
    let text = found.and_then(|secret| secret.data?.remove(SECRET));
    Ok(text.and_then(|text| String::from_utf8(text.0).ok()).map(Zeroizing::new))
}

/// Keeps a provider's secret. Nobody reads it but the server.
pub(crate) async fn set_secret(hub: &Hub, provider: &str, secret: &str) -> Result<(), Problem> {
    let name = secret_name(provider);
    let patch = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name }, "stringData": { SECRET: secret },
    });
    secrets(hub).patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch)).await?;
    Ok(())
}

/// Forgets all that was vouched for by a provider, and its secret.
pub(crate) async fn forget(hub: &Hub, provider: &str) -> Result<(), Problem> {
    hub.records.sessions().end_provider(provider).await?;
    hub.records.links().unlink_provider(provider).await?;
    match secrets(hub).delete(&secret_name(provider), &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}
