//! Admission webhooks of the management cluster: defaults on create, rules on create and update.

mod dry_run;
mod limits;
mod mutate;
mod reading;
mod references;
mod scale;
mod templates;
mod tenants;
mod validate;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use kube::{Client, Resource};
use serde_json::Value;

use api::TenantControlPlane;
use api::validation::Fault;

use crate::Settings;
use crate::metrics::Metrics;
use crate::stores::DataStoreLookup;
use crate::tenancy::{self, Gate};

/// Path of the mutating webhook, as Kamaji has it.
pub(crate) const MUTATE_PATH: &str = "/mutate-kamaji-clastix-io-v1alpha1-tenantcontrolplane";
/// Path of the validating webhook, as Kamaji has it.
pub(crate) const VALIDATE_PATH: &str = "/validate-kamaji-clastix-io-v1alpha1-tenantcontrolplane";

/// Path of the webhook for the subresource by which control planes are scaled.
pub(crate) const SCALE_PATH: &str = "/validate-flotilla-dev-v1alpha1-scale";

/// Path of the webhook for templates.
const TEMPLATE_PATH: &str = "/validate-flotilla-dev-v1alpha1-template";

type Review = AdmissionReview<TenantControlPlane>;
type Request = AdmissionRequest<TenantControlPlane>;

/// What the webhooks judge by. Every replica has one.
pub(crate) struct Admission {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) data_stores: DataStoreLookup,
    pub(crate) metrics: Metrics,
    pub(crate) quotas: Gate,
}

/// The webhooks' routes.
pub(crate) fn routes(admission: Admission) -> Router {
    Router::new()
        .route(MUTATE_PATH, post(mutate))
        .route(VALIDATE_PATH, post(validate))
        .route(SCALE_PATH, post(validate_scale))
        .route(tenancy::VALIDATE_PATH, post(validate_tenant))
        .route(TEMPLATE_PATH, post(validate_template))
        .with_state(Arc::new(admission))
        .merge(limits::routes())
}

async fn mutate(
    State(admission): State<Arc<Admission>>,
    Json(review): Json<Value>,
) -> Json<AdmissionReview<DynamicObject>> {
    let began = Instant::now();
    let response = match reading::read(review) {
        Ok(request) => mutate::respond(&request, admission.settings.default_store()),
        Err(answer) => *answer,
    };
    admission.metrics.admitted("mutate", response.allowed, began.elapsed());
    Json(response.into_review())
}

async fn validate(
    State(admission): State<Arc<Admission>>,
    Json(review): Json<Value>,
) -> Json<AdmissionReview<DynamicObject>> {
    let began = Instant::now();
    let response = match reading::read(review) {
        Ok(request) => validate::respond(&request, &admission).await,
        Err(answer) => *answer,
    };
    admission.metrics.admitted("validate", response.allowed, began.elapsed());
    Json(response.into_review())
}

async fn validate_tenant(
    State(admission): State<Arc<Admission>>,
    Json(review): Json<Value>,
) -> Json<AdmissionReview<DynamicObject>> {
    let began = Instant::now();
    let response = tenants::respond(review, &admission.quotas).await;
    admission.metrics.admitted("validate", response.allowed, began.elapsed());
    Json(response.into_review())
}

async fn validate_template(
    State(admission): State<Arc<Admission>>,
    Json(review): Json<Value>,
) -> Json<AdmissionReview<DynamicObject>> {
    let began = Instant::now();
    let response = templates::respond(review);
    admission.metrics.admitted("validate", response.allowed, began.elapsed());
    Json(response.into_review())
}

async fn validate_scale(
    State(admission): State<Arc<Admission>>,
    Json(review): Json<Value>,
) -> Json<AdmissionReview<DynamicObject>> {
    let began = Instant::now();
    let response = scale::respond(review, &admission.quotas, &admission.client).await;
    admission.metrics.admitted("validate", response.allowed, began.elapsed());
    Json(response.into_review())
}

/// Allows what has no fault.
fn answer<K: Resource>(request: &AdmissionRequest<K>, faults: &[Fault]) -> AdmissionResponse {
    if faults.is_empty() { AdmissionResponse::from(request) } else { deny(request, faults) }
}

fn deny<K: Resource>(request: &AdmissionRequest<K>, faults: &[Fault]) -> AdmissionResponse {
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    AdmissionResponse::from(request).deny(text.join("; "))
}
