//! A storm of one tenant's people.

use futures::future::join_all;
use http::Method;
use serde_json::json;
use server::Settings;

use crate::support::{World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn who_storms_is_turned_away_and_others_are_served() {
    let world = World::limited("127.0.0.1", 30).await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for tenant in ["acme", "globex"] {
        world.tenant(&admin, tenant, None).await;
    }
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let path = "/api/v1/session";
    let storm = join_all((0..300).map(|_| world.ask(&olga, Method::GET, path, None)));
    let calm = async {
        for _ in 0..20 {
            let answer = world.ask(&gus, Method::GET, path, None).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    let (answers, ()) = tokio::join!(storm, calm);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.body["code"], "too-many");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert!(answers.iter().filter(|answer| answer.status == 200).count() >= 60);

    let inside = "/k8s/clusters/acme.prod/api";
    let answers = join_all((0..300).map(|_| world.ask(&olga, Method::GET, inside, None))).await;
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(
        (&refused.body["kind"], &refused.body["reason"]),
        (&json!("Status"), &json!("TooManyRequests"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_streams_are_open_at_once_and_those_beyond_are_turned_away() {
    let world = World::tuned("127.0.0.1", |settings| Settings { streams_at_once: 2, ..settings }).await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let cluster = Box::pin(world.hosted("acme", "prod")).await;
    cluster.binding("tenant-owner", "cluster-admin").await;
    let inside = "/k8s/clusters/acme.prod/api/v1/namespaces/default/configmaps";
    eventually("the cluster takes the hub's identities", || async {
        world.ask(&olga, Method::GET, inside, None).await.status == 200
    })
    .await;
    let watch = "/api/v1/clusters/watch";
    let held = [world.stream(&olga, watch).await, world.stream(&olga, &format!("{inside}?watch=true")).await];
    let refused = world.ask(&olga, Method::GET, watch, None).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("too-many")));
    assert!(refused.headers.contains_key("retry-after"));
    let refused = world.ask(&olga, Method::GET, &format!("{inside}?watch=true"), None).await;
    assert_eq!((refused.status.as_u16(), &refused.body["kind"]), (429, &json!("Status")));
    assert!(refused.headers.contains_key("retry-after"));
    // Requests that are none, and other people, are not concerned.
    assert_eq!(world.ask(&olga, Method::GET, inside, None).await.status, 200);
    drop(world.stream(&admin, watch).await);
    drop(held);
    eventually("there is room again", || async { world.answers(&olga, watch).await == 200 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_turned_away_and_who_is_known_at_the_same_address_is_served() {
    let tune = |settings| Settings { strangers_per_second: 2, requests_per_second: 30, ..settings };
    let world = World::tuned("127.0.0.1", tune).await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let path = "/api/v1/session";
    assert_eq!(world.ask(&admin, Method::GET, path, None).await.status, 200);
    let wrong = json!({ "user": "nobody", "password": "no such password", "carrier": "token" });
    let answers = join_all((0..60).map(|number| {
        let (world, wrong) = (&world, wrong.clone());
        async move {
            match number % 3 {
                0 => world.send(Method::POST, path, &[], Some(wrong)).await,
                1 => world.ask("forged", Method::GET, path, None).await,
                _ => world.ask("forged", Method::GET, "/k8s/clusters/acme.prod/api", None).await,
            }
        }
    }))
    .await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(refused.len() >= 20, "{}", refused.len());
    assert!(refused.iter().all(|answer| answer.headers.contains_key("retry-after")));
    assert!(refused.iter().any(|answer| answer.body["kind"] == "Status"));
    assert_eq!(world.ask(&admin, Method::GET, path, None).await.status, 200, "who is known is none of them");
    assert_eq!(world.send(Method::GET, "/issuer/keys", &[], None).await.status, 200, "clusters get the keys");

    // What was turned away stands in the log, in one entry for each user and minute.
    join_all((0..300).map(|_| world.ask(&admin, Method::GET, path, None))).await;
    eventually("the log says how many were turned away", || async {
        let log = world.ask(&admin, Method::GET, "/api/v1/audit?decision=denied&limit=1000", None).await.body;
        let Some(entries) = log["items"].as_array() else { return false };
        let of = |kind: &str, actor: &str| {
            entries
                .iter()
                .filter(|entry| {
                    entry["resource"] == "requests"
                        && entry["actorKind"] == kind
                        && entry["actor"] == actor
                        && entry["status"] == 429
                        && entry["reason"].as_str().unwrap().contains("turned away within a minute")
                })
                .count()
        };
        of("person", "admin") > 0 && of("unknown", "") > 0
    })
    .await;
}
