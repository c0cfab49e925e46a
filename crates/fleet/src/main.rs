//! Program `flotilla-fleet`: agents in one process, which can be killed or frozen together.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fleet::Site;
use tokio::runtime;

/// Runs many agents.
#[derive(Parser)]
#[command(name = "flotilla-fleet")]
struct Arguments {
    /// URL of the hub.
    #[arg(long)]
    hub: String,
    /// Directory with the files of all agents.
    #[arg(long)]
    directory: PathBuf,
    /// Port of the clusters that are played.
    #[arg(long)]
    api_server_port: u16,
    /// Number of the first agent.
    #[arg(long)]
    first: usize,
    /// How many there are.
    #[arg(long)]
    count: usize,
    /// What is logged.
    #[arg(long, default_value = "error")]
    log: String,
}

fn main() -> ExitCode {
    let Arguments { hub, directory, api_server_port, first, count, log } = Arguments::parse();
    let site = Site { directory, hub, api_server_port };
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    service::run(&log, false, runtime, async {
        fleet::run(&site, first..first + count).await;
        Ok::<(), std::io::Error>(())
    })
}
