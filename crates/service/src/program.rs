//! What stands around a program: TLS, logs, the runtime, and how it ends.

use std::error::Error;
use std::fmt::Write;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::{LogFormat, init_logs, install_tls_provider, raise_open_files};

/// Runs a program that sends no traces to its end. Why it failed goes to the log and to standard error, with all causes.
pub fn run<E: Error>(
    log: &str,
    log_json: bool,
    runtime: std::io::Result<Runtime>,
    program: impl Future<Output = Result<(), E>>,
) -> ExitCode {
    install_tls_provider();
    raise_open_files();
    let format = if log_json { LogFormat::Json } else { LogFormat::Text };
    let failed = |text: String| {
        tracing::error!("{text}");
        eprintln!("{text}");
        ExitCode::FAILURE
    };
    if let Err(error) = init_logs(log, format, None) {
        return failed(chain(&error));
    }
    match runtime.map(|runtime| runtime.block_on(program)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(chain(&error)),
        Err(error) => failed(format!("failed to start the asynchronous runtime: {error}")),
    }
}

/// An error and its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::chain;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to open the database")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn all_causes_are_told() {
        let error = Outer(std::io::Error::other("the disk is full"));
        assert_eq!(chain(&error), "failed to open the database: the disk is full");
    }
}
