//! What the hub wants to know of nodes, out of the objects of Kubernetes. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node as Object;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use uplink::{Amounts, ApiServer, Node, Status, Totals};

/// More nodes are only counted.
const MOST_LISTED: usize = 200;

/// What `metrics.k8s.io` says of all nodes.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metrics {
    #[serde(default)]
    items: Vec<Measured>,
}

#[derive(Debug, Deserialize)]
struct Measured {
    metadata: Named,
    #[serde(default)]
    usage: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

/// What is in use, by node.
pub(crate) type Usage = BTreeMap<String, Amounts>;

/// A node in short.
pub(crate) fn node(object: &Object) -> Node {
    let status = object.status.as_ref();
    let info = status.and_then(|status| status.node_info.as_ref());
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let amounts = |list: Option<&BTreeMap<String, Quantity>>| list.map(amounts).unwrap_or_default();
    Node {
        name: object.metadata.name.clone().unwrap_or_default(),
        ready: conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"),
        unschedulable: object.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default(),
        version: info.map(|info| info.kubelet_version.clone()).unwrap_or_default(),
        os: info.map(|info| info.operating_system.clone()).unwrap_or_default(),
        architecture: info.map(|info| info.architecture.clone()).unwrap_or_default(),
        capacity: amounts(status.and_then(|status| status.capacity.as_ref())),
        allocatable: amounts(status.and_then(|status| status.allocatable.as_ref())),
        usage: None,
    }
}

fn amounts(list: &BTreeMap<String, Quantity>) -> Amounts {
    let text = |name: &str| list.get(name).map(|quantity| quantity.0.as_str());
    read(text("cpu"), text("memory"), text("pods"))
}

fn read(cpu: Option<&str>, memory: Option<&str>, pods: Option<&str>) -> Amounts {
    Amounts {
        cpu_millis: cpu.and_then(base::quantity::thousandths).unwrap_or_default(),
        memory_bytes: memory.and_then(base::quantity::units).unwrap_or_default(),
        pods: pods.and_then(base::quantity::units).unwrap_or_default(),
    }
}

impl Metrics {
    pub(crate) fn usage(&self) -> Usage {
        let amounts = |measured: &Measured| {
            let text = |name: &str| measured.usage.get(name).map(String::as_str);
            (measured.metadata.name.clone(), read(text("cpu"), text("memory"), None))
        };
        self.items.iter().map(amounts).collect()
    }
}

/// Everything together.
pub(crate) fn status(
    nodes: &BTreeMap<String, Node>,
    usage: Option<&Usage>,
    kubernetes_version: Option<String>,
    api_server: ApiServer,
) -> Status {
    let mut totals = Totals { usage: usage.map(|_| Amounts::default()), ..Totals::default() };
    let used = |name: &str| usage.and_then(|usage| usage.get(name)).copied();
    for node in nodes.values() {
        totals.nodes += 1;
        totals.ready += u64::from(node.ready);
        totals.capacity += node.capacity;
        totals.allocatable += node.allocatable;
        if let (Some(total), Some(used)) = (&mut totals.usage, used(&node.name)) {
            *total += used;
        }
    }
    let with_usage = |node: &Node| Node { usage: used(&node.name), ..node.clone() };
    let listed = (nodes.len() <= MOST_LISTED).then(|| nodes.values().map(with_usage).collect());
    let agent_version = env!("CARGO_PKG_VERSION").to_owned();
    Status { agent_version, kubernetes_version, api_server, totals, nodes: listed }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use uplink::{Amounts, ApiServer};

    use super::{Metrics, node, status};

    fn named(name: &str) -> uplink::Node {
        let object = json!({
            "metadata": { "name": name },
            "spec": { "unschedulable": true },
            "status": {
                "capacity": { "cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "1" },
                "allocatable": { "cpu": "3900m", "memory": "7Gi", "pods": "110" },
                "conditions": [{ "type": "MemoryPressure", "status": "False" }, { "type": "Ready", "status": "True" }],
                "nodeInfo": {
                    "kubeletVersion": "v1.36.3", "operatingSystem": "linux", "architecture": "arm64",
                    "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "",
                    "machineID": "", "osImage": "", "systemUUID": "",
                },
            },
        });
        node(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_node_is_told_in_short() {
        let node = named("a");
        assert!(node.ready && node.unschedulable);
        assert_eq!(
            (node.version.as_str(), node.os.as_str(), node.architecture.as_str()),
            ("v1.36.3", "linux", "arm64")
        );
        assert_eq!(node.capacity, Amounts { cpu_millis: 4000, memory_bytes: 8 << 30, pods: 110 });
        assert_eq!(node.allocatable, Amounts { cpu_millis: 3900, memory_bytes: 7 << 30, pods: 110 });
        let bare = super::node(&serde_json::from_value(json!({ "metadata": { "name": "b" } })).unwrap());
        assert!(!bare.ready && bare.capacity == Amounts::default());
    }

    #[test]
    fn usage_is_added_where_it_is_measured() {
        let metrics: Metrics = serde_json::from_value(json!({ "items": [
            { "metadata": { "name": "a" }, "usage": { "cpu": "123456789n", "memory": "1024Ki" } },
            { "metadata": { "name": "gone" }, "usage": { "cpu": "1", "memory": "1Gi" } },
        ] }))
        .unwrap();
        let nodes: BTreeMap<_, _> = ["a", "b"].map(|name| (name.to_owned(), named(name))).into();
        let status = status(&nodes, Some(&metrics.usage()), None, ApiServer::default());
        let used = Amounts { cpu_millis: 124, memory_bytes: 1 << 20, pods: 0 };
        assert_eq!(status.totals.usage, Some(used));
        let listed = status.nodes.unwrap();
        assert_eq!((listed[0].usage, listed[1].usage), (Some(used), None));
        assert_eq!(super::status(&nodes, None, None, ApiServer::default()).totals.usage, None);
    }

    #[test]
    fn many_nodes_are_counted_only() {
        let nodes = |count: usize| (0..count).map(|n| (n.to_string(), named(&n.to_string()))).collect();
        let few = status(&nodes(200), None, None, ApiServer::default());
        assert_eq!(few.nodes.unwrap().len(), 200);
        let many = status(&nodes(201), None, None, ApiServer::default());
        assert!(many.nodes.is_none());
        assert_eq!(
            (many.totals.nodes, many.totals.ready, many.totals.capacity.cpu_millis),
            (201, 201, 804_000)
        );
    }
}
