//! What a user reads and does with kubectl alone, and what an autoscaler does through the scale
//! subresource. API server, controller manager, kubectl and operator are real; pods are played (see
//! crate `stage`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{Patch, PatchParams, PostParams};
use launcher::Distribution;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
/// The autoscaler looks every fifteen seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// kubectl towards a stage with an operator.
struct Terminal {
    stage: Stage,
    // Ends with the value.
    _operator: Operator,
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Terminal {
    async fn open() -> Self {
        let mut stage = Stage::set(Options::default()).await.unwrap();
        let operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=4"]).await.unwrap();
        let control_plane = stage.control_plane();
        let kubeconfig = control_plane.kubeconfig_path();
        let program = Distribution::find(None).unwrap().kubernetes(control_plane.version());
        Self { stage, _operator: operator, program, kubeconfig }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.arg("kubectl").arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        command.output().unwrap()
    }

    /// What a command that succeeds prints.
    fn tell(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {}: {errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn create(&self, name: &str, spec: Value) {
        let tenant = manifest(name, spec).unwrap();
        self.stage.tenants("default").create(&PostParams::default(), &tenant).await.unwrap();
    }

    async fn replicas(&self, name: &str, wanted: i32) -> Result<()> {
        eventually(&format!("{name} has {wanted} replicas"), PATIENCE, || async {
            let tenant = self.stage.tenants("default").get(name).await?;
            let status = tenant.status.unwrap_or_default().kubernetes_resources.deployment;
            ensure!(
                status.as_ref().is_some_and(|status| status.replicas.unwrap_or_default() == wanted),
                "{status:?}"
            );
            Ok(())
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_is_waited_for_and_told_of_by_kubectl_alone() {
    let terminal = Terminal::open().await;
    terminal.create("one", json!({})).await;
    terminal.tell(&["wait", "tcp/one", "--for=condition=Ready", "--timeout=60s"]);

    let table = terminal.tell(&["get", "tcp"]);
    let (head, line) = table.split_once('\n').unwrap();
    let columns = [
        "NAME",
        "VERSION",
        "INSTALLED VERSION",
        "STATUS",
        "CONTROL-PLANE ENDPOINT",
        "KUBECONFIG",
        "DATASTORE",
    ];
    assert!(columns.iter().all(|column| head.contains(column)), "{head}");
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[..4], ["one", "v1.36.3", "v1.36.3", "Ready"], "{line}");
    assert!(cells[4].ends_with(":6443"), "{line}");
    assert_eq!(cells[5..7], ["one-admin-kubeconfig", "store"], "{line}");

    let story = terminal.tell(&["describe", "tcp", "one"]);
    for part in ["Type:                  Ready", "the control plane serves", "Events:", "Normal"] {
        assert!(story.contains(part), "no `{part}` in {story}");
    }
    assert!(terminal.tell(&["get", "kamaji"]).contains("tenantcontrolplane"), "the category lists it");
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_tells_what_is_wrong_and_what_to_do() {
    let mut terminal = Terminal::open().await;
    terminal.stage.store().stop().await;
    terminal.create("stuck", json!({})).await;
    let arguments = ["wait", "tcp/stuck", "--for=condition=Ready=false", "--timeout=60s"];
    terminal.tell(&arguments);
    let told = eventually("the cause is told", PATIENCE, || async {
        let story = terminal.tell(&["describe", "tcp", "stuck"]);
        ensure!(story.contains("DataStoreUnreachable") && story.contains("Warning"), "{story}");
        Ok(story)
    })
    .await
    .unwrap();
    assert!(told.contains("check its endpoints and credentials"), "{told}");
    let output = terminal.run(&["wait", "tcp/stuck", "--for=condition=Ready", "--timeout=1s"]);
    assert!(!output.status.success(), "it cannot be ready");

    terminal.stage.store().resume().await.unwrap();
    terminal.tell(&["wait", "tcp/stuck", "--for=condition=Ready", "--timeout=60s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_scale_puts_to_sleep_wakes_and_adds_replicas() {
    let terminal = Terminal::open().await;
    terminal.create("one", json!({})).await;
    terminal.tell(&["wait", "tcp/one", "--for=condition=Ready", "--timeout=60s"]);
    for (replicas, state) in [("0", "Sleeping"), ("3", "Ready"), ("1", "Ready")] {
        terminal.tell(&["scale", "tcp/one", &format!("--replicas={replicas}")]);
        terminal.replicas("one", replicas.parse().unwrap()).await.unwrap();
        let wanted = format!("--for=jsonpath={{.status.kubernetesResources.version.status}}={state}");
        terminal.tell(&["wait", "tcp/one", &wanted, "--timeout=60s"]);
    }
    let scale = terminal.tell(&["get", "tcp/one", "--subresource=scale", "-o", "json"]);
    let scale: Value = serde_json::from_str(&scale).unwrap();
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["replicas"]), (&json!(1), &json!(1)));
    let selector = scale["status"]["selector"].as_str().unwrap_or_default();
    assert!(selector.contains("kamaji.clastix.io/name=one"), "an autoscaler finds no pods by `{selector}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_scales_through_the_scale_subresource() {
    let terminal = Terminal::open().await;
    terminal.create("one", json!({})).await;
    terminal.tell(&["wait", "tcp/one", "--for=condition=Ready", "--timeout=60s"]);
    let api = terminal.stage.objects::<HorizontalPodAutoscaler>("default");
    // Below its minimum and above its maximum an autoscaler asks for no metrics.
    let bounds = |least: i32, most: i32| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "one"},
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane", "name": "one",
                },
                "minReplicas": least, "maxReplicas": most,
            },
        })
    };
    let wished = serde_json::from_value(bounds(2, 3)).unwrap();
    api.create(&PostParams::default(), &wished).await.unwrap();
    terminal.replicas("one", 2).await.unwrap();
    api.patch("one", &PatchParams::default(), &Patch::Merge(bounds(1, 1))).await.unwrap();
    terminal.replicas("one", 1).await.unwrap();
    terminal.tell(&["wait", "tcp/one", "--for=condition=Ready", "--timeout=60s"]);
}
