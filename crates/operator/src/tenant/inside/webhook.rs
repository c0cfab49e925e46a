//! How a tenant's API server reaches the operator's webhooks.

use desired::inside::Webhook;
use desired::webhook_certificate::SECRET_NAME;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use crate::context::Context;

/// Why the way to the operator's webhooks is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    /// The Secret could not be read.
    #[error("failed to read the Secret `{SECRET_NAME}` of the operator")]
    Read(#[source] Box<kube::Error>),
    /// The Secret has no certificate authority.
    #[error("the Secret `{SECRET_NAME}` of the operator has no `ca.crt`; delete it to have it made anew")]
    Authority,
}

/// Address of the webhooks' Service, and the authority of their certificate.
pub(super) async fn of(context: &Context) -> Result<Webhook, WebhookError> {
    let settings = &context.settings;
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &settings.namespace);
    let secret = api.get(SECRET_NAME).await.map_err(|error| WebhookError::Read(Box::new(error)))?;
    let authority = secret.data.unwrap_or_default().remove("ca.crt").ok_or(WebhookError::Authority)?;
    Ok(Webhook {
        address: format!("{}.{}.svc:443", settings.webhook_service_name, settings.namespace),
        authority: String::from_utf8(authority.0).map_err(|_| WebhookError::Authority)?,
    })
}
