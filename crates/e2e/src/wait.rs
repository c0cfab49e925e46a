//! Waiting for something to become true on a cluster where a look may start a program.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Asks `look` until it answers with a value, as [`stage::eventually`] does.
pub async fn eventually<T, F>(what: &str, limit: Duration, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    stage::eventually_by_looks(LOOK_EVERY, what, limit, look).await
}
