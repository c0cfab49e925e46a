//! The short-lived identities by which clusters know people.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use authn::{Identity, Issuer, KeyError};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

/// How long an identity lasts that a kubectl gets, which asks for another when it ends.
pub(crate) const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// How long one is used for requests that pass through the hub. API servers remember a token that they have verified
/// for some seconds, so that the same one is cheaper than a new one each time.
const USED: SignedDuration = SignedDuration::from_mins(2);
/// Identities that are remembered; beyond that all are forgotten.
const MOST: usize = 20_000;

/// Whom a cluster is told, and in which groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Told {
    user: String,
    cluster: String,
    groups: BTreeSet<String>,
}

/// Identities that were signed a short time ago.
#[derive(Default)]
pub(crate) struct Identities {
    signed: Mutex<HashMap<Told, (Timestamp, Zeroizing<String>)>>,
}

impl Identities {
    /// An identity for a request that passes through. Groups are part of what is looked up: a right that was lost is
    /// not in it any more.
    pub(crate) fn passing(
        &self,
        issuer: &Issuer,
        user: &str,
        cluster: &str,
        groups: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Zeroizing<String>, KeyError> {
        let told = Told { user: user.to_owned(), cluster: cluster.to_owned(), groups };
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, token)) = signed.get(&told).filter(|(since, _)| now < *since + USED) {
            return Ok(token.clone());
        }
        let token = sign(issuer, &told.user, &told.cluster, &told.groups, now)?;
        if signed.len() >= MOST {
            signed.clear();
        }
        signed.insert(told, (now, token.clone()));
        Ok(token)
    }

    /// The keys have changed: what another one has signed may not be believed for much longer.
    pub(crate) fn forget(&self) {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Signs an identity for one cluster.
pub(crate) fn sign(
    issuer: &Issuer,
    user: &str,
    cluster: &str,
    groups: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Zeroizing<String>, KeyError> {
    let identity = Identity { user: user.to_owned(), groups: groups.iter().cloned().collect() };
    issuer.issue(&identity, cluster, LASTS, now).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use authn::Issuer;
    use jiff::{SignedDuration, Timestamp};
    use pki::{KeyAlgorithm, ServiceAccountPair};

    use super::Identities;

    #[test]
    fn the_same_identity_is_used_for_a_while_and_other_groups_are_another() {
        let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let issuer = Issuer::new("https://hub/issuer", [pair.private_key.expose_pem()]).unwrap();
        let identities = Identities::default();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let of = |groups: &[&str], now| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            identities.passing(&issuer, "olga", "a.b", groups, now).unwrap()
        };
        let first = of(&["x"], now);
        assert_eq!(first, of(&["x"], now + SignedDuration::from_secs(100)));
        assert_ne!(first, of(&["x", "y"], now));
        assert_ne!(first, of(&["x"], now + SignedDuration::from_secs(121)));
    }
}
