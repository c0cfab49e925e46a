//! The local management cluster: etcd, API server, controller manager, scheduler, containerd, kubelet
//! and kube-proxy as processes in network namespaces of one machine, with a load balancer, a storage
//! class and `CoreDNS`.
//!
//! ```text
//!  host ── bridge 10.B.0.1 ──┬── node 0 (namespace, 10.B.0.10): control plane, containerd, kubelet, proxy
//!                            └── node 1 (namespace, 10.B.0.11): containerd, kubelet, proxy
//! ```
//!
//! A supervisor process owns all others and restarts what dies; [`up`] starts it and follows its
//! progress, [`down`] ends it. Both begin or end with a sweep of everything that belongs to the
//! cluster's name, so that no crash leaves something that is in the way later.

mod addresses;
mod cluster;
mod config;
mod controllers;
mod error;
mod host;
mod images;
mod layout;
mod name;
mod record;
mod requirements;
mod state;
mod supervisor;

pub use addresses::AddressPlan;
pub use cluster::{Cluster, Purge, Started, Wishes, client, down, up};
pub use error::Error;
pub use host::cgroups::{points as cgroup_hierarchies, thaw_tree};
pub use images::{image_digest, load_archive};
pub use layout::Layout;
pub use name::ClusterName;
pub use record::Record;
pub use state::{ComponentState, Phase, State, Step};
pub use supervisor::supervise;
