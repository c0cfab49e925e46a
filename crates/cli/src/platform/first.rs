//! The first tenant: a small control plane to look at.

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Installation, tenants};
use crate::Error;

pub(super) const NAMESPACE: &str = "tenants";
const NAME: &str = "first";
const FIELD_MANAGER: &str = "flotilla-cli";
/// A control plane is ready within seconds; this is for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long the Service of the webhooks may take to lead to a ready operator.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(15);
const INTERVAL: Duration = Duration::from_millis(200);

/// A tenant that answers.
pub(crate) struct Tenant {
    /// Its kubeconfig on this machine.
    pub(crate) kubeconfig: PathBuf,
    /// Address of its API server.
    pub(crate) endpoint: String,
}

/// Applies the tenant's namespace and control plane.
pub(super) async fn create(client: &Client, installation: &Installation) -> Result<(), Error> {
    let version = match &installation.version {
        Some(version) => version.clone(),
        None => client.apiserver_version().await.map_err(Error::request("read the version"))?.git_version,
    };
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .patch(NAMESPACE, &parameters, &Patch::Apply(namespace))
        .await
        .map_err(Error::request(format!("create the namespace `{NAMESPACE}`")))?;
    let manifest = manifest(&version);
    keep(&manifest, installation)?;
    let deadline = Instant::now() + WEBHOOK_PATIENCE;
    loop {
        match api(client).patch(NAME, &parameters, &Patch::Apply(&manifest)).await {
            Ok(_) => return Ok(()),
            Err(error) if is_webhook_away(&error) && Instant::now() < deadline => {
                tokio::time::sleep(INTERVAL).await;
            }
            Err(error) => {
                return Err(Error::request(format!("create the tenant control plane `{NAME}`"))(error));
            }
        }
    }
}

/// The operator is ready a moment before its Service leads to it.
fn is_webhook_away(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 500 && status.message.contains("failed calling webhook"))
}

fn keep(manifest: &Value, installation: &Installation) -> Result<(), Error> {
    std::fs::create_dir_all(&installation.tenants)
        .map_err(Error::system(format!("create {}", installation.tenants.display())))?;
    let path = installation.first_manifest();
    std::fs::write(&path, format!("{manifest:#}\n"))
        .map_err(Error::system(format!("write {}", path.display())))
}

fn api(client: &Client) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, &tenants::resource())
}

fn manifest(version: &str) -> Value {
    json!({
        "apiVersion": "kamaji.clastix.io/v1alpha1",
        "kind": "TenantControlPlane",
        "metadata": { "name": NAME, "namespace": NAMESPACE },
        "spec": {
            "dataStore": "default",
            "controlPlane": {
                "deployment": { "replicas": 1 },
                "service": { "serviceType": "LoadBalancer" },
            },
            "kubernetes": { "version": version, "kubelet": { "cgroupfs": "systemd" } },
            "networkProfile": { "port": 6443 },
            "addons": {},
        },
    })
}

/// Waits until the tenant is ready, and shows why it is not yet.
pub(super) async fn wait(client: &Client, detail: &dyn Fn(&str)) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let tenant =
            api(client).get(NAME).await.map_err(Error::request(format!("read the tenant `{NAME}`")))?;
        let (ready, last) = readiness(&tenant.data);
        if ready {
            return Ok(());
        }
        detail(&last);
        if Instant::now() >= deadline {
            return Err(Error::TenantNotReady {
                namespace: NAMESPACE.to_owned(),
                name: NAME.to_owned(),
                seconds: PATIENCE.as_secs(),
                last,
            });
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Whether the condition `Ready` holds, and what it says.
fn readiness(tenant: &Value) -> (bool, String) {
    let conditions = tenant["status"]["conditions"].as_array();
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    let Some(ready) = ready else { return (false, "the operator has not seen it yet".to_owned()) };
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
    (ready["status"] == "True", format!("{}: {}", text("reason"), text("message")))
}

/// Writes the tenant's kubeconfig to the disk.
pub(super) async fn fetch(client: &Client, installation: &Installation) -> Result<Tenant, Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    let name = format!("{NAME}-admin-kubeconfig");
    let secret = secrets.get(&name).await.map_err(Error::request(format!("read the secret `{name}`")))?;
    let text = secret.data.and_then(|mut data| data.remove("admin.conf")).unwrap_or_default().0;
    let kubeconfig = installation.tenants.join(format!("{NAMESPACE}_{NAME}.kubeconfig"));
    launcher::write_private(&kubeconfig, &String::from_utf8_lossy(&text))?;
    let tenant = api(client).get(NAME).await.map_err(Error::request(format!("read the tenant `{NAME}`")))?;
    let endpoint = tenant.data["status"]["controlPlaneEndpoint"].as_str().unwrap_or("-").to_owned();
    Ok(Tenant { kubeconfig, endpoint })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::readiness;

    #[test]
    fn a_tenant_is_ready_when_its_condition_says_so() {
        let tenant = |status: &str| {
            let ready =
                json!({ "type": "Ready", "status": status, "reason": "Starting", "message": "waits" });
            json!({ "status": { "conditions": [{ "type": "Other", "status": "True" }, ready] } })
        };
        assert!(readiness(&tenant("True")).0);
        assert_eq!(readiness(&tenant("False")), (false, "Starting: waits".to_owned()));
        assert!(!readiness(&json!({})).0);
    }
}
