//! What an agent says of its cluster.

use serde::{Deserialize, Serialize};

/// One line of the stream of reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Report {
    /// How the cluster is.
    Status(Box<Status>),
    /// The agent is about to stop: no new request should be sent to it.
    Leaving,
    /// Something that a newer agent says.
    #[serde(other)]
    Unknown,
}

/// How a cluster is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Version of the agent, such as `0.1.0`.
    pub agent_version: String,
    /// Version of Kubernetes, such as `v1.36.1`, as far as it was ever learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Whether the agent reaches the API server.
    pub api_server: ApiServer,
    /// All nodes together.
    pub totals: Totals,
    /// Each node, unless they are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<Node>>,
}

/// Whether the agent reaches its cluster's API server. When it does not, the rest of a report is as it was last seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiServer {
    /// Whether it answers.
    pub reachable: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// All nodes of a cluster together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Totals {
    /// Number of nodes.
    pub nodes: u64,
    /// Of these the ready ones.
    pub ready: u64,
    /// What they have.
    pub capacity: Amounts,
    /// Of this what pods may use.
    pub allocatable: Amounts,
    /// What is in use at the moment, where the cluster measures it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Amounts>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it takes no new pods.
    pub unschedulable: bool,
    /// Version of its kubelet.
    pub version: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Architecture, such as `arm64`.
    pub architecture: String,
    /// What it has.
    pub capacity: Amounts,
    /// Of this what pods may use.
    pub allocatable: Amounts,
    /// What is in use at the moment, where the cluster measures it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Amounts>,
}

/// Amounts of what nodes have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Bytes.
    pub memory_bytes: u64,
    /// Number of pods; 0 where that is not measured.
    pub pods: u64,
}

impl std::ops::AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        self.cpu_millis = self.cpu_millis.saturating_add(other.cpu_millis);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
        self.pods = self.pods.saturating_add(other.pods);
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, Status};

    #[test]
    fn what_a_newer_agent_says_is_no_error() {
        let read = |text: &str| serde_json::from_str::<Report>(text).unwrap();
        assert_eq!(read(r#"{"type":"leaving"}"#), Report::Leaving);
        assert_eq!(read(r#"{"type":"weather","sun":true}"#), Report::Unknown);
        let Report::Status(status) = read(r#"{"type":"status","mood":"good"}"#) else { panic!("no status") };
        assert_eq!(*status, Status::default());
    }

    #[test]
    fn a_report_is_one_line_that_says_its_type() {
        let status = Status { kubernetes_version: Some("v1.36.1\n".to_owned()), ..Status::default() };
        let text = serde_json::to_string(&Report::Status(Box::new(status))).unwrap();
        assert!(
            text.starts_with(r#"{"type":"status","agentVersion":"","kubernetesVersion":"v1.36.1\n""#),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
}
