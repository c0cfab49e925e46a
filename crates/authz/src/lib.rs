//! Who may do what, where. Facts and a request in, a decision with its reason out; no I/O, no clock.
//!
//! ```text
//!  Subject ──(user, groups)──► Grant ──► Role ──► Rules      what
//!                                │
//!                                └─────► Scope ──► Tree      where
//! ```
//!
//! A [`Grant`] gives a person or a group a [`Role`] at a [`Scope`]; it holds for all that lies below. Rules are
//! those of Kubernetes' RBAC, one set for what the hub itself keeps (tenants, clusters, roles, …) and one for what
//! is inside clusters.

pub mod quota;

mod builtin;
mod escalation;
mod policy;
mod rule;
mod tree;

pub use builtin::builtin_roles;
pub use policy::{Decision, Grant, Holding, Policy, Role, Subject, Who};
pub use rule::{Plane, Request, Rule};
pub use tree::{DEEPEST, Place, Scope, Tree};
