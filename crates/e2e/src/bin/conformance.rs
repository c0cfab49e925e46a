//! Upstream's end-to-end tests against a tenant with two workers: `conformance [FOCUS]`, a regular expression.
//!
//! Not part of the suite: it takes the better part of an hour. `cargo xtask conformance` runs it. What became of
//! each test stands in `target/conformance`, a report and a log for each share.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};

use anyhow::{Context, Result};
use e2e::{Cluster, TenantSpec, Tenants, Workers, tool};
use serde_json::Value;

/// Beginnings of tests that run beside one another, since each mostly waits: those of one share never at the same
/// time. Nodes' tests wait longest.
const SHARES: [(&str, &str); 8] = [
    ("node", r"\[sig-node\] [A-O]"),
    ("pods", r"\[sig-node\] Pod"),
    ("living", r"\[sig-node\] Probing container should \*not\*"),
    ("probes", r"\[sig-node\] (Probing container (should be|should have|with)|PreStop)"),
    ("security", r"\[sig-node\] [Q-Z]"),
    ("machinery", r"\[sig-api-machinery\]"),
    ("network", r"\[sig-(network|storage)\]"),
    ("apps", r"\[sig-(apps|auth|cli|scheduling|instrumentation|architecture)\]"),
];
/// What two small nodes without a registry cannot run, with the reason.
const LEFT_OUT: [(&str, &str); 7] = [
    (r"\[Serial\]", "needs the cluster for itself"),
    (r"\[Slow\]", "takes up to a quarter of an hour each"),
    ("Sample API Server", "needs the image sample-apiserver"),
    ("Guestbook|Update Demo", "needs images of web servers"),
    ("lifecycle of a ReplicationController", "needs the image of a web server"),
    ("pull policy of Always", "needs a registry"),
    ("AllowPrivilegeEscalation", "needs the image nonewprivs"),
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
    match run(focus.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(focus: Option<&str>) -> Result<bool> {
    let cluster = Cluster::new("conformance");
    cluster.flotilla(&["down"], &["--purge"])?;
    cluster.flotilla(&["up"], &[])?.success().context("start the local cluster")?;
    let outcome = tokio::runtime::Runtime::new()?.block_on(tested(&cluster, focus));
    if std::env::var_os("FLOTILLA_E2E_KEEP").is_none() {
        cluster.flotilla(&["down"], &["--purge"])?.success()?;
    }
    outcome
}

async fn tested(cluster: &Cluster, focus: Option<&str>) -> Result<bool> {
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
    let directory = cluster.root().join("target/conformance");
    std::fs::create_dir_all(&directory)?;
    let shares = match focus {
        Some(focus) => vec![("chosen", focus.to_owned())],
        None => SHARES.map(|(name, parts)| (name, format!(r"{parts}.*\[Conformance\]"))).into(),
    };
    let mut running = Vec::new();
    for (name, focus) in &shares {
        running.push(Share::begin(cluster, &kubeconfig, &directory.join(name), focus)?);
    }
    let reports = running.into_iter().map(Share::end).collect::<Result<Vec<_>>>()?;
    Ok(tell(&reports.concat()))
}

/// Tests that run in one process.
struct Share {
    process: Child,
    report: PathBuf,
}

impl Share {
    fn begin(cluster: &Cluster, kubeconfig: &Path, place: &Path, focus: &str) -> Result<Self> {
        let skipped = LEFT_OUT.map(|(pattern, _)| pattern).join("|");
        let (log, report) = (place.with_extension("log"), place.with_extension("json"));
        let _ = std::fs::remove_file(&report);
        println!("{focus}: {}", log.display());
        let log = File::create(&log)?;
        let process = Command::new(tool(cluster, "conformance")?)
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--kubectl-path={}", cluster.directory().join("bin/kubectl").display()))
            .args([
                "--provider=skeleton",
                "--num-nodes=2",
                "--ginkgo.no-color",
                "--allowed-not-ready-nodes=0",
            ])
            .arg(format!("--ginkgo.focus={focus}"))
            .arg(format!("--ginkgo.skip={skipped}"))
            .arg(format!("--ginkgo.timeout={LIMIT}"))
            .arg(format!("--ginkgo.json-report={}", report.display()))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("run the tests")?;
        Ok(Self { process, report })
    }

    /// Waits for the end. Returns what is told of each test.
    fn end(mut self) -> Result<Vec<Value>> {
        let status = self.process.wait()?;
        let report = std::fs::read(&self.report).with_context(|| format!("the tests ended with {status}"))?;
        let report: Value = serde_json::from_slice(&report)?;
        Ok(report[0]["SpecReports"].as_array().cloned().unwrap_or_default())
    }
}

impl Drop for Share {
    /// One that nobody waits for, since another could not begin, does not go on alone. It may have ended.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn tell(specs: &[Value]) -> bool {
    let named = |state: &str| -> Vec<String> {
        let wanted = specs.iter().filter(|spec| spec["State"] == state && spec["LeafNodeType"] == "It");
        wanted.map(name).collect()
    };
    let (passed, failed) = (named("passed"), named("failed"));
    println!("{} passed, {} failed", passed.len(), failed.len());
    for (pattern, reason) in LEFT_OUT {
        println!("left out: {pattern}: {reason}");
    }
    for failure in &failed {
        println!("FAILED {failure}");
    }
    failed.is_empty() && !passed.is_empty()
}

fn name(spec: &Value) -> String {
    let parts = spec["ContainerHierarchyTexts"].as_array().cloned().unwrap_or_default();
    let parts = parts.iter().chain([&spec["LeafNodeText"]]).filter_map(Value::as_str);
    parts.collect::<Vec<_>>().join(" ")
}
