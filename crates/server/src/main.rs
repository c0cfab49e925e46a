//! Program `flotilla-server`: parses its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use server::Settings;
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let settings = Settings::parse();
    let (log, log_json) = (settings.log.clone(), settings.log_json);
    let runtime = Runtime::new();
    service::run(&log, log_json, runtime, Box::pin(server::run(settings)))
}
