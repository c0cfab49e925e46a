//! What is kept of the nodes that a cluster lists. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::inventory::{Nodes, Reading, Resources};

/// A page of nodes: of what Kubernetes says only what is counted is read.
#[derive(Deserialize)]
pub(super) struct NodePage {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Node>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Default, Deserialize)]
struct NodeStatus {
    #[serde(default)]
    capacity: Amounts,
    #[serde(default)]
    allocatable: Amounts,
    #[serde(default)]
    conditions: Vec<NodeCondition>,
}

#[derive(Deserialize)]
struct NodeCondition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

type Amounts = BTreeMap<String, String>;

/// What `metrics.k8s.io` says of all nodes.
#[derive(Deserialize)]
pub(super) struct MetricsPage {
    #[serde(default)]
    items: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    #[serde(default)]
    usage: Amounts,
}

impl NodePage {
    /// Adds these nodes, and answers where the next ones are.
    pub(super) fn add_to(self, reading: &mut Reading) -> Option<String> {
        for node in &self.items {
            let is_ready =
                |condition: &NodeCondition| condition.kind == "Ready" && condition.status == "True";
            let Nodes { total, ready } = &mut reading.nodes;
            *total += 1;
            *ready += i64::from(node.status.conditions.iter().any(is_ready));
            reading.capacity = reading.capacity.plus(resources(&node.status.capacity));
            reading.allocatable = reading.allocatable.plus(resources(&node.status.allocatable));
        }
        Some(self.metadata.next).filter(|next| !next.is_empty())
    }
}

impl MetricsPage {
    /// What is used of all nodes; nothing if none is measured.
    pub(super) fn usage(&self) -> Option<Resources> {
        self.items.iter().map(|measured| resources(&measured.usage)).reduce(Resources::plus)
    }
}

fn resources(amounts: &Amounts) -> Resources {
    let read = |name: &str, read: fn(&str) -> Option<u64>| {
        amounts.get(name).and_then(|amount| read(amount)).unwrap_or_default()
    };
    Resources {
        cpu_milli: read("cpu", base::quantity::thousandths),
        memory_bytes: read("memory", base::quantity::units),
        pods: i64::try_from(read("pods", base::quantity::units)).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::{MetricsPage, NodePage};
    use crate::inventory::{Nodes, Reading, Resources};

    #[test]
    fn nodes_of_all_pages_are_added_up() {
        let node = |ready: &str| {
            json!({
                "metadata": { "name": "n" },
                "spec": { "podCIDR": "10.0.0.0/24" },
                "status": {
                    "capacity": { "cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "1Gi" },
                    "allocatable": { "cpu": "3900m", "memory": "7Gi", "pods": "110" },
                    "conditions": [{ "type": "DiskPressure", "status": "True" }, { "type": "Ready", "status": ready }],
                    "images": [{ "names": ["a"] }],
                },
            })
        };
        let mut reading = Reading::default();
        let first: NodePage = from_value(
            json!({ "metadata": { "continue": "abc" }, "items": [node("True"), node("Unknown")] }),
        )
        .unwrap();
        assert_eq!(first.add_to(&mut reading).as_deref(), Some("abc"));
        let last: NodePage =
            from_value(json!({ "metadata": {}, "items": [{ "metadata": { "name": "bare" } }] })).unwrap();
        assert_eq!(last.add_to(&mut reading), None);
        let expected = Reading {
            nodes: Nodes { total: 3, ready: 1 },
            capacity: Resources { cpu_milli: 8000, memory_bytes: 16 << 30, pods: 220 },
            allocatable: Resources { cpu_milli: 7800, memory_bytes: 14 << 30, pods: 220 },
            ..Reading::default()
        };
        assert_eq!(reading, expected);
    }

    #[test]
    fn usage_is_known_where_it_is_measured() {
        let usage = |value| from_value::<MetricsPage>(value).unwrap().usage();
        assert_eq!(usage(json!({ "items": [] })), None);
        let items = json!([
            { "usage": { "cpu": "123456789n", "memory": "1024Ki" } },
            { "usage": { "cpu": "1", "memory": "no amount" } },
        ]);
        let expected = Resources { cpu_milli: 1124, memory_bytes: 1 << 20, pods: 0 };
        assert_eq!(usage(json!({ "items": items })), Some(expected));
    }
}
