//! ID tokens: whether a provider signed one for the hub, for this sign-in, at this time (`OpenID` Connect Core 1.0,
//! 3.1.3.7).

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::provider::ProviderError;

/// Clocks may differ by this.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Longer tokens are not looked at.
const LONGEST: usize = 256 * 1024;
/// Signatures with keys that only the provider has.
const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    /// Of the sign-in; tokens that come later have none.
    pub(super) nonce: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub(super) sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    azp: Option<String>,
    nonce: Option<String>,
    #[serde(flatten)]
    pub(super) other: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The claims of a token, if all of it is as expected.
pub(super) fn verified(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Claims, ProviderError> {
    const FOREIGN: ProviderError = ProviderError::Refused("no key of the provider signed the ID token");
    if token.len() > LONGEST {
        return Err(FOREIGN);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| FOREIGN)?;
    let mut validation = Validation::new(header.alg);
    // The rest is compared below, with the time that was given.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let candidates = keys.keys.iter().filter(|key| fits(key, header.kid.as_deref(), header.alg));
    let claims = candidates.filter_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        Some(jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims)
    });
    let claims = { claims }.next().ok_or(FOREIGN)?;
    compare(&claims, expected)?;
    Ok(claims)
}

/// Whether a key can have made a signature. A secret of both sides never has.
fn fits(key: &Jwk, id: Option<&str>, algorithm: Algorithm) -> bool {
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => RSA.contains(&algorithm),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, Algorithm::ES256 | Algorithm::ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => false,
    };
    let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    is_of_kind && signs && (id.is_none() || key.common.key_id.as_deref() == id)
}

fn compare(claims: &Claims, expected: &Expected<'_>) -> Result<(), ProviderError> {
    let is_for_us = match &claims.aud {
        Audience::One(client) => client == expected.client,
        Audience::Several(clients) => clients.iter().any(|client| client == expected.client),
    };
    let is_shared = matches!(&claims.aud, Audience::Several(clients) if clients.len() > 1);
    let party = claims.azp.as_deref();
    let moment = |seconds| Timestamp::from_second(seconds).ok();
    let (ends, began) = (moment(claims.exp), moment(claims.iat));
    let refusal = if claims.iss != expected.issuer {
        "the ID token is of another issuer"
    } else if !is_for_us
        || party.is_some_and(|party| party != expected.client)
        || (is_shared && party.is_none())
    {
        "the ID token is for another client"
    } else if expected.nonce.is_some_and(|nonce| claims.nonce.as_deref() != Some(nonce)) {
        "the ID token is of another sign-in"
    } else if ends.is_none_or(|ends| ends + SKEW <= expected.now) {
        "the ID token has expired"
    } else if began.is_none_or(|began| began - SKEW > expected.now) {
        "the ID token is of a time to come"
    } else if claims.sub.is_empty() || claims.sub.len() > 255 {
        "the ID token names nobody"
    } else {
        return Ok(());
    };
    Err(ProviderError::Refused(refusal))
}

#[cfg(test)]
mod tests;
