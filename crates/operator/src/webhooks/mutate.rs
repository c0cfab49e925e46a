//! Fills in on create what the spec leaves open; updates pass unchanged.

use api::defaulting::{Defaults, fill};
use api::names::annotations;
use kube::ResourceExt;
use kube::core::admission::{AdmissionResponse, Operation};

use super::{Request, deny};

pub(super) fn respond(request: &Request, default_data_store: &str) -> AdmissionResponse {
    let response = AdmissionResponse::from(request);
    let (Operation::Create, Some(object)) = (&request.operation, &request.object) else { return response };
    let mut filled = object.clone();
    let defaults = Defaults {
        // Where the user says what store will do, the operator chooses one.
        data_store: Some(default_data_store).filter(|name| {
            !name.is_empty() && !object.annotations().contains_key(annotations::DATA_STORE_SELECTOR)
        }),
        uid: object.metadata.uid.as_deref().unwrap_or_default(),
    };
    if let Err(faults) = fill(&mut filled.spec, defaults) {
        return deny(request, &faults);
    }
    match (serde_json::to_value(object), serde_json::to_value(&filled)) {
        (Ok(before), Ok(after)) => response
            .with_patch(json_patch::diff(&before, &after))
            .unwrap_or_else(|error| AdmissionResponse::from(request).deny(error)),
        (Err(error), _) | (_, Err(error)) => response.deny(error),
    }
}

#[cfg(test)]
mod tests {
    use super::respond;
    use crate::webhooks::Request;
    use kube::core::admission::AdmissionReview;
    use serde_json::{Value, json};

    fn request(operation: &str) -> Request {
        let object = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "a", "namespace": "b", "uid": "c6e2"},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "kubernetes": {"version": "v1.36.3", "kubelet": {}},
            },
        });
        let kind = json!({"group": "kamaji.clastix.io", "version": "v1alpha1", "kind": "TenantControlPlane"});
        let resource =
            json!({"group": "kamaji.clastix.io", "version": "v1alpha1", "resource": "tenantcontrolplanes"});
        let review: AdmissionReview<_> = serde_json::from_value(json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "1", "kind": kind, "resource": resource, "name": "a", "namespace": "b",
                "operation": operation, "userInfo": {}, "object": object, "dryRun": false,
            },
        }))
        .unwrap();
        review.try_into().unwrap()
    }

    #[test]
    fn a_new_control_plane_gets_the_default_store_and_its_uid_as_schema() {
        let response = respond(&request("CREATE"), "default");
        assert!(response.allowed);
        let patch: Value = serde_json::from_slice(&response.patch.unwrap()).unwrap();
        let text = patch.to_string();
        assert!(text.contains("/spec/dataStore\""), "{text}");
        assert!(text.contains("c6e2"), "{text}");
    }

    #[test]
    fn an_update_passes_unchanged() {
        let response = respond(&request("UPDATE"), "default");
        assert!(response.allowed);
        assert!(response.patch.is_none());
    }
}
