//! When the certificates of a hosted cluster's control plane end.

use aide::transform::TransformOperation;
use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::hosted::readable;
use crate::caller::Caller;
use crate::extract::Named;
use crate::problem::Problem;

/// The certificates of a control plane.
#[derive(Serialize, JsonSchema)]
pub(super) struct CertificateList {
    /// Each with its end; none while the operator has issued none.
    items: Vec<CertificateRow>,
}

/// A certificate of a control plane.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CertificateRow {
    /// What it is of, such as `ca` or `api-server-certificate`.
    name: String,
    /// When it ends; it is renewed before.
    ends: Timestamp,
}

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("When the certificates of a hosted cluster's control plane end")
        .description("Needs the verb `get`. The operator renews them before.")
        .tag("clusters")
}

pub(super) async fn list(caller: Caller, Named(id): Named) -> Result<Json<CertificateList>, Problem> {
    let cluster = readable(&caller, &id).await?;
    let known = cluster.status.as_ref().map(|status| status.certificate_ends.as_slice()).unwrap_or_default();
    let row = |end: &api::CertificateEnd| CertificateRow { name: end.name.clone(), ends: end.not_after.0 };
    Ok(Json(CertificateList { items: known.iter().map(row).collect() }))
}
