//! The hubs that the user is signed in to, and requests to them.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use http::StatusCode;
use jiff::Timestamp;
use kube::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// What is known of one hub.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    /// Of the authority that signed its certificate; those of the system without it.
    pub(crate) authority: Option<String>,
    /// Who is signed in.
    pub(crate) user: String,
    /// The session's token.
    pub(crate) token: String,
    /// When the session ends.
    pub(crate) expires: Timestamp,
}

/// All hubs, by URL, and the one that was signed in to last.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hubs {
    /// URL of the hub that is meant where none is named.
    pub(crate) current: Option<String>,
    /// The hubs.
    pub(crate) hubs: BTreeMap<String, Known>,
}

impl Hubs {
    /// As they were kept; none if there is no file.
    pub(crate) fn read() -> Result<Self, Error> {
        let path = path();
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(Error::system(format!("read {}", path.display())))?,
        };
        serde_json::from_slice(&text).map_err(|source| Error::Sessions { path, source })
    }

    /// Keeps them where only the user reads.
    pub(crate) fn write(&self) -> Result<(), Error> {
        let path = path();
        let failed = || Error::system(format!("write {}", path.display()));
        if let Some(directory) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed())?;
        }
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        // Beside it first: whoever reads meanwhile sees the old one or the new one.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed())?;
        file.write_all(&text).map_err(failed())?;
        std::fs::rename(&new, &path).map_err(failed())
    }

    /// The named hub, or the one signed in to last, if there is a session.
    pub(crate) fn find(&self, named: Option<&str>) -> Result<(String, &Known), Error> {
        let url = named.map(trimmed).or_else(|| self.current.clone());
        let url = url.ok_or_else(|| Error::NotSignedIn { hub: "HUB".to_owned() })?;
        match self.hubs.get(&url) {
            Some(known) => Ok((url, known)),
            None => Err(Error::NotSignedIn { hub: url }),
        }
    }
}

/// A URL as it is kept.
pub(crate) fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// Asks a hub; what it refuses is its own words.
pub(crate) async fn ask(
    client: &Client,
    hub: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<String, Error> {
    send(client, hub, http::Request::builder().method(method).uri(path), body).await
}

/// Sends a request that may have headers of its own.
pub(crate) async fn send(
    client: &Client,
    hub: &str,
    request: http::request::Builder,
    body: Option<&Value>,
) -> Result<String, Error> {
    try_send(client, hub, request, body).await?.map_err(|refusal| refusal.into_error(hub))
}

/// Sends a request, for those to whom a refusal says something.
pub(crate) async fn try_send(
    client: &Client,
    hub: &str,
    request: http::request::Builder,
    body: Option<&Value>,
) -> Result<Result<String, Refusal>, Error> {
    let action = || format!("reach the hub {hub}");
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = request
        .header("content-type", "application/json")
        .header("user-agent", concat!("flotilla/", env!("CARGO_PKG_VERSION")))
        .body(body.into_bytes().into())
        .map_err(|error| Error::request(action())(kube::Error::HttpError(error)))?;
    let is_session = request.uri().path() == "/api/v1/session";
    let response = client.send(request).await.map_err(Error::request(action()))?;
    let status = response.status();
    let bytes = response.into_body().collect_bytes().await.map_err(Error::request(action()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if status.is_success() { Ok(text) } else { Err(Refusal::read(status, &text, is_session)) })
}

/// What a hub refuses, and why.
pub(crate) struct Refusal {
    status: StatusCode,
    /// What went wrong, for programs.
    pub(crate) code: String,
    /// In the hub's words.
    pub(crate) detail: String,
    is_session: bool,
}

impl Refusal {
    fn read(status: StatusCode, text: &str, is_session: bool) -> Self {
        let problem: Value = serde_json::from_str(text).unwrap_or_default();
        let detail =
            problem["detail"].as_str().map_or_else(|| format!("it answered {status}"), str::to_owned);
        let code = problem["code"].as_str().unwrap_or_default().to_owned();
        Self { status, code, detail, is_session }
    }

    /// What it means. Signing in and out is refused in the hub's words: who does that knows that they are not signed in.
    fn into_error(self, hub: &str) -> Error {
        let Self { status, code, detail, is_session } = self;
        match status {
            StatusCode::UNAUTHORIZED if !is_session && code == "unauthenticated" => {
                Error::NotSignedIn { hub: hub.to_owned() }
            }
            StatusCode::FORBIDDEN => Error::Denied { detail },
            StatusCode::NOT_FOUND => Error::NotFound { detail },
            _ => Error::Hub { detail },
        }
    }
}

fn path() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".config");
    let directory = std::env::var_os("XDG_CONFIG_HOME").map_or_else(home, PathBuf::from);
    directory.join("flotilla/hubs.json")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use jiff::Timestamp;

    use super::{Hubs, Known, Refusal};
    use crate::Error;

    fn refusal(status: StatusCode, text: &str) -> Error {
        Refusal::read(status, text, false).into_error("h")
    }

    #[test]
    fn a_script_can_tell_denied_from_missing() {
        let code = |status: StatusCode, text: &str| refusal(status, text).exit_code();
        assert_eq!(code(StatusCode::UNAUTHORIZED, r#"{"code": "unauthenticated"}"#), 3);
        assert_eq!(code(StatusCode::FORBIDDEN, ""), 3);
        assert_eq!(code(StatusCode::NOT_FOUND, ""), 4);
        assert_eq!(code(StatusCode::UNPROCESSABLE_ENTITY, ""), 1);
        let refused = refusal(StatusCode::FORBIDDEN, r#"{"detail": "no grant; ask an owner"}"#);
        assert_eq!(refused.to_string(), "the hub refused: no grant; ask an owner");
    }

    #[test]
    fn the_last_hub_is_meant_where_none_is_named() {
        let known = Known {
            authority: None,
            user: "olga".to_owned(),
            token: "t".to_owned(),
            expires: Timestamp::UNIX_EPOCH,
        };
        let hubs = Hubs {
            current: Some("https://b".to_owned()),
            hubs: [("https://a".to_owned(), known.clone()), ("https://b".to_owned(), known)].into(),
        };
        assert_eq!(hubs.find(None).unwrap().0, "https://b");
        assert_eq!(hubs.find(Some("https://a/")).unwrap().0, "https://a");
        assert!(hubs.find(Some("https://c")).is_err());
        assert!(Hubs::default().find(None).is_err());
    }
}
