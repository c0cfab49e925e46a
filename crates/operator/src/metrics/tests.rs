//! What is exported, that it ends with its object, and that dashboard and alerts use nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use api::{DataStore, TenantControlPlane};
use desired::etcd_service::{Member, MemberState, Observed};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use pki::{CertificateAuthority, CertificatePlan, TEN_YEARS};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::{Metrics, State};
use crate::stores::DataStoreLookup;

struct Scene {
    metrics: Metrics,
    registry: Registry,
    tenants: Writer<TenantControlPlane>,
    stores: Writer<DataStore>,
}

impl Scene {
    fn set() -> Self {
        let metrics = Metrics::new(State::new(SignedDuration::from_hours(24)));
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        Self { metrics, registry, tenants: Writer::default(), stores: Writer::default() }
    }

    /// A leader with one control plane on one store.
    fn leading() -> Self {
        let mut scene = Self::set();
        scene.metrics.lead();
        let lookup = DataStoreLookup::new(scene.stores.as_reader());
        scene.metrics.state.show(scene.tenants.as_reader(), lookup);
        scene.tenants.apply_watcher_event(&Event::Apply(tenant()));
        scene.stores.apply_watcher_event(&Event::Apply(store()));
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let ca = CertificateAuthority::generate("kubernetes", TEN_YEARS, now).unwrap();
        let leaf = CertificatePlan::client("x", ["y"]).issue(&ca, now).unwrap();
        let secret = |labels: Value, key: &str, text: &str| -> Secret {
            serde_json::from_value::<Secret>(json!({"metadata": {"name": key, "labels": labels}}))
                .map(|secret| Secret {
                    data: Some([(key.to_owned(), k8s_openapi::ByteString(text.as_bytes().to_vec()))].into()),
                    ..secret
                })
                .unwrap()
        };
        let x509 = json!({"kamaji.clastix.io/certificate_lifecycle_controller": "x509"});
        let secrets = [
            secret(x509.clone(), "apiserver.crt", &leaf.certificate),
            secret(x509, "front-proxy-client.crt", "nonsense"),
            secret(json!({}), "ca.crt", &ca.pair().certificate),
        ];
        scene.metrics.state.note_certificates("prod", "blue", secrets.iter());
        scene
    }

    fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }
}

fn tenant() -> TenantControlPlane {
    serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": "blue", "namespace": "prod", "uid": "1", "resourceVersion": "7"},
        "spec": {
            "controlPlane": {"service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
        "status": {
            "controlPlaneEndpoint": "10.0.0.7:6443",
            "kubernetesResources": {"version": {"status": "Ready"}},
            "storage": {"driver": "etcd"}, "kubeadmPhase": {"bootstrapToken": {}},
        },
    }))
    .unwrap()
}

fn store() -> DataStore {
    serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": "default"},
        "spec": {"driver": "etcd", "endpoints": ["a:2379"]},
        "status": {"ready": true, "usedBy": ["prod/blue"]},
    }))
    .unwrap()
}

/// Calls everything that a family's first series comes from.
async fn touch(metrics: &Metrics) {
    let state = Some(MemberState::default());
    let member = Member { ordinal: Some(0), state, ..Member::default() };
    metrics.etcd.note(&Observed { wanted: 1, members: Some(vec![member]), ..Observed::default() });
    metrics.etcd.note_snapshot(Some(jiff::Timestamp::UNIX_EPOCH));
    metrics.observe("tenantcontrolplane", Duration::from_millis(3), true);
    metrics.phase("storage", async {}).await;
    metrics.admitted("validate", false, Duration::from_millis(1));
}

#[tokio::test]
async fn kamajis_names_and_labels_are_kept() {
    let scene = Scene::leading();
    touch(&scene.metrics).await;
    let text = scene.text();
    for line in [
        r#"kamaji_tenant_control_plane_info{tcp_namespace="prod",tcp_name="blue",kubernetes_version="v1.36.3",datastore_driver="etcd",address="https://10.0.0.7:6443",exposure_strategy="service"} 1.0"#,
        r#"kamaji_tenant_control_plane_status{tcp_namespace="prod",tcp_name="blue",status="Ready",ready="true"} 1.0"#,
        r#"kamaji_tenant_control_planes_current{ready="true"} 1.0"#,
        r#"kamaji_tenant_control_planes_current{ready="false"} 0.0"#,
        r#"kamaji_datastore_info{datastore_name="default",driver="etcd"} 1.0"#,
        r#"kamaji_datastore_status{datastore_name="default",status="Unknown",ready="true"} 1.0"#,
        r#"kamaji_datastores_current{datastore_name="default",ready="true",driver="etcd"} 1.0"#,
        r#"kamaji_certificates_current{tcp_namespace="prod",tcp_name="blue",status="invalid",strategy="x509"} 1.0"#,
        r#"kamaji_handler_time_seconds_count{handler="storage"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("kamaji_build_info{version="), "{text}");
}

#[test]
fn a_series_ends_with_its_object() {
    let mut scene = Scene::leading();
    assert!(scene.text().contains("blue"));
    scene.tenants.apply_watcher_event(&Event::Delete(tenant()));
    scene.stores.apply_watcher_event(&Event::Delete(store()));
    let text = scene.text();
    assert!(!text.contains("blue") && !text.contains(r#""default""#), "{text}");
}

#[test]
fn a_replica_that_does_not_lead_tells_nothing_of_objects() {
    let text = Scene::set().text();
    assert!(text.contains("flotilla_leading 0"), "{text}");
    assert!(!text.contains("kamaji_tenant") && !text.contains("flotilla_data_store"), "{text}");
}

#[test]
fn the_queue_holds_what_changed_since_its_reconcile_began() {
    let mut scene = Scene::leading();
    assert!(scene.text().contains("flotilla_queue_depth 1.0"), "{}", scene.text());
    scene.metrics.state.note_begun(&tenant());
    assert!(scene.text().contains("flotilla_queue_depth 0.0"), "{}", scene.text());
    let mut changed = tenant();
    changed.metadata.resource_version = Some("8".to_owned());
    scene.tenants.apply_watcher_event(&Event::Apply(changed));
    assert!(scene.text().contains("flotilla_queue_depth 1.0"), "{}", scene.text());
}

#[tokio::test]
async fn dashboard_and_alerts_use_only_what_is_exported() {
    let scene = Scene::leading();
    touch(&scene.metrics).await;
    let text = scene.text();
    let exported: BTreeSet<&str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(name_of_series).collect();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/flotilla/monitoring");
    let mut uses = 0;
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(chart.join(file)).unwrap();
        for name in metrics_in(&text) {
            assert!(exported.contains(name.as_str()), "{file} uses {name}, which is not among {exported:?}");
            uses += 1;
        }
    }
    assert!(uses > 15, "only {uses} uses were found; are the files read as they are written?");
}

#[test]
fn each_alert_has_a_runbook_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let alerts = std::fs::read_to_string(root.join("charts/flotilla/monitoring/alerts.yaml")).unwrap();
    let page = std::fs::read_to_string(root.join("docs/how-to/answer-an-alert.md")).unwrap();
    let values = |key: &str| -> Vec<String> {
        alerts.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::to_owned).collect()
    };
    let (names, runbooks) = (values("- alert: "), values("runbook: "));
    assert!(names.len() > 5, "{names:?}");
    assert_eq!(names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>(), runbooks);
    for name in names {
        assert!(page.contains(&format!("\n## {name}\n")), "answer-an-alert.md says nothing of {name}");
    }
}

fn name_of_series(line: &str) -> Option<&str> {
    line.split(['{', ' ']).next()
}

/// Our and Kamaji's metrics that a text names.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .filter(|word| word.starts_with("flotilla_") || word.starts_with("kamaji_"))
        .map(str::to_owned)
        .collect()
}
