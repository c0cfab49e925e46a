//! Program `flotilla-tunnel`: parses its settings and runs.

use std::process::ExitCode;

use clap::Parser;
use service::LogFormat;
use tunnel::Settings;

fn main() -> ExitCode {
    let settings = Settings::parse();
    match begin(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin(settings: Settings) -> anyhow::Result<()> {
    service::install_tls_provider();
    let format = if settings.log_json { LogFormat::Json } else { LogFormat::Text };
    service::init_logs(&settings.log, format, None)?;
    tokio::runtime::Runtime::new()?.block_on(Box::pin(tunnel::run(settings)))?;
    Ok(())
}
