//! The spec of a new control plane: what is said of it, over what clusters have otherwise.

use serde_ignored::Path;
use serde_json::{Map, Value, json};

use crate::TenantControlPlaneSpec;
use crate::validation::{Fault, value_at};

/// What somebody may say who has no rights at the platform, with all below. The rest reaches into the management
/// cluster: pods with volumes and images of one's own, host names, addresses, places in stores.
const OWN: &[&str] = &[
    "addons.coreDNS",
    "addons.konnectivity.agent",
    "addons.konnectivity.server.port",
    "addons.kubeProxy",
    "controlPlane.deployment.replicas",
    "controlPlane.deployment.resources",
    "controlPlane.service.serviceType",
    "dataStore",
    "kubernetes",
    "networkProfile.certSANs",
    "networkProfile.clusterDomain",
    "networkProfile.dnsServiceIPs",
    "networkProfile.loadBalancerSourceRanges",
    "networkProfile.podCidr",
    "networkProfile.podCidrs",
    "networkProfile.port",
    "networkProfile.serviceCidr",
    "networkProfile.serviceCidrs",
    "sleepSchedule",
    "writePermissions",
];

/// What clusters have unless something else is said. The version is always said.
fn usual() -> Value {
    json!({
        "controlPlane": {
            "deployment": { "replicas": 2 },
            "service": { "serviceType": "LoadBalancer" },
        },
        "kubernetes": { "kubelet": { "cgroupfs": "systemd" } },
        "networkProfile": { "port": 6443 },
        "addons": { "coreDNS": {}, "kubeProxy": {} },
    })
}

/// Merges what is said over what clusters have otherwise (JSON merge patch, RFC 7396: a null takes a field away).
///
/// # Errors
/// Every field that a spec has not, or the first that is of another type or missing.
pub fn compose(said: &Map<String, Value>) -> Result<TenantControlPlaneSpec, Vec<Fault>> {
    let mut spec = usual();
    json_patch::merge(&mut spec, &Value::Object(said.clone()));
    let (mut track, mut unknown) = (serde_path_to_error::Track::new(), Vec::new());
    let tracked = serde_path_to_error::Deserializer::new(&spec, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unknown.push(told(&path)));
    match read {
        Ok(read) if unknown.is_empty() => Ok(read),
        Ok(_) => Err(unknown
            .iter()
            .map(|path| fault(&spec, path, "is no field of a TenantControlPlane"))
            .collect()),
        Err(error) => {
            let message = format!("is not what the field takes: {error}");
            Err(vec![fault(&spec, &track.path().to_string(), &message)])
        }
    }
}

/// Takes a field away that clusters have otherwise, such as `addons.kubeProxy`.
///
/// # Errors
/// Clusters have no such field otherwise, or it is said.
pub fn leave_out(said: &mut Map<String, Value>, path: &str) -> Result<(), Fault> {
    let fault = |message: &str| Fault::new(format!("without[{path}]"), path, message);
    if usual().pointer(&format!("/{}", path.replace('.', "/"))).is_none() {
        return Err(fault("is no field that clusters have unless something else is said"));
    }
    let mut place = said;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            let before = place.insert(name.to_owned(), Value::Null);
            return before.map_or(Ok(()), |_| Err(fault("is left out and said; do one of both")));
        }
        let below = place.entry(name).or_insert_with(|| Map::new().into());
        place = below.as_object_mut().ok_or_else(|| fault("stands in what is no object"))?;
    }
    Ok(())
}

/// The fields that only the platform says.
#[must_use]
pub fn platform_fields(said: &Map<String, Value>) -> Vec<Fault> {
    let mut found = Vec::new();
    collect(said, "", &mut found);
    let said = Value::Object(said.clone());
    let message = "reaches into the management cluster, where the platform alone decides; leave it out, or take a \
                   template of the platform that has it";
    found.iter().map(|path| fault(&said, path, message)).collect()
}

fn collect(said: &Map<String, Value>, above: &str, found: &mut Vec<String>) {
    for (name, value) in said {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        if OWN.contains(&path.as_str()) {
            continue;
        }
        let leads_on =
            OWN.iter().any(|own| own.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')));
        match value {
            Value::Object(fields) if leads_on => collect(fields, &path, found),
            Value::Null if leads_on => {}
            _ => found.push(path),
        }
    }
}

fn fault(spec: &Value, path: &str, message: &str) -> Fault {
    Fault::new(format!("spec.{path}"), value_at(spec, path), message)
}

/// As other messages write paths.
fn told(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", told(parent)),
        Path::Map { parent, key } => match told(parent) {
            above if above.is_empty() => key.clone(),
            above => format!("{above}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            told(parent)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{compose, leave_out, platform_fields};

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn paths(said: Value) -> Vec<String> {
        platform_fields(&object(said)).into_iter().map(|fault| fault.path).collect()
    }

    #[test]
    fn what_is_said_stands_over_what_clusters_have_otherwise() {
        let said = json!({
            "kubernetes": { "version": "v1.36.3" },
            "controlPlane": { "deployment": { "replicas": 3 } },
            "addons": { "kubeProxy": null, "konnectivity": {} },
        });
        let spec = compose(&object(said)).unwrap();
        assert_eq!(spec.control_plane.deployment.unwrap().replicas, Some(3));
        assert_eq!(spec.control_plane.service.service_type.as_str(), "LoadBalancer");
        assert!(spec.kubernetes.kubelet.cgroupfs.is_some(), "what stands beside stays");
        let addons = spec.addons.unwrap();
        assert!(addons.core_dns.is_some() && addons.kube_proxy.is_none() && addons.konnectivity.is_some());
    }

    #[test]
    fn what_clusters_have_otherwise_is_left_out_by_its_path() {
        let mut said = object(json!({ "kubernetes": { "version": "v1.36.3" }, "addons": { "coreDNS": {} } }));
        leave_out(&mut said, "addons.kubeProxy").unwrap();
        leave_out(&mut said, "kubernetes.kubelet.cgroupfs").unwrap();
        let spec = compose(&said).unwrap();
        assert!(spec.addons.unwrap().kube_proxy.is_none() && spec.kubernetes.kubelet.cgroupfs.is_none());
        for (wrong, word) in [
            ("addons.konnectivity", "no field that clusters have"),
            ("", "no field"),
            ("addons.coreDNS", "do one of both"),
        ] {
            let fault = leave_out(&mut said.clone(), wrong).unwrap_err();
            assert!(fault.message.contains(word), "{fault}");
        }
        let mut odd = object(json!({ "addons": "none" }));
        assert!(leave_out(&mut odd, "addons.kubeProxy").unwrap_err().message.contains("no object"));
    }

    #[test]
    fn a_field_that_is_unknown_missing_or_of_another_type_is_told_by_its_path() {
        let told = |said: Value| {
            let faults = compose(&object(said)).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let version = json!({ "version": "v1.36.3" });
        assert_eq!(
            told(json!({ "kubernetes": version, "networkProfile": { "prt": 1 }, "addon": {} })),
            [
                "spec.addon: `{}` is no field of a TenantControlPlane",
                "spec.networkProfile.prt: `1` is no field of a TenantControlPlane",
            ]
        );
        let mistyped = told(json!({ "kubernetes": version, "networkProfile": { "port": "6443" } }));
        assert!(mistyped[0].starts_with("spec.networkProfile.port: `\"6443\"` is not what"), "{mistyped:?}");
        let missing = told(json!({}));
        assert!(missing[0].contains("missing field `version`"), "{missing:?}");
    }

    #[test]
    fn tenants_do_not_reach_into_the_management_cluster() {
        let own = json!({
            "kubernetes": { "version": "v1.36.3", "kubelet": { "cgroupfs": "cgroupfs" } },
            "controlPlane": { "deployment": { "replicas": 1, "resources": {} } },
            "networkProfile": { "certSANs": ["a.example.com"], "podCidr": "10.1.0.0/16" },
            "addons": { "konnectivity": { "agent": { "mode": "Deployment" }, "server": { "port": 1 } } },
            "sleepSchedule": { "sleep": "0 20 * * *" },
        });
        assert_eq!(paths(own), [""; 0]);
        let foreign = json!({
            "controlPlane": {
                "deployment": { "additionalVolumes": [{ "hostPath": { "path": "/" } }], "extraArgs": {} },
                "ingress": { "hostname": "hub.example.com" },
            },
            "dataStoreSchema": "other",
            "networkProfile": { "address": "192.0.2.1" },
            "addons": { "konnectivity": { "server": { "image": "evil" } } },
            "surprise": null,
        });
        assert_eq!(
            paths(foreign),
            [
                "spec.addons.konnectivity.server.image",
                "spec.controlPlane.deployment.additionalVolumes",
                "spec.controlPlane.deployment.extraArgs",
                "spec.controlPlane.ingress",
                "spec.dataStoreSchema",
                "spec.networkProfile.address",
                "spec.surprise",
            ]
        );
    }
}
