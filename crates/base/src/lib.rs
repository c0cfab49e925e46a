//! What every other crate may build on: the clock and Kubernetes versions. No I/O.

mod clock;
mod version;

pub use clock::{Clock, FixedClock, SystemClock};
pub use version::{KubernetesVersion, ParseVersionError};
