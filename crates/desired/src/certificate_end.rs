//! When the certificates of a control plane end, by the Secrets that they are in.

use api::names::labels;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use pki::{KubeconfigContents, inspect};

/// What a Secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// A certificate authority.
    Authority,
    /// A certificate.
    X509,
    /// Kubeconfigs with client certificates.
    Kubeconfig,
}

/// The end of the certificate in a Secret, if it can be read; of several the first. Nothing if it has none.
#[must_use]
pub fn certificate_end(secret: &Secret) -> Option<(Strategy, Option<Timestamp>)> {
    let text = |key: &String| {
        let bytes = secret.data.as_ref()?.get(key)?;
        std::str::from_utf8(&bytes.0).ok()
    };
    let keys = || secret.data.iter().flatten().map(|(key, _)| key);
    let certificate = |key: &String| inspect(text(key)?).ok().map(|found| found.not_after);
    match secret.labels().get(labels::CERTIFICATE).map(String::as_str) {
        Some(labels::CERTIFICATE_X509) => {
            let leaf = keys().find(|key| key.strip_suffix(".crt").is_some_and(|name| name != "ca"))?;
            Some((Strategy::X509, certificate(leaf)))
        }
        Some(labels::CERTIFICATE_KUBECONFIG) => {
            let ends = keys().map(|key| {
                let contents = KubeconfigContents::read(text(key)?).ok()?;
                inspect(&contents.pair.certificate).ok().map(|found| found.not_after)
            });
            Some((Strategy::Kubeconfig, ends.min().flatten()))
        }
        _ => {
            let authority = keys().find(|key| matches!(key.as_str(), "ca.crt" | "front-proxy-ca.crt"))?;
            Some((Strategy::Authority, certificate(authority)))
        }
    }
}
