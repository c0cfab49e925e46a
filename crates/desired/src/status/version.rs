//! Kamaji's state of a control plane.

use api::{TenantControlPlaneStatus, VersionState};
use k8s_openapi::api::apps::v1::Deployment;

use super::{Observed, storage};
use crate::Validated;
pub(crate) use crate::rollout::is_rolled_out;

/// Computes `kubernetesResources.version`; the first rule that matches wins.
pub(super) fn fill(
    status: &mut TenantControlPlaneStatus,
    control_plane: &Validated,
    observed: &Observed<'_>,
) {
    let version = &mut status.kubernetes_resources.version;
    if storage::is_moving(&status.storage) {
        version.status = Some(VersionState::Migrating);
        return;
    }
    let Some(live) = observed.deployment else {
        version.status.get_or_insert(VersionState::Provisioning);
        return;
    };
    let wished = &control_plane.spec().kubernetes.version;
    let is_limited =
        control_plane.spec().write_permissions.as_ref().is_some_and(api::WritePermissions::is_limited);
    let rotates_authority = observed.issued.is_some_and(|issued| issued.rotates_authority);
    let was_rotating = version.status == Some(VersionState::CertificateAuthorityRotating);
    let is_settled = is_rolled_out(live);
    let runs_wished = version.version.as_ref() == Some(wished);
    let state = if control_plane.is_sleeping() {
        VersionState::Sleeping
    } else if ready_replicas(live) == 0 {
        VersionState::NotReady
    } else if rotates_authority || (was_rotating && !is_settled) {
        VersionState::CertificateAuthorityRotating
    } else if is_limited {
        VersionState::WriteLimited
    // What waits to be replaced still runs what it ran.
    } else if is_settled && (observed.replacement.is_none() || runs_wished) {
        VersionState::Ready
    } else {
        match &version.version {
            Some(_) if runs_wished => VersionState::Unknown,
            Some(_) => VersionState::Upgrading,
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
