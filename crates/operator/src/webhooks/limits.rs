//! Answers tenants' API servers that ask whether a write is allowed: never. Which writes they ask about
//! stands in the webhook configurations that the operator puts into the tenants' clusters.

use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum::{Json, Router};
use desired::inside::{FREEZE_PATH, WRITE_PERMISSION_PATH};
use serde::Deserialize;
use serde_json::{Value, json};

/// Largest request: an object and its older version, each as large as etcd takes.
const LARGEST: usize = 8 << 20;

/// What is looked at of a review; objects of any kind pass by.
#[derive(Deserialize)]
struct Review {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    uid: String,
    operation: String,
    #[serde(default)]
    name: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    resource: String,
}

/// The routes.
pub(super) fn routes() -> Router {
    Router::new()
        .route(FREEZE_PATH, post(|review: Json<Review>| async move { refuse(&review.request, FROZEN) }))
        .route(
            WRITE_PERMISSION_PATH,
            post(|review: Json<Review>| async move { refuse(&review.request, LIMITED) }),
        )
        .layer(DefaultBodyLimit::max(LARGEST))
}

const FROZEN: &str = "refused while the state of this cluster moves to another store; \
                      try again when the move is over. Removing the webhook kamaji-freeze by hand \
                      loses what is written during the move";
const LIMITED: &str = "refused by the write permissions of this cluster's control plane; ask its owner \
                       to change spec.writePermissions of the TenantControlPlane. Removing the webhook \
                       kamaji-write-permissions by hand does not last";

fn refuse(request: &Request, reason: &str) -> Json<Value> {
    let what = format!("{} of {} `{}`", request.operation, request.resource.resource, request.name);
    Json(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": request.uid,
            "allowed": false,
            "status": { "code": 403, "reason": "Forbidden", "message": format!("{what} is {reason}") },
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::{LIMITED, Request, refuse};
    use serde_json::json;

    #[test]
    fn the_answer_bears_the_uid_and_names_what_was_refused() {
        let request: Request = serde_json::from_value(json!({
            "uid": "7", "operation": "DELETE", "name": "blue", "resource": { "group": "", "resource": "namespaces" },
            "object": null, "oldObject": { "kind": "Namespace" },
        }))
        .unwrap();
        let answer = refuse(&request, LIMITED).0;
        assert_eq!(answer["response"]["uid"], "7");
        assert_eq!(answer["response"]["allowed"], false);
        let message = answer["response"]["status"]["message"].as_str().unwrap();
        assert!(message.contains("DELETE of namespaces `blue`"), "{message}");
        assert!(message.contains("spec.writePermissions"), "{message}");
    }
}
