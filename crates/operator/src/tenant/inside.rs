//! What stands in the tenant's own cluster.

use api::TenantControlPlane;
use api::names::{Component, annotations};
use desired::{Endpoint, TenantOutcome, Validated};
use kube::ResourceExt;

use super::pass::Pass;
use super::tenant_objects;
use crate::context::Context;
use crate::data_stores::chain;

/// Once a pod is ready: what must stand in the tenant's cluster, unless it was put there already.
pub(super) async fn prepare(
    pass: &mut Pass,
    tenant: &TenantControlPlane,
    validated: &Validated,
    endpoint: &Endpoint,
    context: &Context,
) {
    let uid = tenant.uid().unwrap_or_default();
    let status = pass.deployment.as_ref().and_then(|deployment| deployment.status.as_ref());
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() == 0 {
        if validated.is_sleeping() {
            context.prepared.forget(&uid);
        }
        return;
    }
    let key = tenant.annotations().get(annotations::KUBECONFIG_SECRET_KEY);
    let key = key.map_or("super-admin.conf", String::as_str);
    let Some(credentials) = &pass.credentials else { return };
    let Some(kubeconfig) = credentials.admin_kubeconfig(key) else {
        let message = format!(
            "the administrator's Secret has no key `{key}`; mend the annotation {}",
            annotations::KUBECONFIG_SECRET_KEY
        );
        pass.tenant = TenantOutcome::Failed { message };
        return;
    };
    let fingerprint =
        credentials.issued().checksums.get(&Component::AdminKubeconfig).cloned().unwrap_or_default();
    if !context.prepared.is_current(&uid, &fingerprint) {
        let address = endpoint.service_ip.map_or_else(
            || validated.service_host(),
            |ip| match ip {
                std::net::IpAddr::V4(address) => address.to_string(),
                std::net::IpAddr::V6(address) => format!("[{address}]"),
            },
        );
        let reach = kubekit::Endpoint {
            url: format!("https://{address}:{}", validated.port()),
            server_name: validated.service_host(),
        };
        if let Err(error) = tenant_objects::apply(kubeconfig, &reach).await {
            pass.tenant = TenantOutcome::Failed { message: chain(&error) };
            return;
        }
        context.prepared.note(&uid, fingerprint);
    }
    pass.tenant = TenantOutcome::Done { checksum: None };
}
