//! Tokens that are not what they should be.

use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pki::{KeyAlgorithm, ServiceAccountPair};
use serde_json::{Value, json};

use super::{Expected, verified};
use crate::provider::ProviderError;

const NOW: i64 = 1_800_000_000;

fn key() -> (EncodingKey, Jwk) {
    let pair = ServiceAccountPair::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let pem = pem::parse(pair.private_key.expose_pem()).unwrap();
    let key = EncodingKey::from_ec_der(pem.contents());
    let mut public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    public.common.key_id = Some("one".to_owned());
    (key, public)
}

fn claims(change: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://id.example.com", "sub": "s1", "aud": "hub", "exp": NOW + 300, "iat": NOW, "nonce": "n1",
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn signed(key: &EncodingKey, claims: &Value) -> String {
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn expected(nonce: Option<&str>) -> Expected<'_> {
    let now = Timestamp::from_second(NOW).unwrap();
    Expected { issuer: "https://id.example.com", client: "hub", nonce, now }
}

#[test]
fn a_token_of_another_issuer_client_sign_in_or_time_is_refused() {
    let (key, public) = key();
    let keys = JwkSet { keys: vec![public] };
    for (change, wanted) in [
        (json!({}), None),
        (json!({ "aud": ["hub"] }), None),
        (json!({ "aud": ["hub", "other"], "azp": "hub" }), None),
        (json!({ "iss": "https://id.example.com/" }), Some("another issuer")),
        (json!({ "aud": "other" }), Some("another client")),
        (json!({ "aud": ["hub", "other"] }), Some("another client")),
        (json!({ "azp": "other" }), Some("another client")),
        (json!({ "nonce": "n2" }), Some("another sign-in")),
        (json!({ "nonce": null }), Some("another sign-in")),
        (json!({ "exp": NOW - 60 }), Some("expired")),
        (json!({ "iat": NOW + 61 }), Some("time to come")),
        (json!({ "sub": "" }), Some("nobody")),
        (json!({ "exp": "soon" }), Some("no key")),
    ] {
        let token = signed(&key, &claims(&change));
        match (verified(&token, &keys, &expected(Some("n1"))), wanted) {
            (Ok(claims), None) => assert_eq!(claims.sub, "s1"),
            (Err(ProviderError::Refused(reason)), Some(part)) => {
                assert!(reason.contains(part), "{change}: {reason}");
            }
            (outcome, wanted) => panic!("{change}: {outcome:?} instead of {wanted:?}"),
        }
    }
    let later = signed(&key, &claims(&json!({ "nonce": null })));
    assert!(verified(&later, &keys, &expected(None)).is_ok());
}

#[test]
fn only_the_providers_keys_sign() {
    let ((_, public), (foreign, _)) = (key(), key());
    let keys = JwkSet { keys: vec![public.clone()] };
    let refused = |token: &str| matches!(verified(token, &keys, &expected(Some("n1"))), Err(ProviderError::Refused(reason)) if reason.contains("no key"));
    assert!(refused(&signed(&foreign, &claims(&json!({})))));
    // The public key as if it were a secret of both.
    let secret = EncodingKey::from_secret(serde_json::to_string(&public).unwrap().as_bytes());
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    assert!(refused(&jsonwebtoken::encode(&header, &claims(&json!({})), &secret).unwrap()));
    let unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.";
    for token in ["", "a.b.c", unsigned] {
        assert!(refused(token), "{token}");
    }
}
