//! Refuses specs that could never be brought about, with a message for each fault.

use api::TenantControlPlane;
use api::validation::{Fault, faults, update_faults};
use kube::core::admission::{AdmissionResponse, Operation};

use super::{Request, deny};
use crate::stores::DataStoreLookup;

pub(super) fn respond(request: &Request, data_stores: &DataStoreLookup) -> AdmissionResponse {
    let found = match (&request.operation, &request.object, &request.old_object) {
        (Operation::Create, Some(new), _) => {
            let mut found = faults(new);
            found.extend(missing_data_store(new, data_stores));
            found
        }
        // Finalizers must come off whatever the spec says.
        (Operation::Update, Some(new), Some(old)) if new.metadata.deletion_timestamp.is_none() => {
            let mut found = update_faults(old, new);
            found.extend(new_faults(old, new));
            if old.spec.data_store != new.spec.data_store {
                found.extend(missing_data_store(new, data_stores));
            }
            found
        }
        _ => Vec::new(),
    };
    if found.is_empty() { AdmissionResponse::from(request) } else { deny(request, &found) }
}

/// Faults that the update brings. Those that stood there before must not block other changes.
fn new_faults(old: &TenantControlPlane, new: &TenantControlPlane) -> Vec<Fault> {
    let known = faults(old);
    faults(new).into_iter().filter(|fault| !known.contains(fault)).collect()
}

fn missing_data_store(object: &TenantControlPlane, data_stores: &DataStoreLookup) -> Option<Fault> {
    let name = object.spec.data_store.as_deref().filter(|name| !name.is_empty())?;
    (!data_stores.contains(name)).then(|| {
        let message = "there is no DataStore of that name; create it first, or name one that \
                       `kubectl get datastores` lists";
        Fault::new("spec.dataStore", name, message)
    })
}
