//! Headers of an answer, from upstream to the client.

use http::header::{
    ACCEPT_RANGES, AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING,
    CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, ETAG,
    EXPIRES, HeaderValue, LAST_MODIFIED, LOCATION, PRAGMA, RETRY_AFTER, UPGRADE, VARY, WARNING,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName};

use super::{Upgrade, kept};

/// What passes in every answer. What sets a browser's state for our origin (cookies, HSTS, …) or makes it ask for a
/// password does not.
const PASSED: [HeaderName; 19] = [
    ACCEPT_RANGES,
    AGE,
    ALLOW,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    DATE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    LOCATION,
    PRAGMA,
    RETRY_AFTER,
    VARY,
    WARNING,
];
/// What API servers say beside.
const OF_API_SERVERS: [&str; 5] = [
    "audit-id",
    "x-accepted-stream-protocol-versions",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
    "x-varied-accept",
];
/// What passes when protocols are switched.
const UPGRADING: [&str; 4] = [
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
    "x-stream-protocol-version",
];

/// The headers that go to the client; `upgrade` is the protocol that upstream has switched to.
///
/// What a browser shows of a cluster is whatever people put there, such as a pod's page behind its proxy
/// subresource. It is told to treat all of it as of no origin.
#[must_use]
pub fn to_client(headers: &HeaderMap, upgrade: Option<Upgrade>) -> HeaderMap {
    let mut rebuilt = kept(headers, |name| {
        PASSED.contains(name)
            || OF_API_SERVERS.contains(&name.as_str())
            || (upgrade.is_some() && UPGRADING.contains(&name.as_str()))
    });
    if let Some(upgrade) = upgrade {
        rebuilt.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        rebuilt.insert(UPGRADE, HeaderValue::from_static(upgrade.token()));
        rebuilt.remove(CONTENT_LENGTH);
    } else {
        rebuilt.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
        rebuilt.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    rebuilt
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{Upgrade, to_client};

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn what_clients_of_kubernetes_read_passes() {
        let sent = [
            ("audit-id", "1"),
            ("cache-control", "no-cache, private"),
            ("content-type", "application/json"),
            ("content-length", "2"),
            ("retry-after", "1"),
            ("warning", "299 - \"one\""),
            ("warning", "299 - \"two\""),
            ("x-kubernetes-pf-flowschema-uid", "2"),
        ];
        let passed = to_client(&headers(&sent), None);
        assert_eq!(passed.get_all("warning").iter().count(), 2);
        for (name, _) in sent {
            assert!(passed.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_would_act_on_the_clients_browser_or_connection_does_not() {
        let sent = headers(&[
            ("set-cookie", "session=stolen"),
            ("set-cookie", "another=one"),
            ("www-authenticate", "Basic"),
            ("strict-transport-security", "max-age=1"),
            ("access-control-allow-origin", "*"),
            ("clear-site-data", "*"),
            ("service-worker-allowed", "/"),
            ("refresh", "0; url=https://evil.example.com"),
            ("alt-svc", "h3=\":443\""),
            ("content-security-policy", "default-src *"),
            ("connection", "audit-id"),
            ("audit-id", "1"),
            ("keep-alive", "timeout=1"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("trailer", "set-cookie"),
            ("server", "nginx"),
            ("sec-websocket-accept", "x"),
        ]);
        let passed = to_client(&sent, None);
        let expected =
            headers(&[("content-security-policy", "sandbox"), ("x-content-type-options", "nosniff")]);
        assert_eq!(passed, expected);
    }

    #[test]
    fn a_switch_of_protocols_names_the_protocol_and_has_no_length() {
        let sent = headers(&[
            ("upgrade", "SPDY/3.1"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
            ("content-length", "3"),
            ("set-cookie", "a=b"),
        ]);
        let expected = headers(&[
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
        ]);
        assert_eq!(to_client(&sent, Some(Upgrade::Spdy)), expected);
    }
}
