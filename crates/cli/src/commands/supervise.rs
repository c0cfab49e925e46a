//! `flotilla supervise`, the process behind a local cluster.

use std::sync::Arc;

use base::SystemClock;

use super::{layout, runtime};
use crate::Error;
use crate::args::Target;

/// An API server that is not ready yet would be logged as an error by the client of each probe.
const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off";

pub(super) fn run(target: &Target) -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(DEFAULT_FILTER));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    let work = local::supervise(layout(target)?, Arc::new(SystemClock));
    Ok(runtime()?.block_on(Box::pin(work))?)
}
