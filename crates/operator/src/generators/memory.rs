//! What kubeconfigs were last found to be made from, so that a pass over unchanged ones reads no key.

use std::collections::HashMap;
use std::sync::Arc;

use api::{KubeconfigGenerator, TenantControlPlane};
use desired::generator::Identity;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

/// All that decides what a kubeconfig says, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    pub(super) generation: Option<i64>,
    /// Versions of the administrator's Secret, the authority's and the kubeconfig's own.
    pub(super) versions: [Option<String>; 3],
    pub(super) renew_at: Timestamp,
}

/// UIDs of a generator and a control plane.
type Key = (Option<String>, Option<String>);

/// Entries of all generators.
#[derive(Debug, Default)]
pub(super) struct Memory(HashMap<Key, Entry>);

impl Memory {
    /// The entry, if the kubeconfig is still made from the same and not due.
    pub(super) fn current(
        &self,
        generator: &KubeconfigGenerator,
        tenant: &TenantControlPlane,
        identity: &Identity,
        versions: &[Option<String>; 3],
        now: Timestamp,
    ) -> Option<Entry> {
        let entry = self.0.get(&key(generator, tenant))?;
        let is_same = entry.identity == *identity
            && entry.versions == *versions
            && entry.generation == generator.metadata.generation;
        (is_same && now < entry.renew_at).then(|| entry.clone())
    }

    /// Notes what a kubeconfig was made from.
    pub(super) fn note(
        &mut self,
        generator: &KubeconfigGenerator,
        tenant: &TenantControlPlane,
        entry: Entry,
    ) {
        self.0.insert(key(generator, tenant), entry);
    }

    /// Forgets generators that are gone.
    pub(super) fn keep_only(&mut self, generators: &[Arc<KubeconfigGenerator>]) {
        self.0.retain(|(uid, _), _| generators.iter().any(|known| known.metadata.uid == *uid));
    }
}

/// The version of a Secret, if there is one.
pub(super) fn version(secret: Option<&Secret>) -> Option<String> {
    secret.and_then(ResourceExt::resource_version)
}

fn key(generator: &KubeconfigGenerator, tenant: &TenantControlPlane) -> Key {
    (generator.metadata.uid.clone(), tenant.metadata.uid.clone())
}
