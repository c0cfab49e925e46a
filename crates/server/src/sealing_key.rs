//! The key of what others keep for the server: made once, kept in a Secret that all replicas read.

use authn::Sealer;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};

/// Name of the Secret. If it is deleted, people sign in at their providers again.
const NAME: &str = "flotilla-server-sealing-key";
const KEY: &str = "key";
const LENGTH: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealingKeyError {
    /// The Secret can neither be read nor made.
    #[error("failed to read or make Secret `{NAME}`")]
    Secret(#[source] Box<kube::Error>),
    /// There is no randomness, or the key has not its length.
    #[error("Secret `{NAME}` holds no key of {LENGTH} bytes as `{KEY}`; delete it, and a new one is made")]
    Unusable(#[from] authn::LibraryError),
}

/// Seals with the key of all replicas.
pub(crate) async fn sealer(client: &Client, namespace: &str) -> Result<Sealer, SealingKeyError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |error| SealingKeyError::Secret(Box::new(error));
    let kept = match secrets.get_opt(NAME).await.map_err(failed)? {
        Some(secret) => secret,
        None => make(&secrets).await?,
    };
    let key = kept.data.and_then(|mut data| data.remove(KEY)).unwrap_or_default();
    Ok(Sealer::new(&key.0)?)
}

/// Makes one, unless another replica was faster.
async fn make(secrets: &Api<Secret>) -> Result<Secret, SealingKeyError> {
    let failed = |error| SealingKeyError::Secret(Box::new(error));
    let mut key = vec![0; LENGTH];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| authn::LibraryError)?;
    let secret = Secret {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        data: Some([(KEY.to_owned(), ByteString(key))].into()),
        ..Secret::default()
    };
    match secrets.create(&PostParams::default(), &secret).await {
        Err(kube::Error::Api(status)) if status.code == 409 => secrets.get(NAME).await.map_err(failed),
        made => made.map_err(failed),
    }
}
