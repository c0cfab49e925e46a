//! The operator under faults, on a real API server without nodes: pods and tenants' API servers are
//! played (see crate `stage`), everything else is real, the operator is its program.
//!
//! What must hold: whatever fails and whenever, the state that is reached afterwards is the state of a run
//! in which nothing failed, no key is made twice, and a deletion leaves nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod canonical;
mod kills;
mod life;
mod outages;
mod store_view;
mod undisturbed;

/// The program under test.
const OPERATOR: &str = env!("CARGO_BIN_EXE_flotilla-operator");
