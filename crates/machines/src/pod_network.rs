//! The pod network of a machine, as a network plugin of a tenant would set it up.

use serde_json::json;

/// Where containerd looks for it.
pub(crate) const FILE: &str = "/etc/cni/net.d/10-pods.conflist";

/// What pods send beyond the pods of all nodes goes out under the machine's own address.
pub(crate) const RULES: &str = "
table ip pods
delete table ip pods
table ip pods {
  chain translate {
    type nat hook postrouting priority srcnat + 10;
    ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 oifname eth0 masquerade
  }
}
";

/// The plugin chain for pods with addresses of `range`.
pub(crate) fn render(range: &str) -> String {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{ "subnet": range }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
    .to_string()
}
