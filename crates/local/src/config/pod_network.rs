//! The CNI configuration of a node.

use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// The plugin chain.
///
/// `ptp` gives each pod a cable of its own to the node. With `bridge`, the answer of a service's
/// pod to a pod of the same node would take the short way through the bridge, past the address
/// translation, unless the kernel has `br_netfilter`.
pub(crate) fn render(pods: Ipv4Net) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "flotilla",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{ "subnet": pods.to_string() }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn pods_get_addresses_of_their_nodes_range() {
        insta::assert_json_snapshot!(super::render("10.200.128.0/24".parse().unwrap()));
    }
}
