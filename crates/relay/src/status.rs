//! Refusals and failures in the words of the Kubernetes API: the object `Status`.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use crate::ResponseBody;

/// What goes wrong, as clients of Kubernetes read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Code of the answer.
    pub code: StatusCode,
    /// Reason in one word, such as `ServiceUnavailable`.
    pub reason: &'static str,
    /// What, why, what next.
    pub message: String,
    /// When to try again, seconds.
    pub retry_after: Option<u32>,
}

impl Status {
    /// The answer. It has no header `Retry-After`: by it client-go would repeat any request up to ten times without
    /// a word to its user, also one that was carried out.
    #[must_use]
    pub fn into_response(self) -> Response<ResponseBody> {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code.as_u16(),
        });
        if let Some(seconds) = self.retry_after {
            status["details"] = json!({ "retryAfterSeconds": seconds });
        }
        let mut response = Response::new(ResponseBody::whole(Bytes::from(status.to_string())));
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        response
    }
}
