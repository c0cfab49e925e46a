//! The kubeconfig of one generator for one control plane: kept while it serves, else made.

use std::sync::Arc;

use api::names::Component;
use api::{KubeconfigGenerator, TenantControlPlane};
use desired::Renewal;
use desired::generator::{Fault, Identity, Parts, identity, kubeconfig, secret_name};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use kubekit::ApplyError;

use super::is_paused;
use super::memory::{Entry, Memory, version};
use super::watched::Watched;
use crate::caches::Caches;
use crate::context::Context;

/// Why a kubeconfig is not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Something is missing, or wrong with the generator.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The Secret could not be read.
    #[error("failed to read the Secret `{name}`; it is tried again")]
    Read {
        /// Name of the Secret.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
    /// The Secret could not be written.
    #[error("failed to write the kubeconfig; it is tried again")]
    Write(#[from] ApplyError),
}

impl Error {
    /// Whether trying again may help though nothing changes.
    pub(super) fn is_transient(&self) -> bool {
        !matches!(self, Self::Fault(_))
    }
}

/// Sees to the kubeconfig; returns what it is made from.
pub(super) async fn keep(
    generator: &KubeconfigGenerator,
    tenant: &TenantControlPlane,
    found: Found,
    memory: &Memory,
    context: &Context,
    now: Timestamp,
) -> Result<Entry, Error> {
    let identity = identity(generator, tenant)?;
    if let Some(entry) = memory.current(generator, tenant, &identity, &found.versions(), now) {
        return Ok(entry);
    }
    let is_paused = found.existing.as_ref().is_some_and(|secret| is_paused(secret.annotations()));
    let renewal = Renewal { now, deadline: context.settings.certificate_expiration_deadline };
    let mut made = kubeconfig(generator, tenant, &identity, found.parts(), renewal)?;
    let mut live = found.existing.clone();
    let is_same = live.as_ref().is_some_and(|live| live.data == made.secret.data);
    if !is_same && !is_paused {
        // The cache may be behind. A key is made for what is there, or it would be made twice.
        live = read(&made.secret, context).await?.map(Arc::new);
        let parts = Parts { existing: live.as_deref(), ..found.parts() };
        made = kubeconfig(generator, tenant, &identity, parts, renewal)?;
    }
    let applied = match live {
        Some(live) if is_paused => live.as_ref().clone(),
        live => context.applier.apply(&made.secret, live.as_deref()).await?.into_inner(),
    };
    Ok(found.entry(identity, generator, &applied, made.renew_at))
}

async fn read(secret: &Secret, context: &Context) -> Result<Option<Secret>, Error> {
    let (name, namespace) = (secret.name_any(), secret.namespace().unwrap_or_default());
    let api: Api<Secret> = Api::namespaced(context.client.clone(), &namespace);
    api.get_opt(&name).await.map_err(|source| Error::Read { name, source: Box::new(source) })
}

/// The Secrets that a kubeconfig hangs on, as the caches have them.
pub(super) struct Found {
    admin: Option<Arc<Secret>>,
    authority: Option<Arc<Secret>>,
    existing: Option<Arc<Secret>>,
}

impl Found {
    pub(super) fn look(
        generator: &KubeconfigGenerator,
        tenant: &TenantControlPlane,
        watched: &Watched,
        caches: &Caches,
    ) -> Self {
        let (namespace, name) = (tenant.namespace().unwrap_or_default(), tenant.name_any());
        let of =
            |component: Component| Caches::find(&caches.secrets, &namespace, &component.object_name(&name));
        let own = secret_name(&generator.name_any(), &name);
        Self {
            admin: of(Component::AdminKubeconfig),
            authority: of(Component::Ca),
            existing: Caches::find(&watched.secrets, &namespace, &own),
        }
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            admin: self.admin.as_deref(),
            authority: self.authority.as_deref(),
            existing: self.existing.as_deref(),
        }
    }

    fn versions(&self) -> [Option<String>; 3] {
        [&self.admin, &self.authority, &self.existing].map(|secret| version(secret.as_deref()))
    }

    fn entry(
        &self,
        identity: Identity,
        generator: &KubeconfigGenerator,
        applied: &Secret,
        renew_at: Timestamp,
    ) -> Entry {
        let [admin, authority, _] = self.versions();
        let versions = [admin, authority, version(Some(applied))];
        Entry { identity, generation: generator.metadata.generation, versions, renew_at }
    }
}
