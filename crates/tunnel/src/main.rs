//! Program `flotilla-tunnel`: parses its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use tunnel::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    let (log, log_json) = (settings.log.clone(), settings.log_json);
    let runtime = Runtime::new();
    service::run(&log, log_json, runtime, Box::pin(tunnel::run(settings)))
}
