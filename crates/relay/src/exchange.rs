//! One request and its answer.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use crate::body::{BoxError, End, Ending, Held, RequestBody};
use crate::pool::{Pool, Reason};
use crate::switch::switch;
use crate::upstream::Way;
use crate::{Credentials, Failure, ResponseBody, Target, Upgrade, Upstream, to_client, to_upstream};

/// Longest head of an answer, and most that is read ahead of it, bytes.
const READ_BUFFER: usize = 64 * 1024;

/// Sends a request upstream and returns the answer while its body comes. Method, path and query are the target's,
/// whatever is in the request; of its headers those go on that may, and the credentials.
///
/// Whatever goes wrong before the answer begins is an answer too (see [`Failure`]). An error in a body ends the
/// client's stream in a way that it can tell from a regular end. Dropping the future or the body of the answer
/// resets the stream upstream at once.
pub async fn relay<B>(
    target: &Target,
    request: Request<B>,
    upstream: &Upstream,
    credentials: &Credentials,
) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    relay_for(target, request, upstream, credentials, None).await
}

/// Like [`relay`]; what is still streamed when `end` is ready, or switched to another protocol, is cut off on both
/// sides. `end` is dropped when nothing is streamed any more.
pub async fn relay_until<B, E>(
    target: &Target,
    request: Request<B>,
    upstream: &Upstream,
    credentials: &Credentials,
    end: E,
) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    E: Future<Output = Ending> + Send + 'static,
{
    relay_for(target, request, upstream, credentials, Some(Box::pin(end))).await
}

async fn relay_for<B>(
    target: &Target,
    mut request: Request<B>,
    upstream: &Upstream,
    credentials: &Credentials,
    end: Option<End>,
) -> Response<ResponseBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let can_upgrade = request.extensions().get::<OnUpgrade>().is_some();
    let asked = Upgrade::asked(target.method(), request.version(), request.headers());
    let upgrade = asked.filter(|_| can_upgrade);
    let client = upgrade.map(|_| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let mut headers = to_upstream(&head.headers, upgrade);
    credentials.put_into(&mut headers);
    let body = if upgrade.is_some() { RequestBody::empty() } else { RequestBody::new(body) };
    let exchange = Exchange { target, headers, upstream, upgrade };
    match Box::pin(exchange.run(body)).await {
        Ok(answer) => pass(answer, upgrade.zip(client), end),
        Err(failure) => {
            tracing::debug!(upstream = upstream.name, %failure, "request not answered");
            failure.status().into_response()
        }
    }
}

struct Answer {
    response: Response<Incoming>,
    held: Held,
}

struct Exchange<'a> {
    target: &'a Target,
    headers: http::HeaderMap,
    upstream: &'a Upstream,
    upgrade: Option<Upgrade>,
}

/// A request that was not answered.
struct Unanswered {
    failure: Failure,
    /// What to send if it is tried again.
    again: Option<RequestBody>,
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { failure, again: None }
    }
}

impl Exchange<'_> {
    async fn run(&self, body: RequestBody) -> Result<Answer, Failure> {
        // A kept connection may have died unseen. It is tried once more if it was not sent, or may be sent twice.
        let answer = match self.attempt(body).await {
            Err(Unanswered { again: Some(body), .. }) => self.attempt(body).await,
            answer => answer,
        };
        let answer = answer.map_err(|unanswered| unanswered.failure)?;
        let has_switched = answer.response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if has_switched
            && (self.upgrade.is_none() || Upgrade::named(answer.response.headers()) != self.upgrade)
        {
            return Err(Failure::Switched { upstream: self.upstream.name.clone() });
        }
        Ok(answer)
    }

    async fn attempt(&self, body: RequestBody) -> Result<Answer, Unanswered> {
        match &self.upstream.way {
            Way::Endpoint(pool) if self.upgrade.is_none() => self.shared(pool, body).await,
            Way::Endpoint(_) | Way::Dialled(_) => self.alone(body).await,
        }
    }

    /// On a shared connection.
    async fn shared(&self, pool: &Pool, body: RequestBody) -> Result<Answer, Unanswered> {
        let mut lease = pool.lease(self.upstream.timeouts.connect).await.map_err(|reason| match reason {
            Reason::Error(error) => self.upstream.unreachable(&error),
            Reason::Timeout => self.upstream.unconnected(),
        })?;
        let may_repeat = self.may_repeat(&body);
        let request = self.request(body, Version::HTTP_2)?;
        match self.within(lease.sender.try_send_request(request)).await? {
            Ok(response) => Ok(Answer { response, held: lease.slot.into() }),
            Err(mut error) => {
                let unsent = error.take_message().map(Request::into_body);
                let is_of_stream = is_of_stream(error.error());
                if !is_of_stream {
                    pool.forget(&lease.slot);
                }
                let again = unsent.or_else(|| (may_repeat && !is_of_stream).then(RequestBody::empty));
                Err(Unanswered { failure: self.broken(error.error()), again })
            }
        }
    }

    /// On a stream of its own.
    async fn alone(&self, body: RequestBody) -> Result<Answer, Unanswered> {
        let stream = TokioIo::new(self.upstream.stream().await?);
        let mut settings = http1::Builder::new();
        settings.max_buf_size(READ_BUFFER);
        let (mut sender, connection) =
            settings.handshake(stream).await.map_err(|error| self.broken(&error))?;
        let connection = connection.with_upgrades();
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "stream to an API server ended");
            }
        });
        let held = Held::from(AbortOnDropHandle::new(driver));
        let may_repeat = self.may_repeat(&body);
        let request = self.request(body, Version::HTTP_11)?;
        match self.within(sender.try_send_request(request)).await? {
            Ok(response) => Ok(Answer { response, held }),
            Err(mut error) => {
                let unsent = error.take_message().map(Request::into_body);
                let again = unsent.or_else(|| may_repeat.then(RequestBody::empty));
                Err(Unanswered { failure: self.broken(error.error()), again })
            }
        }
    }

    fn may_repeat(&self, body: &RequestBody) -> bool {
        matches!(*self.target.method(), Method::GET | Method::HEAD) && body.is_end_stream()
    }

    fn request(&self, body: RequestBody, version: Version) -> Result<Request<RequestBody>, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = self.target.method().clone();
        *request.version_mut() = version;
        request.headers_mut().clone_from(&self.headers);
        let path = self.target.path_and_query().clone();
        *request.uri_mut() = if version == Version::HTTP_2 {
            let Upstream { scheme, authority, .. } = self.upstream;
            let whole =
                Uri::builder().scheme(scheme.clone()).authority(authority.clone()).path_and_query(path);
            whole.build().map_err(|error| self.broken(&error))?
        } else {
            let host = http::HeaderValue::try_from(self.upstream.authority.as_str());
            request.headers_mut().insert(http::header::HOST, host.map_err(|error| self.broken(&error))?);
            Uri::from(path)
        };
        Ok(request)
    }

    /// Waits for the head of an answer, as long as the request may take.
    async fn within<T>(&self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        if self.target.is_long_running() {
            return Ok(answer.await);
        }
        let patience = self.upstream.timeouts.answer;
        let silent =
            |_| Failure::Silent { upstream: self.upstream.name.clone(), seconds: patience.as_secs() };
        tokio::time::timeout(patience, answer).await.map_err(silent)
    }

    fn broken(&self, error: &dyn Error) -> Failure {
        let mut cause = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Failure::Broken { upstream: self.upstream.name.clone(), reason: cause.to_string() }
    }
}

/// Whether only this stream failed, by the will of one side, while the connection lives.
fn is_of_stream(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    error.is_user()
        || source
            .is_some_and(|source| source.is_reset() && source.reason() != Some(h2::Reason::REFUSED_STREAM))
}

fn pass(answer: Answer, upgrade: Option<(Upgrade, OnUpgrade)>, end: Option<End>) -> Response<ResponseBody> {
    let Answer { mut response, held } = answer;
    let status = response.status();
    let switched = upgrade.filter(|_| status == StatusCode::SWITCHING_PROTOCOLS);
    let headers = to_client(response.headers(), switched.as_ref().map(|(upgrade, _)| *upgrade));
    let body = if let Some((_, client)) = switched {
        switch(client, hyper::upgrade::on(&mut response), held, end);
        ResponseBody::whole(Bytes::new())
    } else {
        ResponseBody::streaming(response.into_body(), held, end)
    };
    let mut passed = Response::new(body);
    *passed.status_mut() = status;
    *passed.headers_mut() = headers;
    passed
}
