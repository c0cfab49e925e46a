//! An S3 service on loopback for tests, gone when the value is dropped.

use std::path::PathBuf;

use pki::Pair;

use crate::server::{Server, at_once, certify, directory, is_a_server};
use crate::{CommandSpec, Distribution, Error, free_ports};

/// A running service (versitygw on a directory) that speaks TLS and has one bucket. Dropping it ends its
/// process and removes its data.
#[derive(Debug)]
pub struct S3 {
    server: Server,
    authority: Pair,
}

is_a_server!(S3);

impl S3 {
    /// The bucket that exists.
    pub const BUCKET: &str = "backups";
    /// Access key ID of the owner.
    pub const ACCESS_KEY_ID: &str = "flotilla";
    /// Secret access key of the owner.
    pub const SECRET_ACCESS_KEY: &str = "correct-horse-battery";

    /// Starts one and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("versitygw")?;
        let directory = directory("flotilla-s3-")?;
        let authority = certify(directory.path())?;
        let at = |name: &str| directory.path().join(name);
        for place in [at("data").join(Self::BUCKET), at("sidecar")] {
            std::fs::create_dir_all(&place).map_err(Error::file("create", &place))?;
        }
        let [port] = free_ports()?;
        let spec = CommandSpec::new("versitygw", program, at("s3.log"))
            .args([format!("--access={}", Self::ACCESS_KEY_ID)])
            .args([format!("--secret={}", Self::SECRET_ACCESS_KEY)])
            .args([format!("--port=127.0.0.1:{port}")])
            .args([format!("--cert={}", at("server.crt").display())])
            .args([format!("--key={}", at("server.key").display()), "posix".to_owned()])
            .args([format!("--sidecar={}", at("sidecar").display()), at("data").display().to_string()]);
        Ok(Self { server: Server::start(spec, port, None, directory, at_once).await?, authority })
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://{}", self.server.endpoint())
    }

    /// The authority that signed its certificate.
    #[must_use]
    pub fn authority(&self) -> &Pair {
        &self.authority
    }

    /// Where an object of the bucket lies.
    #[must_use]
    pub fn object(&self, key: &str) -> PathBuf {
        self.server.directory().join("data").join(Self::BUCKET).join(key)
    }
}
