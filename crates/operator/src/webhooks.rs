//! Admission webhooks of the management cluster: defaults on create, rules on create and update.

mod mutate;
mod validate;

use axum::routing::post;
use axum::{Json, Router};
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};

use api::TenantControlPlane;
use api::validation::Fault;

use crate::stores::DataStoreLookup;

/// Path of the mutating webhook, as Kamaji has it.
pub(crate) const MUTATE_PATH: &str = "/mutate-kamaji-clastix-io-v1alpha1-tenantcontrolplane";
/// Path of the validating webhook, as Kamaji has it.
pub(crate) const VALIDATE_PATH: &str = "/validate-kamaji-clastix-io-v1alpha1-tenantcontrolplane";

type Review = AdmissionReview<TenantControlPlane>;
type Request = AdmissionRequest<TenantControlPlane>;

/// The webhooks' routes. `default_data_store` is for control planes that name none; empty means none.
pub(crate) fn routes(default_data_store: String, data_stores: DataStoreLookup) -> Router {
    let mutate = move |Json(review): Json<Review>| {
        let default = default_data_store.clone();
        async move { answer(review, |request| mutate::respond(request, &default)) }
    };
    let validate = move |Json(review): Json<Review>| {
        let data_stores = data_stores.clone();
        async move { answer(review, |request| validate::respond(request, &data_stores)) }
    };
    Router::new().route(MUTATE_PATH, post(mutate)).route(VALIDATE_PATH, post(validate))
}

fn answer(
    review: Review,
    respond: impl FnOnce(&Request) -> AdmissionResponse,
) -> Json<AdmissionReview<DynamicObject>> {
    let request: Result<Request, _> = review.try_into();
    let response = match request {
        Ok(request) => respond(&request),
        Err(error) => AdmissionResponse::invalid(error),
    };
    Json(response.into_review())
}

fn deny(request: &Request, faults: &[Fault]) -> AdmissionResponse {
    let text: Vec<String> = faults.iter().map(ToString::to_string).collect();
    AdmissionResponse::from(request).deny(text.join("; "))
}
