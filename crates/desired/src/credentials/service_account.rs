//! The keys that sign service accounts' tokens. They are rotated as authorities are: first all pods accept
//! what the next key signs, then it signs; what earlier keys signed stays accepted until they are retired.

use k8s_openapi::api::core::v1::Secret;
use pki::{Error, KeyAlgorithm, PrivateKey, ServiceAccountPair, pem_blocks};

use crate::metadata::text;
use crate::pairs::Rotation;

const PUBLIC: &str = "sa.pub";
const PRIVATE: &str = "sa.key";
const NEXT: &str = "next.key";

/// The keys of a cluster.
pub(super) struct TokenKeys {
    signing: PrivateKey,
    next: Option<PrivateKey>,
    /// Public halves of all keys whose tokens are accepted.
    accepted: String,
}

impl TokenKeys {
    /// Keeps, rotates or makes the keys.
    pub(super) fn resolve(
        existing: Option<&Secret>,
        rotation: &Rotation,
        retirement: &mut Rotation,
        is_spread: bool,
    ) -> Result<Self, Error> {
        let Some(mut keys) = existing.and_then(Self::read) else {
            retirement.put_off();
            let made = ServiceAccountPair::generate(KeyAlgorithm::default())?;
            return Ok(Self { signing: made.private_key, next: None, accepted: made.public_key });
        };
        if let Some(next) = keys.next.take_if(|_| is_spread) {
            keys.signing = next;
            retirement.put_off();
        } else if keys.next.is_none() && rotation.is_wanted {
            let made = ServiceAccountPair::generate(KeyAlgorithm::default())?;
            keys.accepted = format!("{}\n{}", keys.accepted.trim_end(), made.public_key);
            keys.next = Some(made.private_key);
            retirement.put_off();
        } else if keys.next.is_some() || (!is_spread && pem_blocks(&keys.accepted).len() > 1) {
            retirement.put_off();
        } else if retirement.is_wanted {
            let own = pem_blocks(&keys.accepted).into_iter().filter(|key| belongs(key, &keys.signing));
            keys.accepted = own.collect();
        }
        Ok(keys)
    }

    fn read(secret: &Secret) -> Option<Self> {
        let accepted = text(secret, PUBLIC)?.to_owned();
        let usable = |key: &str| {
            let key = PrivateKey::from_pem(text(secret, key)?);
            pem_blocks(&accepted).iter().any(|public| belongs(public, &key)).then_some(key)
        };
        Some(Self { signing: usable(PRIVATE)?, next: usable(NEXT), accepted })
    }

    /// Data of the Secret.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries =
            vec![(PUBLIC, self.accepted.clone()), (PRIVATE, self.signing.expose_pem().to_owned())];
        entries.extend(self.next.iter().map(|next| (NEXT, next.expose_pem().to_owned())));
        entries
    }
}

fn belongs(public_key: &str, private_key: &PrivateKey) -> bool {
    let pair = ServiceAccountPair { public_key: public_key.to_owned(), private_key: private_key.clone() };
    pair.is_consistent()
}
