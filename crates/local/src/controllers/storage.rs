//! Makes persistent volumes for claims of the storage class `local`: directories on the machine's
//! disk, below the data directory of the node to which the claim's pod was scheduled.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::pin;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::watched;
use crate::host::files;
use crate::{Error, Layout};

/// The storage class.
pub(crate) const STORAGE_CLASS: &str = "local";
/// The provisioner that the storage class names.
pub(crate) const PROVISIONER: &str = "flotilla.dev/local";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// The controller.
pub(crate) struct Storage {
    client: Client,
    layout: Layout,
}

impl Storage {
    pub(crate) fn new(client: Client, layout: Layout) -> Self {
        Self { client, layout }
    }

    /// Serves until it is cancelled.
    pub(crate) async fn run(self) {
        let (claims, claim_changes) = watched::<PersistentVolumeClaim>(Api::all(self.client.clone()));
        let (volumes, volume_changes) = watched::<PersistentVolume>(Api::all(self.client.clone()));
        let mut changes = pin!(stream::select(claim_changes, volume_changes));
        while changes.next().await.is_some() {
            for claim in claims.state() {
                if let Some(node) = waiting_for(&claim) {
                    self.report(&claim.name_any(), self.provision(&claim, node).await);
                }
            }
            for volume in volumes.state().iter().filter(|volume| is_released(volume)) {
                self.report(&volume.name_any(), self.delete(volume).await);
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads as one of the controller's steps")]
    fn report(&self, object: &str, outcome: Result<(), Error>) {
        // Repeated with the next change; the claim stays Pending until then, which is what users see.
        if let Err(error) = outcome {
            tracing::warn!(object, error = &error as &dyn std::error::Error, "failed to serve storage");
        }
    }

    async fn provision(&self, claim: &PersistentVolumeClaim, node: &str) -> Result<(), Error> {
        let Some(index) = self.layout.name().node_index(node) else { return Ok(()) };
        let Some(volume) = volume_name(claim) else { return Ok(()) };
        let directory = self.layout.volumes(index).join(&volume);
        files::create_directory(&directory)?;
        // For whatever user the pod runs as, as storage drivers do without `fsGroup`.
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777))
            .map_err(Error::file("open up", &directory))?;
        let apply =
            |source| Error::Apply { what: format!("PersistentVolume `{volume}`"), source: Box::new(source) };
        let object = volume_for(claim, &volume, node, &directory);
        let object: PersistentVolume =
            serde_json::from_value(object).map_err(|error| apply(kube::Error::SerdeError(error)))?;
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        match volumes.create(&PostParams::default(), &object).await {
            // The claim is seen until the binder has bound it.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            other => other.map(drop).map_err(apply),
        }
    }

    async fn delete(&self, volume: &PersistentVolume) -> Result<(), Error> {
        let name = volume.name_any();
        if let Some(directory) =
            directory_of(volume).filter(|directory| directory.starts_with(self.layout.data()))
        {
            files::remove_tree(&directory)?;
        }
        let volumes: Api<PersistentVolume> = Api::all(self.client.clone());
        match volumes.delete(&name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            other => other.map(drop).map_err(|source| Error::Apply {
                what: format!("deletion of PersistentVolume `{name}`"),
                source: Box::new(source),
            }),
        }
    }
}

/// The node for which a claim of ours waits for a volume.
fn waiting_for(claim: &PersistentVolumeClaim) -> Option<&str> {
    let spec = claim.spec.as_ref()?;
    let waits = spec.storage_class_name.as_deref() == Some(STORAGE_CLASS)
        && spec.volume_name.as_deref().unwrap_or_default().is_empty()
        && claim.metadata.deletion_timestamp.is_none();
    claim.annotations().get(SELECTED_NODE).filter(|_| waits).map(String::as_str)
}

fn volume_name(claim: &PersistentVolumeClaim) -> Option<String> {
    claim.uid().map(|uid| format!("pvc-{uid}"))
}

fn volume_for(claim: &PersistentVolumeClaim, name: &str, node: &str, directory: &std::path::Path) -> Value {
    let spec = claim.spec.clone().unwrap_or_default();
    let capacity = spec.resources.and_then(|resources| resources.requests).unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": { "name": name, "annotations": { PROVISIONED_BY: PROVISIONER } },
        "spec": {
            "accessModes": spec.access_modes,
            "capacity": capacity,
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": claim.name_any(),
                "namespace": claim.namespace(),
                "uid": claim.uid(),
            },
            "local": { "path": directory },
            "nodeAffinity": { "required": { "nodeSelectorTerms": [{
                "matchExpressions": [{ "key": "kubernetes.io/hostname", "operator": "In", "values": [node] }],
            }] } },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
            "volumeMode": "Filesystem",
        },
    })
}

fn is_released(volume: &PersistentVolume) -> bool {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    phase == Some("Released")
        && policy == Some("Delete")
        && volume.annotations().get(PROVISIONED_BY).is_some_and(|by| by == PROVISIONER)
}

fn directory_of(volume: &PersistentVolume) -> Option<PathBuf> {
    Some(PathBuf::from(&volume.spec.as_ref()?.local.as_ref()?.path))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PersistentVolumeClaim;
    use serde_json::json;

    use super::{volume_for, volume_name, waiting_for};

    fn claim(class: &str, node: Option<&str>) -> PersistentVolumeClaim {
        let annotations = node.map(|node| json!({ "volume.kubernetes.io/selected-node": node }));
        serde_json::from_value(json!({
            "metadata": { "name": "data", "namespace": "shop", "uid": "u-1", "annotations": annotations },
            "spec": {
                "storageClassName": class,
                "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } },
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_claim_waits_once_its_pod_has_a_node() {
        assert_eq!(waiting_for(&claim("local", Some("dev-0"))), Some("dev-0"));
        assert_eq!(waiting_for(&claim("local", None)), None);
        assert_eq!(waiting_for(&claim("other", Some("dev-0"))), None);
    }

    #[test]
    fn a_volume_is_bound_to_its_claim_and_node() {
        let claim = claim("local", Some("dev-0"));
        let name = volume_name(&claim).unwrap();
        insta::assert_json_snapshot!(volume_for(&claim, &name, "dev-0", "/data/nodes/0/volumes/x".as_ref()));
    }
}
