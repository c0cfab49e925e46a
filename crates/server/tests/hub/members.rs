//! Who holds which role where.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

async fn members(world: &World, session: &str, path: &str) -> Answer {
    world.ask(session, Method::GET, &format!("/api/v1/{path}"), None).await
}

/// To whom, which role, where, and whether it is inherited.
fn shown(answer: &Answer) -> Vec<(String, String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |item: &Value| {
        (text(&item["to"]), text(&item["role"]), text(&item["at"]), item["inherited"].as_bool().unwrap())
    };
    let mut rows: Vec<_> = answer.body["items"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_told_with_where_they_have_their_roles_from() {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.tenant(&admin, "globex", None).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let gert = world.member(&admin, "gert", "tenant-owner", "globex").await;
    let project = json!({ "name": "shop", "spec": { "tenant": "acme" } });
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/projects", Some(project)).await.status, 201);
    let piet = world.holder(&admin, "piet", "project-member", json!({ "project": "shop" })).await;

    let of_project = members(&world, &olga, "projects/shop/members").await;
    assert_eq!(of_project.status, 200, "{}", of_project.body);
    let row = |to: &str, role: &str, at: &str, inherited| {
        (to.to_owned(), role.to_owned(), at.to_owned(), inherited)
    };
    assert_eq!(
        shown(&of_project),
        [
            row("user admin", "platform-admin", "the platform", true),
            row("user olga", "tenant-owner", "tenant acme", true),
            row("user piet", "project-member", "project shop", false),
        ]
    );
    let of_tenant = shown(&members(&world, &olga, "tenants/acme/members").await);
    assert!(of_tenant.contains(&row("user olga", "tenant-owner", "tenant acme", false)), "{of_tenant:?}");
    assert!(!of_tenant.iter().any(|(to, ..)| to == "user piet"), "{of_tenant:?}");

    let mut path = "projects/shop/members?limit=2".to_owned();
    let first = members(&world, &olga, &path).await;
    assert_eq!((shown(&first).len(), &first.body["total"]), (2, &json!(3)));
    path = format!("{path}&after={}", first.body["next"].as_str().unwrap());
    let second = members(&world, &olga, &path).await;
    assert_eq!((shown(&second).len(), &second.body["next"]), (1, &Value::Null));
    assert_eq!(members(&world, &olga, "projects/shop/members?limit=0").await.status, 422);

    assert_eq!(members(&world, &piet, "projects/shop/members").await.status, 403);
    for path in ["projects/shop/members", "tenants/acme/members"] {
        assert_eq!(members(&world, &gert, path).await.status, 404, "{path}");
    }
    for path in ["projects/none/members", "tenants/none/members", "clusters/acme.none/members"] {
        assert_eq!(members(&world, &admin, path).await.status, 404, "{path}");
    }
}
