//! The upgrade to a WebSocket (RFC 6455, section 4), as far as agents and the hub need it.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Request, Response, StatusCode};

/// Where agents register.
pub const REGISTER_PATH: &str = "/agent/register";
/// Where agents connect to.
pub const CONNECT_PATH: &str = "/agent/connect";
/// Where the hub's public keys are.
pub const KEYS_PATH: &str = "/issuer/keys";
/// Where agents get a new token for the one that they have.
pub const RENEW_PATH: &str = "/agent/token";
/// Which replica of the hub answers.
pub const REPLICA_HEADER: HeaderName = HeaderName::from_static("flotilla-replica");
/// How many replicas there are.
pub const REPLICAS_HEADER: HeaderName = HeaderName::from_static("flotilla-replicas");
/// Which run of an agent asks: a later connection of the same run takes the place of an earlier one.
pub const INSTANCE_HEADER: HeaderName = HeaderName::from_static("flotilla-agent");
/// Is [`RENEW`] in the answer to an agent that should get itself a new token.
pub(crate) const TOKEN_HEADER: HeaderName = HeaderName::from_static("flotilla-token");
pub(crate) const RENEW: HeaderValue = HeaderValue::from_static("renew");
/// What is spoken over the WebSocket.
pub(crate) const PROTOCOL: HeaderValue = HeaderValue::from_static("flotilla.v1");
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const LONGEST_INSTANCE: usize = 64;

/// A replica of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// What tells it apart from the others.
    pub id: String,
    /// How many there are, with it.
    pub count: usize,
}

/// An agent's wish to connect.
#[derive(Debug)]
pub struct Greeting {
    /// The run of the agent.
    pub instance: String,
    /// What to answer, after which the connection is to be given to [`crate::Sessions::accept`].
    pub answer: Response<()>,
}

impl Greeting {
    /// Tells the agent to get itself a new token.
    #[must_use]
    pub fn asking_to_renew(mut self) -> Self {
        self.answer.headers_mut().insert(TOKEN_HEADER, RENEW);
        self
    }
}

/// The request is none of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this address is for flotilla-agent: {0}")]
pub struct NotAnAgent(&'static str);

/// Reads a request to [`CONNECT_PATH`] and makes the answer that lets the agent in. Does not look at its token.
///
/// # Errors
/// [`NotAnAgent`] if it asks for no WebSocket of ours; to be answered with 400.
pub fn greet<B>(request: &Request<B>, replica: &Replica) -> Result<Greeting, NotAnAgent> {
    let headers = request.headers();
    let key = requested_key(request.method(), headers)?;
    let instance = headers.get(INSTANCE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if instance.is_empty() || instance.len() > LONGEST_INSTANCE {
        return Err(NotAnAgent("the header flotilla-agent is missing or too long"));
    }
    let text = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| NotAnAgent("the replica's name does not fit into a header"))
    };
    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let all = answer.headers_mut();
    all.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    all.insert(UPGRADE, HeaderValue::from_static("websocket"));
    all.insert(SEC_WEBSOCKET_ACCEPT, text(&accept_key(key))?);
    all.insert(SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    all.insert(REPLICA_HEADER, text(&replica.id)?);
    all.insert(REPLICAS_HEADER, HeaderValue::from(replica.count));
    Ok(Greeting { instance: instance.to_owned(), answer })
}

fn requested_key<'a>(method: &Method, headers: &'a HeaderMap) -> Result<&'a str, NotAnAgent> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    if method != Method::GET || !has(CONNECTION, "upgrade") || !has(UPGRADE, "websocket") {
        return Err(NotAnAgent("it asks for no WebSocket"));
    }
    if !has(SEC_WEBSOCKET_VERSION, "13") {
        return Err(NotAnAgent("it speaks another version of WebSocket"));
    }
    if !has(SEC_WEBSOCKET_PROTOCOL, "flotilla.v1") {
        return Err(NotAnAgent(
            "it does not speak flotilla.v1; use the version of the agent that the hub offers",
        ));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|value| value.to_str().ok());
    let is_key = |key: &&str| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16);
    key.filter(is_key).ok_or(NotAnAgent("its WebSocket key is missing or wrong"))
}

/// The value of `Sec-WebSocket-Accept` to a `Sec-WebSocket-Key`.
#[must_use]
pub fn accept_key(key: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(GUID.as_bytes());
    STANDARD.encode(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{NotAnAgent, Replica, accept_key, greet};

    fn request() -> http::request::Builder {
        Request::get("/agent/connect")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-protocol", "flotilla.v1")
    }

    fn replica() -> Replica {
        Replica { id: "server-0".to_owned(), count: 3 }
    }

    /// The example of RFC 6455, section 1.3.
    #[test]
    fn the_accepted_key_is_that_of_the_standard() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_agent_is_told_which_replica_of_how_many_it_met() {
        let asked =
            request().header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("flotilla-agent", "a1");
        let greeting = greet(&asked.body(()).unwrap(), &replica()).unwrap();
        assert_eq!(greeting.instance, "a1");
        assert_eq!(greeting.answer.status(), 101);
        assert_eq!(greeting.answer.headers()["flotilla-replica"], "server-0");
        assert_eq!(greeting.answer.headers()["flotilla-replicas"], "3");
        assert_eq!(greeting.answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_agent_is_refused() {
        let key = |request: http::request::Builder| {
            request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("flotilla-agent", "a1")
        };
        let wrong = [
            Request::get("/").body(()),
            key(request()).method("POST").body(()),
            key(Request::get("/").header("connection", "upgrade").header("upgrade", "h2c")).body(()),
            request().header("flotilla-agent", "a1").body(()),
            request().header("sec-websocket-key", "c2hvcnQ=").header("flotilla-agent", "a1").body(()),
            request().header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").body(()),
        ];
        for (number, request) in wrong.into_iter().enumerate() {
            let refused = greet(&request.unwrap(), &replica());
            assert!(matches!(refused, Err(NotAnAgent(_))), "request {number}: {refused:?}");
        }
    }
}
