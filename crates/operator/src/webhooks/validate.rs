//! Refuses specs that could never be brought about, with a message for each fault.

use api::validation::{Fault, faults, update_faults};
use api::{TenantControlPlane, TenantControlPlaneSpec};
use desired::inside::patch_fault;
use kube::core::admission::{AdmissionResponse, Operation};

use super::{Admission, Request, answer, dry_run, references};

pub(super) async fn respond(request: &Request, admission: &Admission) -> AdmissionResponse {
    let found = match (&request.operation, &request.object, &request.old_object) {
        (Operation::Create, Some(new), _) => Box::pin(check(None, new, request.dry_run, admission)).await,
        // Finalizers must come off whatever the spec says.
        (Operation::Update, Some(new), old) if new.metadata.deletion_timestamp.is_none() => {
            Box::pin(check(old.as_ref(), new, request.dry_run, admission)).await
        }
        _ => Vec::new(),
    };
    answer(request, &found)
}

/// The faults of a new control plane, or those that an update brings. Those that stood there before must
/// not block other changes.
async fn check(
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
    is_trial: bool,
    admission: &Admission,
) -> Vec<Fault> {
    let mut found = match old {
        Some(old) => {
            let known = faults(old);
            let brought = faults(new).into_iter().filter(|fault| !known.contains(fault));
            update_faults(old, new).into_iter().chain(brought).collect()
        }
        None => faults(new),
    };
    let stood = old.map(|old| unreadable(&old.spec)).unwrap_or_default();
    found.extend(unreadable(&new.spec).into_iter().filter(|fault| !stood.contains(fault)));
    found.extend(references::stores(old, new, admission).await);
    found.extend(references::gateway(old, new, &admission.client).await);
    if found.is_empty() {
        // Only what the rules accept can be laid out as a Deployment.
        found.extend(dry_run::check(old, new, &admission.client).await);
    }
    if found.is_empty() {
        // Last, since what is granted is entered.
        found.extend(admission.quotas.faults(old, new, is_trial).await);
    }
    found
}

/// Patches and schedules that cannot be followed.
fn unreadable(spec: &TenantControlPlaneSpec) -> Vec<Fault> {
    let schedule = spec.sleep_schedule.as_ref().map(desired::sleeping::faults).unwrap_or_default();
    patch_fault(spec).into_iter().chain(schedule).collect()
}
