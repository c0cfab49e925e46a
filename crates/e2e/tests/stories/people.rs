//! People of a directory, of an `OpenID` Connect provider and of the hub itself, each in what is theirs.

use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Hub, Person, Told, eventually};
use launcher::{Dex, OpenLdap};
use local::{Layout, Record};
use serde_json::json;

/// How long a control plane may take until it serves on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
const LILAC: &str = "north-dev.lilac";
const MAPLE: &str = "south-ops.maple";

pub(crate) async fn people_of_all_providers_work_in_what_is_theirs(cluster: &Cluster) -> Result<()> {
    let hub = Hub::find(cluster).await?;
    let admin = hub.admin(cluster).await?;
    let here = machine_of(cluster)?;
    let groups: [(&str, &[&str]); 2] = [("dev", &["lena", "otto"]), ("ops", &["otto", "lena"])];
    let directory = OpenLdap::start_at(here, &["lena", "otto"], &groups).await?;
    let callback = format!("{}/api/v1/session/oidc/sso/callback", hub.url);
    let dex = Dex::start(&directory, &[callback]).await?;
    tenants(&hub, &admin).await?;
    providers(&hub, &admin, &directory, &dex).await?;
    let nora = hub.member(&admin, "nora", "tenant-owner", "north").await?;
    let lena = hub.sign_in_at(Some("staff"), "lena", "lena-password").await?;
    let otto = Person::new(cluster, &hub)?;
    by_browser(&hub, &otto, &dex)?;

    let new = json!({ "name": "lilac", "tenant": "north-dev", "version": "v1.36.3", "replicas": 1 });
    eventually("the tenant has its namespace", PATIENCE, || async {
        hub.expect(&lena, 201, "POST", "/api/v1/clusters", Some(new.clone())).await.map(drop)
    })
    .await?;
    let create =
        ["cluster", "create", "maple", "--tenant", "south-ops", "--version", "v1.36.3", "--replicas", "1"];
    eventually("the tenant has its namespace", PATIENCE, || async {
        otto.flotilla(&create, "")?.success().map(drop)
    })
    .await?;
    for id in [LILAC, MAPLE] {
        ready(&hub, &admin, id).await?;
    }
    each_in_theirs(&hub, &lena, &nora, &otto).await?;

    directory.remove_member("dev", "lena").await?;
    eventually("who leaves the group loses the right", PATIENCE, || async {
        let seen = hub.ask(Some(&lena), "GET", &format!("/api/v1/clusters/{LILAC}"), None).await?;
        ensure!(seen.status == 404, "{} {}", seen.status, seen.body);
        Ok(())
    })
    .await?;
    hub.expect(&lena, 200, "GET", "/api/v1/session", None).await?;
    directory.remove_person("lena").await?;
    directory.remove_member("ops", "otto").await?;
    eventually("who is gone at the provider is signed out", PATIENCE, || async {
        let seen = hub.ask(Some(&lena), "GET", "/api/v1/session", None).await?;
        ensure!(seen.status == 401, "{} {}", seen.status, seen.body);
        Ok(())
    })
    .await?;
    eventually("what a person loses, a program that they let in loses", PATIENCE, || async {
        let listed = otto.flotilla(&["cluster", "list"], "")?.success()?;
        ensure!(!listed.contains(MAPLE), "{listed}");
        Ok(())
    })
    .await?;
    clear_away(&hub, &admin).await
}

/// Where the machine is reached from inside the cluster.
fn machine_of(cluster: &Cluster) -> Result<IpAddr> {
    let layout = Layout::new(cluster.name().parse()?, cluster.directory());
    let record = Record::read(&layout)?.context("the cluster has no record")?;
    Ok(record.addresses.bridge().into())
}

async fn tenants(hub: &Hub, admin: &str) -> Result<()> {
    for (name, parent) in
        [("north", None), ("south", None), ("north-dev", Some("north")), ("south-ops", Some("south"))]
    {
        let body = json!({ "name": name, "spec": { "parent": parent } });
        hub.expect(admin, 201, "POST", "/api/v1/tenants", Some(body)).await?;
    }
    Ok(())
}

async fn providers(hub: &Hub, admin: &str, directory: &OpenLdap, dex: &Dex) -> Result<()> {
    let authority = |pair: Option<&pki::Pair>| pair.map(|pair| pair.certificate.clone());
    let ldap = json!({
        "url": directory.url(), "caBundle": authority(directory.authority()), "bindDn": OpenLdap::ADMINISTRATOR,
        "userBase": format!("ou=people,{}", OpenLdap::SUFFIX), "userFilter": "(uid={user})",
        "groupBase": format!("ou=groups,{}", OpenLdap::SUFFIX),
    });
    let oidc =
        json!({ "issuer": dex.issuer(), "clientId": Dex::CLIENT, "caBundle": authority(dex.authority()) });
    let all = [
        ("staff", json!({ "createUsers": true, "ldap": ldap }), OpenLdap::PASSWORD),
        ("sso", json!({ "createUsers": true, "tenant": "south", "oidc": oidc }), Dex::SECRET),
    ];
    for (name, spec, secret) in all {
        let body = json!({ "name": name, "spec": spec });
        hub.expect(admin, 201, "POST", "/api/v1/providers", Some(body)).await?;
        let path = format!("/api/v1/providers/{name}/secret");
        hub.expect(admin, 204, "PUT", &path, Some(json!({ "secret": secret }))).await?;
    }
    for (group, tenant) in [("staff:dev", "north-dev"), ("sso:ops", "south-ops")] {
        let spec = json!({ "group": group, "role": "tenant-owner", "scope": { "tenant": tenant } });
        let body = json!({ "name": tenant, "spec": spec });
        hub.expect(admin, 201, "POST", "/api/v1/grants", Some(body)).await?;
    }
    Ok(())
}

/// Otto begins to sign in with the command, signs in at the provider in a browser, and lets the command in.
fn by_browser(hub: &Hub, otto: &Person, dex: &Dex) -> Result<()> {
    let mut login =
        otto.begin_flotilla(&["login", &hub.url, "--ca-file", &otto.authority().display().to_string()])?;
    let mut said = String::new();
    BufReader::new(login.stderr.as_mut().context("no standard error")?).read_line(&mut said)?;
    let code = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();

    let both = format!("{}{}", hub.authority, dex.authority().map_or("", |pair| &pair.certificate));
    std::fs::write(otto.file("both.crt"), both)?;
    std::fs::write(otto.file("form"), "login=otto&password=otto-password")?;
    let begin = format!("{}/api/v1/session/oidc/sso?return=/", hub.url);
    let form =
        curl(otto, &["--location", "--output", "/dev/null", "--write-out", "%{url_effective}", &begin])?;
    let form_file = format!("@{}", otto.file("form").display());
    // The last page is the hub's own; where it leads on is of no interest here.
    curl(otto, &["--location", "--output", "/dev/null", "--data-binary", &form_file, form.trim()])?;
    let jar = std::fs::read_to_string(otto.file("jar"))?;
    let csrf =
        jar.lines().find_map(|line| line.split_once("__Host-flotilla-csrf\t")).context("no session")?.1;
    let (header, url) = (format!("x-flotilla-csrf: {csrf}"), format!("{}/api/v1/device/{code}", hub.url));
    let json = "content-type: application/json";
    let decide =
        ["--fail-with-body", "--header", &header, "--header", json, "--data", r#"{"approve":true}"#, &url];
    curl(otto, &decide)?;
    let done = login.wait()?;
    let mut rest = String::new();
    login.stderr.take().context("no standard error")?.read_to_string(&mut rest)?;
    ensure!(done.success(), "{said}{rest}");
    Ok(())
}

/// A browser, as far as signing in needs one.
fn curl(person: &Person, arguments: &[&str]) -> Result<String> {
    let jar = person.file("jar");
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
        .arg(person.file("both.crt"))
        .args([Path::new("--cookie"), &jar, Path::new("--cookie-jar"), &jar])
        .args(arguments)
        .output()?;
    Told::from(output).success()
}

async fn ready(hub: &Hub, admin: &str, id: &str) -> Result<()> {
    eventually(&format!("{id} is ready and knows the hub"), PATIENCE, || async {
        let row = hub.expect(admin, 200, "GET", &format!("/api/v1/clusters/{id}"), None).await?;
        ensure!(row["state"] == "Ready", "{row}");
        let path = format!("/k8s/clusters/{id}/api/v1/namespaces/default");
        hub.expect(admin, 200, "GET", &path, None).await.map(drop)
    })
    .await
}

async fn each_in_theirs(hub: &Hub, lena: &str, nora: &str, otto: &Person) -> Result<()> {
    let shop = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    let namespaces = |id: &str| format!("/k8s/clusters/{id}/api/v1/namespaces");
    hub.expect(lena, 201, "POST", &namespaces(LILAC), Some(shop.clone())).await?;
    hub.expect(nora, 200, "GET", &format!("{}/shop", namespaces(LILAC)), None).await?;
    for (who, foreign) in [(lena, MAPLE), (nora, MAPLE)] {
        for path in [namespaces(foreign), format!("/api/v1/clusters/{foreign}")] {
            hub.expect(who, 404, "GET", &path, None).await?;
        }
    }
    hub.expect(lena, 404, "GET", "/api/v1/tenants/north", None).await?;
    hub.expect(lena, 404, "GET", "/api/v1/tenants/south-ops", None).await?;
    let listed = otto.flotilla(&["cluster", "list"], "")?.success()?;
    ensure!(listed.contains(MAPLE) && !listed.contains(LILAC), "{listed}");
    let config: PathBuf = otto.file("kubeconfig");
    std::fs::write(&config, otto.flotilla(&["cluster", "kubeconfig", MAPLE], "")?.success()?)?;
    for context in [MAPLE.to_owned(), format!("{MAPLE}-direct")] {
        let created =
            otto.kubectl(&config, &["--context", &context, "get", "namespaces", "-o", "name"])?.success()?;
        ensure!(created.contains("namespace/default"), "{context}: {created}");
    }
    let foreign = otto.flotilla(&["cluster", "kubeconfig", LILAC], "")?;
    ensure!(foreign.code != 0 && foreign.err.contains(LILAC), "{foreign:?}");
    Ok(())
}

async fn clear_away(hub: &Hub, admin: &str) -> Result<()> {
    for id in [LILAC, MAPLE] {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/clusters/{id}"), None).await?;
    }
    for path in ["providers/staff", "providers/sso", "grants/north-dev", "grants/south-ops", "grants/nora"] {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/{path}"), None).await?;
    }
    let users = hub.expect(admin, 200, "GET", "/api/v1/users", None).await?;
    let names = users["items"].as_array().into_iter().flatten().filter_map(|user| user["name"].as_str());
    for user in names.filter(|name| *name == "nora" || name.starts_with("staff-") || name.starts_with("sso-"))
    {
        hub.expect(admin, 204, "DELETE", &format!("/api/v1/users/{user}"), None).await?;
    }
    for tenant in ["north-dev", "south-ops", "north", "south"] {
        eventually(&format!("{tenant} is empty and deleted"), PATIENCE, || async {
            hub.expect(admin, 204, "DELETE", &format!("/api/v1/tenants/{tenant}"), None).await.map(drop)
        })
        .await?;
    }
    Ok(())
}
