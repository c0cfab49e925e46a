//! Journeys: what people do in the web console, in Chromium, at the hub of the local cluster. The steps are in
//! `console/journeys`; here is what a browser does not do.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Hub, Journey, Person, eventually};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{Api, PostParams};
use launcher::{Dex, OpenLdap};
use serde_json::{Value, json};

/// How long a control plane may take until it is gone on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) async fn the_first_user_makes_a_cluster_and_looks_inside(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let told = by_kubeconfig(cluster, &hub).await;
    told.and(clear_away(cluster, &hub, &["tenants/harbour"]).await)
}

/// What the browser saved opens the cluster for kubectl.
async fn by_kubeconfig(cluster: &Cluster, hub: &Hub) -> Result<()> {
    let home = Journey::prepare(cluster, hub, "first-run").await?.run().await?;
    let kubeconfig = home.join("kubeconfig");
    let person = Person::new(cluster, hub)?;
    let ca_file = person.authority().display().to_string();
    let login = ["login", &hub.url, "--user", Hub::FIRST_USER, "--ca-file", &ca_file, "--password-stdin"];
    person.flotilla(&login, &Hub::first_password(cluster).await?)?.success()?;
    let contexts = person.kubectl(&kubeconfig, &["config", "get-contexts", "-o", "name"])?.success()?;
    ensure!(contexts.lines().eq(["harbour.pier", "harbour.pier-direct"]), "{contexts}");
    let pods = person.kubectl(&kubeconfig, &["get", "pods", "-n", "kube-system", "-o", "name"])?.success()?;
    ensure!(pods.contains("pod/coredns-"), "{pods}");
    Ok(())
}

/// The cluster that the hub runs in is one that can be imported, too, and has a node for pods.
pub(crate) async fn a_cluster_is_imported_and_a_shell_opened_in_it(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let told = import(cluster, &hub).await;
    let cleared = clear_away(cluster, &hub, &["imports/landing"]).await;
    told.and(take_the_agent_out(cluster)).and(cleared)
}

fn take_the_agent_out(cluster: &Cluster) -> Result<()> {
    let kubectl = |arguments: &[&str]| cluster.kubectl(&cluster.kubeconfig(), arguments)?.success();
    kubectl(&["delete", "namespace", "landing", "flotilla-agent", "--ignore-not-found"])?;
    let roles = "clusterroles,clusterrolebindings";
    kubectl(&["delete", roles, "--selector", "app.kubernetes.io/name=flotilla-agent"]).map(drop)
}

async fn import(cluster: &Cluster, hub: &Hub) -> Result<()> {
    let programs = [cluster.directory().join("bin")];
    let path = std::env::var_os("PATH").context("no PATH")?;
    let path = std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&path)))?;
    let journey = Journey::prepare(cluster, hub, "import").await?;
    journey.with("PATH", path).with("KUBECONFIG", cluster.kubeconfig()).run().await.map(drop)
}

pub(crate) async fn who_is_invited_sees_only_what_is_theirs(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let told = Journey::prepare(cluster, &hub, "invite").await?.run().await;
    told.and(clear_away(cluster, &hub, &["users/mia", "tenants/marina", "tenants/jetty"]).await)
}

pub(crate) async fn a_cluster_is_upgraded_sleeps_and_wakes_while_one_looks_on(
    cluster: &Cluster,
) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let told = Journey::prepare(cluster, &hub, "life").await?.run().await;
    told.and(clear_away(cluster, &hub, &["tenants/ferries"]).await)
}

pub(crate) async fn a_cluster_is_backed_up_and_what_was_lost_comes_back(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let told = back_up(cluster, &hub).await;
    told.and(clear_away(cluster, &hub, &["tenants/lighthouse"]).await)
}

/// The tenant and its volume for archives are there before: the management cluster's own people give it.
async fn back_up(cluster: &Cluster, hub: &Hub) -> Result<()> {
    let admin = hub.admin(cluster).await?;
    let tenant = json!({ "name": "lighthouse", "spec": {} });
    hub.expect(&admin, 201, "POST", "/api/v1/tenants", Some(tenant)).await?;
    let claim = json!({
        "metadata": { "name": "archives" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
    });
    let claim: PersistentVolumeClaim = serde_json::from_value(claim)?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client().await?, "lighthouse");
    eventually("the tenant's namespace is there", PATIENCE, || async {
        claims.create(&PostParams::default(), &claim).await?;
        Ok(())
    })
    .await?;
    Journey::prepare(cluster, hub, "backups").await?.run().await.map(drop)
}

/// A hub of its own, whose URL has a name: browsers make passkeys for no address.
pub(crate) async fn people_sign_in_in_every_way(cluster: &Cluster) -> Result<()> {
    let hub = fleet::Hub::start_as("localhost", &[]).await?;
    let directory = OpenLdap::start(&["lena", "otto"], &[]).await?;
    let dex = Dex::start(&directory, &[format!("{}/api/v1/session/oidc/sso/callback", hub.url())]).await?;
    let authority = |pair: Option<&pki::Pair>| pair.map(|pair| pair.certificate.clone()).unwrap_or_default();
    let ldap = json!({
        "url": directory.url(), "caBundle": authority(directory.authority()), "bindDn": OpenLdap::ADMINISTRATOR,
        "userBase": format!("ou=people,{}", OpenLdap::SUFFIX), "userFilter": "(uid={user})",
    });
    let trusted = authority(dex.authority());
    let oidc = json!({ "issuer": dex.issuer(), "clientId": Dex::CLIENT, "caBundle": trusted });
    let staff = json!({ "createUsers": true, "ldap": ldap });
    let sso = json!({ "createUsers": true, "displayName": "Company", "oidc": oidc });
    for (name, spec, secret) in [("staff", staff, OpenLdap::PASSWORD), ("sso", sso, Dex::SECRET)] {
        hub.ask("POST", "/api/v1/providers", &json!({ "name": name, "spec": spec })).await?;
        let path = format!("/api/v1/providers/{name}/secret");
        hub.ask("PUT", &path, &json!({ "secret": secret })).await?;
    }
    let at = Hub { url: hub.url().to_owned(), authority: hub.authority().to_owned() };
    let journey = Journey::elsewhere(cluster.root(), &at, hub.password(), "sign-in")?;
    journey.trusting(&dex.issuer(), &trusted)?.run().await.map(drop)
}

/// Deletes what a journey made, however far it came: objects by their path, tenants with their clusters and grants.
async fn clear_away(cluster: &Cluster, hub: &Hub, paths: &[&str]) -> Result<()> {
    let admin = hub.admin(cluster).await?;
    for path in paths {
        if let Some(tenant) = path.strip_prefix("tenants/") {
            empty(hub, &admin, tenant).await?;
        }
        eventually(&format!("{path} is gone"), PATIENCE, || async {
            let answer = hub.ask(Some(&admin), "DELETE", &format!("/api/v1/{path}"), None).await?;
            ensure!([204, 404].contains(&answer.status), "{} {}", answer.status, answer.body);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Deletes the clusters and grants of a tenant.
async fn empty(hub: &Hub, admin: &str, tenant: &str) -> Result<()> {
    let clusters = hub.expect(admin, 200, "GET", "/api/v1/clusters?limit=500", None).await?;
    for row in clusters["items"].as_array().into_iter().flatten().filter(|row| row["tenant"] == tenant) {
        let id = row["id"].as_str().context("a cluster without an id")?;
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/clusters/{id}"), None).await?;
    }
    let grants = hub.expect(admin, 200, "GET", "/api/v1/grants?limit=500", None).await?;
    let of_tenant = |grant: &&Value| grant["spec"]["scope"]["tenant"] == tenant;
    for grant in grants["items"].as_array().into_iter().flatten().filter(of_tenant) {
        let name = grant["name"].as_str().context("a grant without a name")?;
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/grants/{name}"), None).await?;
    }
    Ok(())
}
