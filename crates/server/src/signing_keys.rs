//! The keys that identities are signed with: made once, kept in a Secret that all replicas read.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use pki::{KeyAlgorithm, ServiceAccountPair};
use zeroize::Zeroizing;

/// Name of the Secret. Its keys, in the order of their names, are private keys; the last one signs.
const NAME: &str = "flotilla-server-signing-keys";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// The Secret can neither be read nor made.
    #[error("failed to read or make Secret `{NAME}`")]
    Secret(#[source] Box<kube::Error>),
    /// No key could be made.
    #[error("failed to make a key")]
    Make(#[source] pki::Error),
    /// The Secret is there and holds none.
    #[error("Secret `{NAME}` holds no key; delete it, and a new one is made")]
    Empty,
}

/// The private keys, the newest first.
pub(crate) async fn keys(
    client: &Client,
    namespace: &str,
) -> Result<Vec<Zeroizing<String>>, SigningKeysError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |error| SigningKeysError::Secret(Box::new(error));
    let kept = match secrets.get_opt(NAME).await.map_err(failed)? {
        Some(secret) => secret,
        None => make(&secrets).await?,
    };
    let texts = kept.data.unwrap_or_default().into_values().rev();
    let keys: Vec<_> = texts.filter_map(|text| String::from_utf8(text.0).ok()).map(Zeroizing::new).collect();
    if keys.is_empty() { Err(SigningKeysError::Empty) } else { Ok(keys) }
}

/// Makes one, unless another replica was faster.
async fn make(secrets: &Api<Secret>) -> Result<Secret, SigningKeysError> {
    let failed = |error| SigningKeysError::Secret(Box::new(error));
    let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).map_err(SigningKeysError::Make)?;
    let key = ByteString(pair.private_key.expose_pem().as_bytes().to_vec());
    let secret = Secret {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        data: Some([("key-1".to_owned(), key)].into()),
        ..Secret::default()
    };
    match secrets.create(&PostParams::default(), &secret).await {
        Err(kube::Error::Api(status)) if status.code == 409 => secrets.get(NAME).await.map_err(failed),
        made => made.map_err(failed),
    }
}
