//! Settings of the hub: who reads and writes them, what strangers see, and how long sessions last.

use api::HubSettings;
use http::Method;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const PATH: &str = "/api/v1/settings";

async fn write(world: &World, session: &str, version: &str, spec: Value) -> Answer {
    let bearer = format!("Bearer {session}");
    let headers = [("authorization", bearer.as_str()), ("if-match", version)];
    world.send(Method::PUT, PATH, &headers, Some(json!({ "spec": spec }))).await
}

/// What somebody sees who has not signed in.
async fn branding(world: &World) -> Value {
    let answer = world.send(Method::GET, "/api/v1/branding", &[], None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// For how many minutes a session is opened now.
async fn minutes(world: &World, password: &str) -> i64 {
    let body = json!({ "user": "admin", "password": password });
    let opened = world.send(Method::POST, "/api/v1/session", &[], Some(body)).await;
    let cookie = opened.headers["set-cookie"].to_str().unwrap().to_owned();
    let age = cookie.split(';').find_map(|part| part.trim().strip_prefix("Max-Age=")).unwrap().to_owned();
    let until: jiff::Timestamp = opened.body["expires"].as_str().unwrap().parse().unwrap();
    let date = opened.headers.get("date").unwrap().to_str().unwrap();
    let now = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let minutes = (until.as_second() - now.as_second() + 30) / 60;
    assert_eq!(age.parse::<i64>().unwrap() / 60, minutes, "the cookie ends with the session");
    minutes
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_the_platforms_and_strangers_see_the_branding_alone() {
    let world = World::new().await;
    let password = world.first_password().await;
    let admin = world.sign_in("admin", &password).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let auditor = world.holder(&admin, "aude", "auditor", json!({ "platform": true })).await;

    assert_eq!(branding(&world).await, json!({}));
    let first = world.ask(&admin, Method::GET, PATH, None).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.body["spec"], json!({ "branding": {}, "signIn": {} }));
    assert_eq!(first.body["defaults"], json!({ "sessionHours": 12 }));
    let limits = &first.body["limits"];
    assert_eq!(
        (&limits["auditDays"], &limits["strangersPerSecond"]),
        (&json!(90), &json!(0)),
        "as flags say"
    );
    assert_eq!(minutes(&world, &password).await, 12 * 60);

    let spec = json!({
        "branding": { "name": "Acme Clouds", "notice": "<b>For staff</b>", "supportUrl": "https://help.example.com/a?b#c" },
        "signIn": { "sessionHours": 2 },
    });
    for (session, reads) in [(&olga, 403), (&auditor, 200)] {
        assert_eq!(world.ask(session, Method::GET, PATH, None).await.status, reads);
        assert_eq!(write(&world, session, "*", spec.clone()).await.status, 403);
    }
    assert_eq!(world.send(Method::PUT, PATH, &[], Some(json!({ "spec": spec }))).await.status, 401);
    assert_eq!(branding(&world).await, json!({}), "nothing was written");

    let version = first.headers["etag"].to_str().unwrap().to_owned();
    let written = write(&world, &admin, &version, spec.clone()).await;
    assert_eq!(written.status, 200, "{}", written.body);
    assert_eq!(written.body["spec"], spec);
    assert_eq!(branding(&world).await, spec["branding"], "text is given as it is, and nothing else");
    assert_eq!(write(&world, &admin, &version, json!({})).await.status, 412, "it was changed meanwhile");
    assert_eq!(minutes(&world, &password).await, 2 * 60);
    assert_eq!(world.ask(&admin, Method::GET, PATH, None).await.status, 200, "open sessions go on");

    let log = world.ask(&admin, Method::GET, "/api/v1/audit?limit=1000", None).await.body;
    let has = |actor: &str, decision: &str| {
        let mut entries = log["items"].as_array().unwrap().iter();
        entries.any(|entry| {
            entry["actor"] == actor
                && entry["resource"] == "settings"
                && entry["verb"] == "update"
                && entry["decision"] == decision
        })
    };
    assert!(has("admin", "allowed") && has("olga", "denied"), "{log}");

    let emptied = write(&world, &admin, "*", json!({})).await;
    assert_eq!(emptied.status, 200, "{}", emptied.body);
    assert_eq!((branding(&world).await, minutes(&world, &password).await), (json!({}), 12 * 60));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_would_mislead_or_lock_out_are_refused() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for wrong in [
        json!({ "branding": { "name": "" } }),
        json!({ "branding": { "name": "x".repeat(41) } }),
        json!({ "branding": { "name": "Acme\u{202e}" } }),
        json!({ "branding": { "name": "two\nlines" } }),
        json!({ "branding": { "notice": "x".repeat(501) } }),
        json!({ "branding": { "supportUrl": "http://help.example.com" } }),
        json!({ "branding": { "supportUrl": "javascript:alert(1)" } }),
        json!({ "branding": { "supportUrl": "https://hub.example.com@evil.example.com/" } }),
        json!({ "branding": { "supportUrl": "https://evil.example.com\\@hub.example.com/" } }),
        json!({ "branding": { "supportUrl": "https://a b" } }),
        json!({ "signIn": { "sessionHours": 0 } }),
        json!({ "signIn": { "sessionHours": 169 } }),
        json!({ "signIn": { "sessionHours": "12" } }),
        json!({ "signIn": { "sessionHours": 4_294_967_308_u64 } }),
    ] {
        let answer = write(&world, &admin, "*", wrong.clone()).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.body);
    }
    let beside = json!({ "spec": {}, "limits": { "requestsPerSecond": 0 } });
    assert_eq!(world.ask(&admin, Method::PUT, PATH, Some(beside)).await.status, 422, "limits are read only");
    assert_eq!(branding(&world).await, json!({}));

    let objects: Api<HubSettings> = Api::all(world.client.clone());
    let other = HubSettings::new("other", api::HubSettingsSpec::default());
    let refused = objects.create(&PostParams::default(), &other).await.unwrap_err().to_string();
    assert!(refused.contains("there is one HubSettings, named `hub`"), "{refused}");
}
