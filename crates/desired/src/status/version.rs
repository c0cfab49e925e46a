//! Kamaji's state of a control plane.

use api::{TenantControlPlaneStatus, VersionState};
use k8s_openapi::api::apps::v1::Deployment;

use super::Observed;
use crate::Validated;

/// Computes `kubernetesResources.version`; the first rule that matches wins.
pub(super) fn fill(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    observed: &Observed<'_>,
) {
    let version = &mut status.kubernetes_resources.version;
    let replaces_authority = observed.issued.is_some_and(|issued| issued.replaces_authority);
    if replaces_authority && version.status.is_some_and(|state| state != VersionState::Provisioning) {
        version.status = Some(VersionState::CertificateAuthorityRotating);
        return;
    }
    let Some(live) = observed.deployment else {
        version.status.get_or_insert(VersionState::Provisioning);
        return;
    };
    let wished = &control_plane.spec().kubernetes.version;
    let is_limited =
        control_plane.spec().write_permissions.as_ref().is_some_and(api::WritePermissions::is_limited);
    let state = if control_plane.is_sleeping() {
        VersionState::Sleeping
    } else if ready_replicas(live) == 0 {
        VersionState::NotReady
    } else if is_limited {
        VersionState::WriteLimited
    } else if is_rolled_out(live) {
        VersionState::Ready
    } else {
        match &version.version {
            Some(running) if running != wished => VersionState::Upgrading,
            Some(_) => VersionState::Unknown,
            None => VersionState::Provisioning,
        }
    };
    if matches!(state, VersionState::Ready | VersionState::Sleeping) {
        version.version = Some(wished.clone());
    }
    version.status = Some(state);
}

pub(super) fn ready_replicas(live: &Deployment) -> i32 {
    live.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default()
}

/// Whether only pods of the newest template are left, all of them ready.
pub(super) fn is_rolled_out(live: &Deployment) -> bool {
    let wished = live.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    live.status.as_ref().is_some_and(|status| {
        status.observed_generation == live.metadata.generation
            && status.unavailable_replicas.unwrap_or_default() == 0
            && [status.updated_replicas, status.ready_replicas, status.replicas]
                .into_iter()
                .all(|count| count.unwrap_or_default() == wished)
    })
}
