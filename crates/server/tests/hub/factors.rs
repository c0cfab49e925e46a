//! Second factors on a real hub: an app's codes, recovery codes, and those who guess or replay them.

use aws_lc_rs::hmac;
use base::{Clock, SystemClock};
use data_encoding::BASE32_NOPAD;
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

/// The code of an app (RFC 6238) so many steps from now.
fn code(secret: &str, steps: i64) -> String {
    let now = SystemClock.now().as_second();
    let key =
        hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &BASE32_NOPAD.decode(secret.as_bytes()).unwrap());
    let tag = hmac::sign(&key, &(now / 30 + steps).to_be_bytes());
    let place = usize::from(tag.as_ref()[19] & 0xf);
    let number = u32::from_be_bytes(tag.as_ref()[place..place + 4].try_into().unwrap());
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

async fn sign_in(world: &World, user: &str, password: &str, code: Option<&str>) -> Answer {
    let body = json!({ "user": user, "password": password, "code": code, "carrier": "token" });
    world.send(Method::POST, "/api/v1/session", &[], Some(body)).await
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Enrols an app; answers with its secret and the recovery codes.
async fn enrol(world: &World, token: &str, password: &str) -> (String, Vec<String>) {
    let post = |path: &'static str, body| world.ask(token, Method::POST, path, Some(body));
    let begun = post("/api/v1/me/totp/begin", json!({ "password": password })).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let secret = begun.body["secret"].as_str().unwrap().to_owned();
    let confirmed = post("/api/v1/me/totp/confirm", json!({ "code": code(&secret, 0) })).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    (secret, texts(&confirmed.body["recoveryCodes"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_counts_once_it_is_confirmed_and_no_code_counts_twice() {
    let world = World::new().await;
    let password = world.first_password().await;
    let admin = world.sign_in("admin", &password).await;
    let post = |path: &'static str, body| world.ask(&admin, Method::POST, path, Some(body));
    for (proof, status) in
        [(json!({ "password": "wrong" }), 403), (json!({ "code": "123456" }), 403), (json!({}), 422)]
    {
        let answer = post("/api/v1/me/totp/begin", proof.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "a session alone does not suffice: {proof}");
    }
    let key = post("/api/v1/keys", json!({ "name": "ci", "days": 1 })).await.body["key"].clone();
    let by_key = json!({ "password": password });
    let by_key = world.ask(key.as_str().unwrap(), Method::POST, "/api/v1/me/totp/begin", Some(by_key)).await;
    assert_eq!(by_key.status, 403);

    let begun = post("/api/v1/me/totp/begin", json!({ "password": password })).await;
    let secret = begun.body["secret"].as_str().unwrap().to_owned();
    assert!(begun.body["uri"].as_str().unwrap().contains(&format!("secret={secret}")), "{}", begun.body);
    assert_eq!(sign_in(&world, "admin", &password, None).await.status, 200, "it is not confirmed yet");
    let first = code(&secret, 0);
    let wrong = if first == "000000" { "000001" } else { "000000" };
    assert_eq!(post("/api/v1/me/totp/confirm", json!({ "code": wrong })).await.status, 422);
    let confirmed = post("/api/v1/me/totp/confirm", json!({ "code": first })).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    let recovery = texts(&confirmed.body["recoveryCodes"]);
    assert_eq!(recovery.len(), 10);
    assert_eq!(post("/api/v1/me/totp/confirm", json!({ "code": first })).await.status, 422);

    let missing = sign_in(&world, "admin", &password, None).await;
    assert_eq!((missing.status.as_u16(), &missing.body["code"]), (401, &json!("second-factor")));
    assert_eq!(sign_in(&world, "admin", &password, Some(&first)).await.status, 401, "it was used to confirm");
    let next = code(&secret, 1);
    assert_eq!(sign_in(&world, "admin", &password, Some(&next)).await.status, 200);
    assert_eq!(sign_in(&world, "admin", &password, Some(&next)).await.status, 401, "it was used");
    assert_eq!(sign_in(&world, "admin", &password, Some(&recovery[0])).await.status, 200);
    assert_eq!(sign_in(&world, "admin", &password, Some(&recovery[0])).await.status, 401, "it was used");
    let shown = world.ask(&admin, Method::GET, "/api/v1/me/factors", None).await.body;
    assert_eq!(shown, json!({ "totp": true, "recoveryCodes": 9, "passkeys": 0 }));

    // New codes take the place of the old ones; a code disables the second factor.
    let renewed = post("/api/v1/me/recovery-codes", json!({ "password": password })).await;
    let renewed = texts(&renewed.body["recoveryCodes"]);
    assert_eq!(sign_in(&world, "admin", &password, Some(&recovery[1])).await.status, 401);
    let disabled = post("/api/v1/me/totp/disable", json!({ "code": renewed[0] })).await;
    assert_eq!(disabled.status, 204, "{}", disabled.body);
    assert_eq!(sign_in(&world, "admin", &password, None).await.status, 200);

    let log = world.ask(&admin, Method::GET, "/api/v1/audit?resource=factors&limit=1000", None).await.body;
    let told = log.to_string();
    assert!(log["items"].as_array().unwrap().iter().any(|entry| entry["decision"] == "denied"), "{log}");
    assert!(!told.contains(&secret) && !told.contains(&renewed[0]), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_costs_time_wherever_they_are_taken() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let (secret, recovery) = enrol(&world, &olga, "correct horse olga").await;
    for wrong in ["000000", "aaaa-aaaa-aaaa-aaaa", "000000", "", "x", "000000"] {
        let answer = sign_in(&world, "olga", "correct horse olga", Some(wrong)).await;
        assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.body);
    }
    let right = code(&secret, 1);
    for right in [right.as_str(), recovery[0].as_str()] {
        let answer = sign_in(&world, "olga", "correct horse olga", Some(right)).await;
        assert_eq!(answer.status, 429, "{}", answer.body);
        let proof = Some(json!({ "code": right }));
        let answer = world.ask(&olga, Method::POST, "/api/v1/me/totp/disable", proof).await;
        assert_eq!(answer.status, 429, "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_many_codes_at_once_gets_no_further() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    enrol(&world, &olga, "correct horse olga").await;
    let guesses = (0..24).map(|_| sign_in(&world, "olga", "correct horse olga", Some("not a code")));
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    let slowed = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((looked_at, slowed), (6, 18));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_a_factor_gets_help_from_above_only() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for tenant in ["acme", "globex"] {
        world.tenant(&admin, tenant, None).await;
    }
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    enrol(&world, &rita, "correct horse rita").await;
    assert_eq!(sign_in(&world, "rita", "correct horse rita", None).await.status, 401);
    for (who, status) in [(&gus, 404), (&rita, 403)] {
        let answer = world.ask(who, Method::DELETE, "/api/v1/users/rita/factors", None).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    }
    let reset = world.ask(&olga, Method::DELETE, "/api/v1/users/rita/factors", None).await;
    assert_eq!(reset.status, 204, "{}", reset.body);
    assert_eq!(world.ask(&rita, Method::GET, "/api/v1/session", None).await.status, 401);
    let rita = world.sign_in("rita", "correct horse rita").await;
    let shown = world.ask(&rita, Method::GET, "/api/v1/me/factors", None).await.body;
    assert_eq!(shown, json!({ "totp": false, "recoveryCodes": 0, "passkeys": 0 }));
    let over = world.ask(&olga, Method::DELETE, "/api/v1/users/admin/factors", None).await;
    assert_eq!(over.status, 404, "{}", over.body);
}
