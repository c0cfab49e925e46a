//! What the objects of backups and of joining have in common: finalizers, owner references, status.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use kubekit::{StatusError, replace_status, set_finalizers};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// Adds or removes a finalizer.
pub(crate) async fn set_finalizer<K>(
    object: &K,
    finalizer: &str,
    is_wanted: bool,
    client: &Client,
) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let wanted: &[&str] = if is_wanted { &[finalizer] } else { &[] };
    Ok(set_finalizers(&api, object, &[finalizer], wanted).await?)
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
