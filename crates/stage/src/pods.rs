//! Plays Deployment controller and kubelets: a Deployment is ready when everything that its pods mount
//! exists; its tenant's API server then listens at the address of the Service.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, Volume};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt};
use serde_json::json;

use crate::tenants::{Identity, Tenants};

/// How soon a Deployment whose mounts are missing is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Selects what the operator makes.
const OURS: &str = "kamaji.clastix.io/project=kamaji";

/// Namespace and name.
type Key = (String, String);

/// Connects again at once: what is played must not be what the others wait for.
struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(LOOK_AGAIN)
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

/// Plays until it is dropped.
pub(crate) async fn play(client: Client, tenants: Tenants) {
    let selection = watcher::Config::default().labels(OURS);
    let mut changes = watcher(Api::<Deployment>::all(client.clone()), selection).backoff(Steady).boxed();
    let mut unfinished: HashMap<Key, Deployment> = HashMap::new();
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(Event::Apply(found) | Event::InitApply(found))) => {
                    unfinished.insert(key(&found), found);
                }
                Some(Ok(Event::Delete(found))) => {
                    unfinished.remove(&key(&found));
                    tenants.stop(&owner(&found));
                }
                // The watcher connects again by itself.
                Some(_) => {}
                None => return,
            },
            () = tokio::time::sleep(LOOK_AGAIN), if !unfinished.is_empty() => {}
        }
        let waiting: Vec<Deployment> = unfinished.values().cloned().collect();
        for deployment in waiting {
            match bring_about(&client, &tenants, &deployment).await {
                Ok(()) => drop(unfinished.remove(&key(&deployment))),
                Err(error) => tracing::debug!(name = deployment.name_any(), "not yet: {error:#}"),
            }
        }
    }
}

async fn bring_about(client: &Client, tenants: &Tenants, deployment: &Deployment) -> Result<()> {
    let spec = deployment.spec.as_ref().context("the Deployment has no spec")?;
    if spec.paused.unwrap_or_default() {
        return Ok(());
    }
    let replicas = spec.replicas.unwrap_or(1);
    if replicas == 0 {
        tenants.stop(&owner(deployment));
    } else {
        mounts_exist(client, deployment).await?;
        let identity = identity(client, deployment).await?;
        tenants.serve(&owner(deployment), &identity).await?;
    }
    let status = json!({"status": {
        "observedGeneration": deployment.metadata.generation,
        "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas,
    }});
    let namespace = deployment.namespace().unwrap_or_default();
    let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let patched =
        api.patch_status(&deployment.name_any(), &PatchParams::default(), &Patch::Merge(status)).await;
    patched.map(|_| ()).context("say that the pods are ready")
}

/// What a kubelet waits for before it starts a container.
async fn mounts_exist(client: &Client, deployment: &Deployment) -> Result<()> {
    let namespace = deployment.namespace().unwrap_or_default();
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let volumes = template.and_then(|spec| spec.volumes.clone()).unwrap_or_default();
    let (secrets, config_maps) = mounted(&volumes);
    for name in secrets {
        Api::<Secret>::namespaced(client.clone(), &namespace)
            .get_metadata(&name)
            .await
            .with_context(|| format!("Secret {name}"))?;
    }
    for name in config_maps {
        Api::<ConfigMap>::namespaced(client.clone(), &namespace)
            .get_metadata(&name)
            .await
            .with_context(|| format!("ConfigMap {name}"))?;
    }
    Ok(())
}

/// Names of the Secrets and ConfigMaps that must exist.
fn mounted(volumes: &[Volume]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut secrets, mut config_maps) = (BTreeSet::new(), BTreeSet::new());
    for volume in volumes {
        if let Some(secret) = &volume.secret
            && !secret.optional.unwrap_or_default()
        {
            secrets.extend(secret.secret_name.clone());
        }
        if let Some(config_map) = &volume.config_map
            && !config_map.optional.unwrap_or_default()
        {
            config_maps.insert(config_map.name.clone());
        }
        let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        for source in sources {
            if let Some(secret) = &source.secret
                && !secret.optional.unwrap_or_default()
            {
                secrets.insert(secret.name.clone());
            }
            if let Some(config_map) = &source.config_map
                && !config_map.optional.unwrap_or_default()
            {
                config_maps.insert(config_map.name.clone());
            }
        }
    }
    (secrets, config_maps)
}

/// The address of the Service and the certificate in the API server's Secret.
async fn identity(client: &Client, deployment: &Deployment) -> Result<Identity> {
    let (namespace, name) = key(deployment);
    let service = Api::<Service>::namespaced(client.clone(), &namespace).get(&name).await?;
    let spec = service.spec.context("the Service has no spec")?;
    let ip = spec.cluster_ip.context("the Service has no address")?;
    let port = spec.ports.unwrap_or_default().first().context("the Service has no port")?.port;
    let address: SocketAddr = format!("{ip}:{port}").parse().context("read the Service's address")?;
    let secret = format!("{name}-api-server-certificate");
    let data = Api::<Secret>::namespaced(client.clone(), &namespace).get(&secret).await?.data;
    let text = |key: &str| -> Result<String> {
        let bytes = data.as_ref().and_then(|data| data.get(key)).with_context(|| format!("no key {key}"))?;
        Ok(String::from_utf8(bytes.0.clone())?)
    };
    Ok(Identity { address, certificate: text("apiserver.crt")?, private_key: text("apiserver.key")? })
}

fn key(deployment: &Deployment) -> Key {
    (deployment.namespace().unwrap_or_default(), deployment.name_any())
}

/// UID of the control plane that owns the Deployment.
fn owner(deployment: &Deployment) -> String {
    let owners = deployment.metadata.owner_references.as_deref().unwrap_or_default();
    owners.first().map(|owner| owner.uid.clone()).unwrap_or_default()
}
