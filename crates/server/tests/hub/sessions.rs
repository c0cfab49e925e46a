//! Where somebody is signed in, and who ends that.

use http::Method;
use serde_json::json;

use crate::support::World;

async fn is_signed_in(world: &World, token: &str) -> bool {
    world.ask(token, Method::GET, "/api/v1/session", None).await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_and_end_their_own_sessions_only() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let first = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let second = world.sign_in("olga", "correct horse olga").await;
    let third = world.sign_in("olga", "correct horse olga").await;
    let listed = world.ask(&first, Method::GET, "/api/v1/sessions", None).await.body;
    let listed = listed.as_array().unwrap().clone();
    assert_eq!(listed.len(), 3);
    assert!(
        listed.iter().all(|session| session["address"] == "127.0.0.1" && session["lastUsed"].is_string())
    );
    let current: Vec<_> = listed.iter().filter(|session| session["current"] == true).collect();
    let [own] = current.as_slice() else { panic!("{listed:?}") };
    assert!(first.contains(own["id"].as_str().unwrap()));

    let one = listed.iter().find(|session| second.contains(session["id"].as_str().unwrap())).unwrap();
    let path = format!("/api/v1/sessions/{}", one["id"].as_str().unwrap());
    assert_eq!(world.ask(&admin, Method::DELETE, &path, None).await.status, 404, "it is another's");
    assert!(is_signed_in(&world, &second).await);
    assert_eq!(world.ask(&first, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.ask(&first, Method::DELETE, &path, None).await.status, 404);
    assert!(!is_signed_in(&world, &second).await && is_signed_in(&world, &third).await);
    assert_eq!(world.ask(&first, Method::DELETE, "/api/v1/sessions", None).await.status, 204);
    assert!(!is_signed_in(&world, &third).await && is_signed_in(&world, &first).await);
    assert!(is_signed_in(&world, &admin).await);

    let key = world.ask(&first, Method::POST, "/api/v1/keys", Some(json!({ "name": "k", "days": 1 }))).await;
    let key = key.body["key"].as_str().unwrap().to_owned();
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(world.ask(&key, method.clone(), "/api/v1/sessions", None).await.status, 403, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_what_they_were_opened_by() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let own = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let other = world.sign_in("olga", "correct horse olga").await;
    let path = "/api/v1/users/olga/password";
    let new = json!({ "password": "another horse of olga", "old": "wrong" });
    assert_eq!(world.ask(&own, Method::PUT, path, Some(new)).await.status, 403);
    let new = json!({ "password": "another horse of olga", "old": "correct horse olga" });
    assert_eq!(world.ask(&own, Method::PUT, path, Some(new)).await.status, 204);
    assert!(is_signed_in(&world, &own).await && !is_signed_in(&world, &other).await);

    let path = "/api/v1/users/olga/sessions";
    assert_eq!(world.ask(&rita, Method::DELETE, path, None).await.status, 404, "she sees no users");
    assert!(is_signed_in(&world, &own).await);
    assert_eq!(world.ask(&admin, Method::DELETE, path, None).await.status, 204);
    assert!(!is_signed_in(&world, &own).await);

    let spec = |disabled| Some(json!({ "name": "rita", "spec": { "tenant": "acme", "disabled": disabled } }));
    for disabled in [true, false] {
        let answer = world.ask(&admin, Method::PUT, "/api/v1/users/rita", spec(disabled)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert!(!is_signed_in(&world, &rita).await, "who was disabled signs in again");
}
