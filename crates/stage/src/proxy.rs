//! The API server as the operator reaches it: through a proxy whose writes pass the fuse.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode, header};
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Fuse;

/// Largest request that is passed on; etcd takes no larger object.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Serves until the task is aborted; returns its address.
pub(crate) async fn serve(client: Client, fuse: Fuse) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for the operator")?;
    let address = listener.local_addr().context("read the proxy's address")?;
    let routes = Router::new().fallback(pass_on).with_state((client, fuse));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::warn!(%error, "the proxy ended");
        }
    });
    Ok((address, task))
}

async fn pass_on(State((client, fuse)): State<(Client, Fuse)>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BYTES).await else {
        return failure("the request is too large".to_owned());
    };
    if counts(&parts) {
        let what = format!("{} {}", parts.method, parts.uri.path());
        // In a task of its own: a write that is under way is carried out although its writer dies.
        fuse.write(what, async {
            let sent = tokio::spawn(async move { send(&client, parts, body).await });
            sent.await.unwrap_or_else(|error| failure(error.to_string()))
        })
        .await
    } else {
        send(&client, parts, body).await
    }
}

/// Writes that are part of the work; events and reviews come and go.
fn counts(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let is_read = [Method::GET, Method::HEAD].contains(&parts.method);
    !is_read && !path.contains("/events") && !path.contains("/leases") && !path.contains("reviews")
}

async fn send(client: &Client, parts: Parts, body: Bytes) -> Response<Body> {
    let mut request = Request::new(kube::client::Body::from(body.to_vec()));
    *request.method_mut() = parts.method;
    *request.uri_mut() = parts.uri;
    for name in [header::ACCEPT, header::CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    match client.send(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => failure(error.to_string()),
    }
}

fn failure(message: String) -> Response<Body> {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
