//! A connection to the hub that the user is signed in to.

use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::Error;
use crate::hub::{Hubs, ask, send};

/// As many as a page of the hub has.
const PAGE: usize = 500;

/// A hub, as one user.
pub(crate) struct Connection {
    runtime: Runtime,
    client: Client,
    hub: String,
    /// Who is signed in.
    pub(crate) user: String,
}

impl Connection {
    /// To the named hub, or the one that was signed in to last.
    pub(crate) fn open(hub: Option<&str>) -> Result<Self, Error> {
        let hubs = Hubs::read()?;
        let (hub, known) = hubs.find(hub)?;
        let runtime = Runtime::new().map_err(Error::system("start the asynchronous runtime"))?;
        let client = {
            let _inside = runtime.enter();
            kubekit::client_for_server(&hub, known.authority.as_deref(), Some(&known.token))
        };
        Ok(Self { runtime, client: client.map_err(Error::Client)?, hub, user: known.user.clone() })
    }

    /// Runs what takes its time.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// One request; its answer as text.
    pub(crate) fn text(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String, Error> {
        self.runtime.block_on(ask(&self.client, &self.hub, method, path, body))
    }

    /// One request; its answer, null if it is empty.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        read(&self.text(method, path, body)?)
    }

    /// Writes an object anew if it is still at the version that was read.
    pub(crate) fn replace(&self, path: &str, version: &str, body: &Value) -> Result<Value, Error> {
        let request = http::Request::put(path).header("if-match", format!("\"{version}\""));
        let sent = send(&self.client, &self.hub, request, Some(body));
        read(&self.runtime.block_on(sent)?)
    }

    /// All pages of a list. `query` is empty or begins with `&`.
    pub(crate) fn all(&self, path: &str, query: &str) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let mut page = self.ask("GET", &format!("{path}?limit={PAGE}{query}{after}"), None)?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items);
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", encoded(next)),
                None => return Ok(found),
            }
        }
    }

    /// Reads server-sent events until `take`, which gets the name and the data of each, gives something, or the hub ends
    /// the stream.
    pub(crate) async fn events<T>(
        &self,
        path: &str,
        mut take: impl FnMut(&str, &str) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let action = || format!("watch at the hub {}", self.hub);
        let request = http::Request::get(path).body(Body::empty());
        let request = request.map_err(|error| Error::request(action())(kube::Error::HttpError(error)))?;
        let response = self.client.send(request).await.map_err(Error::request(action()))?;
        if !response.status().is_success() {
            return Err(Error::Hub { detail: format!("it answered {}", response.status()) });
        }
        let (mut body, mut events) = (response.into_body(), Events::default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(Error::request(action()))?;
            for (name, data) in events.push(frame.data_ref().map(AsRef::as_ref).unwrap_or_default()) {
                if let Some(taken) = take(&name, &data)? {
                    return Ok(Some(taken));
                }
            }
        }
        Ok(None)
    }
}

fn read(text: &str) -> Result<Value, Error> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text)
        .map_err(|_| Error::Hub { detail: "it answered something else than a hub does".to_owned() })
}

/// Server-sent events, as their bytes come.
#[derive(Default)]
struct Events {
    rest: Vec<u8>,
    name: String,
    data: String,
}

impl Events {
    /// The name and the data of those that are complete.
    fn push(&mut self, bytes: &[u8]) -> Vec<(String, String)> {
        self.rest.extend_from_slice(bytes);
        let mut complete = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            match line.trim_end_matches(['\r', '\n']).split_once(':') {
                Some(("event", name)) => name.trim_start().clone_into(&mut self.name),
                Some(("data", data)) => self.data.push_str(data.trim_start()),
                // An empty line ends an event.
                None if !self.data.is_empty() => {
                    complete.push((std::mem::take(&mut self.name), std::mem::take(&mut self.data)));
                }
                _ => {}
            }
        }
        complete
    }
}

/// Text as a part of a path or query.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Parameters that have a value, each with `&` before it.
pub(crate) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    given
        .flat_map(|(name, value)| ["&".to_owned(), (*name).to_owned(), "=".to_owned(), encoded(value)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Events, encoded, query};

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(encoded("acme.prod"), "acme.prod");
        assert_eq!(encoded("a/../b?c"), "a%2F..%2Fb%3Fc");
        assert_eq!(query(&[("verb", Some("get&x")), ("name", None)]), "&verb=get%26x");
    }

    #[test]
    fn events_are_read_however_their_bytes_are_cut() {
        let whole = b"event: cluster\ndata: {\"id\":\"a\"}\n\n: alive\n\nevent: synced\ndata: {}\n\n";
        let expected = [("cluster", "{\"id\":\"a\"}"), ("synced", "{}")];
        for size in 1..whole.len() {
            let mut events = Events::default();
            let read: Vec<_> = whole.chunks(size).flat_map(|chunk| events.push(chunk)).collect();
            let read: Vec<_> = read.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
            assert_eq!(read, expected, "{size}");
        }
    }
}
