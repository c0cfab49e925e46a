//! Every operation of the API, asked by every role about its own tenant, a foreign one and one that is not there, with
//! the answers that `isolation/table.txt` expects. An operation without a row fails, and a row without an operation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "some of it is for other tests")]
mod support;
#[path = "isolation/table.rs"]
mod table;
#[path = "isolation/tenants.rs"]
mod tenants;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use support::{Answer, World};
use table::{ROLES, Row, rows};
use tenants::{Asker, fill, key};

/// A tenant that is not there.
const ABSENT: &str = "nothere";

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let described = serde_json::to_value(server::description()).unwrap();
    let operations: BTreeSet<String> = described["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let told: BTreeSet<String> =
        rows().iter().filter(|row| !row.path.starts_with("/k8s/")).map(Row::operation).collect();
    assert_eq!(operations, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_gets_what_the_table_says_and_what_is_foreign_is_not_there() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let askers = Box::pin(fill(&world, &admin)).await;
    let mut faults = Vec::new();
    for row in rows() {
        for asker in &askers {
            own(&world, asker, &row, &mut faults).await;
            foreign(&world, asker, &row, &mut faults).await;
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_does_not_reach_is_not_there_for_it() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let askers = Box::pin(fill(&world, &admin)).await;
    let mut faults = Vec::new();
    for scope in [json!({ "tenants": ["acme-dev"] }), json!({ "clusters": ["acme-dev.prod"] })] {
        let token = key(&world, &admin, scope).await;
        let asker = Asker { token, role: 0, foreign: vec!["globex", "acme"], ..askers[0].clone() };
        for row in rows() {
            foreign(&world, &asker, &row, &mut faults).await;
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_gets_nothing() {
    let world = World::new().await;
    let described = serde_json::to_value(server::description()).unwrap();
    let mut asked = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"] == json!([{}]) {
                continue;
            }
            let method = method.to_uppercase().parse().unwrap();
            let answer = world.send(method, &path.replace("{name}", "acme"), &[], Some(json!({}))).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["code"]),
                (401, &json!("unauthenticated")),
                "{path}"
            );
            asked += 1;
        }
    }
    assert!(asked > 70, "{asked}");
    let inside = world.send(http::Method::GET, "/k8s/clusters/acme.prod/api", &[], None).await;
    assert_eq!((inside.status.as_u16(), &inside.body["reason"]), (401, &json!("Unauthorized")));
}

/// What is one's own answers as the table says, and nothing foreign is in it.
async fn own(world: &World, asker: &Asker, row: &Row, faults: &mut Vec<String>) {
    let cells = if asker.is_at_cluster { row.at_cluster } else { row.at_tenant };
    let Some(cells) = cells else { return };
    let answer = row.ask(world, &asker.token, asker.own).await;
    let cell = cells.as_bytes()[asker.role];
    if !row.is_as(cell, answer.status.as_u16()) {
        let (role, expected) = (ROLES[asker.role], char::from(cell));
        faults.push(format!(
            "{} by {role} of {}: {expected} but {}",
            row.target,
            asker.place(),
            answer.status
        ));
    }
    if answer.body.to_string().contains("globex") {
        faults.push(format!("{} by {} tells of globex: {}", row.target, asker.place(), answer.body));
    }
}

/// What is foreign answers like what is not there.
async fn foreign(world: &World, asker: &Asker, row: &Row, faults: &mut Vec<String>) {
    let Some(cell) = row.foreign else { return };
    let absent = row.ask(world, &asker.token, ABSENT).await;
    for side in &asker.foreign {
        let answer = row.ask(world, &asker.token, side).await;
        let (seen, expected) = (shape(&answer, side), shape(&absent, ABSENT));
        if !row.is_as(cell, answer.status.as_u16()) || seen != expected {
            let who = format!("{} of {}", ROLES[asker.role], asker.place());
            faults.push(format!(
                "{} {} by {who} on {side}: {seen} but absent {expected}",
                row.method, row.target
            ));
        }
    }
}

/// Status, kind and body, with the name of the tenant taken out.
fn shape(answer: &Answer, side: &str) -> Value {
    let body = answer.body.to_string().replace(side, "TENANT");
    json!([
        answer.status.as_u16(),
        answer.headers.get("content-type").map(|value| value.to_str().unwrap()),
        body
    ])
}
