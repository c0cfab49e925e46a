//! Admission through a real API server: what refers to something, and what only the API server itself can
//! judge, is refused with field, value and what is allowed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::large_futures, reason = "they hold whole control planes, and a test has the stack for it")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use api::{DataStore, Template, TenantControlPlane};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

const SOON: Duration = Duration::from_secs(20);

async fn set() -> (Stage, Operator) {
    let stage = Stage::set(Options::default()).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
    let operator = stage.operator_directly(program, &["--datastore=store", "--start-slots=4"]).await.unwrap();
    let stores: Api<DataStore> = Api::all(stage.client());
    let sql = json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "DataStore", "metadata": {"name": "sql"},
        "spec": {
            "driver": "PostgreSQL", "endpoints": ["localhost:5432"],
            "basicAuth": {"username": {"content": "YQ=="}, "password": {"content": "YQ=="}},
        },
    });
    stores.create(&PostParams::default(), &serde_json::from_value(sql).unwrap()).await.unwrap();
    // The webhooks know the store once it can be named.
    admitted(&stage, "probe", json!({"dataStore": "sql"})).await;
    (stage, operator)
}

/// Waits until a control plane is admitted, and creates it.
async fn admitted(stage: &Stage, name: &str, spec: Value) {
    eventually(&format!("{name} is admitted"), SOON, || async {
        create(stage, name, spec.clone()).await?;
        Ok(())
    })
    .await
    .unwrap();
}

async fn create(stage: &Stage, name: &str, spec: Value) -> Result<TenantControlPlane> {
    let tenants = stage.tenants("default");
    Ok(tenants.create(&PostParams::default(), &manifest(name, spec)?).await?)
}

async fn update(stage: &Stage, name: &str, spec: Value) -> Result<TenantControlPlane> {
    let patch = Patch::Merge(json!({"spec": spec}));
    Ok(stage.tenants("default").patch(name, &PatchParams::default(), &patch).await?)
}

/// The words of a refusal.
fn refused(outcome: Result<TenantControlPlane>) -> Result<String> {
    match outcome {
        Ok(_) => bail!("it was admitted"),
        Err(error) => match error.downcast_ref::<kube::Error>().context("no answer")? {
            kube::Error::Api(status) if status.code == 403 || status.code == 400 => {
                Ok(status.message.clone())
            }
            other => bail!("another error: {other}"),
        },
    }
}

fn deployment(spec: &Value) -> Value {
    json!({"controlPlane": {"deployment": spec}})
}

/// Specs that are refused, with what their message names.
fn cases() -> Vec<(&'static str, Value, [&'static str; 2])> {
    vec![
        (
            "a mount of a volume that is not there",
            deployment(
                &json!({"additionalVolumeMounts": {"apiServer": [{"name": "ghost", "mountPath": "/ghost"}]}}),
            ),
            ["spec.controlPlane.deployment", "ghost"],
        ),
        (
            "two mounts at one place",
            deployment(&json!({
                "additionalVolumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}],
                "additionalVolumeMounts": {"scheduler": [
                    {"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"},
                ]},
            })),
            ["additionalVolumeMounts", "/x"],
        ),
        (
            "a container without an image",
            deployment(&json!({"additionalContainers": [{"name": "helper"}]})),
            ["additionalContainers", "image"],
        ),
        (
            "a container of ours",
            deployment(&json!({"additionalContainers": [{"name": "kube-apiserver", "image": "x"}]})),
            ["additionalContainers", "kube-apiserver"],
        ),
        (
            "a limit below the request",
            deployment(&json!({"resources": {"apiServer": {
                "requests": {"cpu": "2"}, "limits": {"cpu": "1"},
            }}})),
            ["resources", "must be less than or equal"],
        ),
        (
            "a toleration that contradicts itself",
            deployment(&json!({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]})),
            ["tolerations", "value"],
        ),
        (
            "a Gateway without Gateway API",
            json!({"controlPlane": {"gateway": {
                "hostname": "a.example.com", "parentRefs": [{"name": "g", "namespace": "default"}],
            }}}),
            ["spec.controlPlane.gateway", "install Gateway API"],
        ),
        (
            "an override on a store that is not there",
            json!({"dataStoreOverrides": [{"resource": "/events", "dataStore": "nowhere"}]}),
            ["spec.dataStoreOverrides[0].dataStore", "nowhere"],
        ),
        (
            "an override on a store of another driver",
            json!({"dataStoreOverrides": [{"resource": "/events", "dataStore": "sql"}]}),
            ["spec.dataStoreOverrides[0].dataStore", "etcd"],
        ),
        ("a store that is not there", json!({"dataStore": "nowhere"}), ["spec.dataStore", "nowhere"]),
        (
            "a DNS address outside",
            json!({"networkProfile": {"dnsServiceIPs": ["10.97.0.10"]}}),
            ["spec.networkProfile.dnsServiceIPs[0]", "10.96.0.0/16"],
        ),
        (
            "an alternative name that is none",
            json!({"networkProfile": {"certSANs": ["no_good"]}}),
            ["spec.networkProfile.certSANs[0]", "DNS name"],
        ),
        ("a version that is too new", json!({"kubernetes": {"version": "v1.99.0"}}), ["version", "1.36"]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_brought_about_is_refused_on_create_and_on_update() {
    let (stage, _operator) = set().await;
    admitted(&stage, "standing", json!({})).await;
    for (name, spec, words) in cases() {
        let kinds = [
            ("create", refused(create(&stage, "refused", spec.clone()).await)),
            ("update", refused(update(&stage, "standing", spec).await)),
        ];
        for (kind, outcome) in kinds {
            let message = outcome.with_context(|| format!("{name}, {kind}")).unwrap();
            for word in words {
                assert!(message.contains(word), "{name}, {kind}: no `{word}` in: {message}");
            }
        }
    }
    // A control plane may move to a store of another driver.
    update(&stage, "standing", json!({"dataStore": "sql"})).await.unwrap();
    let message =
        refused(update(&stage, "standing", json!({"kubernetes": {"version": "v1.34.0"}})).await).unwrap();
    assert!(message.contains("v1.36.3"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_is_admitted_and_a_trial_leaves_nothing() {
    let (stage, _operator) = set().await;
    let whole = deployment(&json!({
        "replicas": 0,
        "additionalInitContainers": [{"name": "init", "image": "x"}],
        "additionalContainers": [{"name": "helper", "image": "x"}],
        "additionalVolumes": [{"name": "extra", "emptyDir": {}}],
        "additionalVolumeMounts": {"apiServer": [{"name": "extra", "mountPath": "/extra"}]},
    }));
    let trial = PostParams { dry_run: true, ..PostParams::default() };
    eventually("the trial is admitted", SOON, || async {
        stage.tenants("default").create(&trial, &manifest("trial", whole.clone())?).await?;
        Ok(())
    })
    .await
    .unwrap();
    let deployments = stage.objects::<k8s_openapi::api::apps::v1::Deployment>("default");
    assert!(deployments.get_opt("trial").await.unwrap().is_none(), "the trial made a Deployment");
    create(&stage, "whole", whole).await.unwrap();
    update(&stage, "whole", deployment(&json!({"additionalContainers": null}))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_nothing_could_be_made_from_or_that_was_published_is_refused() {
    let (stage, _operator) = set().await;
    let templates: Api<Template> = Api::all(stage.client());
    let spec = |replicas: &str| {
        json!({ "tenant": "acme", "versions": [{
            "version": "1",
            "parameters": [{ "name": "replicas", "type": "integer", "default": 2 }],
            "controlPlane": {
                "kubernetes": { "version": "v1.36.3" },
                "controlPlane": { "deployment": { "replicas": replicas } },
            },
            "without": ["addons.kubeProxy"],
        }] })
    };
    let template = |spec: Value| Template::new("small", serde_json::from_value(spec).unwrap());
    let create = async |spec| templates.create(&PostParams::default(), &template(spec)).await;
    let words = |outcome: Result<Template, kube::Error>| match outcome {
        Err(kube::Error::Api(status)) => status.message.clone(),
        other => format!("{other:?}"),
    };
    let unknown = words(create(spec("${replica}")).await);
    assert!(
        unknown.contains("spec.versions[1].controlPlane.controlPlane.deployment.replicas: `${replica}`"),
        "{unknown}"
    );
    let mut reaching = spec("${replicas}");
    reaching["versions"][0]["controlPlane"]["dataStoreSchema"] = json!("other");
    let reaching = words(create(reaching).await);
    assert!(reaching.contains("spec.versions[1].controlPlane.dataStoreSchema"), "{reaching}");

    create(spec("${replicas}")).await.unwrap();
    let write = async |patch: Value| {
        templates.patch("small", &PatchParams::default(), &Patch::Merge(json!({ "spec": patch }))).await
    };
    let mut changed = spec("3");
    let published = words(write(changed.clone()).await);
    assert!(published.contains("spec.versions[1]: `1` is published"), "{published}");
    changed["versions"][0] = spec("${replicas}")["versions"][0].clone();
    changed["versions"][0]["deprecated"] = json!("take another");
    write(changed).await.unwrap();
    let moved = words(write(json!({ "tenant": "globex" })).await);
    assert!(moved.contains("stays in its tenant"), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn admission_goes_on_with_a_new_certificate() {
    let (stage, _operator) = set().await;
    let secrets = stage.objects::<Secret>("flotilla-system");
    let before = secrets.get("flotilla-webhook-certificate").await.unwrap();
    secrets.delete("flotilla-webhook-certificate", &DeleteParams::default()).await.unwrap();
    eventually("there is another certificate", SOON, || async {
        let now = secrets.get("flotilla-webhook-certificate").await?;
        if now.data == before.data {
            bail!("it is the old one")
        }
        Ok(())
    })
    .await
    .unwrap();
    admitted(&stage, "later", json!({})).await;
}
