//! The hub: people sign in, make a cluster, and work in it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Hub, Person, eventually};
use http::Request;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

/// How long a control plane may take until it serves on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
const CLUSTER: &str = "orchid.prod";

pub(crate) async fn people_sign_in_make_a_cluster_and_work_in_it(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let admin = hub.admin(cluster).await?;
    for tenant in ["orchid", "lily"] {
        let body = json!({ "name": tenant, "spec": { "quota": { "clusters": 1 } } });
        hub.expect(&admin, 201, "POST", "/api/v1/tenants", Some(body)).await?;
    }
    let olga = hub.member(&admin, "olga", "tenant-owner", "orchid").await?;
    let rita = hub.member(&admin, "rita", "read-only", "orchid").await?;
    let gus = hub.member(&admin, "gus", "tenant-owner", "lily").await?;
    self_service(&hub, &olga).await?;
    work_inside(&hub, &olga, &rita, &gus).await?;
    directly(cluster, &hub, &olga).await?;
    by_command(cluster, &hub)?;
    hub.expect(&admin, 204, "DELETE", "/api/v1/grants/olga", None).await?;
    let after = hub.ask(Some(&olga), "GET", &format!("/api/v1/clusters/{CLUSTER}"), None).await?;
    ensure!(after.status == 404, "a right that is lost is lost at once: {}", after.body);
    clear_away(&hub, &admin).await
}

/// Olga makes a cluster; a second one is refused by the quota, and Gus sees nothing of it.
async fn self_service(hub: &Hub, olga: &str) -> Result<()> {
    let new = |name: &str| json!({ "name": name, "tenant": "orchid", "version": "v1.36.3", "replicas": 1 });
    eventually("the tenant has its namespace", PATIENCE, || async {
        hub.expect(olga, 201, "POST", "/api/v1/clusters", Some(new("prod"))).await.map(drop)
    })
    .await?;
    let second = hub.ask(Some(olga), "POST", "/api/v1/clusters", Some(new("second"))).await?;
    let detail = second.body["detail"].as_str().unwrap_or_default();
    ensure!(second.status == 422 && detail.contains("clusters 1 of 1"), "{} {}", second.status, second.body);
    eventually("the cluster is ready in the inventory", PATIENCE, || async {
        let row = hub.expect(olga, 200, "GET", &format!("/api/v1/clusters/{CLUSTER}"), None).await?;
        ensure!(row["state"] == "Ready" && row["tenant"] == "orchid", "{row}");
        Ok(())
    })
    .await
}

async fn work_inside(hub: &Hub, olga: &str, rita: &str, gus: &str) -> Result<()> {
    let through = |token: &str| hub.client(&format!("/k8s/clusters/{CLUSTER}"), Some(token));
    let shop: Namespace = serde_json::from_value(json!({ "metadata": { "name": "shop" } }))?;
    let namespaces: Api<Namespace> = Api::all(through(olga)?);
    eventually("the cluster knows the hub", PATIENCE, || async {
        Ok(namespaces.create(&PostParams::default(), &shop).await.map(drop)?)
    })
    .await?;
    let reading: Api<Namespace> = Api::all(through(rita)?);
    ensure!(reading.get_opt("shop").await?.is_some(), "who reads sees it");
    let refused = reading.delete("shop", &kube::api::DeleteParams::default()).await;
    ensure!(code(&refused.map(drop)) == 403, "who only reads deletes nothing");
    let secrets: Api<Secret> = Api::all(through(rita)?);
    ensure!(code(&secrets.list(&ListParams::default()).await.map(drop)) == 403, "nor reads Secrets");
    let foreign: Api<Namespace> = Api::all(through(gus)?);
    ensure!(
        code(&foreign.list(&ListParams::default()).await.map(drop)) == 404,
        "there is no such cluster for Gus"
    );
    let seen = hub.expect(gus, 200, "GET", "/api/v1/clusters", None).await?;
    ensure!(seen["total"] == 0, "{seen}");
    let path = format!("/api/v1/audit?cluster={CLUSTER}&actor=olga&verb=create&resource=namespaces");
    let log = hub.expect(olga, 200, "GET", &path, None).await?;
    ensure!(log["items"][0]["status"] == 201, "{log}");
    Ok(())
}

/// Past the hub, with an identity of ten minutes.
async fn directly(cluster: &Cluster, hub: &Hub, olga: &str) -> Result<()> {
    let issued =
        hub.expect(olga, 200, "POST", &format!("/api/v1/clusters/{CLUSTER}/credential"), None).await?;
    let token = issued["token"].as_str().context("no token")?;
    let row = hub.expect(olga, 200, "GET", &format!("/api/v1/clusters/{CLUSTER}"), None).await?;
    let endpoint = row["endpoint"].as_str().context("no endpoint")?;
    let secrets: Api<Secret> = Api::namespaced(cluster.client().await?, "orchid");
    let authority = value(&secrets.get("prod-ca").await?, "ca.crt")?;
    let client = kubekit::client_for_server(&format!("https://{endpoint}"), Some(&authority), Some(token))?;
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let request = Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&review)?)?;
    let answer: Value = client.request(request).await?;
    let user = &answer["status"]["userInfo"];
    ensure!(user["username"] == "flotilla:user:olga", "{user}");
    let groups = user["groups"].to_string();
    ensure!(
        groups.contains("flotilla:cluster:tenant-owner") && !groups.contains("system:masters"),
        "{groups}"
    );
    Ok(())
}

async fn clear_away(hub: &Hub, admin: &str) -> Result<()> {
    hub.expect(admin, 204, "DELETE", &format!("/api/v1/clusters/{CLUSTER}"), None).await?;
    for user in ["olga", "rita", "gus"] {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/users/{user}"), None).await?;
    }
    for grant in ["rita", "gus"] {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/grants/{grant}"), None).await?;
    }
    for tenant in ["orchid", "lily"] {
        eventually(&format!("{tenant} is empty and deleted"), PATIENCE, || async {
            hub.expect(admin, 204, "DELETE", &format!("/api/v1/tenants/{tenant}"), None).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

/// Rita signs in with the command and uses kubectl, through the hub and past it, with a kubeconfig without a secret.
fn by_command(cluster: &Cluster, hub: &Hub) -> Result<()> {
    let rita = Person::new(cluster, hub)?;
    let flotilla = |arguments: &[&str], input: &str| rita.flotilla(arguments, input);
    let (ca_file, config) = (rita.authority().display().to_string(), rita.file("kubeconfig"));
    let login = ["login", &hub.url, "--user", "rita", "--ca-file", &ca_file, "--password-stdin"];
    let wrong = flotilla(&login, "no such password")?;
    ensure!(wrong.code == 1 && wrong.err.contains("name, password or code are wrong"), "{}", wrong.err);
    flotilla(&login, &Hub::password("rita"))?.success()?;
    let listed = flotilla(&["cluster", "list"], "")?.success()?;
    ensure!(listed.lines().count() == 2 && listed.contains(CLUSTER) && listed.contains("Ready"), "{listed}");
    std::fs::write(&config, flotilla(&["cluster", "kubeconfig", CLUSTER], "")?.success()?)?;
    for context in [CLUSTER.to_owned(), format!("{CLUSTER}-direct")] {
        let get = ["--context", &context, "get", "namespaces", "-o", "name"];
        let namespaces = rita.kubectl(&config, &get)?.success()?;
        ensure!(namespaces.contains("namespace/shop"), "{context}: {namespaces}");
        let told = rita.kubectl(&config, &["--context", &context, "delete", "namespace", "shop"])?;
        ensure!(told.code == 1 && told.err.contains("Forbidden"), "{context}: {}", told.err);
    }
    flotilla(&["logout"], "")?.success()?;
    let after = flotilla(&["cluster", "list"], "")?;
    ensure!(after.code == 3 && after.err.contains("flotilla login"), "{}", after.err);
    Ok(())
}

fn value(secret: &Secret, key: &str) -> Result<String> {
    let value = secret.data.as_ref().and_then(|data| data.get(key)).with_context(|| format!("no {key}"))?;
    Ok(String::from_utf8(value.0.clone())?)
}

fn code(outcome: &Result<(), kube::Error>) -> u16 {
    match outcome {
        Err(kube::Error::Api(status)) => status.code,
        _ => 0,
    }
}
