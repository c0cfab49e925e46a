//! The certificate that the server serves with: made and renewed by itself, in a Secret that all replicas share.

use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use desired::webhook_certificate::{Served, named};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use kubekit::{Applier, ApplyError};
use zeroize::Zeroizing;

use crate::{FIELD_MANAGER, Settings};

/// Name of the Secret; clusters and clients are told to trust its `ca.crt`.
pub(crate) const SECRET_NAME: &str = "flotilla-server-certificate";
/// How long at most a replica serves with a certificate that another one has replaced.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The Secret can neither be read nor made.
    #[error("failed to read or make Secret `{SECRET_NAME}`")]
    Secret(#[from] Box<kube::Error>),
    /// The Secret cannot be written anew.
    #[error("failed to renew the certificate in Secret `{SECRET_NAME}`")]
    Renew(#[from] ApplyError),
    /// No key or certificate could be made.
    #[error("failed to make a certificate")]
    Make(#[from] pki::Error),
    /// What is in the Secret cannot be served with.
    #[error("Secret `{SECRET_NAME}` holds no usable certificate; delete it, and a new one is made")]
    Unusable,
}

/// Certificate and key, and the authority that signed it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Serving {
    pub(crate) authority: String,
    certificate: String,
    key: Zeroizing<String>,
}

impl Serving {
    /// What is in the Secret, after it was made or renewed if need be.
    pub(crate) async fn read(
        client: &Client,
        settings: &Settings,
        now: jiff::Timestamp,
    ) -> Result<Self, CertificateError> {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), &settings.namespace);
        let existing = secrets.get_opt(SECRET_NAME).await.map_err(Box::new)?;
        let others = host(&settings.url);
        let served = Served { service: &settings.service, namespace: &settings.namespace, others: &others };
        let wanted = named(SECRET_NAME, &served, existing.as_ref(), now)?;
        let kept = match &existing {
            Some(live) => {
                Applier::new(client.clone(), FIELD_MANAGER).apply(&wanted, Some(live)).await?.into_inner()
            }
            // Created and not applied: of two replicas that start together one must win.
            None => match secrets.create(&PostParams::default(), &wanted).await {
                Err(kube::Error::Api(status)) if status.code == 409 => secrets.get(&wanted.name_any()).await,
                made => made,
            }
            .map_err(Box::new)?,
        };
        let text = |key: &str| {
            let value =
                kept.data.as_ref().and_then(|data| data.get(key)).ok_or(CertificateError::Unusable)?;
            String::from_utf8(value.0.clone()).map_err(|_| CertificateError::Unusable)
        };
        Ok(Self {
            authority: text("ca.crt")?,
            certificate: text("tls.crt")?,
            key: Zeroizing::new(text("tls.key")?),
        })
    }

    /// For the listener.
    pub(crate) async fn config(&self) -> Result<RustlsConfig, CertificateError> {
        let (certificate, key) = (self.certificate.clone().into_bytes(), self.key.as_bytes().to_vec());
        RustlsConfig::from_pem(certificate, key).await.map_err(|_| CertificateError::Unusable)
    }
}

/// Renews the certificate in time and serves the new one without a restart.
pub(crate) async fn keep(
    client: &Client,
    settings: &Settings,
    clock: &dyn base::Clock,
    served: Serving,
    config: &RustlsConfig,
) {
    let mut served = served;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let serving = match Serving::read(client, settings, clock.now()).await {
            Ok(serving) => serving,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "failed to look after the certificate"
                );
                continue;
            }
        };
        if serving == served {
            continue;
        }
        let (certificate, key) = (serving.certificate.clone().into_bytes(), serving.key.as_bytes().to_vec());
        match config.reload_from_pem(certificate, key).await {
            Ok(()) => served = serving,
            Err(error) => tracing::warn!(%error, "the new certificate cannot be served with"),
        }
    }
}

/// The host of the hub's URL, as a certificate names it.
fn host(url: &str) -> Vec<String> {
    let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.map(|host| host.trim_matches(['[', ']']).to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_taken_without_port_and_brackets() {
        assert_eq!(host("https://hub.example.com:8443"), ["hub.example.com"]);
        assert_eq!(host("https://[::1]:8443"), ["::1"]);
        assert_eq!(host("https://10.0.0.1"), ["10.0.0.1"]);
    }
}
