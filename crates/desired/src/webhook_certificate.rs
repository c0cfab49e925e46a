//! Certificates by which programs of the platform serve: the operator its admission webhooks, the server its API.

use std::net::IpAddr;

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
    named(SECRET_NAME, &Served { service, namespace, others: &[] }, existing, now)
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Service of the management cluster.
    pub service: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Names and addresses at which it is reached from elsewhere.
    pub others: &'a [String],
}

/// The Secret `name` with authority and server certificate for a Service; what exists is kept while it serves.
///
/// # Errors
/// [`pki::Error`] if a key or certificate cannot be made.
pub fn named(
    name: &str,
    served: &Served<'_>,
    existing: Option<&Secret>,
    now: Timestamp,
) -> Result<Secret, Error> {
    let renewal = Renewal { now, deadline: DEADLINE };
    let ca =
        authority(existing.and_then(|secret| read(secret, "ca.crt", "ca.key")), served.service, renewal)?;
    let host = format!("{}.{}.svc", served.service, served.namespace);
    let mut names = vec![format!("{host}.cluster.local"), host.clone()];
    let mut addresses = Vec::new();
    for other in served.others {
        match other.parse::<IpAddr>() {
            Ok(address) => addresses.push(address),
            Err(_) => names.push(other.clone()),
        }
    }
    let plan = CertificatePlan::server(host, names, addresses);
    let pair = leaf(existing.and_then(|secret| read(secret, "tls.crt", "tls.key")), &plan, &ca, renewal)?;
    let authority = ca.pair();
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(served.namespace.to_owned()),
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
