//! Cluster DNS: `CoreDNS` as kubeadm installs it, in the version that belongs to the tenant's Kubernetes.

mod deployment;

use std::net::IpAddr;

use api::AddonSpec;
use base::KubernetesVersion;
use serde_json::{Value, json};

use super::object::{Key, Kind, Object, Part, account};
use super::{Wished, dns_addresses};
use crate::Validated;

pub(super) const DEPLOYMENT: Key = Key::system(Kind::Deployment, "coredns");
pub(super) const CONFIG: Key = Key::system(Kind::ConfigMap, "coredns");
pub(super) const SERVICE: Key = Key::system(Kind::Service, "kube-dns");
pub(super) const ACCOUNT: Key = Key::system(Kind::ServiceAccount, "coredns");
pub(super) const ROLE: Key = Key::cluster(Kind::ClusterRole, "system:coredns");
pub(super) const BINDING: Key = Key::cluster(Kind::ClusterRoleBinding, "system:coredns");

const REPOSITORY: &str = "registry.k8s.io/coredns";
const REPLICAS: i64 = 2;
const SELECTOR: (&str, &str) = ("k8s-app", "kube-dns");

/// What the name server's objects say now; what is the user's in them stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveDns {
    corefile: Option<String>,
    replicas: Option<i64>,
    image: Option<String>,
    addresses: Vec<String>,
}

impl LiveDns {
    /// Keeps what matters of an object of the tenant's cluster.
    pub fn observe(&mut self, key: &Key, object: Option<&Value>) {
        let text = |pointer| object.and_then(|object| object.pointer(pointer)?.as_str().map(str::to_owned));
        if *key == CONFIG {
            self.corefile = text("/data/Corefile");
        } else if *key == DEPLOYMENT {
            self.replicas = object.and_then(|object| object.pointer("/spec/replicas")?.as_i64());
            self.image = text("/spec/template/spec/containers/0/image");
        } else if *key == SERVICE {
            let found = object.and_then(|object| object.pointer("/spec/clusterIPs")?.as_array());
            self.addresses =
                found.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
        }
    }

    /// Whether something of the object goes into what is built.
    #[must_use]
    pub fn concerns(key: &Key) -> bool {
        [CONFIG, DEPLOYMENT, SERVICE].contains(key)
    }
}

pub(super) fn add(wished: &mut Wished, control_plane: &Validated, addon: &AddonSpec, live: &LiveDns) {
    let part = Part::CoreDns;
    let wanted = addresses(control_plane);
    if !live.addresses.is_empty() && live.addresses != wanted {
        wished.faults.push((
            part,
            format!(
                "Service kube-system/kube-dns has the address {}, spec.networkProfile.dnsServiceIPs says {}; \
                 an address of a Service cannot be changed: delete the Service in the tenant's cluster to \
                 have it made anew, or put its address into the spec",
                live.addresses.join(","),
                wanted.join(",")
            ),
        ));
    }
    let serving = if live.addresses.is_empty() { &wanted } else { &live.addresses };
    let image = image(addon, control_plane.version(), live.image.as_deref());
    let role = json!([
        { "apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"] },
        { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] },
    ]);
    let subject = [account(&ACCOUNT.name)];
    wished.objects.extend([
        Object::binding(part, BINDING, &ROLE.name, &subject),
        Object::new(part, ROLE, json!({ "rules": role })),
        Object::new(part, ACCOUNT, json!({})),
        Object::new(part, CONFIG, json!({ "data": { "Corefile": corefile(control_plane, live) } })),
        Object::new(part, DEPLOYMENT, deployment::spec(&image, live.replicas.unwrap_or(REPLICAS)))
            .labelled([SELECTOR]),
        service(serving),
    ]);
}

/// The image that the spec names, else the one that kubeadm of the same minor version takes. A newer one
/// of those that runs already is not set back.
fn image(addon: &AddonSpec, kubernetes: &KubernetesVersion, live: Option<&str>) -> String {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let repository = given(&addon.image_repository).unwrap_or_else(|| REPOSITORY.to_owned());
    let name = format!("{repository}/coredns");
    let tag = given(&addon.image_tag).unwrap_or_else(|| {
        let ours = matching_version(kubernetes);
        let running = live.and_then(|live| live.strip_prefix(&name)?.strip_prefix(':'));
        running.filter(|tag| is_newer(tag, ours)).unwrap_or(ours).to_owned()
    });
    format!("{name}:{tag}")
}

/// Version of `CoreDNS` in kubeadm's last patch of each minor version.
fn matching_version(kubernetes: &KubernetesVersion) -> &'static str {
    match kubernetes.minor() {
        ..=32 => "v1.11.3",
        33 => "v1.12.0",
        34 => "v1.12.1",
        35 => "v1.13.1",
        _ => "v1.14.2",
    }
}

fn is_newer(tag: &str, than: &str) -> bool {
    let read = |tag: &str| {
        let numbers: Option<Vec<u64>> =
            tag.strip_prefix('v')?.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() == 3)
    };
    read(tag).is_some_and(|tag| Some(tag) > read(than))
}

/// The user's own configuration if there is one, else the default.
fn corefile(control_plane: &Validated, live: &LiveDns) -> String {
    let domain = &control_plane.network().cluster_domain;
    match &live.corefile {
        Some(own) if !is_default(own, domain) => own.clone(),
        _ => default_corefile(domain),
    }
}

/// Whether a text is the default, or was one before (the cache had no exceptions in it).
fn is_default(text: &str, domain: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let default = default_corefile(domain);
    let earlier = default.replace(&cache_exceptions(domain), "");
    plain(text) == plain(&default) || plain(text) == plain(&earlier)
}

fn cache_exceptions(domain: &str) -> String {
    format!(" {{\n       disable success {domain}\n       disable denial {domain}\n    }}")
}

fn default_corefile(domain: &str) -> String {
    format!(
        ".:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30{}
    loop
    reload
    loadbalance
}}
",
        cache_exceptions(domain)
    )
}

/// The first address of each family that the spec names: a Service has at most one of each.
fn addresses(control_plane: &Validated) -> Vec<String> {
    let mut chosen: Vec<IpAddr> = Vec::new();
    for address in dns_addresses(control_plane).iter().filter_map(|text| text.parse::<IpAddr>().ok()) {
        if chosen.iter().all(|other| other.is_ipv4() != address.is_ipv4()) {
            chosen.push(address);
        }
    }
    chosen.iter().map(ToString::to_string).collect()
}

fn service(addresses: &[String]) -> Object {
    let port = |name: &str, port: u16, protocol: &str| json!({ "name": name, "port": port, "protocol": protocol, "targetPort": port });
    let family = |address: &String| if address.contains(':') { "IPv6" } else { "IPv4" };
    let mut spec = json!({
        "ports": [port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP")],
        "selector": { SELECTOR.0: SELECTOR.1 },
    });
    if let Some(first) = addresses.first() {
        spec["clusterIP"] = first.as_str().into();
        spec["clusterIPs"] = json!(addresses);
    }
    if addresses.len() > 1 {
        spec["ipFamilies"] = addresses.iter().map(family).collect();
        spec["ipFamilyPolicy"] = "PreferDualStack".into();
    }
    Object::new(Part::CoreDns, SERVICE, json!({ "spec": spec }))
        .labelled([SELECTOR, ("kubernetes.io/cluster-service", "true"), ("kubernetes.io/name", "CoreDNS")])
        .annotated([("prometheus.io/port", "9153"), ("prometheus.io/scrape", "true")])
}

#[cfg(test)]
mod tests {
    use super::{default_corefile, is_default, is_newer};

    #[test]
    fn only_what_a_user_changed_counts_as_the_users() {
        let default = default_corefile("a.b");
        assert!(is_default(&default, "a.b"));
        let earlier = default.replace(" {\n       disable success a.b\n       disable denial a.b\n    }", "");
        assert_ne!(earlier, default);
        assert!(is_default(&earlier, "a.b"));
        assert!(!is_default(&default.replace("30", "60"), "a.b"));
        assert!(!is_default(&default, "c.d"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(is_newer("v1.14.10", "v1.14.2"));
        assert!(!is_newer("v1.9.3", "v1.14.2"));
        assert!(!is_newer("latest", "v1.14.2"));
    }
}
