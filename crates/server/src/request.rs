//! What is known of a request before anybody is asked who sent it, and what the audit log gets to know of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use records::AuditEntry;
use uuid::Uuid;

use crate::fairness::Share;
use crate::hub::Hub;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Facts of a request.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) id: Uuid,
    pub(crate) address: String,
    pub(crate) agent: String,
    pub(crate) path: String,
    /// Entries of the audit log about it, which the answer completes.
    entries: Arc<Mutex<Vec<Uuid>>>,
    /// Its place among the requests of whoever sent it.
    share: Arc<Mutex<Option<Share>>>,
}

impl Facts {
    /// Takes a place for as long as the request is under way.
    pub(crate) fn hold(&self, share: Share) {
        *self.share.lock().unwrap_or_else(PoisonError::into_inner) = Some(share);
    }

    /// Gives the place up, to whoever drops it.
    pub(crate) fn release(&self) -> Option<Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An entry about this request, by nobody yet.
    pub(crate) fn entry(&self, hub: &Hub) -> AuditEntry {
        AuditEntry {
            time: hub.now(),
            address: self.address.clone(),
            agent: self.agent.clone(),
            path: self.path.clone(),
            request: self.id.to_string(),
            ..AuditEntry::default()
        }
    }

    /// Appends an entry that the answer completes.
    pub(crate) async fn append(&self, hub: &Hub, entry: AuditEntry) -> Result<(), records::RecordsError> {
        let id = hub.records.audit().append(entry).await?;
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        Ok(())
    }

    fn take_entries(&self) -> Vec<Uuid> {
        std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts the facts beside the request, and what came of it into the log.
pub(crate) async fn observe(State(hub): State<Hub>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    if is_for_a_proxy(&request) {
        return Problem::invalid("the hub is no proxy: send a path, not a whole URL").into_response();
    }
    let facts = Facts {
        id: Uuid::new_v4(),
        address: address(&request).to_string(),
        agent: text(request.headers(), &header::USER_AGENT),
        path: request.uri().path().to_owned(),
        entries: Arc::default(),
        share: Arc::default(),
    };
    request.extensions_mut().insert(facts.clone());
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&facts.id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let entries = facts.take_entries();
    if !entries.is_empty() {
        let (status, took) = (response.status().as_u16(), began.elapsed());
        // The entries stand; what came of them is added without the client waiting for it.
        tokio::spawn(async move {
            if let Err(error) = hub.records.audit().complete(entries, status, took).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an outcome is missing in the audit log"
                );
            }
        });
    }
    match facts.release() {
        Some(share) => response.map(|body| Body::new(Holding { body, _share: share })),
        None => response,
    }
}

/// In HTTP/1 only what is asked of a proxy has a host in its target.
fn is_for_a_proxy(request: &Request) -> bool {
    request.version() < Version::HTTP_2 && request.uri().authority().is_some()
}

/// The body of an answer, which is under way until it is sent.
struct Holding {
    body: Body,
    _share: Share,
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Of the connection: what a header says of it can be written by anybody.
pub(crate) fn address(request: &Request) -> IpAddr {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip().to_canonical())
}

/// A header's text, or nothing.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
