//! What every reconcile may use.

use std::collections::HashMap;
use std::sync::Mutex;

use base::Clock;
use kube::Client;
use kube::runtime::events::Recorder;
use kubekit::Applier;

use crate::Settings;
use crate::caches::Caches;
use crate::metrics::Metrics;
use crate::start_gate::StartGate;
use crate::stores::Connections;

/// Shared by all reconciles of one process.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) applier: Applier,
    pub(crate) caches: Caches,
    pub(crate) connections: Connections,
    pub(crate) gate: StartGate,
    pub(crate) settings: Settings,
    pub(crate) recorder: Recorder,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) prepared: Prepared,
}

/// Tenants whose clusters this process has prepared, each with what it was prepared from. Asked before
/// a tenant is called, so that a quiet control plane costs no connection.
#[derive(Default)]
pub(crate) struct Prepared(Mutex<HashMap<String, String>>);

impl Prepared {
    /// Whether the tenant `uid` was prepared from exactly this.
    pub(crate) fn is_current(&self, uid: &str, fingerprint: &str) -> bool {
        self.0.lock().is_ok_and(|known| known.get(uid).is_some_and(|known| known == fingerprint))
    }

    /// Notes that it was.
    pub(crate) fn note(&self, uid: &str, fingerprint: String) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(uid.to_owned(), fingerprint);
        }
    }

    /// Forgets a tenant that is gone or asleep.
    pub(crate) fn forget(&self, uid: &str) {
        if let Ok(mut known) = self.0.lock() {
            known.remove(uid);
        }
    }
}
