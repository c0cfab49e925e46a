//! Verification of agents' tokens with the public keys of their tenant.
//!
//! The tenant's API server is not asked: it may be away, and would have to be trusted with the answer.

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Audience of agents' tokens.
pub const AUDIENCE: &str = "system:konnectivity-server";
/// Account of the agents.
pub const SUBJECT: &str = "system:serviceaccount:kube-system:konnectivity-agent";
/// A token whose time begins this much later is taken: clocks differ.
const SKEW: Duration = Duration::from_mins(1);
/// Object identifiers of the kinds of keys.
const RSA: &str = "1.2.840.113549.1.1.1";
const ECDSA: &str = "1.2.840.10045.2.1";
/// Longer ones are not looked at.
const LONGEST: usize = 8192;

/// Why a token is not taken. Says nothing of the token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none, or more than one.
    #[error("the agent must show one bearer token")]
    Missing,
    /// It cannot be read, or its algorithm is not one of service-account tokens.
    #[error("the token is not a service-account token")]
    Malformed,
    /// No key of the tenant signed it, or it is of another audience, issuer or account.
    #[error(
        "the token was not issued by this tenant for account kube-system/konnectivity-agent and audience \
         system:konnectivity-server"
    )]
    Foreign,
    /// Its time is over or has not come.
    #[error("the token is not valid at this time; the clock of the worker or the tunnel may be wrong")]
    Expired,
}

/// Why a tenant's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the text holds no public key in PEM form")]
    None,
    #[error("a key is neither RSA nor ECDSA")]
    Kind,
    #[error("the text is not PEM")]
    Pem(#[source] pem::PemError),
}

enum Key {
    Rsa(DecodingKey),
    Ecdsa(DecodingKey),
}

/// Verifies the tokens of one tenant.
pub struct TokenVerifier {
    keys: Vec<Key>,
    issuer: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keys.len();
        formatter.debug_struct("TokenVerifier").field("keys", &keys).field("issuer", &self.issuer).finish()
    }
}

impl TokenVerifier {
    /// Takes all public keys of a PEM text.
    pub(crate) fn new(public_keys: &str, issuer: &str) -> Result<Self, KeyError> {
        let blocks = pem::parse_many(public_keys).map_err(KeyError::Pem)?;
        let keys = blocks.iter().map(Key::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::None);
        }
        Ok(Self { keys, issuer: issuer.to_owned() })
    }

    /// Whether an agent of this tenant holds this token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Malformed)?;
        let rules = self.rules(header.alg);
        let mut keys = self.keys.iter().filter_map(|key| key.fits(header.alg));
        let claims = keys.find_map(|key| jsonwebtoken::decode::<Claims>(token, key, &rules).ok());
        is_current(&claims.ok_or(Refusal::Foreign)?.claims, now)
    }

    fn rules(&self, algorithm: Algorithm) -> Validation {
        let mut rules = Validation::new(algorithm);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[&self.issuer]);
        rules.sub = Some(SUBJECT.to_owned());
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // Checked below, against the time that is given.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        rules
    }
}

impl Key {
    fn parse(block: &pem::Pem) -> Result<Self, KeyError> {
        if block.tag() == "RSA PUBLIC KEY" {
            return Ok(Self::Rsa(DecodingKey::from_rsa_der(block.contents())));
        }
        let (_, info) = SubjectPublicKeyInfo::from_der(block.contents()).map_err(|_| KeyError::Kind)?;
        let key = info.subject_public_key.data.as_ref();
        match info.algorithm.algorithm.to_id_string().as_str() {
            RSA => Ok(Self::Rsa(DecodingKey::from_rsa_der(key))),
            ECDSA => Ok(Self::Ecdsa(DecodingKey::from_ec_der(key))),
            _ => Err(KeyError::Kind),
        }
    }

    /// The key, if it is of the algorithm's kind: the token must not choose how it is verified.
    fn fits(&self, algorithm: Algorithm) -> Option<&DecodingKey> {
        match (self, algorithm) {
            (Self::Rsa(key), Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512)
            | (Self::Ecdsa(key), Algorithm::ES256 | Algorithm::ES384) => Some(key),
            _ => None,
        }
    }
}

fn is_current(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    let now = now.as_duration().as_secs_f64();
    let has_begun = claims.nbf.is_none_or(|begin| begin <= now + SKEW.as_secs_f64());
    // Also false for what is not a number.
    if claims.exp > now && has_begun { Ok(()) } else { Err(Refusal::Expired) }
}
