//! The Ingress in front of a control plane's Service.

use api::names::Component;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, ServiceBackendPort,
};

use crate::Validated;
use crate::endpoint::split_host;
use crate::metadata::{object_meta, with_additional};

/// The Ingress, if the spec asks for one.
///
/// It has no section on encryption: clients prove themselves by certificate to the API server, so the
/// controller has to pass connections through, which each is told by annotations of its own.
#[must_use]
pub fn ingress(control_plane: &Validated) -> Option<Ingress> {
    let wished = control_plane.spec().control_plane.ingress.as_ref()?;
    let host = split_host(wished.hostname.as_deref().unwrap_or_default()).0;
    let backend = IngressServiceBackend {
        name: Component::Service.object_name(control_plane.name()),
        port: Some(ServiceBackendPort { name: None, number: Some(control_plane.port().into()) }),
    };
    let path = HTTPIngressPath {
        path: Some("/".to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend { service: Some(backend), resource: None },
    };
    let rule =
        IngressRule { host: Some(host.to_owned()), http: Some(HTTPIngressRuleValue { paths: vec![path] }) };
    let spec = IngressSpec {
        ingress_class_name: wished.ingress_class_name.clone().filter(|class| !class.is_empty()),
        rules: Some(vec![rule]),
        ..IngressSpec::default()
    };
    let metadata =
        with_additional(object_meta(control_plane, Component::Ingress), wished.additional_metadata.as_ref());
    Some(Ingress { metadata, spec: Some(spec), status: None })
}
