//! What every program repeats: logs and traces, health and metrics endpoints, signals, the TLS provider.

mod logs;
mod probes;
mod signals;
mod tls;
mod usage;

pub use logs::{LogFormat, Telemetry, Tracing, TracingError, init_logs};
pub use probes::{Health, ServeError, serve_health, serve_metrics};
pub use signals::stop_signal;
pub use tls::install_tls_provider;
pub use usage::ProcessUsage;
