//! What the spec says of the pods, and that it is undone when the spec no longer says it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, TenantSpec, Tenants, eventually};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, PodSpec, ServiceAccount};
use kube::api::PostParams;
use serde_json::{Value, json};

/// How long a roll-out of the pods may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until the tenant runs exactly one pod, of which `look` approves.
async fn pod(tenants: &Tenants, name: &str, what: &str, look: impl Fn(&Pod) -> Result<()>) -> Result<Pod> {
    eventually(what, PATIENCE, || async {
        let mut pods = tenants.pods(name).await?;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        ensure!(pods.len() == 1, "{} pods", pods.len());
        let pod = pods.remove(0);
        look(&pod)?;
        Ok(pod)
    })
    .await
}

fn spec(pod: &Pod) -> Result<&PodSpec> {
    pod.spec.as_ref().context("a pod without spec")
}

/// JSON of a container's field.
fn of_container(pod: &Pod, container: &str, field: &str) -> Result<Value> {
    let containers = &spec(pod)?.containers;
    let found = containers.iter().find(|found| found.name == container);
    let found = found.with_context(|| format!("no container {container}"))?;
    Ok(serde_json::to_value(found)?[field].clone())
}

pub(crate) async fn pods_run_under_the_account_and_with_the_metadata_of_the_spec(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "pods").await?;
    let account: ServiceAccount =
        serde_json::from_value(json!({ "metadata": { "name": "control-planes" } }))?;
    match tenants.beside::<ServiceAccount>().create(&PostParams::default(), &account).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        other => other.map(|_| ())?,
    }
    let tenant = TenantSpec::new("dressed")
        .with("/controlPlane/deployment/serviceAccountName", json!("control-planes"))
        .with(
            "/controlPlane/deployment/podAdditionalMetadata",
            json!({ "labels": { "team": "blue" }, "annotations": { "example.com/note": "hello" } }),
        );
    tenants.create(&tenant).await?;
    tenants.ready("dressed").await?;
    pod(&tenants, "dressed", "the pod is dressed", |pod| {
        ensure!(spec(pod)?.service_account_name.as_deref() == Some("control-planes"), "{:?}", pod.spec);
        let text = serde_json::to_string(&pod.metadata)?;
        for part in [r#""team":"blue""#, r#""example.com/note":"hello""#] {
            ensure!(text.contains(part), "{part} is missing in {text}");
        }
        Ok(())
    })
    .await?;
    tenants.delete("dressed").await
}

const CONTAINERS: [&str; 4] =
    ["kube-apiserver", "kube-scheduler", "kube-controller-manager", "konnectivity-server"];

pub(crate) async fn security_contexts_are_set_and_cleared_with_the_spec(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, "pods").await?;
    let context = json!({ "allowPrivilegeEscalation": false });
    let tenant = TenantSpec::new("secured")
        .with("/controlPlane/deployment/podSecurityContext", json!({ "fsGroup": 1000 }))
        .with(
            "/controlPlane/deployment/containerSecurityContexts",
            json!({ "apiServer": context, "scheduler": context, "controllerManager": context }),
        )
        .with("/addons/konnectivity/server", json!({ "port": 8132, "securityContext": context }));
    tenants.create(&tenant).await?;
    tenants.ready("secured").await?;
    pod(&tenants, "secured", "the contexts are set", |pod| {
        for container in CONTAINERS {
            let found = of_container(pod, container, "securityContext")?;
            ensure!(found["allowPrivilegeEscalation"] == false, "{container}: {found}");
        }
        let own = spec(pod)?.security_context.as_ref().and_then(|context| context.fs_group);
        ensure!(own == Some(1000), "{own:?}");
        Ok(())
    })
    .await?;

    let cleared = json!({
        "controlPlane": { "deployment": { "podSecurityContext": null, "containerSecurityContexts": null } },
        "addons": { "konnectivity": { "server": { "securityContext": null } } },
    });
    tenants.change("secured", cleared).await?;
    pod(&tenants, "secured", "the contexts are cleared", |pod| {
        for container in CONTAINERS {
            let found = of_container(pod, container, "securityContext")?;
            ensure!(found["allowPrivilegeEscalation"].is_null(), "{container}: {found}");
        }
        let own = spec(pod)?.security_context.as_ref().and_then(|context| context.fs_group);
        ensure!(own.is_none(), "{own:?}");
        Ok(())
    })
    .await?;
    tenants.ready("secured").await?;
    tenants.delete("secured").await
}

pub(crate) async fn additional_containers_and_volumes_come_and_go_with_the_spec(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, "pods").await?;
    for component in ["apiserver", "scheduler", "controller-manager"] {
        let config: ConfigMap = serde_json::from_value(
            json!({ "metadata": { "name": format!("extra-{component}") }, "data": { "key": "value" } }),
        )?;
        match tenants.beside::<ConfigMap>().create(&PostParams::default(), &config).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            other => other.map(|_| ())?,
        }
    }
    let volume =
        |component: &str| json!({ "name": component, "configMap": { "name": format!("extra-{component}") } });
    let mount = |component: &str| json!([{ "name": component, "mountPath": "/tmp/extra" }]);
    let image = "registry.k8s.io/kube-scheduler:v1.36.3";
    let tenant = TenantSpec::new("extended")
        .with(
            "/controlPlane/deployment/additionalInitContainers",
            json!([{ "name": "before", "image": image, "command": ["kube-scheduler", "--version"] }]),
        )
        .with(
            "/controlPlane/deployment/additionalContainers",
            json!([{ "name": "beside", "image": "registry.k8s.io/pause:3.10" }]),
        )
        .with(
            "/controlPlane/deployment/additionalVolumes",
            json!(["apiserver", "scheduler", "controller-manager"].map(volume)),
        )
        .with(
            "/controlPlane/deployment/additionalVolumeMounts",
            json!({
                "apiServer": mount("apiserver"), "scheduler": mount("scheduler"),
                "controllerManager": mount("controller-manager"),
            }),
        );
    tenants.create(&tenant).await?;
    tenants.ready("extended").await?;
    let names = |pod: &Pod| -> Result<(Vec<String>, Vec<String>)> {
        let spec = spec(pod)?;
        let init = spec.init_containers.iter().flatten().map(|container| container.name.clone()).collect();
        Ok((init, spec.containers.iter().map(|container| container.name.clone()).collect()))
    };
    pod(&tenants, "extended", "what is additional is there", |pod| {
        let (init, containers) = names(pod)?;
        ensure!(init == ["before"], "{init:?}");
        ensure!(
            containers == ["beside", "kube-apiserver", "kube-scheduler", "kube-controller-manager"],
            "{containers:?}"
        );
        for container in &CONTAINERS[..3] {
            let mounts = of_container(pod, container, "volumeMounts")?;
            ensure!(mounts[0]["mountPath"] == "/tmp/extra", "{container}: {mounts}");
        }
        Ok(())
    })
    .await?;

    let without = json!({ "controlPlane": { "deployment": {
        "additionalInitContainers": null, "additionalContainers": null, "additionalVolumes": null,
        "additionalVolumeMounts": null,
    } } });
    tenants.change("extended", without).await?;
    pod(&tenants, "extended", "what is additional is gone", |pod| {
        let (init, containers) = names(pod)?;
        ensure!(init.is_empty(), "{init:?}");
        ensure!(containers == CONTAINERS[..3], "{containers:?}");
        let text = serde_json::to_string(spec(pod)?)?;
        ensure!(!text.contains("/tmp/extra") && !text.contains("extra-apiserver"), "{text}");
        Ok(())
    })
    .await?;
    tenants.ready("extended").await?;
    tenants.delete("extended").await
}
