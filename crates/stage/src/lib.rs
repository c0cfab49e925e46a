//! A management cluster without nodes, for tests and measurements of the operator.
//!
//! API server, etcd and the garbage collector are real, the operator is its program. What nodes would
//! do is played: Deployments become ready when everything they mount exists, and a tenant's API server
//! is a small server with the tenant's own certificate that keeps objects in memory.
//!
//! ```text
//!  operator (process) ─► proxy with fuse ─► kube-apiserver ─► etcd      store: an etcd of its own
//!        │                                       ▲
//!        └─► tenant's API server (played) ◄── pods (played)
//! ```

mod addresses;
mod fuse;
mod manifest;
mod objects;
mod operator;
mod pods;
mod proxy;
mod setting;
mod store;
mod tenants;
mod wait;

pub use fuse::{Fuse, Moment};
pub use manifest::manifest;
pub use operator::Operator;
pub use setting::{Options, Stage};
pub use store::object as data_store;
pub use wait::{eventually, eventually_by_looks};
