//! What every request may say, and what is answered to those that cannot be read.

use http::Method;
use serde_json::{Value, json};

use crate::support::World;

/// One request with a bearer token and a header of its own.
async fn with(
    world: &World,
    token: &str,
    header: (&str, &str),
    ask: (Method, &str),
    body: &Value,
) -> crate::support::Answer {
    let bearer = format!("Bearer {token}");
    world.send(ask.0, ask.1, &[("authorization", &bearer), header], Some(body.clone())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_twice_with_one_key_is_done_once() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let post = || (Method::POST, "/api/v1/tenants");
    let acme = json!({ "name": "acme", "spec": {} });
    let first = with(&world, &admin, ("idempotency-key", "one"), post(), &acme).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = with(&world, &admin, ("idempotency-key", "one"), post(), &acme).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    let other = json!({ "name": "other", "spec": {} });
    let conflict = with(&world, &admin, ("idempotency-key", "one"), post(), &other).await;
    assert_eq!((conflict.status.as_u16(), &conflict.body["code"]), (422, &json!("invalid")));
    let failed = with(&world, &admin, ("idempotency-key", "two"), post(), &acme).await;
    assert_eq!(failed.status, 409, "there is one of this name");
    let mended = with(&world, &admin, ("idempotency-key", "two"), post(), &other).await;
    assert_eq!(mended.status, 201, "what failed may be tried again: {}", mended.body);

    // A key's secret is not kept, and a key is of one user.
    let key = json!({ "name": "ci", "days": 1 });
    let refused =
        with(&world, &admin, ("idempotency-key", "three"), (Method::POST, "/api/v1/keys"), &key).await;
    assert_eq!(refused.status, 422);
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let hers = with(&world, &olga, ("idempotency-key", "one"), post(), &acme).await;
    assert_eq!(hers.status, 403, "{}", hers.body);
    let nobody = with(&world, "x", ("idempotency-key", "one"), post(), &acme).await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_fields_that_are_asked_for_and_faults_are_problems() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let made = json!({ "name": "acme", "spec": { "displayName": "Acme" } });
    world.ask(&admin, Method::POST, "/api/v1/tenants", Some(made)).await;
    let list =
        world.ask(&admin, Method::GET, "/api/v1/tenants?limit=1&fields=name,spec.displayName", None).await;
    assert_eq!(list.body["items"], json!([{ "name": "acme", "spec": { "displayName": "Acme" } }]));
    let one = world.ask(&admin, Method::GET, "/api/v1/tenants/acme?fields=name", None).await;
    assert_eq!(one.body, json!({ "name": "acme" }));

    let method = world.ask(&admin, Method::PATCH, "/api/v1/tenants", None).await;
    assert_eq!((method.status.as_u16(), &method.body["code"]), (405, &json!("method")));
    assert!(method.headers.contains_key("allow"));
    let text =
        with(&world, &admin, ("content-type", "text/plain"), (Method::POST, "/api/v1/tenants"), &json!(1))
            .await;
    assert_eq!((text.status.as_u16(), &text.body["code"]), (415, &json!("media-type")));
    let wrong = world.ask(&admin, Method::POST, "/api/v1/tenants", Some(json!({ "nam": 1 }))).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["code"]), (422, &json!("invalid")));
    for answer in [method, text, wrong] {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
