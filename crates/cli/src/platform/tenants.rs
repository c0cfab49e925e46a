//! The tenants of a management cluster, for `flotilla status`.

use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::table;

/// The kind `TenantControlPlane`.
pub(crate) fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("kamaji.clastix.io", "v1alpha1", "TenantControlPlane");
    ApiResource::from_gvk_with_plural(&kind, "tenantcontrolplanes")
}

/// Name, version, status and endpoint of each tenant.
pub(crate) async fn list(client: &Client) -> Result<Vec<Value>, kube::Error> {
    let tenants: Api<DynamicObject> = Api::all_with(client.clone(), &resource());
    let list = tenants.list(&ListParams::default()).await?;
    Ok(list.items.iter().map(summary).collect())
}

fn summary(tenant: &DynamicObject) -> Value {
    let status = &tenant.data["status"];
    json!({
        "namespace": tenant.metadata.namespace,
        "name": tenant.metadata.name,
        "version": status["kubernetesResources"]["version"]["version"],
        "status": status["kubernetesResources"]["version"]["status"],
        "endpoint": status["controlPlaneEndpoint"],
    })
}

/// The tenants for people.
pub(crate) fn table(tenants: &[Value]) -> String {
    let cell = |tenant: &Value, field: &str| tenant[field].as_str().unwrap_or("-").to_owned();
    let fields = ["namespace", "name", "version", "status", "endpoint"];
    let rows: Vec<Vec<String>> =
        tenants.iter().map(|tenant| fields.iter().map(|field| cell(tenant, field)).collect()).collect();
    table::render(&["NAMESPACE", "TENANT", "VERSION", "STATUS", "ENDPOINT"], &rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_tenant_without_status_shows_dashes() {
        let tenants = [json!({ "namespace": "tenants", "name": "first", "version": null })];
        insta::assert_snapshot!(super::table(&tenants));
    }
}
