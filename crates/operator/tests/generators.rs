//! `KubeconfigGenerator`s on a real API server: kubeconfigs come, follow changes of both sides, and go.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use api::{KubeconfigGenerator, KubeconfigGeneratorStatus};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use pki::KubeconfigContents;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually};

/// Longest wait; the garbage collector learns of new kinds every 30 s only.
const SOON: Duration = Duration::from_mins(1);

async fn set() -> (Stage, Operator) {
    let stage = Stage::set(Options::default()).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_flotilla-operator"));
    let operator = stage.operator_directly(program, &["--datastore=store", "--start-slots=8"]).await.unwrap();
    for (namespace, environment) in [("prod", "production"), ("dev", "development")] {
        stage.create_namespace(namespace).await.unwrap();
        label_namespace(&stage, namespace, environment).await;
        create_tenant(&stage, namespace, "blue").await;
    }
    (stage, operator)
}

async fn label_namespace(stage: &Stage, name: &str, environment: &str) {
    let labels = Patch::Merge(json!({"metadata": {"labels": {"environment": environment}}}));
    let namespaces: Api<Namespace> = Api::all(stage.client());
    namespaces.patch(name, &PatchParams::default(), &labels).await.unwrap();
}

async fn create_tenant(stage: &Stage, namespace: &str, name: &str) {
    let tenant = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
        "metadata": {"name": name, "labels": {"tier": "gold"}},
        "spec": {
            "controlPlane": {"deployment": {"replicas": 0}, "service": {"serviceType": "ClusterIP"}},
            "kubernetes": {"version": "v1.36.3", "kubelet": {}},
        },
    }));
    // The webhooks are called through a rule that their port may precede.
    eventually("the control plane is admitted", SOON, || async {
        stage.tenants(namespace).create(&PostParams::default(), tenant.as_ref().unwrap()).await?;
        Ok(())
    })
    .await
    .unwrap();
}

fn generators(stage: &Stage) -> Api<KubeconfigGenerator> {
    Api::all(stage.client())
}

async fn create_generator(stage: &Stage, name: &str, spec: Value) {
    let generator = serde_json::from_value(json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "KubeconfigGenerator",
        "metadata": {"name": name}, "spec": spec,
    }));
    generators(stage).create(&PostParams::default(), &generator.unwrap()).await.unwrap();
}

async fn patch_generator(stage: &Stage, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    generators(stage).patch(name, &PatchParams::default(), &patch).await.unwrap();
}

/// Waits until exactly these control planes have a kubeconfig of the generator.
async fn made_for(stage: &Stage, generator: &str, expected: &[&str]) {
    let own = ListParams::default().labels(&format!("kamaji.clastix.io/managed-by={generator}"));
    eventually(&format!("kubeconfigs for {expected:?}"), SOON, || async {
        let mut found: Vec<String> = Api::<Secret>::all(stage.client())
            .list(&own)
            .await?
            .into_iter()
            .map(|secret| format!("{}/{}", secret.namespace().unwrap(), secret.name_any()))
            .collect();
        found.sort();
        if found == expected { Ok(()) } else { bail!("{found:?}") }
    })
    .await
    .unwrap();
}

async fn status(
    stage: &Stage,
    name: &str,
    wanted: impl Fn(&KubeconfigGeneratorStatus) -> bool,
) -> KubeconfigGeneratorStatus {
    eventually(&format!("the status of {name}"), SOON, || async {
        let status = generators(stage).get(name).await?.status.unwrap_or_default();
        if wanted(&status) { Ok(status) } else { bail!("{status:?}") }
    })
    .await
    .unwrap()
}

/// Waits for an event about a cluster-wide object; returns its note.
async fn told(stage: &Stage, kind: &str, name: &str, reason: &str) -> String {
    let events: Api<Event> = Api::namespaced(stage.client(), "default");
    eventually(&format!("an event {reason} of {kind} {name}"), SOON, || async {
        let found = events.list(&ListParams::default()).await?.items;
        let is_wanted = |event: &&Event| {
            let about = event.regarding.clone().unwrap_or_default();
            (about.kind.as_deref(), about.name.as_deref()) == (Some(kind), Some(name))
                && event.reason.as_deref() == Some(reason)
        };
        match found.iter().find(is_wanted) {
            Some(event) => Ok(event.note.clone().unwrap_or_default()),
            None => bail!("{:?}", found.iter().map(|event| &event.reason).collect::<Vec<_>>()),
        }
    })
    .await
    .unwrap()
}

async fn contents(stage: &Stage, namespace: &str, name: &str) -> Result<KubeconfigContents> {
    let data = stage.objects::<Secret>(namespace).get(name).await?.data.unwrap();
    Ok(KubeconfigContents::read(std::str::from_utf8(&data["value"].0)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn kubeconfigs_follow_selectors_namespaces_and_the_end_of_the_generator() {
    let (stage, mut operator) = set().await;
    let production = json!({"matchLabels": {"environment": "production"}});
    let spec = json!({
        "namespaceSelector": production,
        "user": {"fromDefinition": "metadata.namespace"},
        "groups": [{"stringValue": "a"}, {"stringValue": "b"}],
    });
    create_generator(&stage, "team", spec).await;
    made_for(&stage, "team", &["prod/blue-team"]).await;
    let said = status(&stage, "team", |status| status.available_resources == 1).await;
    assert_eq!((said.resources, said.observed_generation, said.errors.len()), (1, Some(1), 0));
    let made = contents(&stage, "prod", "blue-team").await.unwrap();
    let subject = pki::inspect(&made.pair.certificate).unwrap();
    assert_eq!(subject.common_name, "prod");
    assert_eq!(subject.organizations, ["a".to_owned(), "b".to_owned()].into());
    assert_eq!(made.server, "https://blue.prod.svc:6443");

    patch_generator(&stage, "team", json!({"namespaceSelector": null})).await;
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;
    patch_generator(&stage, "team", json!({"namespaceSelector": production})).await;
    made_for(&stage, "team", &["prod/blue-team"]).await;
    label_namespace(&stage, "dev", "production").await;
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;

    create_tenant(&stage, "prod", "green").await;
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team", "prod/green-team"]).await;
    stage.tenants("prod").delete("green", &DeleteParams::default()).await.unwrap();
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;

    // While nobody reconciles, the generator goes.
    operator.kill().await;
    generators(&stage).delete("team", &DeleteParams::default()).await.unwrap();
    operator.restart().await.unwrap();
    made_for(&stage, "team", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_is_rotated_when_asked_and_follows_another_user_and_address() {
    let (stage, _operator) = set().await;
    create_generator(&stage, "team", json!({"user": {"stringValue": "first"}})).await;
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;
    let before = contents(&stage, "prod", "blue-team").await.unwrap();

    let secrets = stage.objects::<Secret>("prod");
    let rotate = Patch::Merge(json!({"metadata": {"annotations": {"certs.kamaji.clastix.io/rotate": ""}}}));
    secrets.patch("blue-team", &PatchParams::default(), &rotate).await.unwrap();
    let rotated = eventually("it is made anew", SOON, || async {
        let found = contents(&stage, "prod", "blue-team").await?;
        if found.pair == before.pair {
            bail!("the certificate is the old one")
        }
        Ok(found)
    })
    .await
    .unwrap();
    let mark = secrets.get("blue-team").await.unwrap();
    assert_ne!(mark.annotations()["certs.kamaji.clastix.io/rotate"], "");

    let spec = json!({"user": {"stringValue": "second"}, "controlPlaneEndpointFrom": "admin.conf"});
    patch_generator(&stage, "team", spec).await;
    eventually("it names the other user and address", SOON, || async {
        let found = contents(&stage, "prod", "blue-team").await?;
        let user = pki::inspect(&found.pair.certificate)?.common_name;
        if user == "second" && found.server != rotated.server {
            Ok(())
        } else {
            bail!("{user} {}", found.server)
        }
    })
    .await
    .unwrap();

    // The authority's Secret is remade when it is gone; the kubeconfig follows.
    let authority = || async {
        let data = secrets.get("blue-ca").await?.data.unwrap();
        Ok::<_, anyhow::Error>(String::from_utf8(data["ca.crt"].0.clone())?)
    };
    let old = authority().await.unwrap();
    secrets.delete("blue-ca", &DeleteParams::default()).await.unwrap();
    eventually("it is signed by the new authority", SOON, || async {
        let (new, found) = (authority().await?, contents(&stage, "prod", "blue-team").await?);
        if new == old {
            bail!("the authority is the old one")
        }
        if pki::inspect(&found.pair.certificate)?.is_signed_by(&new) { Ok(()) } else { bail!("not yet") }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_told_in_the_status_and_harms_nothing() {
    let (stage, _operator) = set().await;
    create_generator(&stage, "lost", json!({"user": {"fromDefinition": "metadata.nothing"}})).await;
    let said = status(&stage, "lost", |status| status.errors.len() == 2).await;
    assert_eq!((said.resources, said.available_resources), (2, 0));
    assert_eq!(said.errors[0].resource, "dev/blue");
    assert!(said.errors[0].message.contains("metadata.nothing"), "{}", said.errors[0].message);

    let note = told(&stage, "KubeconfigGenerator", "lost", "KubeconfigMissing").await;
    assert!(note.contains("metadata.nothing") && note.contains("1 more"), "{note}");
    told(&stage, "DataStore", "store", "Reachable").await;

    // Its Secrets would take the names of the control planes' own.
    let own = || async { Ok(stage.objects::<Secret>("prod").get("blue-ca").await?) };
    let before = eventually("the control plane has its authority", SOON, own).await.unwrap();
    create_generator(&stage, "ca", json!({"user": {"stringValue": "x"}})).await;
    let said = status(&stage, "ca", |status| status.errors.len() == 2).await;
    assert!(said.errors[0].message.contains("rename"), "{}", said.errors[0].message);
    assert_eq!(stage.objects::<Secret>("prod").get("blue-ca").await.unwrap(), before);

    create_generator(&stage, "team", json!({"user": {"stringValue": "x"}})).await;
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;
    let malformed =
        json!({"tenantControlPlaneSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}});
    patch_generator(&stage, "team", malformed).await;
    let said = status(&stage, "team", |status| status.observed_generation == Some(2)).await;
    assert!(said.errors[0].message.contains("tenantControlPlaneSelector"), "{:?}", said.errors);
    made_for(&stage, "team", &["dev/blue-team", "prod/blue-team"]).await;
}
