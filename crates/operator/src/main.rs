//! Program `flotilla-operator`: parses its settings and runs, or does one task and ends.

use std::process::ExitCode;

use anyhow::Result;
use base::SystemClock;
use clap::{Parser, Subcommand};
use operator::Settings;
use operator::etcd_service::snapshots::{self, SnapshotSettings};
use service::{LogFormat, Telemetry, Tracing};

/// Without a task: reconciles tenants' control planes and their data stores.
#[derive(Debug, Parser)]
#[command(name = "flotilla-operator", version, args_conflicts_with_subcommands = true)]
struct Program {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    settings: Settings,
}

/// What is done once, in a Job.
#[derive(Debug, Subcommand)]
enum Task {
    #[command(flatten)]
    Archive(Box<operator::Task>),
    /// Takes a snapshot of the etcd that the chart installs
    EtcdSnapshot(SnapshotSettings),
}

fn main() -> ExitCode {
    let program = Program::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let entered = runtime.enter();
    let telemetry = match begin(&program.settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&error.into()),
    };
    drop(entered);
    let outcome = match program.task {
        None => runtime.block_on(operator::run(program.settings)),
        Some(task) => runtime.block_on(do_once(&task)),
    };
    telemetry.flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn do_once(task: &Task) -> Result<()> {
    match task {
        Task::Archive(task) => Box::pin(task.run()).await,
        Task::EtcdSnapshot(settings) => {
            let path = snapshots::take(settings, &SystemClock).await?;
            tracing::info!(path = %path.display(), "the snapshot is there");
            Ok(())
        }
    }
}

fn begin(settings: &Settings) -> Result<Telemetry, service::TracingError> {
    service::install_tls_provider();
    let format = if settings.log_json { LogFormat::Json } else { LogFormat::Text };
    let endpoint = settings.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
    let traces = endpoint.map(|endpoint| Tracing { endpoint, service: "flotilla-operator" });
    service::init_logs(&settings.log, format, traces)
}

/// Before there are logs.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::FAILURE
}
