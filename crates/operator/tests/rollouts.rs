//! When pods are replaced, and when not, on a real API server; what nodes would do is played.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::json;
use stage::{Operator, Options, Stage, eventually};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_mins(1);
const NAMESPACE: &str = "default";
const ROTATE: &str = "certs.kamaji.clastix.io/rotate";

async fn operate(stage: &Stage, flags: &[&str]) -> Operator {
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
    let flags: Vec<&str> = ["--datastore=store"].iter().chain(flags).copied().collect();
    stage.operator_directly(program, &flags).await.unwrap()
}

async fn create(stage: &Stage, name: &str) {
    let tenant = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name},
        "spec": {
            "controlPlane": {"deployment": {"replicas": 1}, "service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    }));
    // The webhooks are called through a rule that their port may precede.
    eventually("the control plane is admitted", PATIENCE, || async {
        stage.tenants(NAMESPACE).create(&PostParams::default(), tenant.as_ref().unwrap()).await?;
        Ok(())
    })
    .await
    .unwrap();
}

async fn ready(stage: &Stage, name: &str) {
    eventually(&format!("{name} is ready"), PATIENCE, || async {
        let tenant = stage.tenants(NAMESPACE).get(name).await?;
        let version = tenant.status.map(|status| status.kubernetes_resources.version);
        let found = version.as_ref().and_then(|version| version.status);
        ensure!(found == Some(api::VersionState::Ready), "{version:?}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn live(stage: &Stage, name: &str) -> Result<Deployment> {
    Ok(stage.objects(NAMESPACE).get(name).await?)
}

async fn annotate(stage: &Stage, secret: &str, key: &str) {
    let patch = Patch::Merge(json!({"metadata": {"annotations": {key: ""}}}));
    stage.objects::<Secret>(NAMESPACE).patch(secret, &PatchParams::default(), &patch).await.unwrap();
}

/// Waits until a request by annotation is done.
async fn done(stage: &Stage, secret: &str, key: &str) {
    eventually(&format!("{secret}: {key} is done"), PATIENCE, || async {
        let found: Secret = stage.objects(NAMESPACE).get(secret).await?;
        ensure!(
            found.annotations().get(key).is_some_and(|time| !time.is_empty()),
            "{:?}",
            found.annotations()
        );
        Ok(())
    })
    .await
    .unwrap();
}

/// The largest number of Deployments that were rolled out at once, and all that were.
type Seen = Arc<Mutex<(usize, BTreeSet<String>)>>;

/// Watches Deployments and remembers what is rolled out.
fn observe(stage: &Stage) -> (Seen, JoinHandle<()>) {
    let seen = Arc::new(Mutex::new((0, BTreeSet::new())));
    let (notes, api) = (seen.clone(), Api::<Deployment>::namespaced(stage.client(), NAMESPACE));
    let task = tokio::spawn(async move {
        let mut changes = watcher(api, watcher::Config::default()).boxed();
        let mut rolling = BTreeSet::new();
        while let Some(change) = changes.next().await {
            let Ok(Event::Apply(found)) = change else { continue };
            let mut notes = notes.lock().unwrap();
            if desired::is_rolled_out(&found) {
                rolling.remove(&found.name_any());
            } else {
                rolling.insert(found.name_any());
                notes.1.insert(found.name_any());
            }
            notes.0 = notes.0.max(rolling.len());
        }
    });
    (seen, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_all_pods_takes_turns() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let mut operator = operate(&stage, &["--start-slots=8"]).await;
    let names = ["one", "two", "three", "four", "five", "six"];
    for name in names {
        create(&stage, name).await;
    }
    for name in names {
        ready(&stage, name).await;
    }
    operator.kill().await;
    let (seen, task) = observe(&stage);
    // Another setting changes the pods of all control planes.
    let _operator = operate(&stage, &["--start-slots=1", "--go-gc=77"]).await;
    eventually("all are rolled out", PATIENCE, || async {
        for name in names {
            let deployment = live(&stage, name).await?;
            let text = serde_json::to_string(&deployment.spec)?;
            ensure!(text.contains("\"77\"") && desired::is_rolled_out(&deployment), "{name} is not");
        }
        Ok(())
    })
    .await
    .unwrap();
    task.abort();
    let (most, rolled) = seen.lock().unwrap().clone();
    assert_eq!((most, rolled.len()), (1, names.len()), "{rolled:?}");
    for name in names {
        ready(&stage, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_read_again_replace_no_pods_and_others_do() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = operate(&stage, &["--start-slots=8"]).await;
    create(&stage, "blue").await;
    ready(&stage, "blue").await;
    let before = live(&stage, "blue").await.unwrap().metadata.generation;
    for suffix in [
        "api-server-certificate",
        "api-server-kubelet-client-certificate",
        "front-proxy-client-certificate",
        "datastore-certificate",
        "admin-kubeconfig",
    ] {
        let secret = format!("blue-{suffix}");
        annotate(&stage, &secret, ROTATE).await;
        done(&stage, &secret, ROTATE).await;
    }
    // Brought about last, this shows that all before has been gone over.
    annotate(&stage, "blue-scheduler-kubeconfig", ROTATE).await;
    eventually("the scheduler reads its new kubeconfig", PATIENCE, || async {
        let generation = live(&stage, "blue").await?.metadata.generation;
        ensure!(generation == before.map(|before| before + 1), "{before:?} became {generation:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_other_names_replaces_the_pods_at_once() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = operate(&stage, &["--start-slots=8"]).await;
    create(&stage, "blue").await;
    ready(&stage, "blue").await;
    let before = live(&stage, "blue").await.unwrap().metadata.generation;
    let name = Patch::Merge(json!({ "spec": { "networkProfile": { "certSANs": ["blue.example.com"] } } }));
    stage.tenants(NAMESPACE).patch("blue", &PatchParams::default(), &name).await.unwrap();
    eventually("the pods are replaced once", PATIENCE, || async {
        let deployment = live(&stage, "blue").await?;
        let generation = deployment.metadata.generation;
        ensure!(generation == before.map(|before| before + 1), "{before:?} became {generation:?}");
        ensure!(desired::is_rolled_out(&deployment), "the roll-out goes on");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_hands_over_by_itself_and_is_retired_when_asked() {
    let stage = Stage::set(Options::default()).await.unwrap();
    let _operator = operate(&stage, &["--start-slots=8"]).await;
    create(&stage, "blue").await;
    ready(&stage, "blue").await;
    let keys = || async {
        let secret: Secret = stage.objects(NAMESPACE).get("blue-ca").await?;
        let data = secret.data.unwrap_or_default();
        let current = String::from_utf8(data["ca.crt"].0.clone())?;
        anyhow::Ok((current, data.keys().cloned().collect::<Vec<_>>()))
    };
    let (old, _) = keys().await.unwrap();
    annotate(&stage, "blue-ca", ROTATE).await;
    eventually("the successor signs", PATIENCE, || async {
        let (current, keys) = keys().await?;
        ensure!(current != old && keys.contains(&"previous.crt".to_owned()), "{keys:?}");
        Ok(())
    })
    .await
    .unwrap();
    ready(&stage, "blue").await;
    annotate(&stage, "blue-ca", "flotilla.dev/retire-previous").await;
    eventually("only the successor is trusted", PATIENCE, || async {
        let (current, keys) = keys().await?;
        ensure!(current != old && keys == ["ca.crt", "ca.key", "tls.crt", "tls.key"], "{keys:?}");
        Ok(())
    })
    .await
    .unwrap();
    ready(&stage, "blue").await;
}
