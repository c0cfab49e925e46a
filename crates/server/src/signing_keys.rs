//! The keys that identities are signed with: kept in a Secret that all replicas read again and again, so that a key is
//! replaced without a restart.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authn::{Issuer, KeyError};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use pki::{KeyAlgorithm, ServiceAccountPair};
use zeroize::Zeroizing;

use crate::hub::Hub;

/// Name of the Secret. Its keys, in the order of their names, are private keys; the last one signs.
const NAME: &str = "flotilla-server-signing-keys";
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// A key is served for so long before it signs: other replicas read it meanwhile, and clusters keep what they were
/// answered for a minute.
const SERVED_FIRST: SignedDuration = SignedDuration::from_mins(2);

/// A private key, and since when its public one is served.
#[derive(Clone, PartialEq, Eq)]
struct Served {
    key: Zeroizing<String>,
    since: Timestamp,
}

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
    /// The Secret holds something else.
    #[error("Secret `{NAME}` holds what is no private key on P-256 (PKCS #8 in PEM); take that out")]
    Unusable(#[source] KeyError),
}

/// The keys as they were last read.
pub(crate) struct SigningKeys {
    url: String,
    read: Mutex<Read>,
}

struct Read {
    issuer: Arc<Issuer>,
    /// In the order in which the issuer has them.
    served: Vec<Served>,
}

impl SigningKeys {
    /// Reads them for the first time, or makes one. `url` is the issuer's.
    pub(crate) async fn read(
        client: &Client,
        namespace: &str,
        url: String,
        now: Timestamp,
    ) -> Result<Self, SigningKeysError> {
        let served = in_order(kept(client, namespace).await?, &[], now);
        let issuer = Arc::new(issuer(&url, &served)?);
        Ok(Self { url, read: Mutex::new(Read { issuer, served }) })
    }

    /// What signs now.
    pub(crate) fn issuer(&self) -> Arc<Issuer> {
        self.locked().issuer.clone()
    }

    /// Takes note of what was read now. Answers whether anything is otherwise.
    fn see(&self, keys: Vec<Zeroizing<String>>, now: Timestamp) -> Result<bool, SigningKeysError> {
        let mut read = self.locked();
        let served = in_order(keys, &read.served, now);
        if served == read.served {
            return Ok(false);
        }
        *read = Read { issuer: Arc::new(issuer(&self.url, &served)?), served };
        Ok(true)
    }

    fn locked(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads them again and again; never ends. What cannot be used changes nothing.
pub(crate) async fn keep(hub: &Hub) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let found = kept(&hub.client, &hub.settings.namespace).await;
        match found.and_then(|keys| hub.signing.see(keys, hub.now())) {
            Ok(false) => {}
            Ok(true) => {
                hub.identities.forget();
                tracing::info!("the keys that sign identities have changed");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%error, cause, "the keys that sign identities stay as they were");
            }
        }
    }
}

/// Keys that were read, the newest first, in the order in which they sign: before all others the newest of those that
/// were served for long enough, or the oldest where none was.
fn in_order(keys: Vec<Zeroizing<String>>, known: &[Served], now: Timestamp) -> Vec<Served> {
    let since =
        |key: &Zeroizing<String>| known.iter().find(|known| known.key == *key).map(|known| known.since);
    let served = keys.into_iter().map(|key| Served { since: since(&key).unwrap_or(now), key });
    let mut served: Vec<Served> = served.collect();
    let is_known = |served: &Served| served.since + SERVED_FIRST <= now;
    let signing = served.iter().position(is_known).unwrap_or(served.len().saturating_sub(1));
    if let Some(front) = served.get_mut(..=signing) {
        front.rotate_right(1);
    }
    served
}

fn issuer(url: &str, served: &[Served]) -> Result<Issuer, SigningKeysError> {
    Issuer::new(url, served.iter().map(|served| served.key.as_str())).map_err(SigningKeysError::Unusable)
}

/// The private keys, the newest first.
async fn kept(client: &Client, namespace: &str) -> Result<Vec<Zeroizing<String>>, SigningKeysError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The order of keys, the newest first, two minutes and a second after the epoch, by since when each is served.
    fn ordered(keys: &[(&str, i64)]) -> Vec<String> {
        let key = |name: &str| Zeroizing::new(name.to_owned());
        let known: Vec<_> =
            keys.iter().map(|(name, since)| Served { key: key(name), since: at(*since) }).collect();
        let served = in_order(keys.iter().map(|(name, _)| key(name)).collect(), &known, at(121));
        served.iter().map(|served| served.key.to_string()).collect()
    }

    #[test]
    fn a_key_is_served_before_it_signs() {
        assert_eq!(ordered(&[("only", 120)]), ["only"]);
        assert_eq!(ordered(&[("new", 120), ("old", 0)]), ["old", "new"]);
        assert_eq!(ordered(&[("new", 1), ("old", 0)]), ["new", "old"]);
        assert_eq!(ordered(&[("new", 120), ("old", 1), ("older", 0)]), ["old", "new", "older"]);
        assert_eq!(ordered(&[("new", 120), ("old", 120)]), ["old", "new"], "of a replica that has just come");
        assert!(ordered(&[]).is_empty());
    }

    #[test]
    fn what_cannot_be_used_changes_nothing_and_what_goes_signs_no_more() {
        let pem = || {
            let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
            Zeroizing::new(pair.private_key.expose_pem().to_owned())
        };
        let (old, new) = (pem(), pem());
        let (url, served) = ("https://hub/issuer".to_owned(), in_order(vec![old.clone()], &[], at(0)));
        let read = Mutex::new(Read { issuer: Arc::new(issuer(&url, &served).unwrap()), served });
        let keys = SigningKeys { url, read };
        let served = || keys.issuer().key_set().keys;
        let first = served();
        let garbage = vec![Zeroizing::new("garbage".to_owned()), old.clone()];
        assert!(matches!(keys.see(garbage, at(1)), Err(SigningKeysError::Unusable(_))));
        assert_eq!(served(), first);
        assert!(!keys.see(vec![old.clone()], at(2)).unwrap());

        assert!(keys.see(vec![new.clone(), old.clone()], at(3)).unwrap());
        assert_eq!((served().len(), &served()[0]), (2, &first[0]), "the old one signs still");
        assert!(!keys.see(vec![new.clone(), old.clone()], at(122)).unwrap());
        assert!(keys.see(vec![new.clone(), old], at(123)).unwrap());
        assert_eq!(served()[1], first[0]);
        assert!(keys.see(vec![new], at(124)).unwrap());
        assert_eq!(served().len(), 1);
    }
}
