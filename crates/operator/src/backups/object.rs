//! What the objects of backups and of joining have in common: finalizers, owner references, status.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use kubekit::{StatusError, replace_status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Error, failed};

pub(crate) fn has_finalizer(object: &impl Resource, finalizer: &str) -> bool {
    object.finalizers().iter().any(|known| known == finalizer)
}

/// Adds or removes a finalizer and leaves the others; an object that is gone is no error.
pub(crate) async fn set_finalizer<K>(
    object: &K,
    finalizer: &str,
    is_wanted: bool,
    client: &Client,
) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let mut wanted: Vec<&str> = object.finalizers().iter().map(String::as_str).collect();
    wanted.retain(|known| *known != finalizer);
    if is_wanted {
        wanted.push(finalizer);
    }
    // The version guards the other finalizers in the list.
    let body = json!({"metadata": {"finalizers": wanted, "resourceVersion": object.resource_version()}});
    let objects: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    match objects.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(body)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => {
            Err(StatusError::Stale { name: object.name_any() }.into())
        }
        Err(error) => Err(failed("set a finalizer")(error)),
    }
}

/// What makes Jobs go with `object`, and their ends bring it to its controller.
pub(crate) fn owner<K: Resource<DynamicType = ()>>(object: &K) -> OwnerReference {
    OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Writes the status of `changed`; an object that is gone needs none.
pub(crate) async fn write_status<K>(changed: &K, client: &Client) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    match replace_status(client, changed).await {
        Ok(_) | Err(StatusError::Gone { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
