//! Headers of a request, from the client to upstream.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_TYPE, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    RANGE, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName};

use super::{Upgrade, kept, web_socket};

/// What passes in every request. `Content-Length` is not among them: it is made from the body. Neither is anything
/// that says who somebody is, or where a request comes from.
const PASSED: [HeaderName; 14] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    RANGE,
    USER_AGENT,
];
/// What kubectl says of the command, for audits.
const KUBECTL: &str = "kubectl-";
/// What passes in an upgrade beside; the protocols of a WebSocket go their own way.
const UPGRADING: [&str; 4] =
    ["sec-websocket-extensions", "sec-websocket-key", "sec-websocket-version", "x-stream-protocol-version"];

/// The headers that go upstream, without credentials, which the caller adds. `upgrade` is what
/// [`Upgrade::asked`] found.
#[must_use]
pub fn to_upstream(headers: &HeaderMap, upgrade: Option<Upgrade>) -> HeaderMap {
    let mut rebuilt = kept(headers, |name| {
        PASSED.contains(name)
            || name.as_str().starts_with(KUBECTL)
            || (upgrade.is_some() && UPGRADING.contains(&name.as_str()))
    });
    if let Some(upgrade) = upgrade {
        rebuilt.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        rebuilt.insert(UPGRADE, HeaderValue::from_static(upgrade.token()));
        web_socket::pass_protocols(headers, &mut rebuilt);
    }
    rebuilt
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Upgrade, to_upstream};

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let read = |(name, value): &(&str, &str)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            )
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(read) {
            headers.append(name, value);
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_kubectl_sends_passes() {
        let sent = headers(&[
            ("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),
            ("Accept-Encoding", "gzip"),
            ("Content-Type", "application/apply-patch+yaml"),
            ("User-Agent", "kubectl/v1.36.3"),
            ("Kubectl-Command", "kubectl get"),
            ("Kubectl-Session", "5a7e"),
            ("If-None-Match", "\"1\""),
            ("Range", "bytes=0-1"),
        ]);
        assert_eq!(to_upstream(&sent, None), sent);
    }

    #[test]
    fn nothing_that_says_who_somebody_is_passes_in_any_spelling() {
        let smuggled = [
            "Authorization",
            "AUTHORIZATION",
            "Proxy-Authorization",
            "Cookie",
            "Impersonate-User",
            "impersonate-user",
            "IMPERSONATE-GROUP",
            "Impersonate-Uid",
            "Impersonate-Extra-Scopes",
            "Impersonate_User",
            "impersonate.user",
            "X-Remote-User",
            "X_Remote_User",
            "X-Remote-Group",
            "X-Remote-Extra-Scopes",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Client-Cert",
            "X-Real-Ip",
            "Forwarded",
            "X-Original-Url",
            "X-Rewrite-Url",
            "X-Http-Method-Override",
            "Host",
            "Origin",
            "Te",
            "Trailer",
            "Transfer-Encoding",
            "Content-Length",
            "Keep-Alive",
            "Proxy-Connection",
            "Upgrade",
            "Expect",
            "Http2-Settings",
            "Sec-Websocket-Protocol",
            "X-Stream-Protocol-Version",
            "Kubectl_Command",
            "Sec-Websocket-Anything",
        ];
        for name in smuggled {
            let sent = headers(&[(name, "admin"), (name, "root"), ("Accept", "*/*")]);
            assert_eq!(names(&to_upstream(&sent, None)), ["accept"], "{name}");
        }
        for name in smuggled.iter().take(26) {
            let sent = headers(&[(name, "admin")]);
            let passed = to_upstream(&sent, Some(Upgrade::Spdy));
            assert_eq!(names(&passed), ["connection", "upgrade"], "{name}");
        }
    }

    #[test]
    fn naming_a_header_in_connection_neither_adds_nor_keeps_it() {
        for connection in ["impersonate-user", "keep-alive, Impersonate-User", "upgrade,impersonate-user"] {
            let sent =
                headers(&[("Connection", connection), ("Impersonate-User", "admin"), ("Accept", "*/*")]);
            assert_eq!(names(&to_upstream(&sent, None)), ["accept"]);
        }
        let sent = headers(&[("Connection", "close"), ("connection", "x, ACCEPT ,y"), ("Accept", "*/*")]);
        assert_eq!(names(&to_upstream(&sent, None)), [""; 0]);
    }

    #[test]
    fn an_upgrade_is_asked_for_in_our_own_words() {
        let sent = headers(&[
            ("Connection", "keep-alive, Upgrade"),
            ("Upgrade", "spdy/3.1"),
            ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
            ("X-Stream-Protocol-Version", "v3.channel.k8s.io"),
        ]);
        let passed = to_upstream(&sent, Some(Upgrade::Spdy));
        assert_eq!(passed["upgrade"], "SPDY/3.1");
        assert_eq!(passed["connection"], "Upgrade");
        assert_eq!(passed.get_all("x-stream-protocol-version").iter().count(), 2);
    }
}
