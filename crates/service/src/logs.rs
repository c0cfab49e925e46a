//! Logs: one line per event on standard error, as text or JSON; and traces, where a collector is named.

use std::error::Error as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For log stores: one JSON object per line.
    Json,
}

/// Where traces go.
#[derive(Debug, Clone, Copy)]
pub struct Tracing<'a> {
    /// Address of a collector that takes OTLP over gRPC, such as `http://collector:4317`.
    pub endpoint: &'a str,
    /// Name of the program in the traces.
    pub service: &'static str,
}

/// Why no traces can be sent.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to send traces to `{endpoint}`: {reason}; name an OTLP collector such as http://collector:4317"
)]
pub struct TracingError {
    endpoint: String,
    reason: String,
}

/// What must live as long as the program. Traces that wait are sent by [`Telemetry::flush`].
#[derive(Debug, Default)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends what waits; to be called before the program ends, outside the runtime's threads.
    pub fn flush(self) {
        if let Some(provider) = self.0 {
            // A collector that is away at the end is no reason to fail.
            let _ = provider.shutdown();
        }
    }
}

/// Starts logging with a filter such as `info,operator=debug`; an unreadable filter means `info`. With
/// `traces`, spans are sent to a collector too; this must be called inside a tokio runtime then.
///
/// A second call changes nothing.
///
/// # Errors
/// [`TracingError`] if the collector's address cannot be used.
pub fn init_logs(
    filter: &str,
    format: LogFormat,
    traces: Option<Tracing<'_>>,
) -> Result<Telemetry, TracingError> {
    let provider = traces.map(provider).transpose()?;
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let spans = provider.as_ref().map(spans);
    let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
    Ok(Telemetry(provider))
}

/// Our own spans, those of reconciles, and the requests that they send.
fn spans<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let wanted = Targets::new()
        .with_target("operator", LevelFilter::INFO)
        .with_target("kube_runtime::controller", LevelFilter::INFO)
        .with_target("kube_client::client", LevelFilter::DEBUG);
    tracing_opentelemetry::layer().with_tracer(provider.tracer("flotilla")).with_filter(wanted)
}

fn provider(traces: Tracing<'_>) -> Result<SdkTracerProvider, TracingError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(traces.endpoint).build();
    let exporter = exporter.map_err(|error| TracingError {
        endpoint: traces.endpoint.to_owned(),
        reason: error.source().map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    let resource = Resource::builder().with_service_name(traces.service).build();
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}
