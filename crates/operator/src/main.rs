//! Program `flotilla-operator`: parses its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use operator::Settings;
use service::{LogFormat, Telemetry, Tracing};

fn main() -> ExitCode {
    let settings = Settings::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let entered = runtime.enter();
    let telemetry = match begin(&settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&error.into()),
    };
    drop(entered);
    let outcome = runtime.block_on(operator::run(settings));
    telemetry.flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
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
