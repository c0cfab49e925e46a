//! The cookies of a session and of a sign-in in a browser, and the header that a page of ours adds to what changes
//! something.

use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::SignedDuration;

/// With this prefix browsers take it from this very host only, over TLS, for all paths.
const NAME: &str = "__Host-flotilla";

/// What the browser keeps while it is at an identity provider.
const FLOW: &str = "__Host-flotilla-flow";
/// What pages read and send as the header below, where no answer told it.
const CSRF: &str = "__Host-flotilla-csrf";

/// What a page of another site cannot add.
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-flotilla-csrf");

/// The token of the session in a request's cookies.
pub(super) fn session_token(headers: &HeaderMap) -> Option<&str> {
    the_one(headers, NAME)
}

/// What a browser kept of a sign-in.
pub(crate) fn flow_of(headers: &HeaderMap) -> Option<&str> {
    the_one(headers, FLOW)
}

/// The cookie of a name.
fn the_one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut own = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='));
    let first = own.next();
    // Two of one name: somebody else set one of them.
    first.filter(|_| own.next().is_none())
}

/// Gives a browser its session.
pub(crate) fn session_cookie(token: &str, lasts: SignedDuration) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!(
        "{NAME}={token}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax",
        lasts.as_secs()
    ))
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Gives a page what it sends with everything that changes something. It comes back from other sites never.
pub(crate) fn csrf_cookie(token: &str, lasts: SignedDuration) -> Option<HeaderValue> {
    let text = format!("{CSRF}={token}; Path=/; Max-Age={}; Secure; SameSite=Strict", lasts.as_secs());
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Gives a browser what it brings back from the provider, whose page leads here: hence `Lax`.
pub(crate) fn flow_cookie(sealed: &str, lasts: SignedDuration) -> Result<HeaderValue, InvalidHeaderValue> {
    let seconds = lasts.as_secs();
    let text = format!("{FLOW}={sealed}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Takes what is left of a sign-in.
pub(crate) fn clear_flow_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-flotilla-flow=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

/// Takes a browser's session away.
pub(crate) fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-flotilla=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
}

/// Takes away what its pages sent.
pub(crate) fn clear_csrf_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-flotilla-csrf=; Path=/; Max-Age=0; Secure; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::session_token;

    fn of(cookies: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append("cookie", cookie.parse().unwrap());
        }
        session_token(&headers).map(str::to_owned)
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        assert_eq!(of(&["a=b; __Host-flotilla=t; c=d"]), Some("t".to_owned()));
        assert_eq!(of(&["a=b", "__Host-flotilla=t"]), Some("t".to_owned()));
        assert_eq!(of(&["x__Host-flotilla=t", "__Host-flotilla2=u"]), None);
    }

    #[test]
    fn two_sessions_at_once_are_none() {
        assert_eq!(of(&["__Host-flotilla=a; __Host-flotilla=b"]), None);
        assert_eq!(of(&["__Host-flotilla=a", "__Host-flotilla=b"]), None);
    }
}
