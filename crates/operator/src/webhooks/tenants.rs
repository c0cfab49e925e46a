//! Refuses what would harm a tree of tenants. The rules are tenancy's.

use api::Tenant;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use serde_json::Value;

use super::deny;
use crate::tenancy::{self, Gate};

pub(super) async fn respond(review: Value, gate: &Gate) -> AdmissionResponse {
    // The API server has compared the object with its schema before it asks.
    let review: AdmissionReview<Tenant> = match serde_json::from_value(review) {
        Ok(review) => review,
        Err(error) => return AdmissionResponse::invalid(format!("no review of a Tenant: {error}")),
    };
    let request: AdmissionRequest<Tenant> = match review.try_into() {
        Ok(request) => request,
        Err(error) => return AdmissionResponse::invalid(format!("{error}")),
    };
    let found = tenancy::faults(&request, gate).await;
    if found.is_empty() { AdmissionResponse::from(&request) } else { deny(&request, &found) }
}
