//! Waiting for something to become true.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Asks `look` until it answers with a value. It answers with an error to say what it saw instead; the
/// last one is reported when `limit` is over.
pub async fn eventually<T, F>(what: &str, limit: Duration, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    eventually_by_looks(LOOK_EVERY, what, limit, look).await
}

/// The same, with as long a pause between two looks as they are worth.
pub async fn eventually_by_looks<T, F>(
    every: Duration,
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let began = Instant::now();
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(last) if began.elapsed() >= limit => {
                bail!("{what}: not within {} s; last seen: {last:#}", limit.as_secs())
            }
            Err(_) => tokio::time::sleep(every).await,
        }
    }
}
