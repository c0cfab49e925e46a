//! Refuses what would harm a tree of tenants. The rules are tenancy's.

use kube::core::admission::AdmissionResponse;
use serde_json::Value;

use super::{answer, reading};
use crate::tenancy::{self, Gate};

pub(super) async fn respond(review: Value, gate: &Gate) -> AdmissionResponse {
    match reading::read_checked(review) {
        Ok(request) => answer(&request, &tenancy::faults(&request, gate).await),
        Err(answer) => *answer,
    }
}
