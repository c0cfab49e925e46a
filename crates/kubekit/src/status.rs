//! The one way a status is written: replaced whole, only when it differs.

use std::fmt::Debug;

use kube::api::PostParams;
use kube::core::Request;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a status could not be written.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The object changed since it was read; reconcile again from its newest version.
    #[error("failed to write the status of `{name}`: the object changed meanwhile")]
    Stale {
        /// Name of the object.
        name: String,
    },
    /// The object is gone.
    #[error("failed to write the status of `{name}`: the object is gone")]
    Gone {
        /// Name of the object.
        name: String,
    },
    /// The API server refused or did not answer.
    #[error("failed to write the status of `{name}`")]
    Write {
        /// Name of the object.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Replaces the status subresource by that of `object`, whose resource version must be current.
///
/// A replacement and not an apply, so that fields which another program set before us go away too.
pub async fn replace_status<K>(client: &Client, object: &K) -> Result<K, StatusError>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    let name = object.name_any();
    let write = |source| StatusError::Write { name: name.clone(), source: Box::new(source) };
    let body = serde_json::to_vec(object).map_err(|error| write(kube::Error::SerdeError(error)))?;
    let request = Request::new(K::url_path(&(), object.meta().namespace.as_deref()))
        .replace_subresource("status", &name, &PostParams::default(), body)
        .map_err(|error| write(kube::Error::BuildRequest(error)))?;
    match client.request(request).await {
        Ok(written) => Ok(written),
        Err(kube::Error::Api(status)) if status.is_conflict() => Err(StatusError::Stale { name }),
        Err(kube::Error::Api(status)) if status.is_not_found() => Err(StatusError::Gone { name }),
        Err(source) => Err(write(source)),
    }
}
