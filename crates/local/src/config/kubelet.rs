//! The kubelet's configuration.

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};

/// What differs between kubelets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kubelet<'a> {
    /// Directory of the certificates.
    pub(crate) pki: &'a Path,
    /// Name of its node.
    pub(crate) node: &'a str,
    /// Top-level cgroup of the node.
    pub(crate) cgroup: &'a str,
    /// Address of the cluster's name server.
    pub(crate) dns: Ipv4Addr,
    /// The resolver configuration that pods with `dnsPolicy: Default` get.
    pub(crate) resolver: &'a Path,
}

impl Kubelet<'_> {
    /// The configuration; JSON is read as YAML.
    pub(crate) fn render(&self) -> Value {
        let pki = self.pki.display();
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": { "enabled": false },
                "webhook": { "enabled": true },
                "x509": { "clientCAFile": format!("{pki}/ca.crt") },
            },
            "authorization": { "mode": "Webhook" },
            "tlsCertFile": format!("{pki}/kubelet-{}.crt", self.node),
            "tlsPrivateKeyFile": format!("{pki}/kubelet-{}.key", self.node),
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "clusterDNS": [self.dns],
            "clusterDomain": "cluster.local",
            "resolvConf": self.resolver,
            // Two kubelets on one machine must not share a cgroup, and the machine may have version 1.
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": format!("/{}", self.cgroup),
            "enforceNodeAllocatable": [],
            "failCgroupV1": false,
            "failSwapOn": false,
            // The image of a stopped pod cannot be pulled again, so images are never collected.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": { "memory.available": "100Mi", "nodefs.available": "512Mi", "imagefs.available": "512Mi" },
            "maxPods": 250,
            "serializeImagePulls": false,
            "registryPullQPS": 0,
            "eventRecordQPS": 0,
            "kubeAPIQPS": 100,
            "kubeAPIBurst": 200,
            // Its own score cannot be lowered without CAP_SYS_RESOURCE.
            "oomScoreAdj": 0,
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Kubelet;

    #[test]
    fn a_kubelet_keeps_to_its_cgroup_and_its_certificates() {
        let kubelet = Kubelet {
            pki: Path::new("/data/pki"),
            node: "dev-1",
            cgroup: "flotilla-dev-1",
            dns: [10, 200, 64, 10].into(),
            resolver: Path::new("/data/nodes/1/resolv.conf"),
        };
        insta::assert_json_snapshot!(kubelet.render());
    }
}
