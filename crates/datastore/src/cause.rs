//! What a store's client says of a failure, short enough for people.

use std::error::Error;
use std::fmt;

/// The client's reason: its message and the innermost cause, without the layers between.
#[derive(Debug)]
pub struct Cause(String);

impl Cause {
    /// A message and what lies below it.
    pub(crate) fn new(message: &str, below: Option<&dyn Error>) -> Self {
        let innermost = std::iter::successors(below, |error| (*error).source()).last();
        match innermost.map(ToString::to_string).filter(|cause| !message.contains(cause.as_str())) {
            Some(cause) => Self(format!("{message}: {cause}")),
            None => Self(message.to_owned()),
        }
    }
}

impl From<etcd_client::Error> for Cause {
    fn from(error: etcd_client::Error) -> Self {
        match &error {
            etcd_client::Error::GRpcStatus(status) => Self::new(status.message(), Error::source(status)),
            other => Self::new(&other.to_string(), other.source()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Its causes are told already.
impl Error for Cause {}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[tokio::test]
    async fn a_refused_connection_reads_as_one() {
        // Nothing listens on port 1 of loopback.
        let client = etcd_client::Client::connect(["http://127.0.0.1:1"], None).await;
        let error = match client {
            Ok(mut client) => client.get("key", None).await.unwrap_err(),
            Err(error) => error,
        };
        let text = Cause::from(error).to_string();
        assert!(text.contains("Connection refused") && !text.contains("ConnectError"), "{text}");
    }
}
