//! When the certificates of control planes end, noted when they are issued or looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

pub(super) use desired::Strategy;
use desired::certificate_end;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;

/// Namespace and name of a control plane.
pub(super) type Key = (String, String);

/// The end of a certificate, if it could be read.
pub(super) type End = (Strategy, Option<Timestamp>);

/// Ends of certificates by control plane.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<HashMap<Key, Vec<End>>>);

impl Certificates {
    /// Notes the certificates in the Secrets of a control plane.
    pub(super) fn note<'a>(&self, key: Key, secrets: impl Iterator<Item = &'a Secret>) {
        let ends = secrets.filter_map(certificate_end).collect();
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
