//! Who may pass to the cluster's API server: whoever shows an identity of the hub for this cluster.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use relay::{Credentials, ResponseBody, Status, Target, relay};

use crate::cluster::Cluster;
use crate::identity::assert;
use crate::keys::Keys;

/// The way in.
#[derive(Debug)]
pub struct Gate {
    keys: Keys,
    cluster: Cluster,
}

impl Gate {
    /// Lets pass by the keys, to the cluster.
    #[must_use]
    pub fn new(keys: Keys, cluster: Cluster) -> Self {
        Self { keys, cluster }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The answer to a request of the hub. Of its headers only those go on that may, and never those that say who
    /// it is from.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        match self.admit(&request).await {
            Ok((target, credentials)) => {
                Box::pin(relay(&target, request, &self.cluster.upstream, &credentials)).await
            }
            Err(status) => status.into_response(),
        }
    }

    async fn admit(&self, request: &Request<Incoming>) -> Result<(Target, Credentials), Status> {
        let token = bearer(request.headers()).ok_or_else(|| unauthorized("no bearer token was shown"))?;
        let identity = self.keys.verify(token).await.map_err(|refusal| unauthorized(&refusal.to_string()))?;
        let asserted = assert(identity);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let target = Target::read(request.method(), path)
            .map_err(|refusal| status(StatusCode::BAD_REQUEST, "BadRequest", &refusal.to_string()))?;
        let own = self.cluster.token.read().await.map_err(|error| {
            tracing::error!(%error, "the agent's own service account token cannot be read");
            let message = "the agent cannot read its service account token; see its log";
            status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
        })?;
        let credentials = Credentials::bearer(&own)
            .and_then(|own| own.impersonating(&asserted.user, asserted.groups.iter().map(String::as_str)))
            .map_err(|error| unauthorized(&error.to_string()))?;
        Ok((target, credentials))
    }
}

/// The one token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn unauthorized(message: &str) -> Status {
    status(StatusCode::UNAUTHORIZED, "Unauthorized", message)
}

fn status(code: StatusCode, reason: &'static str, message: &str) -> Status {
    Status { code, reason, message: message.to_owned(), retry_after: None }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::bearer;

    fn shown(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("authorization", value.parse().unwrap());
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn there_must_be_one_bearer_token() {
        assert_eq!(shown(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(shown(&["bearer  abc "]).as_deref(), Some("abc"));
        for values in
            [&[][..], &["Bearer abc", "Bearer abc"], &["Basic abc"], &["Bearer"], &["Bearer "], &["abc"]]
        {
            assert_eq!(shown(values), None, "{values:?}");
        }
    }
}
