//! How the hub reaches the API servers of clusters: one upstream each, made when it is first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::names::Component;
use desired::hub::{AUTHORITY, ENDPOINT, OFF};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use relay::{Endpoint, Timeouts, Upstream};

use crate::caches::Caches;
use crate::cluster_id::ClusterId;

/// Why a cluster cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoEntrance {
    /// The operator has not said yet how.
    #[error(
        "control plane `{0}` has no entrance for the hub yet; wait until it is ready, and see that the operator runs with `--hub-issuer`"
    )]
    Missing(ClusterId),
    /// It trusts somebody else.
    #[error("control plane `{id}` does not trust the hub: {reason}; reach it with a kubeconfig of its own")]
    Off {
        /// Which one.
        id: ClusterId,
        /// As the operator says.
        reason: String,
    },
    /// What the operator says cannot be used.
    #[error("the entrance of control plane `{id}` cannot be used")]
    Unusable {
        /// Which one.
        id: ClusterId,
        /// Why.
        #[source]
        source: relay::EndpointError,
    },
}

/// An upstream, with the version of the entrance that it was made from.
type Known = (Option<String>, Arc<Upstream>);

/// The upstreams that are known.
pub(crate) struct Entrances {
    entrances: Store<ConfigMap>,
    known: Mutex<HashMap<ClusterId, Known>>,
}

impl Entrances {
    pub(crate) fn new(caches: &Caches) -> Self {
        Self { entrances: caches.entrances.clone(), known: Mutex::default() }
    }

    /// The way to a hosted cluster.
    pub(crate) fn to(&self, id: &ClusterId) -> Result<Arc<Upstream>, NoEntrance> {
        let missing = || NoEntrance::Missing(id.clone());
        let entrance = self.entrance(id).ok_or_else(missing)?;
        let version = entrance.meta().resource_version.clone();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, upstream)) = known.get(id).filter(|(of, _)| *of == version) {
            return Ok(upstream.clone());
        }
        let upstream = Arc::new(upstream(id, &entrance)?);
        known.insert(id.clone(), (version, upstream.clone()));
        Ok(upstream)
    }

    /// By which the API server of a hosted cluster is verified, by its id.
    pub(crate) fn authority(&self, id: &str) -> Option<String> {
        let entrance = self.entrance(&ClusterId::read(id)?)?;
        entrance.data.as_ref()?.get(AUTHORITY).cloned()
    }

    /// Forgets a cluster that is gone.
    pub(crate) fn forget(&self, id: &ClusterId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn entrance(&self, id: &ClusterId) -> Option<Arc<ConfigMap>> {
        let ClusterId::Hosted { namespace, name } = id else { return None };
        self.entrances.get(&ObjectRef::new(&Component::Hub.object_name(name)).within(namespace))
    }
}

fn upstream(id: &ClusterId, entrance: &ConfigMap) -> Result<Upstream, NoEntrance> {
    let said = |key: &str| entrance.data.as_ref().and_then(|data| data.get(key)).cloned();
    if let Some(reason) = said(OFF) {
        return Err(NoEntrance::Off { id: id.clone(), reason });
    }
    let missing = || NoEntrance::Missing(id.clone());
    let (url, authority) = (said(ENDPOINT).ok_or_else(missing)?, said(AUTHORITY).ok_or_else(missing)?);
    let address = url.strip_prefix("https://").unwrap_or(&url).to_owned();
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
    let server_name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let endpoint = Endpoint { address, server_name, authority, client: None };
    let name = format!("cluster {id}");
    Upstream::endpoint(name, &endpoint, Timeouts::default())
        .map_err(|source| NoEntrance::Unusable { id: id.clone(), source })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    use super::{NoEntrance, upstream};
    use crate::cluster_id::ClusterId;

    fn of(data: &serde_json::Value) -> Result<relay::Upstream, NoEntrance> {
        let entrance: ConfigMap = serde_json::from_value(json!({ "metadata": {}, "data": data })).unwrap();
        upstream(&ClusterId::read("acme.prod").unwrap(), &entrance)
    }

    #[test]
    fn a_control_plane_that_does_not_trust_the_hub_says_why() {
        let error = of(&json!({ "off": "extraArgs name --oidc-issuer-url" })).unwrap_err();
        assert!(error.to_string().contains("--oidc-issuer-url"), "{error}");
        assert!(matches!(of(&json!({})), Err(NoEntrance::Missing(_))));
        assert!(matches!(
            of(&json!({ "endpoint": "https://a.b.svc:6443", "ca.crt": "no certificate" })),
            Err(NoEntrance::Unusable { .. })
        ));
    }
}
