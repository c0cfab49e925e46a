//! The `flotilla` program against a real hub on a real API server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use api::{TenantBackup, TenantRestore};
use clap::Parser;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use launcher::{ControlPlane, Options};
use serde_json::{Value, json};

const NAMESPACE: &str = "flotilla-system";
const LIMIT: Duration = Duration::from_secs(90);

/// A hub, and the home directory of somebody who uses it.
struct World {
    client: Client,
    url: String,
    directory: tempfile::TempDir,
    _control_plane: ControlPlane,
}

impl World {
    async fn new() -> Self {
        service::install_tls_provider();
        let control_plane = ControlPlane::start(&Options::management(api::crds)).await.unwrap();
        let kubeconfig = control_plane.kubeconfig_path();
        let client = kubekit::client(Some(&kubeconfig)).await.unwrap();
        namespace(&client, NAMESPACE).await;
        let directory = tempfile::tempdir().unwrap();
        let ports = launcher::free_ports().unwrap();
        let settings = settings(ports, &kubeconfig, directory.path());
        tokio::spawn(async move { Box::pin(server::run(settings)).await.unwrap() });
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        eventually("the hub has what it needs", || async {
            let has = async |name| secrets.get_opt(name).await.unwrap().is_some();
            has("flotilla-server-certificate").await && has("flotilla-first-password").await
        })
        .await;
        let certificate = secrets.get("flotilla-server-certificate").await.unwrap();
        std::fs::write(directory.path().join("ca.crt"), text(&certificate, "ca.crt")).unwrap();
        Self {
            client,
            url: format!("https://127.0.0.1:{}", ports[0]),
            directory,
            _control_plane: control_plane,
        }
    }

    /// Signs `admin` in with the first password, which goes through standard input.
    async fn sign_in(&self) {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), NAMESPACE);
        let password = text(&secrets.get("flotilla-first-password").await.unwrap(), "password");
        let authority = self.directory.path().join("ca.crt");
        let args = [
            "login",
            &self.url,
            "--user",
            "admin",
            "--password-stdin",
            "--ca-file",
            authority.to_str().unwrap(),
        ];
        let output = self.run(&args, &password);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The program with arguments and standard input.
    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_flotilla"))
            .args(args)
            .env("XDG_CONFIG_HOME", self.directory.path())
            .env_remove("FLOTILLA_HUB")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that reads nothing may have ended already.
        let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
        program.wait_with_output().unwrap()
    }

    /// What it prints, when it succeeds.
    fn prints(&self, line: &str) -> String {
        let args: Vec<&str> = line.split(' ').collect();
        let output = self.run(&args, "");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Its exit code and what it complains of.
    fn fails(&self, line: &str) -> (i32, String) {
        let args: Vec<&str> = line.split(' ').collect();
        let output = self.run(&args, "");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_gets_a_tenant_an_owner_and_a_cluster_by_the_command() {
    let world = World::new().await;
    assert_eq!(world.fails("tenant list").0, 3, "nobody is signed in");
    world.sign_in().await;
    assert_eq!(world.prints("whoami -o name"), "admin\n");
    assert!(world.prints("context list").contains(&world.url));

    world.prints("tenant create acme quota.clusters=5");
    world.prints("user create olga tenant=acme");
    let set = world.run(&["password", "olga", "--password-stdin"], "correct horse olga\n");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    world.prints("grant create olga user=olga role=tenant-owner scope.tenant=acme");
    assert_eq!(world.prints("tenant list -o name"), "acme\n");
    let shown: Value = serde_json::from_str(&world.prints("tenant show acme -o json")).unwrap();
    assert_eq!(shown["spec"]["quota"]["clusters"], 5);
    world.prints("tenant set acme displayName=Acme quota.clusters=6");
    let shown: Value = serde_json::from_str(&world.prints("tenant show acme -o json")).unwrap();
    assert_eq!(
        (&shown["spec"]["displayName"], &shown["spec"]["quota"]["clusters"]),
        (&json!("Acme"), &json!(6))
    );
    let answer = world.prints("access --user olga --tenant acme --verb create --resource clusters");
    assert!(answer.starts_with("allowed, by olga  tenant-owner  user olga"), "{answer}");

    operate(&world.client, "acme").await;
    // The hub gets to know of the namespace a moment later, and refuses until then.
    let create = ["cluster", "create", "prod", "--tenant", "acme", "--version", "v1.36.3"];
    let made = || std::future::ready(world.run(&create, "").stdout == b"acme.prod\n");
    eventually("the tenant can have clusters", made).await;
    let listed = || world.prints("cluster list --tenant acme -o name");
    eventually("the cluster is in the inventory", || std::future::ready(listed() == "acme.prod\n")).await;
    // Nobody starts its pods here: waiting for a cluster follows its state, and ends.
    let (code, complaint) =
        world.fails("cluster create slow --tenant acme --version v1.36.3 --wait --timeout 3");
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("`acme.slow` was not ready after 3 s"), "{complaint}");
    world.prints("cluster scale acme.prod --replicas 3");
    let schedule =
        ["cluster", "schedule", "acme.prod", "--sleep", "0 20 * * 1-5", "--time-zone", "Europe/Berlin"];
    let set = world.run(&schedule, "");
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let asked = || serde_json::from_str::<Value>(&world.prints("cluster show acme.prod -o json")).unwrap();
    let wished = json!({ "sleep": "0 20 * * 1-5", "timeZone": "Europe/Berlin" });
    eventually("the schedule is shown", || std::future::ready(asked()["sleepSchedule"] == wished)).await;
    let (code, complaint) = world.fails("cluster schedule acme.prod --wake never");
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains("sleepSchedule.wake: `never` is no cron expression"), "{complaint}");
    assert!(world.fails("cluster schedule acme.prod").1.contains("--none"), "it says what is missing");
    world.prints("cluster schedule acme.prod --none");
    eventually("the schedule is gone", || std::future::ready(asked()["sleepSchedule"].is_null())).await;
    clone_by_command(&world).await;
    back_up_by_command(&world).await;
    let import = world.prints("cluster import edge --tenant acme");
    assert!(import.starts_with("curl ") && import.ends_with("kubectl apply -f -\n"), "{import}");
    world.prints("cluster delete acme.prod");

    let (code, complaint) = world.fails("tenant show nobody");
    assert_eq!(code, 4);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert_eq!(world.fails("tenant create acme").0, 1, "there is one of this name");
    assert!(world.prints("audit --verb create").contains("tenants"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_made_from_a_template_and_looked_at_before() {
    let world = World::new().await;
    world.sign_in().await;
    world.prints("tenant create acme");
    operate(&world.client, "acme").await;
    let template = "name: small
spec:
  displayName: Small clusters
  versions:
    - version: '1'
      deprecated: take 2
      controlPlane: {kubernetes: {version: v1.35.0}}
    - version: '2'
      parameters:
        - {name: replicas, type: integer, minimum: 1, maximum: 3, default: 1}
      controlPlane:
        kubernetes: {version: v1.36.3}
        controlPlane: {deployment: {replicas: '${replicas}'}}
";
    let output = world.run(&["template", "apply", "-f", "-"], template);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(world.prints("template list").contains("Small clusters"));

    let looked =
        world.prints("cluster create prod --tenant acme --template small --set replicas=3 --dry-run");
    assert!(looked.contains("kind: TenantControlPlane") && looked.contains("replicas: 3"), "{looked}");
    assert_eq!(world.prints("cluster list -o name"), "\n", "nothing was made");
    let old = "cluster create prod --tenant acme --template small@1 --dry-run";
    let output = world.run(&old.split(' ').collect::<Vec<_>>(), "");
    let (object, told) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(object.contains("v1.35.0") && told.contains("deprecated: take 2"), "{object}{told}");

    let (code, told) =
        world.fails("cluster create prod --tenant acme --template small --set replicas=9 --set size=1");
    assert_eq!(code, 1);
    for word in
        ["template.parameters.replicas: `9` must be a whole number from 1 to 3", "template.parameters.size"]
    {
        assert!(told.contains(word), "{told}");
    }
    let args =
        ["cluster", "create", "prod", "--tenant", "acme", "--template", "small", "--set", "replicas=2"];
    let made = || std::future::ready(world.run(&args, "").stdout == b"acme.prod\n");
    eventually("the tenant can have clusters", made).await;
    let clusters: Api<api::TenantControlPlane> = Api::namespaced(world.client.clone(), "acme");
    let cluster = clusters.get("prod").await.unwrap();
    assert_eq!(cluster.spec.control_plane.deployment.unwrap().replicas, Some(2));
    assert_eq!(cluster.metadata.labels.unwrap()["flotilla.dev/template-version"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_applied_once_and_keys_are_shown_once() {
    let world = World::new().await;
    world.sign_in().await;
    let apply = |text: &str| {
        let output = world.run(&["tenant", "apply", "-f", "-"], text);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(apply("name: acme\nspec: {displayName: Acme}\n"), "created tenants/acme\n");
    assert_eq!(apply("name: acme\nspec: {displayName: Other}\n"), "changed tenants/acme\n");
    // What the program prints is what it takes.
    assert_eq!(apply(&world.prints("tenant show acme")), "unchanged tenants/acme\n");

    let key = world.prints("key create ci --read-only --days 1");
    let id = world.prints("key list -o name");
    assert!(!world.prints("key list -o json").contains(key.trim()));
    world.prints(&format!("key delete {}", id.trim()));
    assert_eq!(world.prints("key list -o name"), "\n");
    world.prints("tenant delete acme");
    world.prints("logout");
    assert_eq!(world.fails("whoami").0, 3);
}

/// Nobody fills a clone here: what is told of its restore is what an operator would say.
async fn clone_by_command(world: &World) {
    let (code, complaint) = world.fails("cluster clone acme.prod copy");
    assert!(code == 1 && complaint.contains("make a TenantBackupSchedule"), "{complaint}");
    let spec = json!({ "tenantControlPlane": "prod", "target": { "directory": {} } });
    let backup = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackup", "metadata": { "name": "first" }, "spec": spec,
    });
    let backups: Api<TenantBackup> = Api::namespaced(world.client.clone(), "acme");
    backups.create(&PostParams::default(), &serde_json::from_value(backup).unwrap()).await.unwrap();
    assert_eq!(world.prints("cluster clone acme.prod copy"), "acme.copy\n");
    assert_eq!(world.prints("cluster clone acme.prod other --backup first"), "acme.other\n");

    let restores: Api<TenantRestore> = Api::namespaced(world.client.clone(), "acme");
    let telling = tokio::spawn(async move {
        eventually("the third restore is asked for", || async {
            let asked = restores.list(&ListParams::default()).await.unwrap().items;
            let third = asked.into_iter().find(|found| found.spec.tenant_control_plane == "third");
            let Some(third) = third else { return false };
            let said = json!({
                "type": "Completed", "status": "False", "reason": "Failed", "message": "it is torn",
                "lastTransitionTime": "2026-11-30T12:00:00Z",
            });
            let status = json!({ "status": { "conditions": [said], "completedAt": "2026-11-30T12:00:00Z" } });
            let (name, status) = (third.metadata.name.unwrap(), Patch::Merge(status));
            restores.patch_status(&name, &PatchParams::default(), &status).await.is_ok()
        })
        .await;
    });
    let failing = tokio::task::block_in_place(|| world.fails("cluster clone acme.prod third --wait"));
    telling.await.unwrap();
    assert_eq!(failing.0, 2, "{}", failing.1);
    assert!(failing.1.contains("`acme.third` did not get its contents: it is torn"), "{}", failing.1);
}

/// Nobody takes a backup here: what is told of it is what an operator would say.
async fn back_up_by_command(world: &World) {
    assert_eq!(world.prints("cluster backup acme.prod --name second"), "second\n");
    let said = json!({
        "type": "Completed", "status": "True", "reason": "Completed", "message": "whole",
        "lastTransitionTime": "2026-11-30T12:00:00Z",
    });
    let status =
        json!({ "status": { "conditions": [said], "completedAt": "2026-11-30T12:00:00Z", "size": 9 } });
    let backups: Api<TenantBackup> = Api::namespaced(world.client.clone(), "acme");
    backups.patch_status("second", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    let table = world.prints("cluster backups acme.prod");
    assert!(table.lines().any(|line| line.starts_with("second") && line.ends_with("whole")), "{table}");
    let name = world.prints("cluster restore acme.prod second");
    let restores = world.prints("cluster backups acme.prod --restores -o name");
    assert_eq!(restores.lines().next(), Some(name.trim()));
    assert_eq!(world.fails("cluster restore acme.prod nowhere").0, 1);
    let (code, told) = world.fails("cluster backup acme.prod --bucket b");
    assert!(code == 1 && told.contains("--secret"), "{code} {told}");
}

/// Does what the operator would do for a tenant.
async fn operate(client: &Client, tenant: &str) {
    namespace(client, tenant).await;
    let tenants: Api<api::Tenant> = Api::all(client.clone());
    let status = Patch::Merge(json!({ "status": { "namespace": tenant } }));
    tenants.patch_status(tenant, &PatchParams::default(), &status).await.unwrap();
}

async fn namespace(client: &Client, name: &str) {
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
}

fn settings([port, health, metrics]: [u16; 3], kubeconfig: &Path, directory: &Path) -> server::Settings {
    let own = |port: u16| format!("127.0.0.1:{port}");
    let records = format!("sqlite://{}/records.db?mode=rwc", directory.display());
    let args = [
        ("--url", format!("https://127.0.0.1:{port}")),
        ("--kubeconfig", kubeconfig.display().to_string()),
        ("--bind-address", own(port)),
        ("--health-probe-bind-address", own(health)),
        ("--metrics-bind-address", own(metrics)),
        ("--records", records),
    ];
    let args = args.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    server::Settings::parse_from(std::iter::once("flotilla-server".to_owned()).chain(args))
}

fn text(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

/// Waits for something to become true.
async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "waited in vain: {what}");
}
