//! The one way finalizers are changed: ours are replaced, those of others stay.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Why finalizers could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum FinalizerError {
    /// The object changed since it was read; reconcile again from its newest version.
    #[error("failed to change the finalizers of `{name}`: the object changed meanwhile")]
    Stale {
        /// Name of the object.
        name: String,
    },
    /// The API server refused or did not answer.
    #[error("failed to change the finalizers of `{name}`")]
    Patch {
        /// Name of the object.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Whether an object has a finalizer.
pub fn has_finalizer(object: &impl Resource, finalizer: &str) -> bool {
    object.finalizers().iter().any(|known| known == finalizer)
}

/// Leaves of `ours` only those that are wanted; an object that is gone is no error.
pub async fn set_finalizers<K>(
    api: &Api<K>,
    object: &K,
    ours: &[&str],
    wanted: &[&str],
) -> Result<(), FinalizerError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let name = object.name_any();
    let others = object.finalizers().iter().map(String::as_str).filter(|known| !ours.contains(known));
    let all: Vec<&str> = others.chain(wanted.iter().copied()).collect();
    // The version guards the finalizers of others in the list.
    let body = json!({"metadata": {"finalizers": all, "resourceVersion": object.resource_version()}});
    match api.patch(&name, &PatchParams::default(), &Patch::Merge(body)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => Err(FinalizerError::Stale { name }),
        Err(source) => Err(FinalizerError::Patch { name, source: Box::new(source) }),
    }
}
