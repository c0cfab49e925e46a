//! Answers of an authenticator that does what the standard says, and of those that do not.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, rsa};
use serde_json::json;

use super::{ClientData, Passkey, PasskeyRefusal, RelyingParty, challenge};

const ORIGIN: &str = "https://hub.example.com";
const VERIFIED: u8 = 0x05;

fn relying_party() -> RelyingParty {
    RelyingParty::new(ORIGIN).unwrap()
}

fn client_data(kind: &str, origin: &str) -> Vec<u8> {
    json!({ "type": kind, "challenge": "c", "origin": origin, "crossOrigin": false }).to_string().into_bytes()
}

fn data(domain: &str, flags: u8, counter: u32) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, domain.as_bytes());
    [hash.as_ref(), &[flags], &counter.to_be_bytes()].concat()
}

fn made(domain: &str, flags: u8) -> Vec<u8> {
    [data(domain, flags | 0x40, 0), vec![0; 16], vec![0, 4], b"id-1".to_vec(), b"a COSE key".to_vec()]
        .concat()
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

fn der(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    key.as_der().unwrap().as_ref().to_vec()
}

fn add(client: &[u8], authenticator: &[u8], algorithm: i64, key: &[u8]) -> Result<Passkey, PasskeyRefusal> {
    relying_party().add(&ClientData::read(client)?, authenticator, algorithm, key).map(|(passkey, _)| passkey)
}

fn signed(data: &[u8], client: &[u8]) -> Vec<u8> {
    [data, digest::digest(&digest::SHA256, client).as_ref()].concat()
}

#[test]
fn a_passkey_that_was_added_signs_in() {
    let key = key();
    let passkey = add(
        &client_data("webauthn.create", ORIGIN),
        &made("hub.example.com", VERIFIED),
        -7,
        &der(key.public_key()),
    );
    let passkey = passkey.unwrap();
    assert_eq!(passkey.id, "aWQtMQ");
    let (client, data) = (client_data("webauthn.get", ORIGIN), data("hub.example.com", VERIFIED, 7));
    let signature = key.sign(&SystemRandom::new(), &signed(&data, &client)).unwrap();
    let read = ClientData::read(&client).unwrap();
    assert_eq!(read.challenge(), "c");
    let verify = |passkey: &Passkey, data: &[u8], signature: &[u8]| {
        relying_party().verify(passkey, &read, data, signature)
    };
    assert_eq!(verify(&passkey, &data, signature.as_ref()), Ok(7));
    let other = Passkey { public_key: der(self::key().public_key()), ..passkey.clone() };
    assert_eq!(verify(&other, &data, signature.as_ref()), Err(PasskeyRefusal::Signature));
    let later = self::data("hub.example.com", VERIFIED, 8);
    assert_eq!(verify(&passkey, &later, signature.as_ref()), Err(PasskeyRefusal::Signature));
    assert_eq!(verify(&passkey, &data, b""), Err(PasskeyRefusal::Signature));
}

/// "Packed Attestation with ES256 Credential" of the standard's test vectors; the statement is not read here.
#[test]
fn an_answer_from_the_standard_is_taken() {
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let relying_party = RelyingParty::new("https://example.org").unwrap();
    let made =
        hex("bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54d00000000876ca4f52071c3\
         e9b25509ef2cdf7ed60020c9a6f5b3462d02873fea0c56862234f99f081728084e511bb7760201a89054a5a5\
         0102032620012158201cf27f25da591208a4239c2e324f104f585525479a29edeedd830f48e77aeae5225820\
         59e4b7da6c0106e206ce390c93ab98a15a5ec3887e57f0cc2bece803b920c423");
    let key = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200041cf27f25da591208a4239c2e324f104f58\
         5525479a29edeedd830f48e77aeae559e4b7da6c0106e206ce390c93ab98a15a5ec3887e57f0cc2bece803b9\
         20c423");
    let client = br#"{"type":"webauthn.create","challenge":"wRhKX934BF4T3Ef1S2H1pla2ZrWQGPFthw6SVumVIBI","origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: 9a8bNYjKCgWrBXU-fCl1ag"}"#;
    let (passkey, counter) = relying_party.add(&ClientData::read(client).unwrap(), &made, -7, &key).unwrap();
    assert_eq!((passkey.id.as_str(), counter), ("yab1s0YtAoc_6gxWhiI0-Z8IFygITlEbt3YCAaiQVKU", 0));
    let data = hex("bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50d00000000");
    let client = br#"{"type":"webauthn.get","challenge":"sRBvpGpXvvF4FRHAVX3ImKA0E9Xw8X0kRjDBlMfhrbU","origin":"https://example.org","crossOrigin":false,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: AZMwyMxIbD8-uguFNp6r8Q"}"#;
    let signature =
        hex("30450220694969d3ee928de6f02ef23a9c644d7d779916451734a94b432542f498a1ebe90221008b0819c824\
         218a97152cd099c55bfb1477b29d900a49a64018314f9bfccda163");
    let client = ClientData::read(client).unwrap();
    assert_eq!(client.challenge(), "sRBvpGpXvvF4FRHAVX3ImKA0E9Xw8X0kRjDBlMfhrbU");
    assert_eq!(relying_party.verify(&passkey, &client, &data, &signature), Ok(0));
}

#[test]
fn other_kinds_of_keys_sign_in_too() {
    let (client, data) = (client_data("webauthn.get", ORIGIN), data("hub.example.com", VERIFIED, 0));
    let (read, message) = (ClientData::read(&client).unwrap(), signed(&data, &client));
    let edwards = Ed25519KeyPair::generate().unwrap();
    let rsa = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let mut by_rsa = vec![0; rsa.public_modulus_len()];
    rsa.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut by_rsa).unwrap();
    let made = made("hub.example.com", VERIFIED);
    for (algorithm, key, signature) in [
        (-8, der(edwards.public_key()), edwards.sign(&message).as_ref().to_vec()),
        (-257, der(rsa.public_key()), by_rsa),
    ] {
        let passkey = add(&client_data("webauthn.create", ORIGIN), &made, algorithm, &key).unwrap();
        assert_eq!(relying_party().verify(&passkey, &read, &data, &signature), Ok(0), "{algorithm}");
    }
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let key = der(key().public_key());
    let good = client_data("webauthn.create", ORIGIN);
    let framed =
        json!({ "type": "webauthn.create", "challenge": "c", "origin": ORIGIN, "crossOrigin": true });
    let own = made("hub.example.com", VERIFIED);
    let cases = [
        (client_data("webauthn.get", ORIGIN), own.clone(), PasskeyRefusal::Mistaken),
        (client_data("webauthn.create", "https://evil.example.com"), own.clone(), PasskeyRefusal::Foreign),
        (client_data("webauthn.create", "https://hub.example.com:444"), own.clone(), PasskeyRefusal::Foreign),
        (framed.to_string().into_bytes(), own.clone(), PasskeyRefusal::Foreign),
        (good.clone(), made("evil.example.com", VERIFIED), PasskeyRefusal::Foreign),
        (good.clone(), made("hub.example.com", 0x01), PasskeyRefusal::Unverified),
        (good.clone(), made("hub.example.com", 0x04), PasskeyRefusal::Unverified),
        (good.clone(), made("hub.example.com", VERIFIED | 0x10), PasskeyRefusal::Unreadable),
        (good.clone(), data("hub.example.com", VERIFIED, 0), PasskeyRefusal::Unreadable),
        (good.clone(), own[..57].to_vec(), PasskeyRefusal::Unreadable),
        (good.clone(), Vec::new(), PasskeyRefusal::Unreadable),
        (b"{}".to_vec(), own.clone(), PasskeyRefusal::Unreadable),
    ];
    for (place, (client, authenticator, refusal)) in cases.into_iter().enumerate() {
        assert_eq!(add(&client, &authenticator, -7, &key), Err(refusal), "{place}");
    }
    assert_eq!(add(&good, &own, -7, b"no key"), Err(PasskeyRefusal::Unreadable));
    assert_eq!(add(&good, &own, -8, &key), Err(PasskeyRefusal::Unreadable));
    assert_eq!(add(&good, &own, -47, &key), Err(PasskeyRefusal::Algorithm));
}

#[test]
fn a_relying_party_is_a_domain() {
    for (origin, id) in [
        ("https://hub.example.com", Some("hub.example.com")),
        ("https://localhost:8443", Some("localhost")),
        ("https://127.0.0.1:8443", None),
        ("https://[::1]:8443", None),
        ("http://hub.example.com", None),
        ("https://", None),
    ] {
        assert_eq!(RelyingParty::new(origin).as_ref().map(RelyingParty::id), id, "{origin}");
    }
}

#[test]
fn a_handle_tells_no_name_and_a_challenge_comes_once() {
    let handle = relying_party().handle("olga");
    assert_eq!(handle, relying_party().handle("olga"));
    assert_ne!(handle, relying_party().handle("olgb"));
    assert_eq!((handle.len(), challenge().unwrap().len()), (43, 43));
    assert_ne!(challenge().unwrap(), challenge().unwrap());
}
