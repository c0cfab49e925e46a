//! The token that browsers put among the protocols of a WebSocket, since they can set no header
//! (`k8s.io/apiserver/pkg/authentication/request/websocket`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use zeroize::Zeroizing;

/// What stands before the token in base 64.
const PREFIX: &str = "base64url.bearer.authorization.k8s.io.";

/// Why the token among the protocols of a WebSocket is not taken. Says nothing of the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// There are several.
    #[error("several tokens among the protocols of the WebSocket; send one")]
    Several,
    /// It is not text in base 64.
    #[error("the token among the protocols of the WebSocket is not text in base64url without padding")]
    Unreadable,
    /// There is no other protocol, one of which must be answered.
    #[error("no protocol beside the token of the WebSocket; name one, such as `v5.channel.k8s.io`")]
    Alone,
}

/// The bearer token among the protocols of a WebSocket, if there is one. [`crate::to_upstream`] never passes it on.
///
/// # Errors
/// Why it is not taken, by the same rules as the API server's.
pub fn bearer_token(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, TokenRefusal> {
    let mut tokens = protocols(headers).filter(|protocol| is_token(protocol));
    let Some(token) = tokens.next() else { return Ok(None) };
    if tokens.next().is_some() {
        return Err(TokenRefusal::Several);
    }
    let encoded = token.get(PREFIX.len()..).unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenRefusal::Unreadable)?;
    let text = String::from_utf8(decoded).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        TokenRefusal::Unreadable
    })?;
    let text = Zeroizing::new(text);
    if text.is_empty() {
        return Err(TokenRefusal::Unreadable);
    }
    if protocols(headers).all(is_token) {
        return Err(TokenRefusal::Alone);
    }
    Ok(Some(text))
}

/// Passes the protocols on, without the token.
pub(super) fn pass_protocols(from: &HeaderMap, to: &mut HeaderMap) {
    let kept: Vec<&[u8]> = protocols(from).filter(|protocol| !is_token(protocol)).collect();
    if kept.is_empty() {
        return;
    }
    if let Ok(value) = HeaderValue::from_bytes(&kept.join(&b", "[..])) {
        to.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let parts = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    parts.map(<[u8]>::trim_ascii).filter(|protocol| !protocol.is_empty())
}

/// In any case, so that a token in another spelling does not go on either.
fn is_token(protocol: &[u8]) -> bool {
    protocol.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{TokenRefusal, bearer_token, pass_protocols};

    /// `secret-token`.
    const TOKEN: &str = "base64url.bearer.authorization.k8s.io.c2VjcmV0LXRva2Vu";

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("sec-websocket-protocol", value.parse().unwrap());
        }
        headers
    }

    fn passed(values: &[&str]) -> Option<String> {
        let mut to = HeaderMap::new();
        pass_protocols(&headers(values), &mut to);
        to.get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_token_is_read_and_does_not_go_on() {
        let one = [&*format!("v5.channel.k8s.io, {TOKEN}")];
        let two = [TOKEN, "v5.channel.k8s.io"];
        for values in [&one[..], &two[..]] {
            let token = bearer_token(&headers(values)).unwrap().unwrap();
            assert_eq!(token.as_str(), "secret-token");
            assert_eq!(passed(values).as_deref(), Some("v5.channel.k8s.io"));
        }
        assert_eq!(passed(&["a", TOKEN, "b"]).as_deref(), Some("a, b"));
        assert_eq!(passed(&[TOKEN]), None);
        assert_eq!(passed(&[&TOKEN.to_uppercase(), "a"]).as_deref(), Some("a"));
    }

    #[test]
    fn without_a_token_there_is_none() {
        assert_eq!(bearer_token(&headers(&[])), Ok(None));
        assert_eq!(bearer_token(&headers(&["v4.channel.k8s.io"])), Ok(None));
    }

    #[test]
    fn doubtful_tokens_are_refused() {
        let prefix = "base64url.bearer.authorization.k8s.io.";
        let refused = |values: &[&str]| bearer_token(&headers(values)).unwrap_err();
        assert_eq!(refused(&[TOKEN, TOKEN, "a"]), TokenRefusal::Several);
        assert_eq!(refused(&[TOKEN]), TokenRefusal::Alone);
        for unreadable in ["c2VjcmV0LXRva2Vu=", "c2V+", "_w", "", "c2VjcmV0 LXRva2Vu"] {
            assert_eq!(
                refused(&[&format!("{prefix}{unreadable}"), "a"]),
                TokenRefusal::Unreadable,
                "{unreadable}"
            );
        }
    }
}
