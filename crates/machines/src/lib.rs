//! Machines for workers: Debian with systemd, containerd and nothing of Kubernetes, in namespaces of the
//! machine that they stand on. For stories and conformance, not part of what is shipped.
//!
//! ```text
//!  local cluster's bridge ── router (translates addresses, lets nothing in) ── LAN ──┬── machine 1
//!                                                                                    └── machine 2
//! ```
//!
//! Programs and libraries are those of this machine (`/usr`, read through an overlay); everything else is
//! the machine's own. Namespaces and cgroups bear names of the local cluster, so that `flotilla down`
//! removes what a test leaves behind.

mod commands;
mod images;
mod machine;
mod mirror;
mod outlet;
mod pod_network;
mod site;

pub use commands::Told;
pub use machine::Machine;
pub use mirror::Mirror;
pub use outlet::open_outlet;
pub use site::Site;
