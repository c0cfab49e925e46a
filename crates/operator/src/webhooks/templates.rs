//! Refuses templates that no cluster could be made from, and changes of what was published. The rules are the hub's.

use api::Template;
use api::templating::{faults, update_faults};
use kube::core::admission::{AdmissionRequest, AdmissionResponse, Operation};
use serde_json::Value;

use super::{answer, reading};

pub(super) fn respond(review: Value) -> AdmissionResponse {
    let request: AdmissionRequest<Template> = match reading::read_checked(review) {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    let found = match (&request.operation, &request.object, &request.old_object) {
        (Operation::Create, Some(new), _) => faults(&new.spec),
        // Finalizers must come off whatever the spec says.
        (Operation::Update, Some(new), Some(old)) if new.metadata.deletion_timestamp.is_none() => {
            update_faults(&old.spec, &new.spec)
        }
        _ => Vec::new(),
    };
    answer(&request, &found)
}
