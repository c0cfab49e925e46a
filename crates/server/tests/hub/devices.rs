//! Programs that a person lets in, and those who would let themselves in.

use authn::{Kind, Minted};
use base::{Clock, SystemClock};
use http::Method;
use jiff::SignedDuration;
use records::NewDevice;
use serde_json::{Value, json};

use crate::support::{Answer, World};

async fn begin(world: &World) -> Value {
    let begun = world.send(Method::POST, "/api/v1/device", &[("user-agent", "a program")], None).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    begun.body
}

async fn poll(world: &World, begun: &Value) -> Answer {
    let body = json!({ "deviceCode": begun["deviceCode"] });
    world.send(Method::POST, "/api/v1/device/token", &[], Some(body)).await
}

async fn refusal(world: &World, begun: &Value) -> Value {
    let answer = poll(world, begun).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.body["code"].clone()
}

fn path(begun: &Value) -> String {
    format!("/api/v1/device/{}", begun["userCode"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_let_in_once_by_whoever_knows_its_code() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let begun = begin(&world).await;
    assert_eq!(begun["interval"], 5);
    assert_eq!(refusal(&world, &begun).await, "authorization-pending");
    assert_eq!(refusal(&world, &begun).await, "slow-down");
    let shown = world.ask(&admin, Method::GET, &path(&begun).to_lowercase(), None).await;
    assert_eq!((&shown.body["address"], &shown.body["agent"]), (&json!("127.0.0.1"), &json!("a program")));
    assert!(!shown.body.to_string().contains(begun["deviceCode"].as_str().unwrap()));
    let approved = world.ask(&admin, Method::POST, &path(&begun), Some(json!({ "approve": true }))).await;
    assert_eq!(approved.status, 204, "{}", approved.body);
    let again = world.ask(&admin, Method::POST, &path(&begun), Some(json!({ "approve": true }))).await;
    assert_eq!(again.status, 404, "somebody has decided");
    let opened = poll(&world, &begun).await;
    assert_eq!((opened.status.as_u16(), &opened.body["user"]), (200, &json!("admin")), "{}", opened.body);
    assert!(!opened.headers.contains_key("set-cookie"));
    let token = opened.body["token"].as_str().unwrap();
    assert_eq!(world.ask(token, Method::GET, "/api/v1/session", None).await.body["user"], "admin");
    assert_eq!(refusal(&world, &begun).await, "expired-token", "it was let in once");

    let turned_away = begin(&world).await;
    let denied =
        world.ask(&admin, Method::POST, &path(&turned_away), Some(json!({ "approve": false }))).await;
    assert_eq!(denied.status, 204, "{}", denied.body);
    assert_eq!(refusal(&world, &turned_away).await, "access-denied");
    let log = world.ask(&admin, Method::GET, "/api/v1/audit?resource=devices", None).await.body;
    let verbs: Vec<_> = log["items"].as_array().unwrap().iter().map(|entry| &entry["verb"]).collect();
    assert_eq!(verbs, ["deny", "approve"], "{log}");
    assert!(log.to_string().contains("asked from 127.0.0.1 with a program"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_person_of_their_own_will_lets_a_program_in() {
    let world = World::new().await;
    let password = world.first_password().await;
    let admin = world.sign_in("admin", &password).await;
    let begun = begin(&world).await;
    let approve = || Some(json!({ "approve": true }));
    let key = json!({ "name": "k", "days": 1 });
    let key = world.ask(&admin, Method::POST, "/api/v1/keys", Some(key)).await.body["key"].clone();
    let key = key.as_str().unwrap();
    assert_eq!(world.ask(key, Method::GET, &path(&begun), None).await.status, 403);
    assert_eq!(world.ask(key, Method::POST, &path(&begun), approve()).await.status, 403);
    assert_eq!(world.send(Method::POST, &path(&begun), &[], approve()).await.status, 401);
    let device_code = begun["deviceCode"].as_str().unwrap();
    assert_eq!(world.ask(device_code, Method::POST, &path(&begun), approve()).await.status, 401);

    let body = json!({ "user": "admin", "password": password });
    let opened = world.send(Method::POST, "/api/v1/session", &[], Some(body)).await;
    let cookie = opened.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let cookie = ("cookie", cookie.as_str());
    let csrf = ("x-flotilla-csrf", opened.body["csrf"].as_str().unwrap());
    let foreign = ("origin", "https://evil.example.com");
    for headers in [&[cookie][..], &[cookie, csrf, foreign]] {
        assert_eq!(
            world.send(Method::POST, &path(&begun), headers, approve()).await.status,
            403,
            "{headers:?}"
        );
    }
    assert_eq!(refusal(&world, &begun).await, "authorization-pending", "none of them let it in");
    assert_eq!(world.send(Method::POST, &path(&begun), &[cookie, csrf], approve()).await.status, 204);

    let forged = device_code.replace(device_code.rsplit('_').next().unwrap(), &"A".repeat(43));
    for code in [forged.as_str(), "", "flotilla_device_x_y", &admin] {
        assert_eq!(refusal(&world, &json!({ "deviceCode": code })).await, "expired-token", "{code}");
    }
    assert_eq!(poll(&world, &begun).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_waited_too_long_is_gone() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let minted = Minted::new(Kind::Device).unwrap();
    let expires = SystemClock.now();
    let device = NewDevice {
        id: minted.id.clone(),
        digest: records::Digest(minted.digest.0),
        user_code: "BCDF-GHJK".to_owned(),
        address: "127.0.0.1".to_owned(),
        agent: String::new(),
        expires,
    };
    let before = expires - SignedDuration::from_mins(10);
    assert!(world.records().await.devices().begin(&device, before).await.unwrap());
    let begun = json!({ "deviceCode": *minted.text, "userCode": "BCDF-GHJK" });
    assert_eq!(refusal(&world, &begun).await, "expired-token");
    let approved = world.ask(&admin, Method::POST, &path(&begun), Some(json!({ "approve": true }))).await;
    assert_eq!(approved.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_of_programs_costs_time_and_own_codes_do_not_make_up_for_it() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let own = begin(&world).await;
    for guess in ["BBBB-BBBB", "CCCC-CCCC", "DDDD-DDDD", "not a code", "FFFF-FFFF", "GGGG-GGGG"] {
        assert_eq!(world.ask(&admin, Method::GET, &path(&own), None).await.status, 200, "{guess}");
        let guessed = json!({ "userCode": guess.replace(' ', "%20") });
        assert_eq!(world.ask(&admin, Method::GET, &path(&guessed), None).await.status, 404, "{guess}");
    }
    let slowed = world.ask(&admin, Method::POST, &path(&own), Some(json!({ "approve": true }))).await;
    assert_eq!(slowed.status, 429, "{}", slowed.body);
    assert!(slowed.headers.contains_key("retry-after"));
    let password = world.first_password().await;
    world.sign_in("admin", &password).await;
}
