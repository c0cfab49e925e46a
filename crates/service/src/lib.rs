//! What every program repeats: logs and traces, health and metrics endpoints, signals, the TLS provider.

mod logs;
mod open_files;
mod probes;
mod program;
mod signals;
mod tls;
mod usage;

pub use logs::{LogFormat, Telemetry, Tracing, TracingError, init_logs};
pub use open_files::raise_open_files;
pub use probes::{Health, ServeError, serve_health, serve_metrics};
pub use program::run;
pub use signals::stop_signal;
pub use tls::install_tls_provider;
pub use usage::ProcessUsage;
