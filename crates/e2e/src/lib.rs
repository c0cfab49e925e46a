//! What stories are told with: the local cluster, control planes, and waiting with a deadline.

mod cluster;
mod difference;
mod etcd;
mod gateway;
mod hub;
mod journey;
mod kamaji;
mod load;
mod machine;
mod person;
mod platform;
mod session;
mod tenant;
mod wait;
mod workers;
mod writer;

pub use cluster::Cluster;
pub use difference::differences;
pub use etcd::Etcd;
pub use gateway::Gateway;
pub use hub::{Answer, Hub};
pub use journey::Journey;
pub use kamaji::{Facts, Kamaji};
pub use load::{Load, Outcome, shared};
pub use machine::Traces;
pub use machines::Told;
pub use person::Person;
pub use platform::Platform;
pub use session::{Report, Session};
pub use tenant::{TenantSpec, Tenants};
pub use wait::eventually;
pub use workers::{Workers, tool};
pub use writer::{Writer, Written};
