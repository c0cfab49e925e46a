//! kine on loopback for tests: an etcd interface in front of a SQL database or NATS.

use std::ffi::OsString;
use std::path::Path;

use crate::server::{Server, at_once, directory, is_a_server};
use crate::{CommandSpec, Distribution, Error, free_ports};

/// A running kine. Dropping it ends its process; the store behind it stays as it is.
#[derive(Debug)]
pub struct Kine {
    server: Server,
}

is_a_server!(Kine);

impl Kine {
    /// Starts one in front of the store at `endpoint`, such as `nats://user:password@host:port?bucket=a`,
    /// and returns when it listens, which it does once it has read what the store holds. `authority` is the
    /// PEM text of the authority of a store that speaks TLS.
    pub async fn start(endpoint: &str, authority: Option<&str>) -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("kine")?;
        let directory = directory("flotilla-kine-")?;
        let [port, metrics] = free_ports()?;
        let mut arguments: Vec<OsString> = vec![
            format!("--listen-address=http://127.0.0.1:{port}").into(),
            format!("--metrics-bind-address=127.0.0.1:{metrics}").into(),
        ];
        if let Some(authority) = authority {
            let file = directory.path().join("ca.crt");
            std::fs::write(&file, authority).map_err(Error::file("write", &file))?;
            arguments.push(joined("--ca-file=", &file));
        }
        // Not an argument: it holds a password.
        let mut spec = CommandSpec::new("kine", program, directory.path().join("kine.log")).args(arguments);
        spec.env.push(("KINE_ENDPOINT".into(), endpoint.into()));
        Ok(Self { server: Server::start(spec, port, None, directory, at_once).await? })
    }

    /// Its address, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.endpoint())
    }
}

fn joined(flag: &str, file: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(file);
    argument
}
