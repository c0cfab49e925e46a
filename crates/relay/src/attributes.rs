//! What a request wants of which object, as the API server's own authorizer sees it
//! (`RequestInfoFactory` in `k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`).

use http::Method;

use crate::query::{Parameter, first, selected_name};
use crate::target::Refusal;

/// Subresources of namespaces. Any other segment behind the name of a namespace is a resource in it.
const OF_NAMESPACES: [&str; 2] = ["status", "finalize"];
/// Verbs that the old API had as a segment of the path.
const IN_PATHS: [&str; 2] = ["proxy", "watch"];
/// Subresources whose answers last.
const LASTING: [&str; 5] = ["attach", "exec", "log", "portforward", "proxy"];
/// Subresources that let somebody act inside a pod, whatever the verb.
const INSIDE: [&str; 3] = ["attach", "exec", "portforward"];

/// What a request wants of which object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the method in lower case
    /// if the request is for no resource. Empty for OPTIONS of a resource, which no rule but `*` allows.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Version of the group, such as `v1`.
    pub version: String,
    /// Resource in the plural, such as `pods`.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Namespace, or empty: the cluster, or all namespaces.
    pub namespace: String,
    /// Name of the object, or empty. For `list` and `watch` that which a field selector demands.
    pub name: String,
    /// Whether it is for a resource at all; `/version`, `/healthz`, `/apis` and such are not.
    pub is_resource: bool,
}

impl Attributes {
    pub(crate) fn read(
        method: &Method,
        segments: &[String],
        parameters: &[Parameter],
    ) -> Result<Self, Refusal> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match &*segments {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => return Ok(Self { verb: method.as_str().to_ascii_lowercase(), ..Self::default() }),
        };
        let (verb, rest) = match rest {
            [verb] if IN_PATHS.contains(verb) => return Err(Refusal::NoResource),
            [verb, rest @ ..] if IN_PATHS.contains(verb) => (*verb, rest),
            _ => (verb(method), rest),
        };
        let mut read = Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            is_resource: true,
            ..Self::default()
        };
        read.locate(rest);
        read.refine(parameters);
        Ok(read)
    }

    /// Whether the answer may take as long as it likes.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        matches!(self.verb.as_str(), "watch" | "proxy")
            || (self.is_resource && LASTING.contains(&self.subresource.as_str()))
    }

    /// Whether it lets somebody act inside a pod (exec, attach, port forwarding). As a WebSocket it comes as `get`,
    /// so a caller must not take the verb as a sign that nothing is changed.
    #[must_use]
    pub fn acts_inside_pods(&self) -> bool {
        self.resource == "pods" && INSIDE.contains(&self.subresource.as_str())
    }

    /// `pods`, or `pods/log` with a subresource, as in rules of RBAC.
    #[must_use]
    pub fn resource_path(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }

    fn locate(&mut self, rest: &[&str]) {
        let own = |text: Option<&&str>| text.map_or_else(String::new, |text| (*text).to_owned());
        let mut parts = rest;
        if let ["namespaces", namespace, inside @ ..] = rest {
            (*namespace).clone_into(&mut self.namespace);
            if inside.first().is_some_and(|first| !OF_NAMESPACES.contains(first)) {
                parts = inside;
            }
        }
        self.resource = own(parts.first());
        self.name = own(parts.get(1));
        if self.verb != "proxy" {
            self.subresource = own(parts.get(2));
        }
    }

    /// What a verb is without a name.
    fn refine(&mut self, parameters: &[Parameter]) {
        match self.verb.as_str() {
            "get" if self.name.is_empty() => {
                let watches = first(parameters, "watch").is_some_and(is_true);
                self.verb = String::from(if watches { "watch" } else { "list" });
                let selector = first(parameters, "fieldSelector");
                self.name = selector.and_then(selected_name).map(String::from).unwrap_or_default();
            }
            "delete" if self.name.is_empty() => self.verb = String::from("deletecollection"),
            _ => {}
        }
    }
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::GET | Method::HEAD => "get",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "",
    }
}

/// The API server takes any value but these as true, even none.
fn is_true(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}
