//! A NATS server on loopback for tests, gone when the value is dropped.

use std::path::Path;

use crate::server::{Server, at_once, certify, directory, is_a_server};
use crate::{CommandSpec, Distribution, Error, free_ports, write_private};

/// A running NATS server with `JetStream`. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct Nats {
    server: Server,
}

is_a_server!(Nats);

impl Nats {
    /// The user that the server knows.
    pub const USER: &str = "root";
    /// That user's password.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts one without encryption and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(false).await
    }

    /// Starts one that speaks TLS with a certificate for 127.0.0.1 and localhost.
    pub async fn start_with_tls() -> Result<Self, Error> {
        Self::start_with(true).await
    }

    async fn start_with(encrypted: bool) -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("nats-server")?;
        let directory = directory("flotilla-nats-")?;
        let here = directory.path();
        let authority = if encrypted { Some(certify(here)?) } else { None };
        let [port] = free_ports()?;
        let file = here.join("nats.conf");
        write_private(&file, &settings(here, port, encrypted))?;
        let log = here.join("nats.log");
        let spec = CommandSpec::new("nats-server", program, log).args(["-c".as_ref(), file.as_os_str()]);
        Ok(Self { server: Server::start(spec, port, authority, directory, at_once).await? })
    }
}

/// The server's settings.
fn settings(directory: &Path, port: u16, encrypted: bool) -> String {
    let directory = directory.display();
    let tls = if encrypted {
        format!("tls {{ cert_file: \"{directory}/server.crt\", key_file: \"{directory}/server.key\" }}\n")
    } else {
        String::new()
    };
    format!(
        "listen: \"127.0.0.1:{port}\"\nserver_name: test\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{directory}/data\", max_file_store: 4GB, max_memory_store: 256MB }}\n\
         authorization {{ user: {}, password: \"{}\" }}\n{tls}",
        Nats::USER,
        Nats::PASSWORD
    )
}
