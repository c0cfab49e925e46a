//! When the certificates of control planes end, noted when they are issued or looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use api::names::labels;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use pki::{KubeconfigContents, inspect};

/// Namespace and name of a control plane.
pub(super) type Key = (String, String);

/// What a Secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// A certificate authority.
    Authority,
    /// A certificate.
    X509,
    /// Kubeconfigs with client certificates.
    Kubeconfig,
}

/// The end of a certificate, if it could be read.
pub(super) type End = (Strategy, Option<Timestamp>);

/// Ends of certificates by control plane.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<HashMap<Key, Vec<End>>>);

impl Certificates {
    /// Notes the certificates in the Secrets of a control plane.
    pub(super) fn note<'a>(&self, key: Key, secrets: impl Iterator<Item = &'a Secret>) {
        let ends = secrets.filter_map(end).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, ends);
    }

    /// The ends known of those control planes that still exist; the others are forgotten.
    pub(super) fn of_existing(&self, exists: impl Fn(&Key) -> bool) -> Vec<(Key, Vec<End>)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|key, _| exists(key));
        known.iter().map(|(key, ends)| (key.clone(), ends.clone())).collect()
    }
}

/// Kamaji's word for how a certificate stands.
pub(super) fn status(end: Option<Timestamp>, deadline: SignedDuration, now: Timestamp) -> &'static str {
    match end {
        Some(end) if end.duration_since(now) > deadline => "valid",
        Some(end) if end > now => "expiring",
        _ => "invalid",
    }
}

fn end(secret: &Secret) -> Option<End> {
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
