//! Templates: shared down the tree, right before anybody uses one, and the clusters that are made from them.

use api::{Template, TenantControlPlane};
use http::Method;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::{Answer, World, eventually};

const TEMPLATES: &str = "/api/v1/templates";
const CLUSTERS: &str = "/api/v1/clusters";

/// acme above acme-dev, beside globex, and who is at home there.
struct Cast {
    world: World,
    admin: String,
    /// Owns acme.
    olga: String,
    /// Owns clusters of acme-dev.
    dora: String,
    /// Owns globex.
    gus: String,
}

async fn cast() -> Cast {
    let world = World::new().await;
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for (tenant, parent) in [("acme", None), ("acme-dev", Some("acme")), ("globex", None)] {
        world.tenant(&admin, tenant, parent).await;
    }
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let dora = world.member(&admin, "dora", "cluster-owner", "acme-dev").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    eventually("the namespaces are known", || async {
        let body = json!({ "name": "x", "tenant": "acme-dev" });
        let answer = world.ask(&dora, Method::POST, CLUSTERS, Some(body)).await;
        !answer.body["detail"].as_str().unwrap().contains("no namespace")
    })
    .await;
    Cast { world, admin, olga, dora, gus }
}

impl Cast {
    async fn ask(&self, who: &str, method: Method, path: &str, body: Value) -> Answer {
        let body = (!body.is_null()).then_some(body);
        self.world.ask(who, method, path, body).await
    }

    async fn publish(&self, who: &str, name: &str, spec: Value) -> Answer {
        self.ask(who, Method::POST, TEMPLATES, json!({ "name": name, "spec": spec })).await
    }

    async fn names(&self, who: &str) -> (Vec<String>, u64) {
        let body = self.ask(who, Method::GET, TEMPLATES, Value::Null).await.body;
        let items = body["items"].as_array().unwrap().iter();
        (
            items.map(|item| item["name"].as_str().unwrap().to_owned()).collect(),
            body["total"].as_u64().unwrap(),
        )
    }

    async fn make(&self, who: &str, name: &str, tenant: &str, template: Value) -> Answer {
        let body = json!({ "name": name, "tenant": tenant, "template": template });
        self.ask(who, Method::POST, CLUSTERS, body).await
    }

    async fn cluster(&self, tenant: &str, name: &str) -> TenantControlPlane {
        Api::namespaced(self.world.client.clone(), tenant).get(name).await.unwrap()
    }
}

fn version(name: &str, kubernetes: &str) -> Value {
    json!({
        "version": name,
        "parameters": [
            { "name": "replicas", "type": "integer", "minimum": 1, "maximum": 3, "default": 2 },
            { "name": "reach", "type": "choice", "choices": ["LoadBalancer", "NodePort"], "default": "NodePort" },
            { "name": "zone", "type": "string", "pattern": "[a-z]{2}", "required": true },
        ],
        "controlPlane": {
            "kubernetes": { "version": kubernetes },
            "controlPlane": {
                "deployment": { "replicas": "${replicas}" },
                "service": { "serviceType": "${reach}" },
            },
            "networkProfile": { "certSANs": ["api.${zone}.example.com"] },
        },
        "without": ["addons.kubeProxy"],
        "labels": { "zone": "${zone}" },
    })
}

fn small(tenant: Option<&str>, versions: Vec<Value>) -> Value {
    let mut spec = json!({ "tenant": tenant });
    spec["versions"] = versions.into();
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_seen_and_used_below_its_tenant_and_nowhere_else() {
    let cast = cast().await;
    let spec = small(Some("acme"), vec![version("1", "v1.36.3")]);
    assert_eq!(cast.publish(&cast.olga, "small", spec.clone()).await.status, 201);
    let mut hidden = spec.clone();
    hidden["shareDown"] = json!(false);
    assert_eq!(cast.publish(&cast.olga, "draft", hidden).await.status, 201);
    assert_eq!(
        cast.publish(&cast.admin, "common", small(None, vec![version("1", "v1.35.0")])).await.status,
        201
    );

    let list = |names: &[&str]| {
        (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), names.len() as u64)
    };
    assert_eq!(cast.names(&cast.olga).await, list(&["common", "draft", "small"]));
    assert_eq!(cast.names(&cast.dora).await, list(&["common", "small"]));
    assert_eq!(cast.names(&cast.gus).await, list(&["common"]));
    // Whoever has nothing but a cluster or a project makes no clusters.
    let project = json!({ "name": "shop", "spec": { "tenant": "acme" } });
    assert_eq!(cast.ask(&cast.olga, Method::POST, "/api/v1/projects", project).await.status, 201);
    let piet = cast.world.holder(&cast.admin, "piet", "project-owner", json!({ "project": "shop" })).await;
    assert_eq!(cast.names(&piet).await, list(&[]));

    let absent = cast.ask(&cast.gus, Method::GET, "/api/v1/templates/absent", Value::Null).await;
    for (method, path, body) in [
        (Method::GET, "", Value::Null),
        (Method::POST, "/render", json!({})),
        (Method::PUT, "", json!({ "name": "small", "spec": spec })),
        (Method::DELETE, "", Value::Null),
    ] {
        let answer = cast.ask(&cast.gus, method, &format!("{TEMPLATES}/small{path}"), body).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (absent.status, Some("not-found")));
        let detail = answer.body["detail"].as_str().unwrap().replace("small", "absent");
        assert_eq!(absent.body["detail"], detail);
    }
    let taken = cast.make(&cast.gus, "prod", "globex", json!({ "name": "small" })).await;
    assert_eq!((taken.status.as_u16(), taken.body["code"].as_str()), (404, Some("not-found")));
    assert_eq!(cast.make(&cast.dora, "prod", "acme-dev", json!({ "name": "draft" })).await.status, 404);
    // The platform's people see all, and mix up no tenants.
    let mixed = cast.make(&cast.admin, "prod", "globex", json!({ "name": "small" })).await;
    assert_eq!(mixed.status, 422, "{}", mixed.body);
    let elsewhere = json!({ "name": "prod", "tenant": "acme", "template": { "name": "small" } });
    assert_eq!(cast.ask(&cast.dora, Method::POST, CLUSTERS, elsewhere).await.status, 403);

    for (path, who) in [("small", &cast.dora), ("common", &cast.dora), ("common", &cast.gus)] {
        let path = format!("{TEMPLATES}/{path}");
        assert_eq!(cast.ask(who, Method::GET, &path, Value::Null).await.status, 200);
        let body = json!({ "name": path.rsplit('/').next(), "spec": spec });
        assert_eq!(cast.ask(who, Method::PUT, &path, body).await.status, 403, "{path}");
        assert_eq!(cast.ask(who, Method::DELETE, &path, Value::Null).await.status, 403, "{path}");
    }
    let made = cast
        .make(&cast.dora, "prod", "acme-dev", json!({ "name": "small", "parameters": { "zone": "eu" } }))
        .await;
    assert_eq!(
        (made.status.as_u16(), made.body["id"].as_str()),
        (201, Some("acme-dev.prod")),
        "{}",
        made.body
    );

    // A key sees what its owner sees where it reaches.
    let key = |tenant: &str| json!({ "name": "k", "days": 1, "scope": { "tenants": [tenant] } });
    for (who, tenant, seen) in [
        (&cast.admin, "acme-dev", list(&["common", "small"])),
        (&cast.admin, "globex", list(&["common"])),
        (&cast.olga, "acme-dev", list(&["common", "small"])),
        (&cast.olga, "globex", list(&[])),
    ] {
        let made = cast.ask(who, Method::POST, "/api/v1/keys", key(tenant)).await.body;
        let key = made["key"].as_str().unwrap();
        let sees_it = seen.0.contains(&"small".to_owned());
        assert_eq!(cast.names(key).await, seen, "{tenant}");
        let deleted = cast.ask(key, Method::DELETE, "/api/v1/templates/small", Value::Null).await;
        assert_eq!(deleted.status, if sees_it { 403 } else { 404 }, "{tenant}: {}", deleted.body);
    }
    // What is not shared any more is not there from the next request on.
    let mut withdrawn = small(Some("acme"), vec![version("1", "v1.36.3")]);
    withdrawn["shareDown"] = json!(false);
    let body = json!({ "name": "small", "spec": withdrawn });
    assert_eq!(cast.ask(&cast.olga, Method::PUT, "/api/v1/templates/small", body).await.status, 200);
    assert_eq!(cast.names(&cast.dora).await, list(&["common"]));
    assert_eq!(cast.make(&cast.dora, "next", "acme-dev", json!({ "name": "small" })).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_what_template_and_parameters_say() {
    let cast = cast().await;
    let versions = vec![version("1", "v1.34.0"), version("1.10", "v1.36.3"), version("1.9", "v1.35.0")];
    let mut spec = small(Some("acme"), versions);
    assert_eq!(cast.publish(&cast.olga, "small", spec.clone()).await.status, 201);

    let wrong = json!({ "replicas": 9, "reach": "ClusterIP", "size": "big" });
    let refused =
        cast.make(&cast.dora, "prod", "acme-dev", json!({ "name": "small", "parameters": wrong })).await;
    assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (422, Some("invalid")));
    let fields: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    let parameters = ["size", "replicas", "reach", "zone"].map(|name| format!("template.parameters.{name}"));
    assert_eq!(fields, parameters);
    for words in
        ["`9` must be a whole number from 1 to 3", "one of: LoadBalancer, NodePort", "matches `[a-z]{2}`"]
    {
        assert!(refused.body["detail"].as_str().unwrap().contains(words), "{}", refused.body);
    }
    let beside = json!({
        "name": "prod", "tenant": "acme-dev", "version": "v1.36.3", "spec": {},
        "template": { "name": "small" },
    });
    let refused = cast.ask(&cast.dora, Method::POST, CLUSTERS, beside).await;
    assert!(
        refused.body["detail"].as_str().unwrap().contains("leave out `version`, `spec`"),
        "{}",
        refused.body
    );

    let chosen = json!({ "name": "small", "parameters": { "zone": "eu", "replicas": "3" } });
    let looked = cast
        .ask(
            &cast.dora,
            Method::POST,
            "/api/v1/templates/small/render",
            json!({ "name": "prod", "parameters": chosen["parameters"] }),
        )
        .await;
    assert_eq!((looked.status.as_u16(), &looked.body["version"]), (200, &json!("1.10")), "{}", looked.body);
    let made = cast.make(&cast.dora, "prod", "acme-dev", chosen).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let cluster = cast.cluster("acme-dev", "prod").await;
    assert_eq!(cluster.spec.kubernetes.version, "v1.36.3");
    let addons = cluster.spec.addons.clone().unwrap();
    assert!(addons.core_dns.is_some() && addons.kube_proxy.is_none());
    let labels =
        json!({ "flotilla.dev/template": "small", "flotilla.dev/template-version": "1.10", "zone": "eu" });
    assert_eq!(json!(cluster.labels()), labels);
    let spec_made = serde_json::to_value(&cluster.spec).unwrap();
    let shown = &looked.body["object"];
    assert_eq!((&shown["metadata"]["labels"], &shown["metadata"]["name"]), (&labels, &json!("prod")));
    for part in ["/controlPlane/service", "/networkProfile/certSANs", "/controlPlane/deployment/replicas"] {
        assert_eq!(shown["spec"].pointer(part), spec_made.pointer(part), "{part}");
    }

    spec["versions"][1]["deprecated"] = json!("broken; take 1.9");
    let body = json!({ "name": "small", "spec": spec });
    let answer = cast.ask(&cast.olga, Method::PUT, "/api/v1/templates/small", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for (name, version, kubernetes) in [("next", None, "v1.35.0"), ("old", Some("1.10.0"), "v1.36.3")] {
        let chosen = json!({ "name": "small", "version": version, "parameters": { "zone": "eu" } });
        assert_eq!(cast.make(&cast.dora, name, "acme-dev", chosen).await.status, 201);
        assert_eq!(cast.cluster("acme-dev", name).await.spec.kubernetes.version, kubernetes);
    }
    let absent = cast.make(&cast.dora, "none", "acme-dev", json!({ "name": "small", "version": "7" })).await;
    assert_eq!(absent.body["errors"][0]["field"], "template.version", "{}", absent.body);

    eventually("the cluster is in the inventory", || async {
        cast.ask(&cast.dora, Method::GET, "/api/v1/clusters/acme-dev.prod", Value::Null).await.status == 200
    })
    .await;
    // Where a cluster comes from is not for its people to say.
    let label = json!({ "labels": { "flotilla.dev/template": "other" } });
    let patched = cast.ask(&cast.dora, Method::PATCH, "/api/v1/clusters/acme-dev.prod", label.clone()).await;
    assert_eq!(patched.status, 422, "{}", patched.body);
    let taken = json!({ "labels": { "flotilla.dev/template-version": null } });
    assert_eq!(
        cast.ask(&cast.dora, Method::PATCH, "/api/v1/clusters/acme-dev.prod", taken).await.status,
        422
    );
    let forged =
        json!({ "name": "forged", "tenant": "acme-dev", "version": "v1.36.3", "labels": label["labels"] });
    assert_eq!(cast.ask(&cast.dora, Method::POST, CLUSTERS, forged).await.status, 422);
    let other = json!({
        "name": "other", "tenant": "acme-dev", "labels": { "zone": "us" },
        "template": { "name": "small", "parameters": { "zone": "eu" } },
    });
    assert_eq!(cast.ask(&cast.dora, Method::POST, CLUSTERS, other).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_right_and_stays_as_it_is() {
    let cast = cast().await;
    let spec = small(Some("acme"), vec![version("1", "v1.36.3")]);
    let mut wrong = spec.clone();
    wrong["versions"][0]["parameters"][0]["default"] = json!(7);
    let refused = cast.publish(&cast.olga, "small", wrong).await;
    assert_eq!(
        refused.body["errors"][0]["field"], "spec.versions[1].parameters[replicas].default",
        "{}",
        refused.body
    );
    let mut wrong = spec.clone();
    wrong["versions"][0]["controlPlane"]["dataStore"] = json!("${store}");
    let refused = cast.publish(&cast.olga, "small", wrong).await;
    assert_eq!(
        refused.body["errors"][0]["field"], "spec.versions[1].controlPlane.dataStore",
        "{}",
        refused.body
    );
    // A tenant's people get no further by a template than by themselves.
    let mut reaching = spec.clone();
    reaching["versions"][0]["controlPlane"]["controlPlane"]["deployment"]["additionalVolumes"] =
        json!([{ "name": "root", "hostPath": { "path": "/" } }]);
    assert_eq!(cast.publish(&cast.olga, "small", reaching.clone()).await.status, 422);
    assert_eq!(cast.publish(&cast.admin, "small", reaching.clone()).await.status, 422);
    reaching.as_object_mut().unwrap().remove("tenant");
    assert_eq!(cast.publish(&cast.olga, "reaching", reaching.clone()).await.status, 403);
    assert_eq!(cast.publish(&cast.admin, "reaching", reaching).await.status, 201);

    assert_eq!(cast.publish(&cast.olga, "small", spec.clone()).await.status, 201);
    let path = "/api/v1/templates/small";
    let write = async |spec: &Value| {
        cast.ask(&cast.olga, Method::PUT, path, json!({ "name": "small", "spec": spec })).await
    };
    let mut changed = spec.clone();
    changed["versions"][0]["parameters"][0]["maximum"] = json!(9);
    let refused = write(&changed).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body["detail"].as_str().unwrap().contains("`1` is published"), "{}", refused.body);
    let mut moved = spec.clone();
    moved["tenant"] = json!("acme-dev");
    assert_eq!(write(&moved).await.status, 422);
    let mut grown = spec.clone();
    grown["versions"].as_array_mut().unwrap().push(version("2", "v1.36.3"));
    assert_eq!(write(&grown).await.status, 200);
    grown["versions"].as_array_mut().unwrap().remove(0);
    assert_eq!(write(&grown).await.status, 200);
    assert_eq!(cast.ask(&cast.olga, Method::DELETE, path, Value::Null).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_scratch_more_of_the_spec_is_said_and_nothing_of_the_management_cluster() {
    let cast = cast().await;
    let create = async |who: &str, name: &str, fields: Value| {
        let mut body = json!({ "name": name, "tenant": "acme-dev" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        cast.ask(who, Method::POST, CLUSTERS, body).await
    };
    let spec = json!({ "networkProfile": { "podCidr": "10.9.0.0/16" }, "addons": { "kubeProxy": null } });
    let made = create(&cast.dora, "prod", json!({ "version": "v1.36.3", "replicas": 1, "spec": spec })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = serde_json::to_value(cast.cluster("acme-dev", "prod").await.spec).unwrap();
    assert_eq!(made["networkProfile"]["podCidr"], "10.9.0.0/16");
    assert!(made["addons"]["kubeProxy"].is_null() && made["addons"]["coreDNS"].is_object(), "{made}");
    assert_eq!(made["controlPlane"]["deployment"]["replicas"], 1);

    for (fields, field) in [
        (
            json!({ "version": "v1.36.3", "spec": { "kubernetes": { "version": "v1.35.0" } } }),
            "spec.kubernetes.version",
        ),
        (
            json!({ "version": "v1.36.3", "spec": { "networkProfile": { "port": "x" } } }),
            "spec.networkProfile.port",
        ),
        (json!({ "version": "v1.36.3", "spec": { "dataStoreUsername": "other" } }), "spec.dataStoreUsername"),
        (
            json!({ "version": "v1.36.3", "spec": { "controlPlane": { "deployment": { "additionalContainers": [] } } } }),
            "spec.controlPlane.deployment.additionalContainers",
        ),
        (
            json!({ "version": "v1.36.3", "spec": { "controlPlane": { "ingress": { "hostname": "hub" } } } }),
            "spec.controlPlane.ingress",
        ),
    ] {
        let refused = create(&cast.dora, "next", fields).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["errors"][0]["field"]),
            (422, &json!(field)),
            "{}",
            refused.body
        );
    }
    let refused = create(&cast.dora, "next", json!({ "replicas": 1 })).await;
    assert!(refused.body["detail"].as_str().unwrap().starts_with("version: say one"), "{}", refused.body);
    // Whoever runs the platform says everything.
    let reaching = json!({ "version": "v1.36.3", "spec": { "controlPlane": { "ingress": { "hostname": "a.example.com" } } } });
    assert_eq!(create(&cast.olga, "next", reaching.clone()).await.status, 422);
    let made = create(&cast.admin, "next", reaching).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

/// What keeps quotas in the management cluster, as far as an API server without the operator can play it.
async fn forbid_replicas(world: &World, most: u32) {
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(json!({
        "metadata": { "name": "quota" },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": ["kamaji.clastix.io"], "apiVersions": ["*"],
                "operations": ["CREATE"], "resources": ["tenantcontrolplanes"],
            }] },
            "validations": [{
                "expression": format!("object.spec.controlPlane.deployment.replicas <= {most}"),
                "message": "tenant `acme` has no room for more replicas",
                "reason": "Forbidden",
            }],
        },
    }))
    .unwrap();
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(json!({
        "metadata": { "name": "quota" },
        "spec": { "policyName": "quota", "validationActions": ["Deny"] },
    }))
    .unwrap();
    Api::all(world.client.clone()).create(&PostParams::default(), &policy).await.unwrap();
    Api::all(world.client.clone()).create(&PostParams::default(), &binding).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_admission_refuses_is_told_and_what_went_past_it_reaches_no_further() {
    let cast = cast().await;
    let spec = small(Some("acme"), vec![version("1", "v1.36.3")]);
    assert_eq!(cast.publish(&cast.olga, "small", spec).await.status, 201);
    forbid_replicas(&cast.world, 1).await;
    let chosen = json!({ "name": "small", "parameters": { "zone": "eu", "replicas": 3 } });
    eventually("the policy holds", || async {
        let refused = cast.make(&cast.dora, "probe", "acme-dev", chosen.clone()).await;
        let told = refused.body["detail"]
            .as_str()
            .is_some_and(|told| told.contains("has no room for more replicas"));
        let clusters: Api<TenantControlPlane> = Api::namespaced(cast.world.client.clone(), "acme-dev");
        if !told {
            clusters.delete("probe", &DeleteParams::default()).await.unwrap();
        }
        told && refused.status == 422
    })
    .await;
    let fits = json!({ "name": "small", "parameters": { "zone": "eu", "replicas": 1 } });
    assert_eq!(cast.make(&cast.dora, "fits", "acme-dev", fits.clone()).await.status, 201);

    // Somebody writes into the template past the hub, where no operator watches.
    let templates: Api<Template> = Api::all(cast.world.client.clone());
    let mut written = version("1", "v1.36.3");
    written["controlPlane"]["controlPlane"]["deployment"]["serviceAccountName"] = json!("flotilla-operator");
    let patch = Patch::Merge(json!({ "spec": { "versions": [written] } }));
    templates.patch("small", &PatchParams::default(), &patch).await.unwrap();
    eventually("the hub sees it", || async {
        let refused = cast
            .ask(
                &cast.dora,
                Method::POST,
                "/api/v1/templates/small/render",
                json!({ "parameters": fits["parameters"] }),
            )
            .await;
        refused.status == 422 && refused.body["detail"].as_str().unwrap().contains("serviceAccountName")
    })
    .await;
    assert_eq!(cast.make(&cast.dora, "beyond", "acme-dev", fits).await.status, 422);
}
