//! Program `flotilla-operator`: parses its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use operator::Settings;
use service::LogFormat;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let format = if settings.log_json { LogFormat::Json } else { LogFormat::Text };
    service::init_logs(&settings.log, format);
    service::install_tls_provider();
    match Box::pin(operator::run(settings)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
