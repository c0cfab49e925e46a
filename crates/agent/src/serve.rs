//! A stream of the hub, on which it speaks HTTP/1.1.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::TaskTracker;

use crate::Gate;

/// Longest head of a request, and most that is read ahead of its body.
const READ_BUFFER: usize = 64 << 10;
/// Time for the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// Answers the requests of a stream, until it ends.
pub async fn serve<S>(stream: S, gate: Arc<Gate>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(Box::pin(gate.answer(request)).await) }
    });
    let mut settings = http1::Builder::new();
    settings.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(READ_BUFFER).half_close(false);
    let served = settings.serve_connection(TokioIo::new(stream), service).with_upgrades();
    if let Err(error) = served.await {
        tracing::debug!(%error, "a stream of the hub ended");
    }
}

/// Serves every stream of a connection, each as a task of its own.
pub(crate) async fn serve_all(mut incoming: uplink::Incoming, gate: Arc<Gate>, tasks: TaskTracker) {
    while let Some(stream) = incoming.next().await {
        tasks.spawn(serve(stream, Arc::clone(&gate)));
    }
}
