//! Reads a review. An object that is none of its kind is refused with the field that is wrong, since the
//! mutating webhook is asked before the API server compares an object with its schema.

use api::validation::{Fault, value_at};
use kube::Resource;
use kube::core::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview};
use serde_json::Value;

use super::{Request, Review};

/// The request of a review, or the answer to one that cannot be read.
pub(super) fn read(body: Value) -> Result<Request, Box<AdmissionResponse>> {
    let invalid = |reason: String| Box::new(AdmissionResponse::invalid(reason));
    let (path, reason) = match decode::<Review>(&body) {
        Ok(review) => return review.try_into().map_err(|error| invalid(format!("{error}"))),
        Err(fault) => fault,
    };
    if path.starts_with("request.oldObject") {
        // Nothing that stood there before excuses the new one then.
        return read(without_old(body));
    }
    let untyped: AdmissionReview<DynamicObject> = decode(&body)
        .map_err(|(path, reason)| invalid(format!("no review of an object: {path}: {reason}")))?;
    let untyped: AdmissionRequest<DynamicObject> =
        untyped.try_into().map_err(|error| invalid(format!("{error}")))?;
    let answer = AdmissionResponse::from(&untyped);
    if untyped.object.is_none_or(|object| object.metadata.deletion_timestamp.is_some()) {
        // Finalizers must come off whatever the spec says.
        return Err(Box::new(answer));
    }
    let path = path.trim_start_matches("request.object.");
    let value = value_at(&body["request"]["object"], path);
    let fault = Fault::new(path, value, format!("is not what the field takes: {reason}"));
    Err(Box::new(answer.deny(fault.to_string())))
}

/// The request of a review of any other kind, which the API server has compared with its schema before it asks.
pub(super) fn read_checked<K>(body: Value) -> Result<AdmissionRequest<K>, Box<AdmissionResponse>>
where
    K: Resource + serde::de::DeserializeOwned,
{
    let invalid = |reason: String| Box::new(AdmissionResponse::invalid(reason));
    let review: AdmissionReview<K> =
        serde_json::from_value(body).map_err(|error| invalid(format!("no such review: {error}")))?;
    review.try_into().map_err(|error| invalid(format!("{error}")))
}

fn without_old(mut body: Value) -> Value {
    body["request"]["oldObject"] = Value::Null;
    body
}

/// The error is the path of the field and the reason.
fn decode<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(body)
        .map_err(|error| (error.path().to_string(), error.into_inner().to_string()))
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::{Value, json};

    fn review(operation: &str, object: &Value, old: &Value) -> Value {
        let kind = json!({"group": "kamaji.clastix.io", "version": "v1alpha1", "kind": "TenantControlPlane"});
        let resource =
            json!({"group": "kamaji.clastix.io", "version": "v1alpha1", "resource": "tenantcontrolplanes"});
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "7", "kind": kind, "resource": resource, "name": "a", "namespace": "b",
                "operation": operation, "userInfo": {}, "object": object, "oldObject": old, "dryRun": false,
            },
        })
    }

    fn object(version: &Value, deleted: bool) -> Value {
        let mut object = json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}},
                "kubernetes": {"version": version, "kubelet": {"preferredAddressTypes": ["Hostname"]}},
            },
        });
        if deleted {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        object
    }

    #[test]
    fn a_field_of_another_type_is_named_with_what_stands_there() {
        let answer = read(review("CREATE", &object(&json!(36), false), &Value::Null)).unwrap_err();
        assert!(!answer.allowed && answer.uid == "7");
        let message = answer.result.message;
        assert!(message.contains("spec.kubernetes.version: `36` is not what the field takes"), "{message}");
    }

    #[test]
    fn finalizers_come_off_an_object_that_cannot_be_read() {
        let stored = object(&json!(36), true);
        assert!(read(review("UPDATE", &stored, &stored)).unwrap_err().allowed);
    }

    #[test]
    fn an_older_object_that_cannot_be_read_does_not_stop_its_repair() {
        let request =
            read(review("UPDATE", &object(&json!("v1.36.3"), false), &object(&json!(36), false))).unwrap();
        assert!(request.object.is_some() && request.old_object.is_none());
    }
}
