//! Stories of tenants that Kamaji has run: they go on under this operator as if nothing had happened.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::TenantControlPlane;
use e2e::{Cluster, Facts, Kamaji, Session, Tenants, differences, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Name of the cluster that Kamaji has had.
const CLUSTER: &str = "kamaji";
const NAMESPACE: &str = "payments";
const PATIENCE: Duration = Duration::from_mins(4);

/// What may differ after an adoption; each is announced in docs/compatibility.md. A `*` stands for
/// whatever one step of the place is called.
const ANNOUNCED: &[&str] = &[
    // Bookkeeping of the API server and of our own.
    "*/metadata/resourceVersion",
    "*/metadata/annotations/flotilla.dev~1*",
    "Deployment/metadata/annotations/deployment.kubernetes.io~1revision",
    "Deployment/spec/template/metadata/labels/flotilla.dev~1managed",
    "Deployment/spec/template/metadata/annotations/flotilla.dev~1*",
    // Kamaji writes it only when flags are set.
    "Deployment/metadata/annotations/kube-apiserver.kamaji.clastix.io~1args",
    // Probes, head start and memory. (Pull policies are no subject here: the machine has no registry.)
    "Deployment/spec/template/spec/containers/*/livenessProbe/*",
    "Deployment/spec/template/spec/containers/*/readinessProbe/*",
    "Deployment/spec/template/spec/containers/*/startupProbe/*",
    "Deployment/spec/template/spec/containers/*/startupProbe/httpGet/path",
    "Deployment/spec/template/spec/containers/*/env",
    "Deployment/spec/template/spec/containers/kube-apiserver/lifecycle",
    // Upgrades without a failed request.
    "Deployment/spec/template/spec/containers/kube-apiserver/args/--shutdown-*",
    "Deployment/spec/template/spec/terminationGracePeriodSeconds",
    // The checksum of kubeconfigs covers the kubeconfigs, and nothing else.
    "Secret *-kubeconfig/metadata/annotations/kamaji.clastix.io~1checksum",
    "status/kubeconfig/*/checksum",
    "status/kubeconfig/*/lastUpdate",
    // What moves with every roll-out.
    "Deployment/metadata/generation",
    "Deployment/status/*",
    "Deployment/status/conditions/*/*",
    "status/kubernetesResources/deployment/*",
    "status/kubernetesResources/deployment/conditions/*/*",
    // What we say in addition.
    "status/conditions",
    "status/certificateEnds/*/*",
    "status/kubeadmPhase/bootstrapToken/*",
];

pub(crate) async fn a_running_tenant_of_kamaji_goes_on_under_flotilla(_: &Cluster) -> Result<()> {
    let cluster = Cluster::new(CLUSTER);
    let is_kept = std::env::var_os("FLOTILLA_E2E_KEEP").is_some();
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?;
    }
    let told = Box::pin(adopt(&cluster)).await;
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?.success()?;
    }
    told
}

async fn adopt(cluster: &Cluster) -> Result<()> {
    cluster.flotilla(&["up"], &["--bare"])?.success()?;
    let kamaji = Kamaji::install(cluster).await?;
    let facts = Box::pin(kamaji.tenant(NAMESPACE, "ledger", 2)).await?;
    kamaji.leave_webhooks().await?;
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let kubeconfig = tenants.kubeconfig(&facts.name).await?;
    let session = Session::open(cluster, &kubeconfig).await?;
    eventually("the session works", Duration::from_secs(20), || async {
        let report = session.report();
        ensure!(report.kubectl > 1 && report.written.len() > 5, "{report:?}");
        Ok(())
    })
    .await?;
    let before = Picture::take(&tenants, &facts).await?;
    let stored = stored(&kamaji, &facts).await?;

    move_over(cluster)?;
    tenants.condition(&facts.name, "Ready", "True", None, PATIENCE).await?;
    handed_over(&tenants, &facts).await?;
    let after = Picture::take(&tenants, &facts).await?;
    let unannounced = before.unannounced(&after);
    ensure!(unannounced.is_empty(), "changed without notice:\n{}", unannounced.join("\n"));
    for (key, revision) in self::stored(&kamaji, &facts).await? {
        stored
            .get(&key)
            .is_none_or(|known| *known == revision)
            .then_some(())
            .with_context(|| format!("{key} was written anew"))?;
    }

    second_pass_writes_nothing(&tenants, &facts).await?;
    what_kamaji_set_can_be_removed(&tenants, &facts).await?;

    let report = session.close().await?;
    ensure!(report.failures.is_empty(), "failed requests:\n{}", report.failures.join("\n"));
    ensure!(report.watched == report.written, "the watch missed or repeated something");
    ensure!(report.watches > 1, "no pod that the watch was connected to was replaced");
    println!(
        "    session: {} runs of kubectl, {} writes, {} watches, nothing failed",
        report.kubectl,
        report.written.len(),
        report.watches
    );
    tenants.delete(&facts.name).await
}

/// The steps of docs/how-to/move-from-kamaji.md.
fn move_over(cluster: &Cluster) -> Result<()> {
    let kubeconfig = cluster.kubeconfig();
    let kubectl = |arguments: &[&str]| cluster.kubectl(&kubeconfig, arguments)?.success();
    kubectl(&["scale", "deployment", "-n", "kamaji-system", "kamaji", "--replicas=0"])?;
    kubectl(&["delete", "mutatingwebhookconfiguration", "kamaji-mutating-webhook-configuration"])?;
    kubectl(&["delete", "validatingwebhookconfiguration", "kamaji-validating-webhook-configuration"])?;
    let chart = cluster.root().join("charts/flotilla");
    kubectl(&["replace", "-f", &chart.join("crds").to_string_lossy()])?;
    let told = cluster.helm(&[
        "install",
        "flotilla",
        &chart.to_string_lossy(),
        "--namespace=flotilla-system",
        "--create-namespace",
        "--set=etcd.enabled=false,defaultDataStore.create=false",
        "--wait",
        "--timeout=3m",
    ])?;
    told.success().map(drop)
}

/// Waits until only our pods are left and the Service leads to all of them.
async fn handed_over(tenants: &Tenants, facts: &Facts) -> Result<()> {
    eventually("the pods are replaced", PATIENCE, || async {
        let deployment: Deployment = tenants.beside().get(&facts.name).await?;
        let status = deployment.status.clone().unwrap_or_default();
        let spec = deployment.spec.clone().unwrap_or_default();
        let labels = spec.template.metadata.unwrap_or_default().labels.unwrap_or_default();
        ensure!(
            labels.contains_key("flotilla.dev/managed"),
            "not yet replaced: {:?}",
            deployment.annotations()
        );
        let counts = [status.updated_replicas, status.ready_replicas, status.replicas];
        ensure!(counts.iter().all(|count| *count == Some(facts.replicas)), "{status:?}");
        ensure!(status.observed_generation == deployment.metadata.generation, "not yet observed");
        ensure!(spec.min_ready_seconds.unwrap_or_default() == 0, "still handing over");
        let service: Service = tenants.beside().get(&facts.name).await?;
        let selector = service.spec.unwrap_or_default().selector.unwrap_or_default();
        ensure!(selector.len() == 1, "{selector:?}");
        let tenant = tenants.api().get(&facts.name).await?;
        let state = tenant.status.and_then(|status| status.kubernetes_resources.version.status);
        ensure!(state == Some(api::VersionState::Ready), "{state:?}");
        // A pod that ends keeps its watches until the last moment.
        let pods = tenants.pods(&facts.name).await?.len();
        ensure!(i32::try_from(pods) == Ok(facts.replicas), "{pods} pods");
        Ok(())
    })
    .await
}

/// Everything of a tenant, as it stands.
struct Picture(BTreeMap<String, Value>);

impl Picture {
    async fn take(tenants: &Tenants, facts: &Facts) -> Result<Self> {
        let mut found = BTreeMap::new();
        add::<Secret>(&mut found, tenants, facts).await?;
        add::<ConfigMap>(&mut found, tenants, facts).await?;
        add::<Service>(&mut found, tenants, facts).await?;
        add::<Deployment>(&mut found, tenants, facts).await?;
        let mut tenant = json(&tenants.api().get(&facts.name).await?)?;
        found.insert("status".to_owned(), tenant["status"].take());
        found.insert("TenantControlPlane".to_owned(), tenant);
        Ok(Self(found))
    }

    /// Differences that nothing in [`ANNOUNCED`] covers, and announcements that nothing came of.
    fn unannounced(&self, after: &Self) -> Vec<String> {
        let whole = |picture: &Self| Value::Object(picture.0.clone().into_iter().collect());
        let found = differences(&whole(self), &whole(after));
        let place = |difference: &str| -> String {
            difference.split(": ").next().unwrap_or_default().trim_start_matches('/').to_owned()
        };
        let is_unused = |pattern: &&&str| !found.iter().any(|difference| covers(pattern, &place(difference)));
        let unused = ANNOUNCED.iter().filter(is_unused).map(|pattern| format!("nothing at {pattern}"));
        let is_unannounced =
            |difference: &&String| !ANNOUNCED.iter().any(|pattern| covers(pattern, &place(difference)));
        found.iter().filter(is_unannounced).cloned().chain(unused).collect()
    }

    fn versions(&self) -> BTreeMap<&String, &Value> {
        self.0.iter().map(|(name, object)| (name, &object["metadata"]["resourceVersion"])).collect()
    }
}

/// Whether a pattern covers a place or something that the place lies in.
fn covers(pattern: &str, place: &str) -> bool {
    let (pattern, place): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), place.split('/').collect());
    pattern.len() <= place.len()
        && pattern.iter().zip(&place).all(|(wanted, step)| match wanted.split_once('*') {
            Some((head, tail)) => step.starts_with(head) && step.ends_with(tail),
            None => wanted == step,
        })
}

async fn add<K>(found: &mut BTreeMap<String, Value>, tenants: &Tenants, facts: &Facts) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Serialize
        + std::fmt::Debug,
{
    let own = ListParams::default().labels(&format!("kamaji.clastix.io/name={}", facts.name));
    for object in Api::<K>::list(&tenants.beside(), &own).await? {
        let kind = K::kind(&());
        let name = object.name_any();
        let place = if name == facts.name { kind.into_owned() } else { format!("{kind} {name}") };
        found.insert(place, json(&object)?);
    }
    Ok(())
}

/// An object without who wrote which field.
fn json(object: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(object)?;
    value["metadata"]["managedFields"].take();
    Ok(value)
}

/// Keys of the tenant in the store, with the revision in which each was made. What the control plane's
/// own programs renew all the time is left out.
async fn stored(kamaji: &Kamaji, facts: &Facts) -> Result<BTreeMap<String, i64>> {
    let mut etcd = kamaji.etcd().administrator().await?;
    let prefix = format!("/{}/", facts.uid);
    let options = etcd_client::GetOptions::new().with_prefix().with_keys_only();
    let found = etcd.get(prefix, Some(options)).await?;
    let mut keys = BTreeMap::new();
    for entry in found.kvs() {
        let key = entry.key_str()?.to_owned();
        if !["/leases/", "/masterleases/", "/events/"].iter().any(|part| key.contains(part)) {
            keys.insert(key, entry.create_revision());
        }
    }
    Ok(keys)
}

/// Harms the Service, so that its repair shows that a pass has been made; nothing else is written.
async fn second_pass_writes_nothing(tenants: &Tenants, facts: &Facts) -> Result<()> {
    let before = Picture::take(tenants, facts).await?;
    let services: Api<Service> = tenants.beside();
    let harm = Patch::Merge(json!({"metadata": {"labels": {"kamaji.clastix.io/project": "harmed"}}}));
    services.patch(&facts.name, &PatchParams::default(), &harm).await?;
    let poke = Patch::Merge(json!({"metadata": {"annotations": {"poke": "now"}}}));
    tenants.api().patch(&facts.name, &PatchParams::default(), &poke).await?;
    eventually("the Service is repaired", Duration::from_secs(30), || async {
        let service = services.get(&facts.name).await?;
        ensure!(service.labels()["kamaji.clastix.io/project"] == "kamaji", "{:?}", service.labels());
        Ok(())
    })
    .await?;
    let after = Picture::take(tenants, facts).await?;
    let (before, after) = (before.versions(), after.versions());
    let written: Vec<&&String> = before
        .iter()
        .filter(|(name, version)| after.get(*name) != Some(*version))
        .map(|(name, _)| name)
        .collect();
    ensure!(written == [&"Service", &"TenantControlPlane"], "written: {written:?}");
    Ok(())
}

/// Takes fields out of the spec that Kamaji has brought about.
async fn what_kamaji_set_can_be_removed(tenants: &Tenants, facts: &Facts) -> Result<()> {
    let less = json!({"controlPlane": {"deployment": {
        "additionalMetadata": null, "additionalVolumes": null, "additionalVolumeMounts": null,
    }}});
    tenants.change(&facts.name, less).await?;
    let deployments: Api<Deployment> = tenants.beside();
    eventually("they are gone", PATIENCE, || async {
        let deployment = deployments.get(&facts.name).await?;
        ensure!(!deployment.labels().contains_key("team"), "{:?}", deployment.labels());
        let pod = deployment.spec.clone().and_then(|spec| spec.template.spec).context("no pod")?;
        let text = serde_json::to_string(&pod)?;
        ensure!(!text.contains("settings"), "{text}");
        let status = deployment.status.unwrap_or_default();
        ensure!(status.observed_generation == deployment.metadata.generation, "not yet observed");
        if status.updated_replicas != status.replicas || status.ready_replicas != status.replicas {
            bail!("still rolling out: {status:?}");
        }
        Ok(())
    })
    .await?;
    let tenant: TenantControlPlane = tenants.ready(&facts.name).await?;
    ensure!(tenant.uid().as_deref() == Some(&facts.uid), "another object");
    Ok(())
}
