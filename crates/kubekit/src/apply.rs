//! The one way objects are written: server-side apply, skipped when nothing differs.

use std::fmt::{Debug, Write as _};

use kube::api::{DeleteParams, GetParams, Patch, PatchParams};
use kube::core::{PartialObjectMeta, Request};
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::covers;
use crate::take_over::taken_over;

/// Annotation that holds the hash of what was last applied. Without it, a field that is no longer
/// desired could not be told from one that the API server added.
pub const DESIRED_HASH_ANNOTATION: &str = "flotilla.dev/desired-hash";

/// Why an object could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object has no name; a defect of the caller.
    #[error("failed to apply a {kind}: it has no name")]
    Unnamed {
        /// Kind of the object.
        kind: String,
    },
    /// The object could not be turned into JSON; a defect of the caller.
    #[error("failed to write {kind} `{name}` as JSON")]
    Serialize {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// The serializer's reason.
        #[source]
        source: serde_json::Error,
    },
    /// The API server refused the object or did not answer.
    #[error("failed to apply {kind} `{name}`")]
    Apply {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// The API server's reason.
        #[source]
        source: Box<kube::Error>,
    },
}

/// What came of an apply.
#[derive(Debug, Clone)]
pub enum Applied<K> {
    /// The live object said everything already; nothing was sent.
    Unchanged(K),
    /// The object as the API server returned it.
    Written(K),
}

impl<K> Applied<K> {
    /// The live object.
    pub fn into_inner(self) -> K {
        match self {
            Self::Unchanged(object) | Self::Written(object) => object,
        }
    }

    /// Whether a request was sent.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Written(_))
    }
}

/// Applies objects under one field manager.
#[derive(Clone)]
pub struct Applier {
    client: Client,
    field_manager: &'static str,
    predecessors: &'static [&'static str],
}

impl Applier {
    /// An applier that owns the fields it sets as `field_manager`.
    #[must_use]
    pub fn new(client: Client, field_manager: &'static str) -> Self {
        Self { client, field_manager, predecessors: &[] }
    }

    /// Takes over what `predecessors` own of an object when it is applied for the first time, so that
    /// what they set and nobody wants any more can be removed.
    #[must_use]
    pub fn succeeding(self, predecessors: &'static [&'static str]) -> Self {
        Self { predecessors, ..self }
    }

    /// Applies `desired`, unless `live` (from a cache, may be stale) covers it and was made from it.
    ///
    /// Fields of other writers are taken over where they conflict (`force`), as controllers must.
    pub async fn apply<K>(&self, desired: &K, live: Option<&K>) -> Result<Applied<K>, ApplyError>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let kind = K::kind(&()).into_owned();
        let name = desired.meta().name.clone().ok_or_else(|| ApplyError::Unnamed { kind: kind.clone() })?;
        let json = |source| ApplyError::Serialize { kind: kind.clone(), name: name.clone(), source };
        let mut wanted = serde_json::to_value(desired).map_err(json)?;
        let hash = hash(&wanted);
        if let Some(live) = live
            && live.annotations().get(DESIRED_HASH_ANNOTATION) == Some(&hash)
            && covers(&serde_json::to_value(live).map_err(json)?, &wanted)
        {
            return Ok(Applied::Unchanged(live.clone()));
        }
        annotate(&mut wanted, &hash);
        let is_new = live.is_some_and(|live| !live.annotations().contains_key(DESIRED_HASH_ANNOTATION));
        match self.write(request(desired), &name, &wanted, is_new).await {
            Ok(written) => Ok(Applied::Written(written)),
            Err(source) => Err(ApplyError::Apply { kind, name, source: Box::new(source) }),
        }
    }

    /// Sends an object; one that is new to us, though it exists, is taken over first.
    async fn write<K>(
        &self,
        requests: Request,
        name: &str,
        wanted: &Value,
        is_new: bool,
    ) -> Result<K, kube::Error>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        if is_new && !self.predecessors.is_empty() {
            self.take_over::<K>(&requests, name).await?;
        }
        let parameters = PatchParams::apply(self.field_manager).force();
        let request = requests.patch(name, &parameters, &Patch::Apply(wanted));
        self.client.request(request.map_err(kube::Error::BuildRequest)?).await
    }

    /// The cached object does not say who owns its fields, so the API server is asked; this happens once
    /// in the life of an object that another program made.
    async fn take_over<K>(&self, requests: &Request, name: &str) -> Result<(), kube::Error>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let get = requests.get_metadata(name, &GetParams::default()).map_err(kube::Error::BuildRequest)?;
        let live: PartialObjectMeta<K> = match self.client.request(get).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(()),
            other => other?,
        };
        let Some(entries) = taken_over(live.managed_fields(), self.predecessors, self.field_manager) else {
            return Ok(());
        };
        // With the version that was read: what another one wrote meanwhile must not be lost.
        let version = live.resource_version();
        let patch = json!({"metadata": {"managedFields": entries, "resourceVersion": version}});
        let patch = requests
            .patch_metadata(name, &PatchParams::default(), &Patch::Merge(patch))
            .map_err(kube::Error::BuildRequest)?;
        self.client.request::<PartialObjectMeta<K>>(patch).await.map(|_| ())
    }

    /// Deletes an object; one that is gone already is no error.
    pub async fn delete<K>(&self, object: &K) -> Result<(), kube::Error>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let request = request(object)
            .delete(&object.name_any(), &DeleteParams::background())
            .map_err(kube::Error::BuildRequest)?;
        match self.client.request_status::<K>(request).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

/// Requests for the collection that `object` stands in, whatever its scope.
fn request<K: Resource<DynamicType = ()>>(object: &K) -> Request {
    Request::new(K::url_path(&(), object.meta().namespace.as_deref()))
}

pub(crate) fn annotate(object: &mut Value, hash: &str) {
    object["metadata"]["annotations"][DESIRED_HASH_ANNOTATION] = Value::from(hash);
}

/// First 16 bytes of SHA-256 over the JSON text, hex. `serde_json` keeps keys sorted.
pub(crate) fn hash(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
