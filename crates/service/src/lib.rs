//! What every program repeats: logs, health and metrics endpoints, signals, the TLS provider.

mod logs;
mod probes;
mod signals;
mod tls;

pub use logs::{LogFormat, init_logs};
pub use probes::{Health, ServeError, serve_health, serve_metrics};
pub use signals::stop_signal;
pub use tls::install_tls_provider;
