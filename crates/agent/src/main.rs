//! Program `flotilla-agent`: parses its settings and runs.

use std::process::ExitCode;

use agent::Settings;
use clap::Parser;
use tokio::runtime;

fn main() -> ExitCode {
    let settings = Settings::parse();
    let (log, log_json) = (settings.log.clone(), settings.log_json);
    // What the agent does is little; each thread more has its own heap.
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    service::run(&log, log_json, runtime, Box::pin(agent::run(settings)))
}
