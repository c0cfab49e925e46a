//! Real etcd, kube-apiserver, kubelet and containerd as child processes: where their programs are,
//! how they are started (in a network namespace or not), when they are ready, how they end.
//!
//! [`ControlPlane`] is a whole API server for tests, on loopback and without root:
//!
//! ```no_run
//! # async fn example() -> Result<(), launcher::Error> {
//! let control_plane = launcher::ControlPlane::start(&launcher::Options::default()).await?;
//! println!("kubectl --kubeconfig {} get ns", control_plane.kubeconfig_path().display());
//! # Ok(())
//! # }
//! ```

mod backoff;
mod command;
mod control_plane;
mod credentials;
mod dex;
mod distribution;
mod error;
mod etcd;
mod flags;
mod kine;
mod mariadb;
mod members;
mod nats;
mod openldap;
mod ports;
mod postgresql;
mod process;
mod readiness;
mod s3;
mod server;

pub use backoff::Backoff;
pub use command::CommandSpec;
pub use control_plane::{ControlPlane, Options, Services};
pub use credentials::{Credentials, User, write_private};
pub use dex::Dex;
pub use distribution::{COMPONENTS, Distribution};
pub use error::Error;
pub use etcd::Etcd;
pub use flags::{ApiServerFlags, ControllerManagerFlags, EtcdFlags, SchedulerFlags};
pub use kine::Kine;
pub use mariadb::MariaDb;
pub use members::Members;
pub use nats::Nats;
pub use openldap::OpenLdap;
pub use ports::free_ports;
pub use postgresql::PostgreSql;
pub use process::{ExitReport, Process};
pub use readiness::{Probe, wait_until_ready};
pub use s3::S3;
pub use server::Server;
