//! An imported cluster as the hub itself: a client that goes by the agent, as the hub's own group, which is bound there
//! to no more than `desired::inside::rights_objects` says.

use std::sync::Arc;

use authn::KeyError;

use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use kubekit::Remote;
use tower::BoxError;
use uplink::Sessions;
use zeroize::Zeroizing;

use crate::FIELD_MANAGER;
use crate::hub::Hub;
use crate::identities::sign;

/// Name of the hub in the identities that it signs for itself; no name of a user has a colon.
const USER: &str = "system:hub";

/// Requests to an imported cluster by its agent, as long as its identity lasts.
pub(super) fn reach(hub: &Hub, sessions: &Sessions, cluster: &str, group: &str) -> Result<Remote, KeyError> {
    let groups = [group.to_owned()].into();
    let token = sign(&hub.signing.issuer(), USER, cluster, &groups, hub.now())?;
    let way = Arc::new(Way { sessions: sessions.clone(), cluster: cluster.to_owned(), token });
    let service = tower::service_fn(move |request| send(Arc::clone(&way), request));
    Ok(Remote::new(Client::new(service, "default"), FIELD_MANAGER))
}

struct Way {
    sessions: Sessions,
    cluster: String,
    token: Zeroizing<String>,
}

/// Each request has a stream of its own, as those have that are passed on.
async fn send(way: Arc<Way>, mut request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
    let stream = way.sessions.open(&way.cluster).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender and the answer's body.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a stream to an imported cluster ended");
        }
    });
    let mut bearer = HeaderValue::from_str(&Zeroizing::new(format!("Bearer {}", way.token.as_str())))?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, bearer);
    headers.insert(header::HOST, HeaderValue::from_static("kubernetes.default.svc"));
    Ok(sender.send_request(request).await?)
}
