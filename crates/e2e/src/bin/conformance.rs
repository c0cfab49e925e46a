//! Upstream's end-to-end tests against a tenant with two workers: `conformance [FOCUS]`, a regular expression.
//!
//! Not part of the suite: it takes the better part of an hour. `cargo xtask conformance` runs it. What became of
//! each test stands in `target/conformance/report.json`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, Workers, tool};
use serde_json::Value;

/// Conformance tests of these parts of Kubernetes.
const FOCUS: &str = r"\[sig-(api-machinery|auth|node|network|apps|cli|scheduling)\].*\[Conformance\]";
/// What two small nodes without a registry cannot run, with the reason.
const LEFT_OUT: [(&str, &str); 4] = [
    (r"\[Serial\]", "needs the cluster for itself and hours"),
    (r"\[Slow\]", "takes minutes each"),
    ("sample-apiserver|Sample API Server", "needs the image sample-apiserver"),
    ("nginx|Nautilus|Guestbook", "needs images of web servers"),
];
/// Images that upstream's tests run beside those of the stories.
const IMAGES: [&str; 3] = [
    "registry.k8s.io/e2e-test-images/agnhost:2.55",
    "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
    "registry.k8s.io/e2e-test-images/glibc-dns-testing:2.0.0",
];
/// The longest that all of it may take.
const LIMIT: &str = "80m";

fn main() -> ExitCode {
    service::install_tls_provider();
    let focus = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    match run(focus.as_deref().unwrap_or(FOCUS)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(focus: &str) -> Result<bool> {
    let cluster = Cluster::new("conformance");
    cluster.flotilla(&["down"], &["--purge"])?;
    cluster.flotilla(&["up"], &[])?.success().context("start the local cluster")?;
    let outcome = tokio::runtime::Runtime::new()?.block_on(tested(&cluster, focus));
    if std::env::var_os("FLOTILLA_E2E_KEEP").is_none() {
        cluster.flotilla(&["down"], &["--purge"])?.success()?;
    }
    outcome
}

async fn tested(cluster: &Cluster, focus: &str) -> Result<bool> {
    let tenants = Tenants::new(cluster, "conformance").await?;
    tenants.create(&TenantSpec::with_workers("one")).await?;
    tenants.ready("one").await?;
    let kubeconfig = tenants.kubeconfig("one").await?;
    let workers = Workers::create(cluster, 0).await?;
    let machines = [workers.start(1, "attic")?, workers.start(2, "barn")?];
    for machine in &machines {
        machine.load_images(&IMAGES)?;
    }
    let arguments = ["--tenant", "conformance/one", "--output", "script"];
    let script = cluster.flotilla(&["join-command"], &arguments)?.success()?;
    workers.join(&kubeconfig, &script, &machines.each_ref()).await?;
    let report = cluster.root().join("target/conformance/report.json");
    std::fs::create_dir_all(report.parent().context("no directory")?)?;
    call(cluster, &kubeconfig, focus, &report)?;
    tell(&report)
}

fn call(cluster: &Cluster, kubeconfig: &Path, focus: &str, report: &Path) -> Result<()> {
    let skipped = LEFT_OUT.map(|(pattern, _)| pattern).join("|");
    let status = Command::new(tool(cluster, "conformance")?)
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .args(["--provider=skeleton", "--num-nodes=2", "--ginkgo.no-color", "--allowed-not-ready-nodes=0"])
        .arg(format!("--ginkgo.focus={focus}"))
        .arg(format!("--ginkgo.skip={skipped}"))
        .arg(format!("--ginkgo.timeout={LIMIT}"))
        .arg(format!("--ginkgo.json-report={}", report.display()))
        .status()
        .context("run the tests")?;
    ensure!(report.is_file(), "the tests ended with {status} and left no report");
    Ok(())
}

fn tell(report: &Path) -> Result<bool> {
    let report: Value = serde_json::from_slice(&std::fs::read(report)?)?;
    let specs = report[0]["SpecReports"].as_array().cloned().unwrap_or_default();
    let named = |state: &str| -> Vec<String> {
        let wanted = specs.iter().filter(|spec| spec["State"] == state && spec["LeafNodeType"] == "It");
        wanted.map(name).collect()
    };
    let (passed, failed) = (named("passed"), named("failed"));
    println!("{} passed, {} failed, {} left out", passed.len(), failed.len(), named("skipped").len());
    for (pattern, reason) in LEFT_OUT {
        println!("left out: {pattern}: {reason}");
    }
    for failure in &failed {
        println!("FAILED {failure}");
    }
    Ok(failed.is_empty() && !passed.is_empty())
}

fn name(spec: &Value) -> String {
    let parts = spec["ContainerHierarchyTexts"].as_array().cloned().unwrap_or_default();
    let parts = parts.iter().chain([&spec["LeafNodeText"]]).filter_map(Value::as_str);
    parts.collect::<Vec<_>>().join(" ")
}
