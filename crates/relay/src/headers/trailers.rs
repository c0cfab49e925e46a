//! Trailers, which pass but for what belongs to a head.

use http::HeaderMap;

/// What begins so acts on messages, connections or browsers, or says who somebody is.
const CONTROL: [&str; 19] = [
    "accept",
    "access-control-",
    "authorization",
    "connection",
    "content-",
    "cookie",
    "forwarded",
    "host",
    "impersonate",
    "keep-alive",
    "proxy-",
    "sec-",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "x-",
];

/// Trailers without what only a head may hold.
pub(crate) fn without_control(trailers: &HeaderMap) -> HeaderMap {
    super::kept(trailers, |name| {
        let name = name.as_str().replace('_', "-");
        !CONTROL.iter().any(|prefix| name.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::without_control;

    #[test]
    fn a_checksum_passes_and_an_identity_does_not() {
        let mut sent = HeaderMap::new();
        for name in
            ["grpc-status", "digest", "impersonate-user", "impersonate_user", "x-remote-user", "set-cookie"]
        {
            sent.insert(name, HeaderValue::from_static("0"));
        }
        let passed = without_control(&sent);
        let names: Vec<&str> = passed.keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["grpc-status", "digest"]);
    }
}
