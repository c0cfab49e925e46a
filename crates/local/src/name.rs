//! The name of a local cluster, and the names of what it makes on the machine.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::Error;

/// Name of a local cluster: a DNS label of at most 20 characters, since node names and cgroups are
/// made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterName(String);

impl ClusterName {
    const LONGEST: usize = 20;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name of node `index` in Kubernetes.
    #[must_use]
    pub fn node(&self, index: u8) -> String {
        format!("{}-{index}", self.0)
    }

    /// The index in the name of a node, if it is a node of this cluster.
    #[must_use]
    pub fn node_index(&self, node: &str) -> Option<u8> {
        index_after(node, &format!("{}-", self.0))
    }

    /// Name of the network namespace and of the cgroups of node `index`.
    #[must_use]
    pub fn scope(&self, index: u8) -> String {
        format!("flotilla-{}-{index}", self.0)
    }

    /// Whether a network namespace or top-level cgroup of this name belongs to this cluster.
    #[must_use]
    pub fn owns_scope(&self, scope: &str) -> bool {
        index_after(scope, &format!("flotilla-{}-", self.0)).is_some()
    }

    /// Name of the bridge on the host.
    #[must_use]
    pub fn bridge(&self) -> String {
        format!("flb-{}", self.hash())
    }

    /// Name of the host's end of node `index`'s cable.
    #[must_use]
    pub fn cable(&self, index: u8) -> String {
        format!("{}{index}", self.cable_prefix())
    }

    /// What the names of all cables begin with.
    #[must_use]
    pub fn cable_prefix(&self) -> String {
        format!("flv-{}-", self.hash())
    }

    /// Interface names have at most 15 characters, too few for the cluster's name.
    fn hash(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
    }
}

fn index_after(text: &str, prefix: &str) -> Option<u8> {
    text.strip_prefix(prefix)?.parse().ok()
}

impl FromStr for ClusterName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_label = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.ends_with(|c| inner(c) && c != '-')
            && text.chars().all(inner)
            && text.len() <= Self::LONGEST;
        if is_label { Ok(Self(text.to_owned())) } else { Err(Error::Name { name: text.to_owned() }) }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterName;

    fn name(text: &str) -> ClusterName {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_name_a_node_is_refused() {
        for text in ["", "-a", "a-", "A", "1a", "a_b", "a.b", "a23456789012345678901"] {
            assert!(text.parse::<ClusterName>().is_err(), "{text}");
        }
    }

    #[test]
    fn interface_names_fit_and_differ_between_clusters() {
        let (one, other) = (name("a2345678901234567890"), name("b"));
        assert!(one.cable(99).len() <= 15 && one.bridge().len() <= 15);
        assert_ne!(one.bridge(), other.bridge());
        assert_ne!(one.cable(0), other.cable(0));
    }

    #[test]
    fn a_cluster_does_not_own_what_belongs_to_a_longer_name() {
        let cluster = name("a");
        assert!(cluster.owns_scope(&cluster.scope(12)));
        assert!(!cluster.owns_scope(&name("a-1").scope(0)));
        assert!(!cluster.owns_scope("flotilla-a-"));
        assert!(!cluster.owns_scope("flotilla-a"));
    }

    #[test]
    fn node_names_lead_back_to_their_index() {
        let cluster = name("dev");
        assert_eq!(cluster.node_index(&cluster.node(3)), Some(3));
        assert_eq!(cluster.node_index("other-3"), None);
    }
}
