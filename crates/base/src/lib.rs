//! What every other crate may build on: the clock, Kubernetes versions and amounts. No I/O.

mod clock;
pub mod quantity;
mod version;

pub use clock::{Clock, FixedClock, SystemClock};
pub use version::{KubernetesVersion, ParseVersionError};
