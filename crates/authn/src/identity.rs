//! Short-lived identities by which clusters know people: JSON Web Tokens that the hub signs (RFC 7519, ES256).
//!
//! A token says who, in which groups, and for which one cluster. An API server verifies it by the hub's key set
//! (`OpenID` Connect Discovery 1.0, as far as Kubernetes reads it), an agent does so itself.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Longer tokens are not looked at.
const LONGEST: usize = 16 * 1024;
/// Clocks may differ by this.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Who somebody is to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The hub's own name for the person or machine.
    pub user: String,
    /// Groups that the cluster's bindings name.
    pub groups: Vec<String>,
}

/// Why a token is not taken. Says nothing of the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read, or no known key signed it.
    #[error("the token was not signed by the hub")]
    Foreign,
    /// It is for another cluster.
    #[error("the token is for another cluster")]
    Elsewhere,
    /// Its time is over or has not come.
    #[error("the token is not valid at this time; sign in again, or set the clock right")]
    Expired,
}

/// Why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is none.
    #[error("the issuer has no key to sign with")]
    None,
    /// It is not PEM.
    #[error("a signing key is not PEM")]
    Pem(#[from] pem::PemError),
    /// It is not one on P-256, or the library failed.
    #[error("a signing key cannot be used")]
    Unusable(#[from] jsonwebtoken::errors::Error),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(default)]
    groups: Vec<String>,
}

/// Signs identities. The first key signs; the others are still believed, as long as tokens of theirs may be about.
pub struct Issuer {
    url: String,
    keys: Vec<(EncodingKey, Jwk)>,
}

impl Issuer {
    /// An issuer by its URL, with private keys on P-256 in PEM (PKCS #8), the newest first.
    ///
    /// # Errors
    /// If a text is no such key.
    pub fn new<'a>(url: &str, keys: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyError> {
        let keys = keys.into_iter().map(|pem| {
            let key = EncodingKey::from_ec_der(pem::parse(pem)?.contents());
            let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
            public.common.key_algorithm = Some(KeyAlgorithm::ES256);
            public.common.public_key_use = Some(PublicKeyUse::Signature);
            public.common.key_id = Some(public.thumbprint(ThumbprintHash::SHA256));
            Ok::<_, KeyError>((key, public))
        });
        Ok(Self { url: url.to_owned(), keys: keys.collect::<Result<_, _>>()? })
    }

    /// Signs an identity for one cluster, from now on for a time.
    ///
    /// # Errors
    /// If there is no key, or it does not sign.
    pub fn issue(
        &self,
        identity: &Identity,
        cluster: &str,
        lasts: SignedDuration,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let (key, public) = self.keys.first().ok_or(KeyError::None)?;
        let header = Header { kid: public.common.key_id.clone(), ..Header::new(Algorithm::ES256) };
        let claims = Claims {
            iss: self.url.clone(),
            sub: identity.user.clone(),
            aud: cluster.to_owned(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: (now + lasts).as_second(),
            groups: identity.groups.clone(),
        };
        Ok(jsonwebtoken::encode(&header, &claims, key)?)
    }

    /// The public keys, as served at `<issuer>/keys`.
    #[must_use]
    pub fn key_set(&self) -> JwkSet {
        JwkSet { keys: self.keys.iter().map(|(_, public)| public.clone()).collect() }
    }

    /// What is served at `<issuer>/.well-known/openid-configuration`.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/keys", self.url),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Issuer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Verifies identities with the public keys of an issuer.
pub struct Verifier {
    issuer: String,
    keys: Vec<(String, DecodingKey)>,
}

impl Verifier {
    /// Takes an issuer's key set. Keys that are not ours, such as those of other algorithms, are left out.
    #[must_use]
    pub fn new(issuer: &str, keys: &JwkSet) -> Self {
        let is_ours = |key: &&Jwk| key.common.key_algorithm == Some(KeyAlgorithm::ES256);
        let read = |key: &Jwk| Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?));
        Self { issuer: issuer.to_owned(), keys: keys.keys.iter().filter(is_ours).filter_map(read).collect() }
    }

    /// Whom a token names, if it is for `cluster` and valid now.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn verify(&self, token: &str, cluster: &str, now: Timestamp) -> Result<Identity, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::Foreign);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Foreign)?;
        let named = self.keys.iter().find(|(id, _)| header.kid.as_ref() == Some(id));
        let (_, key) = named.ok_or(Refusal::Foreign)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.rules());
        let claims = claims.map_err(|_| Refusal::Foreign)?.claims;
        if claims.aud != cluster {
            return Err(Refusal::Elsewhere);
        }
        let is_current = claims.nbf <= (now + SKEW).as_second() && now.as_second() < claims.exp;
        if !is_current {
            return Err(Refusal::Expired);
        }
        Ok(Identity { user: claims.sub, groups: claims.groups })
    }

    fn rules(&self) -> Validation {
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_issuer(&[&self.issuer]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // Checked by ourselves, against the cluster and the time that are given.
        rules.validate_aud = false;
        rules.validate_exp = false;
        rules
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use pki::{KeyAlgorithm, ServiceAccountPair};

    use super::{Identity, Issuer, Refusal, Verifier};

    const URL: &str = "https://hub.example.com/issuer";
    const LASTS: SignedDuration = SignedDuration::from_mins(10);

    fn key() -> String {
        let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
        pair.private_key.expose_pem().to_owned()
    }

    fn olga() -> Identity {
        Identity { user: "olga".to_owned(), groups: vec!["flotilla:cluster:read-only".to_owned()] }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn an_identity_is_taken_by_its_cluster_while_it_lasts() {
        let issuer = Issuer::new(URL, [key().as_str()]).unwrap();
        let token = issuer.issue(&olga(), "c-1", LASTS, now()).unwrap();
        let verifier = Verifier::new(URL, &issuer.key_set());
        assert_eq!(verifier.verify(&token, "c-1", now()), Ok(olga()));
        assert_eq!(verifier.verify(&token, "c-2", now()), Err(Refusal::Elsewhere));
        assert_eq!(verifier.verify(&token, "c-1", now() + LASTS), Err(Refusal::Expired));
        assert_eq!(
            verifier.verify(&token, "c-1", now() - SignedDuration::from_mins(1)),
            Err(Refusal::Expired)
        );
    }

    #[test]
    fn a_key_that_no_longer_signs_is_still_believed() {
        let (old, new) = (key(), key());
        let token = Issuer::new(URL, [old.as_str()]).unwrap().issue(&olga(), "c-1", LASTS, now()).unwrap();
        let both = Issuer::new(URL, [new.as_str(), old.as_str()]).unwrap();
        assert_eq!(Verifier::new(URL, &both.key_set()).verify(&token, "c-1", now()), Ok(olga()));
        let only_new = Issuer::new(URL, [new.as_str()]).unwrap();
        assert_eq!(
            Verifier::new(URL, &only_new.key_set()).verify(&token, "c-1", now()),
            Err(Refusal::Foreign)
        );
    }

    #[test]
    fn forged_tokens_are_refused() {
        let issuer = Issuer::new(URL, [key().as_str()]).unwrap();
        let token = issuer.issue(&olga(), "c-1", LASTS, now()).unwrap();
        let verifier = Verifier::new(URL, &issuer.key_set());
        let other = Issuer::new("https://evil.example.com", [key().as_str()]).unwrap();
        let foreign = other.issue(&olga(), "c-1", LASTS, now()).unwrap();
        let elsewhere = Verifier::new("https://other.example.com", &issuer.key_set());
        assert_eq!(elsewhere.verify(&token, "c-1", now()), Err(Refusal::Foreign));
        let parts: Vec<&str> = token.split('.').collect();
        let foreign_parts: Vec<&str> = foreign.split('.').collect();
        for forged in [
            foreign.clone(),
            String::new(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], foreign_parts[1], parts[2]),
            // `{"alg":"none"}`
            format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
            "x".repeat(20_000),
        ] {
            assert_eq!(verifier.verify(&forged, "c-1", now()), Err(Refusal::Foreign), "{forged}");
        }
    }
}
