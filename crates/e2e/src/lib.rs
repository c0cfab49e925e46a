//! What stories are told with: the local cluster, control planes, and waiting with a deadline.

mod cluster;
mod etcd;
mod machine;
mod tenant;
mod wait;

pub use cluster::{Cluster, Told};
pub use etcd::Etcd;
pub use machine::Traces;
pub use tenant::{TenantSpec, Tenants};
pub use wait::eventually;
