//! Two tenants with one below each, what belongs to them, and people of every role.

use api::TenantControlPlane;
use http::Method;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::support::{World, eventually};
use crate::table::ROLES;

/// Somebody with one role at one place.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) token: String,
    pub(crate) role: usize,
    pub(crate) own: &'static str,
    pub(crate) is_at_cluster: bool,
    pub(crate) foreign: Vec<&'static str>,
}

impl Asker {
    pub(crate) fn place(&self) -> String {
        if self.is_at_cluster { format!("{}.prod", self.own) } else { self.own.to_owned() }
    }
}

/// Makes everything; answers with everybody.
pub(crate) async fn fill(world: &World, admin: &str) -> Vec<Asker> {
    let tenants =
        [("acme", None), ("acme-dev", Some("acme")), ("globex", None), ("globex-lab", Some("globex"))];
    for (tenant, parent) in tenants {
        world.tenant(admin, tenant, parent).await;
        belongings(world, admin, tenant).await;
    }
    eventually("all clusters are in the inventory", || async {
        world.ask(admin, Method::GET, "/api/v1/clusters", None).await.body["total"] == 8
    })
    .await;
    let mut askers = Vec::new();
    for role in 0..ROLES.len() {
        for (own, is_at_cluster, foreign) in [
            ("acme", false, vec!["globex", "globex-lab"]),
            ("acme-dev", false, vec!["globex", "globex-lab"]),
            ("acme", true, vec!["globex", "acme-dev"]),
        ] {
            let mut asker = Asker { token: String::new(), role, own, is_at_cluster, foreign };
            asker.token = person(world, admin, &asker).await;
            askers.push(asker);
        }
    }
    askers
}

async fn belongings(world: &World, admin: &str, tenant: &str) {
    for (path, name, spec) in [
        ("projects", "shop", json!({ "tenant": tenant })),
        ("roles", "role", json!({ "tenant": tenant })),
        ("users", "user", json!({ "tenant": tenant })),
        (
            "providers",
            "people",
            json!({ "tenant": tenant, "oidc": { "issuer": "https://people.example.com", "clientId": "hub" } }),
        ),
        ("imports", "edge", json!({ "tenant": tenant })),
        (
            "templates",
            "small",
            json!({
                "tenant": tenant, "shareDown": false,
                "versions": [{ "version": "1", "controlPlane": { "kubernetes": { "version": "v1.36.3" } } }],
            }),
        ),
        (
            "grants",
            "grant",
            json!({ "user": "somebody", "role": "project-member", "scope": { "tenant": tenant } }),
        ),
    ] {
        make(world, admin, path, json!({ "name": format!("{tenant}-{name}"), "spec": spec })).await;
    }
    // What is deleted stays, since nobody takes the finalizer away.
    let object: TenantControlPlane = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": { "name": "prod", "namespace": tenant, "finalizers": ["flotilla.dev/test"] },
        "spec": {
            "controlPlane": { "service": { "serviceType": "ClusterIP" } },
            "kubernetes": { "version": "v1.36.3", "kubelet": {} },
        },
    }))
    .unwrap();
    let control_planes: Api<TenantControlPlane> = Api::namespaced(world.client.clone(), tenant);
    control_planes.create(&PostParams::default(), &object).await.unwrap();
}

async fn person(world: &World, admin: &str, asker: &Asker) -> String {
    let name = format!("{}-{}", ROLES[asker.role], asker.place().replace('.', "-"));
    let password = format!("correct horse {}", asker.role);
    make(world, admin, "users", json!({ "name": name, "spec": {} })).await;
    let path = format!("/api/v1/users/{name}/password");
    let set = world.ask(admin, Method::PUT, &path, Some(json!({ "password": password }))).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let scope = if asker.is_at_cluster {
        json!({ "cluster": asker.place() })
    } else {
        json!({ "tenant": asker.own })
    };
    let spec = json!({ "user": name, "role": ROLES[asker.role], "scope": scope });
    make(world, admin, "grants", json!({ "name": format!("g-{name}"), "spec": spec })).await;
    world.sign_in(&name, &password).await
}

async fn make(world: &World, admin: &str, path: &str, body: Value) {
    let made = world.ask(admin, Method::POST, &format!("/api/v1/{path}"), Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

/// A key of the admin with a narrower scope.
pub(crate) async fn key(world: &World, admin: &str, scope: Value) -> String {
    let body = json!({ "name": "narrow", "days": 1, "scope": scope });
    let made = world.ask(admin, Method::POST, "/api/v1/keys", Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["key"].as_str().unwrap().to_owned()
}
