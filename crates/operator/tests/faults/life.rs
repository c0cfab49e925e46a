//! The life of one control plane, in a namespace of its own: created, upgraded, deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::TenantControlPlane;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use stage::{Stage, eventually, manifest};

use crate::canonical::{Names, difference, legible};

/// Name of the control plane of every life.
pub(crate) const NAME: &str = "tenant";
/// A life that takes longer to reach its state is stuck. Retries come every two seconds, and a watch that
/// was cut off again and again is tried after up to half a minute, as everywhere in Kubernetes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What happens to the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Create,
    Upgrade,
    Delete,
}

/// A life, in order.
pub(crate) const PHASES: [Phase; 3] = [Phase::Create, Phase::Upgrade, Phase::Delete];

/// One life.
pub(crate) struct Life<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) namespace: String,
}

/// Data of the Secrets, by name.
pub(crate) type Keys = BTreeMap<String, Value>;

impl Life<'_> {
    /// Makes the user's request that begins a phase.
    pub(crate) async fn begin(&self, phase: Phase) -> Result<()> {
        let api = self.stage.tenants(&self.namespace);
        match phase {
            Phase::Create => {
                let wished = manifest(NAME, json!({"kubernetes": {"version": "v1.35.4"}}))?;
                api.create(&PostParams::default(), &wished).await?;
            }
            Phase::Upgrade => {
                let newer = Patch::Merge(json!({"spec": {"kubernetes": {"version": "v1.36.3"}}}));
                api.patch(NAME, &PatchParams::default(), &newer).await?;
            }
            Phase::Delete => {
                api.delete(NAME, &DeleteParams::default()).await?;
            }
        }
        Ok(())
    }

    /// Waits until the state is `expected`.
    pub(crate) async fn reaches(&self, expected: &Value) -> Result<()> {
        let what = format!("{} is as undisturbed", self.namespace);
        eventually(&what, PATIENCE, || async {
            let found = self.state().await?;
            ensure!(&found == expected, "{}", difference(expected, &found));
            Ok(())
        })
        .await
    }

    /// Waits until the control plane is ready at what its spec says, or gone.
    pub(crate) async fn settles(&self, phase: Phase) -> Result<()> {
        let what = format!("{} settles after {phase:?}", self.namespace);
        eventually(&what, PATIENCE, || async {
            let tenant = self.stage.tenants(&self.namespace).get_opt(NAME).await?;
            let Some(tenant) = tenant else {
                ensure!(phase == Phase::Delete, "it is not there");
                let left = self.state().await?;
                ensure!(left == json!({}), "left: {}", difference(&json!({}), &left));
                return Ok(());
            };
            ensure!(phase != Phase::Delete, "it is still there: {:?}", tenant.metadata.finalizers);
            is_done(&tenant)
        })
        .await
    }

    /// Everything that there is of the control plane, canonical.
    pub(crate) async fn state(&self) -> Result<Value> {
        let own = ListParams::default().labels("kamaji.clastix.io/project=kamaji");
        let secrets = self.stage.objects::<Secret>(&self.namespace).list(&own).await?.items;
        let services = self.stage.objects::<Service>(&self.namespace).list(&own).await?.items;
        let deployments = self.stage.objects::<Deployment>(&self.namespace).list(&own).await?.items;
        let config_maps = self.stage.objects::<ConfigMap>(&self.namespace).list(&own).await?.items;
        let tenant = self.stage.tenants(&self.namespace).get_opt(NAME).await?;
        let uid = tenant.as_ref().and_then(ResourceExt::uid).unwrap_or_default();

        let mut names = Names::default();
        names.call(&self.namespace, "NAMESPACE");
        names.call(&self.namespace.replace('-', "_"), "NAMESPACE");
        names.call(&uid, "UID");
        for service in &services {
            let address = service.spec.as_ref().and_then(|spec| spec.cluster_ip.clone());
            names.call(&address.unwrap_or_default(), "ADDRESS");
        }
        names.learn(&secrets);

        let mut all = BTreeMap::new();
        collect(&mut all, "Secret", &secrets.iter().map(legible).collect::<Vec<_>>())?;
        collect(&mut all, "Service", &services)?;
        collect(&mut all, "Deployment", &deployments)?;
        collect(&mut all, "ConfigMap", &config_maps)?;
        if let Some(tenant) = &tenant {
            all.insert("TenantControlPlane".to_owned(), serde_json::to_value(tenant)?);
            all.extend(self.stage.inside(&uid));
        }
        Ok(all.iter().map(|(name, object)| (name.clone(), names.canonical(object))).collect())
    }

    /// The data of the Secrets that exist.
    pub(crate) async fn keys(&self) -> Result<Keys> {
        let own = ListParams::default().labels("kamaji.clastix.io/project=kamaji");
        let secrets = self.stage.objects::<Secret>(&self.namespace).list(&own).await?;
        secrets.iter().map(|secret| Ok((secret.name_any(), serde_json::to_value(&secret.data)?))).collect()
    }

    /// Fails if a Secret of `before` has other data now.
    pub(crate) async fn keeps(&self, before: &Keys) -> Result<()> {
        let now = self.keys().await?;
        for (name, data) in before {
            ensure!(now.get(name) == Some(data), "Secret {name} was made a second time");
        }
        Ok(())
    }

    /// Schema and user of the control plane in the store.
    pub(crate) async fn place(&self) -> Result<(String, String)> {
        let status = self.stage.tenants(&self.namespace).get(NAME).await?.status.unwrap_or_default();
        let setup = status.storage.setup;
        setup.schema.zip(setup.user).context("it has no place in the store")
    }
}

fn is_done(tenant: &TenantControlPlane) -> Result<()> {
    let status = tenant.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    ensure!(ready.is_some_and(|ready| ready.status == "True"), "{:?}", status.conditions);
    ensure!(status.observed_generation == tenant.metadata.generation, "a pass is due");
    let version = status.kubernetes_resources.version;
    ensure!(version.version.as_deref() == Some(&tenant.spec.kubernetes.version), "{version:?}");
    Ok(())
}

fn collect<K>(all: &mut BTreeMap<String, Value>, kind: &str, objects: &[K]) -> Result<()>
where
    K: kube::Resource + serde::Serialize,
{
    for object in objects {
        all.insert(format!("{kind}/{}", object.name_any()), serde_json::to_value(object)?);
    }
    Ok(())
}
