//! Passkeys on a real hub, made by an authenticator in software, and those who would sign in with another's.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).unwrap_or_else(|| panic!("{value}")).as_str().unwrap()
}

/// A browser with an authenticator that holds one key.
struct Authenticator {
    key: EcdsaKeyPair,
    id: &'static str,
    handle: String,
    origin: String,
    flags: u8,
    counter: u32,
}

impl Authenticator {
    fn new(world: &World, id: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let flags = PRESENT | VERIFIED;
        Self { key, id, handle: String::new(), origin: world.url.clone(), flags, counter: 0 }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = text(options, "/publicKey/challenge");
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, domain: &str, flags: u8) -> Vec<u8> {
        let domain = digest::digest(&digest::SHA256, domain.as_bytes());
        [domain.as_ref(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// `navigator.credentials.create`.
    fn create(&mut self, options: &Value) -> Value {
        text(options, "/publicKey/user/id").clone_into(&mut self.handle);
        let mut data = self.data(text(options, "/publicKey/rp/id"), self.flags | HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(self.id.as_bytes());
        let key: PublicKeyX509Der<'_> = self.key.public_key().as_der().unwrap();
        json!({ "id": base64(self.id), "type": "public-key", "response": {
            "clientDataJSON": base64(self.client_data("webauthn.create", options)),
            "authenticatorData": base64(data),
            "publicKey": base64(key.as_ref()),
            "publicKeyAlgorithm": -7,
        }})
    }

    /// `navigator.credentials.get`.
    fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let client = self.client_data("webauthn.get", options);
        let data = self.data(text(options, "/publicKey/rpId"), self.flags);
        let signed = [data.as_slice(), digest::digest(&digest::SHA256, &client).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({ "id": base64(self.id), "type": "public-key", "response": {
            "clientDataJSON": base64(client),
            "authenticatorData": base64(data),
            "signature": base64(signature),
            "userHandle": self.handle,
        }})
    }
}

async fn begin(world: &World) -> Value {
    let begun = world.send(Method::POST, "/api/v1/session/passkey/begin", &[], None).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun.body
}

async fn finish(world: &World, credential: &Value) -> Answer {
    let body = json!({ "credential": credential, "carrier": "token" });
    world.send(Method::POST, "/api/v1/session/passkey/finish", &[], Some(body)).await
}

async fn sign_in(world: &World, authenticator: &mut Authenticator) -> Answer {
    let options = begin(world).await;
    finish(world, &authenticator.get(&options)).await
}

async fn options(world: &World, token: &str, password: &str) -> Value {
    let proof = Some(json!({ "password": password }));
    let begun = world.ask(token, Method::POST, "/api/v1/me/passkeys/begin", proof).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun.body
}

async fn add(world: &World, token: &str, credential: &Value) -> Answer {
    let body = json!({ "name": "laptop", "credential": credential });
    world.ask(token, Method::POST, "/api/v1/me/passkeys/finish", Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_alone_and_no_answer_counts_twice() {
    let world = World::at("localhost").await;
    let password = world.first_password().await;
    let admin = world.sign_in("admin", &password).await;
    let unproven = world.ask(&admin, Method::POST, "/api/v1/me/passkeys/begin", Some(json!({}))).await;
    assert_eq!(unproven.status, 422, "a session alone does not suffice");
    let mut laptop = Authenticator::new(&world, "laptop-key");
    let asked = options(&world, &admin, &password).await;
    assert_eq!(asked["publicKey"]["authenticatorSelection"]["userVerification"], "required");
    assert!(!text(&asked, "/publicKey/user/id").contains("admin"));
    let made = laptop.create(&asked);
    let added = add(&world, &admin, &made).await;
    assert_eq!((added.status.as_u16(), &added.body["name"]), (201, &json!("laptop")), "{}", added.body);
    assert_eq!(add(&world, &admin, &made).await.status, 422, "the challenge was used");
    let asked = options(&world, &admin, &password).await;
    assert_eq!(text(&asked, "/publicKey/excludeCredentials/0/id"), base64("laptop-key"));
    assert_eq!(add(&world, &admin, &laptop.create(&asked)).await.status, 409, "it is known already");

    let asked = begin(&world).await;
    let answer = laptop.get(&asked);
    let opened = finish(&world, &answer).await;
    assert_eq!((opened.status.as_u16(), &opened.body["user"]), (200, &json!("admin")), "{}", opened.body);
    let token = opened.body["token"].as_str().unwrap();
    assert_eq!(world.ask(token, Method::GET, "/api/v1/session", None).await.body["user"], "admin");
    assert_eq!(finish(&world, &answer).await.status, 401, "the challenge was used");
    assert_eq!(sign_in(&world, &mut laptop).await.status, 200);
    // A copy of the authenticator from before counts as it did then.
    laptop.counter = 0;
    assert_eq!(sign_in(&world, &mut laptop).await.status, 401);
    laptop.counter = 5;
    assert_eq!(sign_in(&world, &mut laptop).await.status, 200);

    let listed = world.ask(&admin, Method::GET, "/api/v1/me/passkeys", None).await.body;
    assert!(listed[0]["lastUsed"].is_string(), "{listed}");
    let path = format!("/api/v1/me/passkeys/{}", base64("laptop-key"));
    assert_eq!(world.ask(&admin, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.ask(&admin, Method::DELETE, &path, None).await.status, 404);
    assert_eq!(sign_in(&world, &mut laptop).await.status, 401, "it was deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_with_what_was_signed_for_others() {
    let world = World::at("localhost").await;
    let password = world.first_password().await;
    let admin = world.sign_in("admin", &password).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;

    // What the admin was asked, olga does not answer.
    let mut foreign = Authenticator::new(&world, "foreign-key");
    let asked = options(&world, &admin, &password).await;
    assert_eq!(add(&world, &olga, &foreign.create(&asked)).await.status, 422);
    let mut unverified = Authenticator::new(&world, "weak-key");
    unverified.flags = PRESENT;
    let asked = options(&world, &olga, "correct horse olga").await;
    assert_eq!(add(&world, &olga, &unverified.create(&asked)).await.status, 422);
    let mut phishing = Authenticator::new(&world, "phished-key");
    phishing.origin = "https://localhost.evil.example.com".to_owned();
    let asked = options(&world, &olga, "correct horse olga").await;
    assert_eq!(add(&world, &olga, &phishing.create(&asked)).await.status, 422);

    let mut own = Authenticator::new(&world, "own-key");
    let asked = options(&world, &olga, "correct horse olga").await;
    assert_eq!(add(&world, &olga, &own.create(&asked)).await.status, 201);
    let mut admins = Authenticator::new(&world, "admins-key");
    let asked = options(&world, &admin, &password).await;
    assert_eq!(add(&world, &admin, &admins.create(&asked)).await.status, 201);

    // Asked for before, since whoever proves who they are has not failed.
    let asked = options(&world, &olga, "correct horse olga").await;
    let asked = json!({ "publicKey": { "challenge": asked["publicKey"]["challenge"], "rpId": "localhost" } });

    let (handle, origin) = (own.handle.clone(), own.origin.clone());
    own.handle.clone_from(&admins.handle);
    assert_eq!(sign_in(&world, &mut own).await.status, 401, "olga's passkey is not the admin's");
    own.handle = handle;
    own.id = "admins-key";
    assert_eq!(sign_in(&world, &mut own).await.status, 401);
    own.id = "own-key";
    own.origin = "https://evil.example.com".to_owned();
    assert_eq!(sign_in(&world, &mut own).await.status, 401);
    own.origin = origin;
    own.flags = PRESENT;
    assert_eq!(sign_in(&world, &mut own).await.status, 401);
    own.flags = PRESENT | VERIFIED;
    let invented = json!({ "publicKey": { "challenge": base64([7; 32]), "rpId": "localhost" } });
    assert_eq!(finish(&world, &own.get(&invented)).await.status, 401, "nobody asked that");
    // A challenge to add a passkey is none to sign in with.
    assert_eq!(finish(&world, &own.get(&asked)).await.status, 401);
    assert_eq!(finish(&world, &own.get(&asked)).await.status, 401);
    let slowed = sign_in(&world, &mut own).await;
    assert_eq!(slowed.status, 429, "six were wrong: {}", slowed.body);
    assert_eq!(sign_in(&world, &mut admins).await.status, 200, "only olga's name was guessed at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_without_a_name_says_why_it_has_no_passkeys() {
    let world = World::new().await;
    let refused = world.send(Method::POST, "/api/v1/session/passkey/begin", &[], None).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body["detail"].as_str().unwrap().contains("server.url"), "{}", refused.body);
}
