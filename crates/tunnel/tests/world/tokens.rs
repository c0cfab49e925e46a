//! Service-account tokens, right and forged.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base::{Clock, SystemClock};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pki::ServiceAccountPair;
use serde_json::{Value, json};

use super::ISSUER;

/// What a kubelet's token for an agent says.
pub fn claims() -> Value {
    let now = SystemClock.now().as_second();
    json!({
        "aud": ["system:konnectivity-server"], "iss": ISSUER, "iat": now, "nbf": now, "exp": now + 3600,
        "sub": "system:serviceaccount:kube-system:konnectivity-agent",
        "kubernetes.io": { "namespace": "kube-system", "serviceaccount": { "name": "konnectivity-agent" } },
    })
}

/// The claims with one changed; null takes it away.
pub fn claims_with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    let all = claims.as_object_mut().unwrap();
    if value.is_null() {
        all.remove(key)
    } else {
        all.insert(key.to_owned(), value)
    };
    claims
}

pub fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token signed by a tenant's keys.
pub fn token(keys: &ServiceAccountPair, claims: &Value) -> String {
    let der = pem_contents(keys.private_key.expose_pem());
    let random = SystemRandom::new();
    if let Ok(key) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der) {
        let text = format!("{}.{}", encoded(&json!({"alg": "ES256", "kid": "k"})), encoded(claims));
        let signature = key.sign(&random, text.as_bytes()).unwrap();
        return format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
    }
    let key = RsaKeyPair::from_pkcs8(&der).unwrap();
    let text = format!("{}.{}", encoded(&json!({"alg": "RS256", "kid": "k"})), encoded(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token whose signature is made with the public key as if it were a shared secret.
pub fn confused(keys: &ServiceAccountPair) -> String {
    let text = format!("{}.{}", encoded(&json!({"alg": "HS256"})), encoded(&claims()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, keys.public_key.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn pem_contents(text: &str) -> Vec<u8> {
    pem::parse(text).unwrap().into_contents()
}
