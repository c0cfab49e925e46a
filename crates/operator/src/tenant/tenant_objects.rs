//! What stands in the tenant's own cluster before it is called ready: the administrators' rights.

use std::time::Duration;

use api::names::FIELD_MANAGER;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubekit::{Applier, ApplyError, ClientError, Endpoint, client_for_kubeconfig};

/// Longest wait for an answer of a tenant's API server.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Name of the binding and of the group, as kubeadm has them since 1.29.
const CLUSTER_ADMINS: &str = "kubeadm:cluster-admins";

/// Why the tenant's cluster could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TenantError {
    /// No client could be made from the kubeconfig.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The tenant's API server refused or did not answer.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Applies what administrators need, signed in by `kubeconfig` (the super-admin's) at `endpoint`.
pub(crate) async fn apply(kubeconfig: &str, endpoint: &Endpoint) -> Result<(), TenantError> {
    let client = client_for_kubeconfig(kubeconfig, Some(endpoint), Some(READ_TIMEOUT)).await?;
    Applier::new(client, FIELD_MANAGER).apply(&cluster_admins(), None).await?;
    Ok(())
}

/// Lets the group in `admin.conf` do everything, as kubeadm's phase `ClusterAdminRBAC` does.
fn cluster_admins() -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata: ObjectMeta { name: Some(CLUSTER_ADMINS.to_owned()), ..ObjectMeta::default() },
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: "ClusterRole".to_owned(),
            name: "cluster-admin".to_owned(),
        },
        subjects: Some(vec![Subject {
            api_group: Some("rbac.authorization.k8s.io".to_owned()),
            kind: "Group".to_owned(),
            name: CLUSTER_ADMINS.to_owned(),
            namespace: None,
        }]),
    }
}
