//! Plays the kubelet for the pods of backup Jobs: gives them their Secrets as files and runs the operator's
//! own program with their arguments. What a pod may reach is what its spec mounts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::process::Command;

/// Selects the pods.
const TASKS: &str = "flotilla.dev/backup-task";

/// Plays until it is dropped. Directories of the node lie below `node`.
pub(crate) async fn play(client: Client, node: PathBuf) {
    let pods: Api<Pod> = Api::all(client.clone());
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let listed = pods.list(&ListParams::default().labels(TASKS)).await;
        for pod in listed.map(|list| list.items).unwrap_or_default() {
            let uid = pod.uid().unwrap_or_default();
            if pod.metadata.deletion_timestamp.is_some() || seen.contains(&uid) {
                continue;
            }
            if run(&client, &node, &pod).await.is_some() {
                seen.insert(uid);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Runs a pod; none while a Secret that it mounts is missing.
async fn run(client: &Client, node: &Path, pod: &Pod) -> Option<()> {
    let namespace = pod.namespace()?;
    let spec = pod.spec.as_ref()?;
    let directory = tempfile::tempdir().ok()?;
    let mut archives = None;
    for volume in spec.volumes.iter().flatten() {
        if let Some(secret) = &volume.secret {
            let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
            let place = directory.path().join("secrets").join(&volume.name);
            std::fs::create_dir_all(&place).ok()?;
            let name = secret.secret_name.clone()?;
            match secrets.get_opt(&name).await.ok()? {
                Some(found) => {
                    for (key, value) in found.data.unwrap_or_default() {
                        std::fs::write(place.join(key), value.0).ok()?;
                    }
                }
                None if secret.optional == Some(true) => {}
                None => return None,
            }
        }
        if let Some(host) = &volume.host_path {
            let path = node.join(host.path.trim_start_matches('/'));
            std::fs::create_dir_all(&path).ok()?;
            archives = Some(path);
        }
    }
    let container = spec.containers.first()?;
    let arguments = container.args.clone()?.into_iter().map(|argument| match &archives {
        Some(path) if argument == "--directory=/archives" => format!("--directory={}", path.display()),
        _ => argument,
    });
    let result = directory.path().join("result");
    let ended = Command::new(env!("CARGO_BIN_EXE_flotilla-operator"))
        .args(arguments)
        .arg(format!("--secrets={}", directory.path().join("secrets").display()))
        .arg(format!("--result={}", result.display()))
        .output()
        .await
        .ok()?;
    let message = std::fs::read_to_string(&result)
        .unwrap_or_else(|_| String::from_utf8_lossy(&ended.stderr).into_owned());
    let phase = if ended.status.success() { "Succeeded" } else { "Failed" };
    let status = json!({"status": {"phase": phase, "containerStatuses": [{
        "name": container.name, "image": "played", "imageID": "played", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": ended.status.code().unwrap_or(137), "message": message}},
    }]}});
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.ok()?;
    Some(())
}
