//! The hub on a real API server: sign-in, permissions, clusters behind it, and those who try to get past it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "hub/agent_tokens.rs"]
mod agent_tokens;
#[path = "hub/backups.rs"]
mod backups;
#[path = "hub/clones.rs"]
mod clones;
#[path = "hub/console.rs"]
mod console;
#[path = "hub/creation.rs"]
mod creation;
#[path = "hub/data_stores.rs"]
mod data_stores;
#[path = "hub/devices.rs"]
mod devices;
#[path = "hub/discovery.rs"]
mod discovery;
#[path = "hub/events.rs"]
mod events;
#[path = "hub/factors.rs"]
mod factors;
#[path = "hub/fairness.rs"]
mod fairness;
#[path = "hub/hostile.rs"]
mod hostile;
#[path = "hub/imported_projects.rs"]
mod imported_projects;
#[path = "hub/imports.rs"]
mod imports;
#[path = "hub/members.rs"]
mod members;
#[path = "hub/metering.rs"]
mod metering;
#[path = "hub/passkeys.rs"]
mod passkeys;
#[path = "hub/providers.rs"]
mod providers;
#[path = "hub/replicas.rs"]
mod replicas;
#[path = "hub/requests.rs"]
mod requests;
#[path = "hub/schedules.rs"]
mod schedules;
#[path = "hub/sessions.rs"]
mod sessions;
#[path = "hub/settings.rs"]
mod settings;
#[path = "hub/signing_keys.rs"]
mod signing_keys;
#[path = "hub/slow.rs"]
mod slow;
mod support;
#[path = "hub/templates.rs"]
mod templates;
#[path = "hub/transfers.rs"]
mod transfers;
#[path = "hub/versions.rs"]
mod versions;
#[path = "hub/watching.rs"]
mod watching;

use http::Method;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use support::{World, eventually};

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({ "metadata": { "name": name }, "data": { "a": "b" } })).unwrap()
}

async fn create(client: &Client, name: &str) -> Result<ConfigMap, u16> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    match api.create(&PostParams::default(), &config_map(name)).await {
        Ok(made) => Ok(made),
        Err(kube::Error::Api(status)) => Err(status.code),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_forgeries_are_refused() {
    let world = World::new().await;
    let password = world.first_password().await;
    let wrong = json!({ "user": "admin", "password": "no such password", "carrier": "token" });
    let unknown = json!({ "user": "nobody", "password": "no such password", "carrier": "token" });
    let first = world.send(Method::POST, "/api/v1/session", &[], Some(wrong.clone())).await;
    let second = world.send(Method::POST, "/api/v1/session", &[], Some(unknown)).await;
    assert_eq!((first.status.as_u16(), &first.body), (401, &second.body), "who exists is not told");

    let body = json!({ "user": "admin", "password": password });
    let opened = world.send(Method::POST, "/api/v1/session", &[], Some(body)).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    let cookie = opened.headers["set-cookie"].to_str().unwrap().to_owned();
    for word in ["__Host-flotilla=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = opened.body["csrf"].as_str().unwrap().to_owned();
    let for_pages = opened.headers.get_all("set-cookie").iter().nth(1).unwrap().to_str().unwrap();
    assert!(
        for_pages.starts_with(&format!("__Host-flotilla-csrf={csrf};")),
        "a page that is loaded anew finds it"
    );
    let me = world.send(Method::GET, "/api/v1/session", &[("cookie", &cookie)], None).await;
    assert_eq!(me.body["user"], "admin");

    let key = json!({ "name": "ci", "days": 1 });
    let forged = world.send(Method::POST, "/api/v1/keys", &[("cookie", &cookie)], Some(key.clone())).await;
    assert_eq!(forged.status, 403, "a page of another site cannot add the header");
    for foreign in [("origin", "https://evil.example.com"), ("upgrade", "websocket")] {
        let answer = world.send(Method::GET, "/api/v1/session", &[("cookie", &cookie), foreign], None).await;
        assert_eq!(answer.status, 403, "{foreign:?}");
    }
    let headers = [("cookie", cookie.as_str()), ("x-flotilla-csrf", csrf.as_str())];
    let made = world.send(Method::POST, "/api/v1/keys", &headers, Some(key)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let token = made.body["key"].as_str().unwrap().to_owned();
    assert_eq!(world.ask(&token, Method::GET, "/api/v1/session", None).await.body["kind"], "key");
    for shown in [format!("{token}x"), token.replace("_key_", "_session_"), "x".to_owned(), String::new()] {
        let answer = world.ask(&shown, Method::GET, "/api/v1/session", None).await;
        assert_eq!(answer.status, 401, "{shown}");
    }
    for header in ["x-remote-user", "impersonate-user", "x-forwarded-user"] {
        let answer = world.send(Method::GET, "/api/v1/session", &[(header, "admin")], None).await;
        assert_eq!(answer.status, 401, "{header}");
    }

    let ended = world.send(Method::DELETE, "/api/v1/session", &headers, None).await;
    assert_eq!(ended.status, 204);
    let after = world.send(Method::GET, "/api/v1/session", &[("cookie", &cookie)], None).await;
    assert_eq!(after.status, 401);

    for _ in 0..6 {
        world.send(Method::POST, "/api/v1/session", &[], Some(wrong.clone())).await;
    }
    let guessed = world.send(Method::POST, "/api/v1/session", &[], Some(wrong)).await;
    assert_eq!(guessed.status, 429);
    assert!(guessed.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_out_of_their_tenant_or_gives_what_they_lack() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for (tenant, parent) in [("acme", None), ("acme-dev", Some("acme")), ("globex", None)] {
        world.tenant(&admin, tenant, parent).await;
    }
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;

    let names = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let seen = world.ask(&olga, Method::GET, "/api/v1/tenants", None).await.body;
    assert_eq!((names(&seen), &seen["total"]), (vec!["acme".to_owned(), "acme-dev".to_owned()], &json!(2)));
    let hidden = world.ask(&olga, Method::GET, "/api/v1/tenants/globex", None).await;
    let missing = world.ask(&olga, Method::GET, "/api/v1/tenants/nowhere", None).await;
    assert_eq!((hidden.status, missing.status), (missing.status, http::StatusCode::NOT_FOUND));
    assert_eq!(
        hidden.body["detail"].as_str().unwrap().replace("globex", "nowhere"),
        missing.body["detail"].as_str().unwrap()
    );

    let grant = |name: &str, role: &str, scope: Value| json!({ "name": name, "spec": { "user": "olga", "role": role, "scope": scope } });
    for (body, status) in [
        (grant("g1", "platform-admin", json!({ "platform": true })), 403),
        (grant("g2", "platform-admin", json!({ "tenant": "acme" })), 403),
        (grant("g3", "read-only", json!({ "tenant": "globex" })), 404),
        (grant("g4", "read-only", json!({ "tenant": "acme", "platform": true })), 422),
        (grant("g5", "no-such-role", json!({ "tenant": "acme" })), 422),
        (grant("g6", "tenant-owner", json!({ "tenant": "acme-dev" })), 201),
    ] {
        let answer = world.ask(&olga, Method::POST, "/api/v1/grants", Some(body.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{body} {}", answer.body);
    }
    let escalating = json!({ "name": "mine", "spec": {
        "tenant": "acme", "hub": [{ "verbs": ["*"], "resources": ["*"] }],
    }});
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/roles", Some(escalating)).await.status, 403);

    let read = world.ask(&olga, Method::GET, "/api/v1/tenants/acme", None).await.body;
    let mut spec = read["spec"].clone();
    spec["quota"] = json!({ "clusters": 1000 });
    let body = json!({ "name": "acme", "spec": spec });
    let own = world.ask(&olga, Method::PUT, "/api/v1/tenants/acme", Some(body)).await;
    assert_eq!(own.status, 403, "one's own quota is set from above: {}", own.body);
    spec = json!({ "parent": "acme", "quota": { "clusters": 2 } });
    let body = json!({ "name": "acme-dev", "spec": spec });
    assert_eq!(world.ask(&olga, Method::PUT, "/api/v1/tenants/acme-dev", Some(body)).await.status, 200);

    let password = json!({ "password": "another good password" });
    let taken = world.ask(&olga, Method::PUT, "/api/v1/users/gus/password", Some(password.clone())).await;
    assert_eq!(taken.status, 404);
    let taken = world.ask(&olga, Method::PUT, "/api/v1/users/admin/password", Some(password)).await;
    assert_eq!(taken.status, 404);

    let why = "/api/v1/access?verb=create&resource=clusters&tenant=acme-dev";
    let why = world.ask(&olga, Method::GET, why, None).await.body;
    assert_eq!((&why["allowed"], &why["by"]["role"]), (&json!(true), &json!("tenant-owner")));
    let spied = world.ask(&gus, Method::GET, "/api/v1/access?tenant=acme&user=olga", None).await;
    assert_eq!(spied.status, 404);

    let log = world.ask(&gus, Method::GET, "/api/v1/audit?limit=1000", None).await.body;
    let foreign = log["items"].as_array().unwrap().iter().any(|entry| entry["tenant"] != "globex");
    assert!(!foreign, "{log}");
    let log = world
        .ask(&admin, Method::GET, "/api/v1/audit?actor=olga&decision=denied&limit=1000", None)
        .await
        .body;
    assert!(log["items"].as_array().unwrap().iter().any(|entry| entry["resource"] == "grants"), "{log}");

    // A name that is free again is nobody's: its new bearer has neither password nor rights of the one before.
    assert_eq!(world.ask(&admin, Method::DELETE, "/api/v1/users/gus", None).await.status, 204);
    let taken = json!({ "name": "gus", "spec": { "tenant": "acme" } });
    let answer = world.ask(&olga, Method::POST, "/api/v1/users", Some(taken)).await;
    assert_eq!(answer.status, 403, "grants still name gus: {}", answer.body);
    let again = json!({ "name": "gus", "spec": { "tenant": "globex" } });
    assert_eq!(world.ask(&admin, Method::POST, "/api/v1/users", Some(again)).await.status, 201);
    assert_eq!(world.ask(&gus, Method::GET, "/api/v1/session", None).await.status, 401);
    let password = json!({ "password": "correct horse gus" });
    let set = world.ask(&admin, Method::PUT, "/api/v1/users/gus/password", Some(password)).await;
    assert_eq!(set.status, 204);
    let gus = world.sign_in("gus", "correct horse gus").await;
    assert_eq!(world.ask(&gus, Method::GET, "/api/v1/tenants/globex", None).await.status, 200);

    // A right that is lost is lost from the next request on.
    assert_eq!(world.ask(&admin, Method::DELETE, "/api/v1/grants/gus-tenant-owner", None).await.status, 204);
    assert_eq!(world.ask(&gus, Method::GET, "/api/v1/tenants/globex", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosted_cluster_is_reached_through_the_hub_by_its_own_people() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let rita = world.member(&admin, "rita", "read-only", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let cluster = Box::pin(world.hosted("acme", "prod")).await;
    cluster.binding("tenant-owner", "cluster-admin").await;
    // The controller manager would fill in `view` from it.
    cluster.binding("read-only", "system:aggregate-to-view").await;

    let listed = world.ask(&olga, Method::GET, "/api/v1/clusters", None).await.body;
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!("acme.prod")));
    assert_eq!(world.ask(&gus, Method::GET, "/api/v1/clusters", None).await.body["total"], 0);

    let (owner, reader, foreigner) = (
        world.through(&cluster.id, &olga),
        world.through(&cluster.id, &rita),
        world.through(&cluster.id, &gus),
    );
    eventually("the cluster has fetched the hub's keys", || async { create(&owner, "first").await.is_ok() })
        .await;
    let maps: Api<ConfigMap> = Api::namespaced(reader.clone(), "default");
    assert!(maps.get("first").await.is_ok());
    assert_eq!(create(&reader, "second").await.map(drop), Err(403));
    assert_eq!(create(&foreigner, "third").await.map(drop), Err(404));
    assert_eq!(create(&world.through("acme.other", &gus), "third").await.map(drop), Err(404));
    assert_eq!(create(&world.through(&cluster.id, "forged"), "fourth").await.map(drop), Err(401));

    // Who acts is who is signed in, whatever headers say.
    let bearer = format!("Bearer {rita}");
    for (name, value) in [
        ("impersonate-user", "system:admin"),
        ("impersonate-group", "system:masters"),
        ("x-remote-group", "system:masters"),
        ("connection", "authorization"),
    ] {
        let headers = [("authorization", bearer.as_str()), (name, value)];
        let path = "/k8s/clusters/acme.prod/api/v1/namespaces/default/secrets";
        let answer = world.send(Method::GET, path, &headers, None).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.body);
    }
    for path in [
        "/k8s/clusters/acme.prod/api/v1/../../version",
        "/k8s/clusters/acme.prod//api/v1/namespaces",
        "/k8s/clusters/acme.prod/api/v1/namespaces/default%2f..%2fkube-system/pods",
        "/k8s/clusters/acme.prod/api/v1/namespaces/%2e%2e/pods",
    ] {
        assert_eq!(world.ask(&olga, Method::GET, path, None).await.status, 400, "{path}");
    }

    let key = |scope: Value| json!({ "name": "k", "days": 1, "scope": scope });
    let made = world.ask(&olga, Method::POST, "/api/v1/keys", Some(key(json!({ "readOnly": true })))).await;
    let reading = world.through(&cluster.id, made.body["key"].as_str().unwrap());
    let namespaces: Api<Namespace> = Api::all(reading.clone());
    assert!(namespaces.list(&ListParams::default()).await.is_ok());
    assert_eq!(create(&reading, "fifth").await.map(drop), Err(403));
    let credential = "/api/v1/clusters/acme.prod/credential";
    let taken = world.ask(made.body["key"].as_str().unwrap(), Method::POST, credential, None).await;
    assert_eq!(taken.status, 403, "an identity could do more than the key");

    let identity = world.ask(&olga, Method::POST, credential, None).await.body;
    assert!(identity["token"].as_str().unwrap().split('.').count() == 3);
    let kubeconfig = world.ask(&rita, Method::GET, "/api/v1/clusters/acme.prod/kubeconfig", None).await;
    assert_eq!(kubeconfig.status, 200);
    let text = kubeconfig.body.as_str().unwrap();
    assert!(text.contains("/k8s/clusters/acme.prod") && !text.contains("token"), "{text}");

    let log = world.ask(&olga, Method::GET, "/api/v1/audit?cluster=acme.prod&limit=1000", None).await.body;
    let has = |actor: &str, verb: &str, resource: &str, decision: &str| {
        log["items"].as_array().unwrap().iter().any(|entry| {
            entry["actor"] == actor
                && entry["verb"] == verb
                && entry["resource"] == resource
                && entry["decision"] == decision
        })
    };
    assert!(has("olga", "create", "configmaps", "allowed"), "{log}");
    assert!(has("rita", "list", "secrets", "denied"), "{log}");
    assert!(has("gus", "create", "configmaps", "denied"), "{log}");
}
