//! Keys and certificates that are kept while they serve, and made anew when they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::names::annotations;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pki::{CertificateAuthority, CertificatePlan, Error, Pair, PrivateKey, TEN_YEARS, inspect};

use crate::metadata::{annotation, text};

/// Secrets that exist, by name.
pub type Secrets = BTreeMap<String, Arc<Secret>>;

/// When certificates are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    /// The current moment.
    pub now: Timestamp,
    /// How long before its end a certificate is renewed.
    pub deadline: SignedDuration,
}

/// What a Secret's owner asks for by an annotation without value, and what then stands in it.
pub(crate) struct Rotation {
    pub(crate) is_wanted: bool,
    key: &'static str,
    value: Option<String>,
}

impl Rotation {
    /// New contents.
    pub(crate) fn of(existing: Option<&Secret>, now: Timestamp) -> Self {
        Self::asked_by(annotations::ROTATE, existing, now)
    }

    /// An end of trust in what was rotated out.
    pub(crate) fn retirement(existing: Option<&Secret>, now: Timestamp) -> Self {
        Self::asked_by(annotations::RETIRE_PREVIOUS, existing, now)
    }

    fn asked_by(key: &'static str, existing: Option<&Secret>, now: Timestamp) -> Self {
        match existing.and_then(|secret| annotation(secret, key)) {
            Some("") => Self { is_wanted: true, key, value: Some(now.to_string()) },
            other => Self { is_wanted: false, key, value: other.map(str::to_owned) },
        }
    }

    /// Lets the request stand for a later pass.
    pub(crate) fn put_off(&mut self) {
        if self.is_wanted {
            self.value = None;
        }
    }

    /// Writes the time at which it was done, which ends the request.
    pub(crate) fn mark(&self, secret: &mut Secret) {
        if let Some(time) = &self.value {
            let annotations = secret.metadata.annotations.get_or_insert_default();
            annotations.insert(self.key.to_owned(), time.clone());
        }
    }
}

/// Certificate and key under two keys of a Secret.
pub(crate) fn read(secret: &Secret, certificate: &str, private_key: &str) -> Option<Pair> {
    Some(Pair {
        certificate: text(secret, certificate)?.to_owned(),
        private_key: PrivateKey::from_pem(text(secret, private_key)?),
    })
}

/// The authority that exists, if it still serves; else a new one.
pub(crate) fn authority(
    existing: Option<Pair>,
    common_name: &str,
    renewal: Renewal,
) -> Result<CertificateAuthority, Error> {
    existing
        .filter(|pair| is_fresh(pair, renewal))
        .and_then(|pair| CertificateAuthority::from_pair(pair).ok())
        .map_or_else(|| CertificateAuthority::generate(common_name, TEN_YEARS, renewal.now), Ok)
}

/// The certificate that exists, if it still serves; else a new one.
pub(crate) fn leaf(
    existing: Option<Pair>,
    plan: &CertificatePlan,
    ca: &CertificateAuthority,
    renewal: Renewal,
) -> Result<Pair, Error> {
    match existing.filter(|pair| serves(pair, plan, ca, renewal)) {
        Some(pair) => Ok(pair),
        None => plan.issue(ca, renewal.now),
    }
}

/// Whether a certificate does what a plan asks for: it may say more, as an alternative name that was
/// removed is no reason to renew.
pub(crate) fn serves(
    pair: &Pair,
    plan: &CertificatePlan,
    ca: &CertificateAuthority,
    renewal: Renewal,
) -> bool {
    serves_under(pair, plan, &ca.pair().certificate, renewal)
}

/// Whether a certificate does what a plan asks for to those who trust the authority whose certificate
/// `ca` (PEM) is.
pub(crate) fn serves_under(pair: &Pair, plan: &CertificatePlan, ca: &str, renewal: Renewal) -> bool {
    let Ok(found) = inspect(&pair.certificate) else { return false };
    let names: BTreeSet<&String> = plan.dns_names.iter().collect();
    found.common_name == plan.common_name
        && plan.organizations.iter().all(|organization| found.organizations.contains(organization))
        && names.into_iter().all(|name| found.dns_names.contains(name))
        && plan.ip_addresses.iter().all(|address| found.ip_addresses.contains(address))
        && found.is_signed_by(ca)
        && is_fresh(pair, renewal)
}

/// When the first of some certificates has to be renewed.
pub(crate) fn renew_at<'a>(pairs: impl IntoIterator<Item = &'a Pair>, renewal: Renewal) -> Timestamp {
    pairs
        .into_iter()
        .filter_map(|pair| inspect(&pair.certificate).ok())
        .filter_map(|found| found.not_after.checked_sub(renewal.deadline).ok())
        .min()
        .unwrap_or(Timestamp::MAX)
}

/// Data of a Secret from texts.
pub(crate) fn data<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<String, ByteString> {
    entries.into_iter().map(|(key, text)| (key.to_owned(), ByteString(text.as_bytes().to_vec()))).collect()
}

fn is_fresh(pair: &Pair, renewal: Renewal) -> bool {
    inspect(&pair.certificate).is_ok_and(|found| !found.is_due(renewal.now, renewal.deadline))
        && pair.is_consistent()
}
