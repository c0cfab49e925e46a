//! kube-proxy's configuration.

use std::path::Path;

use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// The configuration; JSON is read as YAML.
pub(crate) fn render(kubeconfig: &Path, node: &str, pods: Ipv4Net) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        // The default of 1 s would be most of the time from a pod's readiness to its address's answer.
        "nftables": { "minSyncPeriod": "100ms" },
        "clientConnection": { "kubeconfig": kubeconfig, "qps": 50, "burst": 100 },
        "clusterCIDR": pods.to_string(),
        "hostnameOverride": node,
        "oomScoreAdj": 0,
        // In a network namespace these settings of the kernel cannot be written.
        "conntrack": { "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s" },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_proxy_uses_nftables_and_leaves_the_kernel_alone() {
        let pods = "10.200.128.0/17".parse().unwrap();
        insta::assert_json_snapshot!(super::render(Path::new("/data/kubeconfigs/proxy"), "dev-0", pods));
    }
}
