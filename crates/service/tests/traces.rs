//! Spans reach an OpenTelemetry collector, with their parents; other programs' noise does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use service::{LogFormat, Tracing, init_logs};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    fn names_service(&self, name: &str) -> bool {
        format!("{:?}", self.0.lock().unwrap()).contains(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_with_their_parents() {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let receiver = TraceServiceServer::new(collector.clone());
    tokio::spawn(
        Server::builder().add_service(receiver).serve_with_incoming(TcpListenerStream::new(listener)),
    );

    let traces = Tracing { endpoint: &endpoint, service: "flotilla-test" };
    let telemetry = init_logs("error", LogFormat::Text, Some(traces)).unwrap();
    tracing::info_span!(target: "operator", "reconcile").in_scope(|| {
        tracing::info_span!(target: "operator::tenant", "phase", otel.name = "storage").in_scope(|| {});
        tracing::info_span!(target: "h2::connection", "noise").in_scope(|| {});
    });
    tokio::task::spawn_blocking(move || telemetry.flush()).await.unwrap();

    let spans = collector.spans();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let find = |name: &str| spans.iter().find(|span| span.name == name).ok_or_else(|| format!("{names:?}"));
    let (parent, child) = (find("reconcile").unwrap(), find("storage").unwrap());
    assert_eq!(child.parent_span_id, parent.span_id);
    assert_eq!(child.trace_id, parent.trace_id);
    assert!(!names.contains(&"noise"), "{names:?}");
    assert!(collector.names_service("flotilla-test"));
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_with_a_next_step() {
    let traces = Tracing { endpoint: "not an address", service: "flotilla-test" };
    let error = init_logs("error", LogFormat::Text, Some(traces)).unwrap_err().to_string();
    assert!(error.contains("not an address") && error.contains("http://collector:4317"), "{error}");
}
