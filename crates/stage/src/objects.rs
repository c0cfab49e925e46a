//! The objects of a played cluster, by their paths: enough of the Kubernetes API for a client that
//! applies, reads, lists and deletes.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::manifest::lay_over;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    api: String,
    namespace: Option<String>,
    resource: String,
    name: Option<String>,
}

/// Objects in memory.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    objects: BTreeMap<Place, Value>,
    version: u64,
}

/// A request as far as it matters.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    /// Conditions `key=value` on labels, all of which hold.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) body: Value,
}

type Answer = (StatusCode, Value);

impl Objects {
    /// Answers a request.
    pub(crate) fn answer(&mut self, ask: Ask<'_>) -> Answer {
        let Some(place) = parse(ask.path) else {
            return failure(StatusCode::NOT_FOUND, "NotFound", ask.path);
        };
        match (ask.method.as_str(), place.name.is_some()) {
            ("GET", false) => self.list(&place, &ask.labels),
            ("GET", true) => self.get(&place),
            ("POST", false) => self.create(place, ask.body),
            ("PATCH", true) => self.patch(place, ask.body),
            ("PUT", true) => self.put(place, ask.body),
            ("DELETE", true) => self.delete(&place),
            ("DELETE", false) => self.delete_all(&place, &ask.labels),
            _ => failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", ask.path),
        }
    }

    /// All objects, by path.
    pub(crate) fn all(&self) -> BTreeMap<String, Value> {
        self.objects.iter().map(|(place, object)| (place.path(), object.clone())).collect()
    }

    fn list(&self, place: &Place, labels: &[(String, String)]) -> Answer {
        let found =
            self.objects.iter().filter(|(other, object)| place.holds(other) && matches(object, labels));
        let items: Vec<&Value> = found.map(|(_, object)| object).collect();
        let metadata = json!({"resourceVersion": self.version.to_string()});
        (StatusCode::OK, json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items}))
    }

    fn get(&self, place: &Place) -> Answer {
        match self.objects.get(place) {
            Some(object) => (StatusCode::OK, object.clone()),
            None => failure(StatusCode::NOT_FOUND, "NotFound", &place.path()),
        }
    }

    fn create(&mut self, mut place: Place, body: Value) -> Answer {
        place.name = body["metadata"]["name"].as_str().map(str::to_owned);
        if self.objects.contains_key(&place) {
            return failure(StatusCode::CONFLICT, "AlreadyExists", &place.path());
        }
        (StatusCode::CREATED, self.store(place, body))
    }

    fn patch(&mut self, place: Place, body: Value) -> Answer {
        let mut object = self.objects.get(&place).cloned().unwrap_or_default();
        lay_over(&mut object, body);
        (StatusCode::OK, self.store(place, object))
    }

    fn put(&mut self, place: Place, body: Value) -> Answer {
        if !self.objects.contains_key(&place) {
            return failure(StatusCode::NOT_FOUND, "NotFound", &place.path());
        }
        (StatusCode::OK, self.store(place, body))
    }

    fn delete(&mut self, place: &Place) -> Answer {
        match self.objects.remove(place) {
            Some(_) => success(),
            None => failure(StatusCode::NOT_FOUND, "NotFound", &place.path()),
        }
    }

    fn delete_all(&mut self, place: &Place, labels: &[(String, String)]) -> Answer {
        self.objects.retain(|other, object| !place.holds(other) || !matches(object, labels));
        success()
    }

    fn store(&mut self, place: Place, mut object: Value) -> Value {
        self.version += 1;
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(place.name);
        if let Some(namespace) = &place.namespace {
            metadata["namespace"] = json!(namespace);
        }
        metadata["uid"] = json!(format!("played-{}", place.path().replace('/', "-")));
        metadata["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(place, object.clone());
        object
    }
}

impl Place {
    fn path(&self) -> String {
        let namespace = self.namespace.as_ref().map(|name| format!("/namespaces/{name}")).unwrap_or_default();
        let name = self.name.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
        format!("{}{namespace}/{}{name}", self.api, self.resource)
    }

    /// Whether the collection holds another place.
    fn holds(&self, other: &Self) -> bool {
        self.api == other.api
            && self.resource == other.resource
            && (self.namespace.is_none() || self.namespace == other.namespace)
    }
}

/// A subresource is taken for its object.
fn parse(path: &str) -> Option<Place> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (api, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => (format!("/api/{version}"), rest),
        ["apis", group, version, rest @ ..] => (format!("/apis/{group}/{version}"), rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, resource, rest @ ..] if *resource != "status" => {
            (Some((*namespace).to_owned()), [&[*resource], rest].concat())
        }
        other => (None, other.to_vec()),
    };
    let resource = (*rest.first()?).to_owned();
    Some(Place { api, namespace, resource, name: rest.get(1).map(|name| (*name).to_owned()) })
}

fn matches(object: &Value, labels: &[(String, String)]) -> bool {
    labels.iter().all(|(key, value)| object["metadata"]["labels"][key] == json!(value))
}

fn success() -> Answer {
    (StatusCode::OK, json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}))
}

fn failure(code: StatusCode, reason: &str, what: &str) -> Answer {
    let body = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason,
        "message": format!("{what}: {reason}"), "code": code.as_u16(),
    });
    (code, body)
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};

    use super::{Ask, Objects};

    fn ask(objects: &mut Objects, method: &Method, path: &str, body: Value) -> (StatusCode, Value) {
        objects.answer(Ask { method, path, labels: Vec::new(), body })
    }

    #[test]
    fn what_is_applied_is_read_listed_and_deleted() {
        let mut objects = Objects::default();
        let path = "/api/v1/namespaces/kube-system/configmaps/a";
        ask(&mut objects, &Method::PATCH, path, json!({"data": {"x": "1"}}));
        ask(&mut objects, &Method::PATCH, path, json!({"data": {"y": "2"}}));
        let (code, object) = ask(&mut objects, &Method::GET, path, Value::Null);
        assert_eq!((code, &object["data"]), (StatusCode::OK, &json!({"x": "1", "y": "2"})));
        let (_, list) = ask(&mut objects, &Method::GET, "/api/v1/configmaps", Value::Null);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(ask(&mut objects, &Method::DELETE, path, Value::Null).0, StatusCode::OK);
        assert_eq!(ask(&mut objects, &Method::GET, path, Value::Null).0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn a_second_create_conflicts() {
        let mut objects = Objects::default();
        let body = json!({"metadata": {"name": "a"}});
        let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        assert_eq!(ask(&mut objects, &Method::POST, path, body.clone()).0, StatusCode::CREATED);
        assert_eq!(ask(&mut objects, &Method::POST, path, body).0, StatusCode::CONFLICT);
    }
}
