//! PostgreSQL, MariaDB and NATS as pods of the local cluster, each with a DataStore, for stories and
//! measurements. Not for production: one pod each, its password in its environment.
//!
//! NATS comes as an image of the distribution. The programs of the other two are Debian's, as
//! `cargo xtask setup` installs them: the pods read them from the machine that is their node.

mod objects;
mod programs;
mod store;
mod writes;

pub use store::{Backing, Kind};
pub use writes::{Missing, Written};
