//! Configuration files of a node's programs, as text.

pub(crate) mod containerd;
pub(crate) mod kubelet;
pub(crate) mod pod_network;
pub(crate) mod proxy;
