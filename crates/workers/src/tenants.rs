//! A tenant by its name, and a client for its cluster.

use std::fmt;
use std::time::Duration;

use api::TenantControlPlane;
use api::names::Component;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, ResourceExt};

use crate::Error;

/// Key of the kubeconfig that workers and administrators use.
const KEY: &str = "admin.conf";
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait for an answer; none of the requests watches.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// A control plane by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// Finds a tenant by `NAME` or `NAMESPACE/NAME`; a name alone must be that of one tenant only.
pub async fn find(management: &Client, text: &str) -> Result<Tenant, Error> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, text),
    };
    if name.is_empty() || name.contains('/') || namespace.is_some_and(str::is_empty) {
        return Err(Error::TenantName { text: text.to_owned() });
    }
    let all: Api<TenantControlPlane> = Api::all(management.clone());
    let all = all.list(&ListParams::default()).await.map_err(Error::request("list TenantControlPlanes"))?;
    let all = all
        .items
        .into_iter()
        .map(|tenant| Tenant { namespace: tenant.namespace().unwrap_or_default(), name: tenant.name_any() });
    pick(&all.collect::<Vec<_>>(), namespace, name)
}

fn pick(all: &[Tenant], namespace: Option<&str>, name: &str) -> Result<Tenant, Error> {
    let is_it = |tenant: &&Tenant| {
        tenant.name == name && namespace.is_none_or(|namespace| tenant.namespace == namespace)
    };
    let found: Vec<&Tenant> = all.iter().filter(is_it).collect();
    let names = |tenants: &[&Tenant]| tenants.iter().map(ToString::to_string).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::NoTenant { name: name.to_owned(), known: names(&all.iter().collect::<Vec<_>>()) }),
        several => Err(Error::AmbiguousTenant { name: name.to_owned(), known: names(several) }),
    }
}

/// A client for the tenant's cluster with the rights of its administrator.
pub async fn client(management: &Client, tenant: &Tenant) -> Result<Client, Error> {
    let name = Component::AdminKubeconfig.object_name(&tenant.name);
    let secrets: Api<Secret> = Api::namespaced(management.clone(), &tenant.namespace);
    let secret = secrets.get_opt(&name).await.map_err(Error::request(format!("read the Secret `{name}`")))?;
    let text = secret.and_then(|secret| secret.data?.remove(KEY));
    let text = text.ok_or_else(|| Error::NoKubeconfig { tenant: tenant.to_string() })?;
    let unusable = |reason: String| Error::Kubeconfig { tenant: tenant.to_string(), reason };
    let text = String::from_utf8(text.0).map_err(|error| unusable(error.to_string()))?;
    let read = Kubeconfig::from_yaml(&text).map_err(|error| unusable(error.to_string()))?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| unusable(error.to_string()))?;
    config.connect_timeout = Some(CONNECT_WITHIN);
    config.read_timeout = Some(ANSWER_WITHIN);
    // What a disruption budget forbids is told and tried again here, not hidden in the client.
    config.default_retry = false;
    Client::try_from(config).map_err(|error| unusable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Tenant, pick};

    fn all() -> Vec<Tenant> {
        let tenant = |(namespace, name): (&str, &str)| Tenant {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        [("a", "blue"), ("b", "blue"), ("b", "red")].map(tenant).into()
    }

    #[test]
    fn a_name_alone_serves_while_one_tenant_has_it() {
        let picked = |namespace, name| pick(&all(), namespace, name).map(|tenant| tenant.to_string());
        assert_eq!(picked(None, "red").unwrap(), "b/red");
        assert_eq!(picked(Some("a"), "blue").unwrap(), "a/blue");
        let error = picked(None, "blue").unwrap_err().to_string();
        assert!(error.contains("a/blue, b/blue"), "{error}");
        let error = picked(Some("a"), "red").unwrap_err().to_string();
        assert!(error.contains("there are: a/blue, b/blue, b/red"), "{error}");
    }
}
