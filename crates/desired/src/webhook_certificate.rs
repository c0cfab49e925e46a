//! The certificate by which the operator serves its admission webhooks.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pki::{CertificatePlan, Error, ONE_YEAR};

use crate::pairs::{self, Renewal, authority, data, leaf, read};

/// Name of the Secret.
pub const SECRET_NAME: &str = "flotilla-webhook-certificate";

/// A certificate is renewed when two thirds of its time are over.
const DEADLINE: SignedDuration = SignedDuration::from_hours(24 * 365 / 3);
const _: () = assert!(DEADLINE.as_secs() * 3 == ONE_YEAR.as_secs(), "a third of the validity");

/// The Secret with authority and server certificate for the webhook's Service; what exists is kept
/// while it serves.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn secret(
    service: &str,
    namespace: &str,
    existing: Option<&Secret>,
    now: Timestamp,
) -> Result<Secret, Error> {
    let renewal = Renewal { now, deadline: DEADLINE };
    let ca = authority(existing.and_then(|secret| read(secret, "ca.crt", "ca.key")), service, renewal)?;
    let host = format!("{service}.{namespace}.svc");
    let names = vec![format!("{host}.cluster.local"), host.clone()];
    let plan = CertificatePlan::server(host, names, Vec::new());
    let pair = leaf(existing.and_then(|secret| read(secret, "tls.crt", "tls.key")), &plan, &ca, renewal)?;
    let authority = ca.pair();
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(SECRET_NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(data([
            ("ca.crt", authority.certificate.as_str()),
            ("ca.key", authority.private_key.expose_pem()),
            ("tls.crt", pair.certificate.as_str()),
            ("tls.key", pair.private_key.expose_pem()),
        ])),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    })
}

/// When the certificate in the Secret has to be renewed.
#[must_use]
pub fn renew_at(secret: &Secret, now: Timestamp) -> Timestamp {
    pairs::renew_at(read(secret, "tls.crt", "tls.key").as_ref(), Renewal { now, deadline: DEADLINE })
}
