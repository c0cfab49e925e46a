//! The stream of changes of the inventory.

use http::Method;
use http_body_util::BodyExt;
use serde_json::json;

use crate::support::World;

/// Reads events until one is of this kind and holds this text; answers with all of them.
async fn until(body: &mut hyper::body::Incoming, seen: &mut String, kind: &str, text: &str) {
    let wanted = |seen: &str| {
        seen.split("\n\n").any(|event| event.contains(&format!("event: {kind}")) && event.contains(text))
    };
    let reading = async {
        while !wanted(seen) {
            let frame = body.frame().await.unwrap().unwrap();
            seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap_or_default()));
        }
    };
    assert!(tokio::time::timeout(std::time::Duration::from_mins(1), reading).await.is_ok(), "{kind} {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_hears_of_their_own_clusters_only_and_of_the_end_of_each() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for tenant in ["acme", "globex"] {
        world.tenant(&admin, tenant, None).await;
    }
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let import = async |name: &str, tenant: &str| {
        let body = json!({ "name": name, "spec": { "tenant": tenant } });
        let made = world.ask(&admin, Method::POST, "/api/v1/imports", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
    };
    import("own-first", "acme").await;
    import("foreign-first", "globex").await;
    // Carl sees one cluster, and nothing of its tenant.
    let carl = world.member(&admin, "carl", "read-only", "globex").await;
    let ended = world.ask(&admin, Method::DELETE, "/api/v1/grants/carl-read-only", None).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    let scope = json!({ "cluster": "own-first" });
    let grant =
        json!({ "name": "carl-one", "spec": { "user": "carl", "role": "read-only", "scope": scope } });
    let given = world.ask(&admin, Method::POST, "/api/v1/grants", Some(grant)).await;
    assert_eq!(given.status, 201, "{}", given.body);

    let (mut own, mut one) = (String::new(), String::new());
    let mut of_olga = world.stream(&olga, "/api/v1/clusters/watch").await;
    let mut of_carl = world.stream(&carl, "/api/v1/clusters/watch").await;
    until(&mut of_olga, &mut own, "synced", "").await;
    until(&mut of_carl, &mut one, "synced", "").await;
    assert!(own.contains("own-first") && one.contains("own-first"), "{own} {one}");
    import("foreign-second", "globex").await;
    import("own-second", "acme").await;
    until(&mut of_olga, &mut own, "cluster", "own-second").await;
    for name in ["foreign-second", "own-second", "own-first"] {
        let path = format!("/api/v1/imports/{name}");
        assert_eq!(world.ask(&admin, Method::DELETE, &path, None).await.status, 204);
    }
    until(&mut of_olga, &mut own, "gone", "own-first").await;
    until(&mut of_carl, &mut one, "gone", "own-first").await;
    assert!(
        !own.contains("foreign") && !one.contains("foreign") && !one.contains("own-second"),
        "{own} {one}"
    );
}
