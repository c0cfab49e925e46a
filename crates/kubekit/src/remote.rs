//! Objects of any kind in another cluster, as JSON: for those whose kinds are many and whose fields are
//! not looked at.

use std::future::Future;
use std::time::Duration;

use http::Request;
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::core::Request as Requests;
use serde::Deserialize;
use serde_json::Value;

use crate::apply::{annotate, hash};
use crate::{DESIRED_HASH_ANNOTATION, covers};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request to another cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There was no answer in time.
    #[error("no answer within {} s to {what}", TIMEOUT.as_secs())]
    Silent {
        /// The request.
        what: String,
    },
    /// The API server refused, or could not be reached.
    #[error("failed to {what}")]
    Refused {
        /// The request.
        what: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

impl RemoteError {
    /// Whether what the request was about does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if matches!(&**source, kube::Error::Api(status) if status.is_not_found()))
    }

    /// Whether the object changed since it was read.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if matches!(&**source, kube::Error::Api(status) if status.is_conflict()))
    }

    /// Whether the API server answered, and thus can be reached.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if matches!(&**source, kube::Error::Api(_)))
    }
}

/// Writes to another cluster under one field manager.
#[derive(Clone)]
pub struct Remote {
    client: Client,
    field_manager: &'static str,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Value>,
}

impl Remote {
    /// A writer that owns the fields it sets as `field_manager`.
    #[must_use]
    pub fn new(client: Client, field_manager: &'static str) -> Self {
        Self { client, field_manager }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All objects of a collection (`/api/v1/configmaps`) with the labels.
    pub async fn list(&self, collection: &str, labels: &str) -> Result<Vec<Value>, RemoteError> {
        let selector = labels.replace('/', "%2F").replace('=', "%3D");
        let request = get(&format!("{collection}?labelSelector={selector}"));
        let list: List = self.send(format!("list {collection}"), request).await?;
        Ok(list.items)
    }

    /// An object of a collection.
    pub async fn get(&self, collection: &str, name: &str) -> Result<Option<Value>, RemoteError> {
        let request = get(&format!("{collection}/{name}"));
        match self.send(format!("read {collection}/{name}"), request).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Applies an object to a collection by server-side apply; fields of others are taken over where
    /// they conflict.
    pub async fn apply(&self, collection: &str, name: &str, wanted: &Value) -> Result<Value, RemoteError> {
        self.apply_over(None, collection, name, wanted).await
    }

    /// The same, if `version` still is the object's, where one is given.
    pub async fn apply_over(
        &self,
        version: Option<&str>,
        collection: &str,
        name: &str,
        wanted: &Value,
    ) -> Result<Value, RemoteError> {
        let mut stamped = wanted.clone();
        annotate(&mut stamped, &hash(wanted));
        if let Some(version) = version {
            stamped["metadata"]["resourceVersion"] = Value::from(version);
        }
        let parameters = PatchParams::apply(self.field_manager).force();
        let request = Requests::new(collection).patch(name, &parameters, &Patch::Apply(&stamped));
        self.send(format!("apply {collection}/{name}"), request.map_err(kube::Error::BuildRequest)).await
    }

    /// Lays `change` over an object, or over its `subresource`; a `resourceVersion` in it must be current.
    pub async fn merge(
        &self,
        collection: &str,
        name: &str,
        subresource: Option<&str>,
        change: &Value,
    ) -> Result<Value, RemoteError> {
        let (requests, patch) = (Requests::new(collection), Patch::Merge(change));
        let parameters =
            PatchParams { field_manager: Some(self.field_manager.to_owned()), ..PatchParams::default() };
        let request = match subresource {
            Some(part) => requests.patch_subresource(part, name, &parameters, &patch),
            None => requests.patch(name, &parameters, &patch),
        };
        let what = format!("change {collection}/{name}");
        self.send(what, request.map_err(kube::Error::BuildRequest)).await
    }

    /// Deletes an object; one that is gone already is no error.
    pub async fn delete(&self, collection: &str, name: &str) -> Result<(), RemoteError> {
        let request = Requests::new(collection).delete(name, &DeleteParams::background());
        let request = request.map_err(kube::Error::BuildRequest);
        match self.send::<Value>(format!("delete {collection}/{name}"), request).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        what: String,
        request: Result<Request<Vec<u8>>, kube::Error>,
    ) -> Result<T, RemoteError> {
        let answer = async { self.client.request::<T>(request?).await };
        within(what, answer).await
    }
}

async fn within<T>(
    what: String,
    answer: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, RemoteError> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(RemoteError::Refused { what, source: Box::new(source) }),
        Err(_) => Err(RemoteError::Silent { what }),
    }
}

fn get(path: &str) -> Result<Request<Vec<u8>>, kube::Error> {
    Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)
}

/// The stamp of an object that is made from `wanted`.
#[must_use]
pub fn fingerprint(wanted: &Value) -> String {
    hash(wanted)
}

/// Whether a live object was made from `wanted` and still says all of it.
#[must_use]
pub fn is_current(live: &Value, wanted: &Value) -> bool {
    let stamp = live.pointer("/metadata/annotations").and_then(|all| all.get(DESIRED_HASH_ANNOTATION));
    stamp.and_then(Value::as_str) == Some(&hash(wanted)) && covers(live, wanted)
}
