//! Which headers pass. What goes on is rebuilt from lists of what may, in both directions.

mod request;
mod response;
mod trailers;
mod upgrade;
mod web_socket;

pub use request::to_upstream;
pub use response::to_client;
pub(crate) use trailers::without_control;
pub use upgrade::Upgrade;
pub use web_socket::{TokenRefusal, bearer_token};

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName};

/// Keeps what `may_pass`, apart from what the sender meant for this connection alone (`Connection: name`).
fn kept(headers: &HeaderMap, may_pass: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if may_pass(name) && !has_token(headers, &CONNECTION, name.as_str()) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// Whether a comma-separated header, which may occur several times, has the token in any case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}
