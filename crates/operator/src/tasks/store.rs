//! The tenant's place in its store, reached as the tenant.

use std::path::Path;

use clap::Args;
use datastore::{Connection, Driver, Login, Store, TenantSpace, Tls};
use pki::{Pair, PrivateKey};

use super::TaskError;
use super::place::{read, read_optional};

/// Where the store is.
#[derive(Debug, Args)]
pub(super) struct StoreArguments {
    /// Kind of the store: etcd, PostgreSQL, MySQL or NATS
    #[arg(long)]
    pub(super) driver: String,
    /// Address of the store, `host:port`
    #[arg(long = "endpoint", required = true)]
    endpoints: Vec<String>,
}

impl StoreArguments {
    /// Signs in as the tenant, with the Secrets that its own pods mount.
    pub(super) async fn connect(&self, secrets: &Path) -> Result<(Store, TenantSpace), TaskError> {
        let config = secrets.join("config");
        let user = read(&config.join("DB_USER")).await?;
        let schema = read(&config.join("DB_SCHEMA")).await?;
        let driver = self.driver()?;
        let login = match driver {
            Driver::Etcd => None,
            _ => Some(Login { username: user.clone(), password: read(&config.join("DB_PASSWORD")).await? }),
        };
        let tls = tls(&secrets.join("certificate")).await?;
        let connection = Connection { driver, endpoints: self.endpoints.clone(), login, tls };
        Ok((Store::connect(&connection).await?, TenantSpace { schema, user }))
    }

    fn driver(&self) -> Result<Driver, TaskError> {
        match self.driver.as_str() {
            "etcd" => Ok(Driver::Etcd),
            "PostgreSQL" => Ok(Driver::PostgreSql),
            "MySQL" => Ok(Driver::MySql),
            "NATS" => Ok(Driver::Nats),
            other => Err(TaskError::Driver(other.to_owned())),
        }
    }
}

async fn tls(directory: &Path) -> Result<Option<Tls>, TaskError> {
    let Some(certificate_authority) = read_optional(&directory.join("ca.crt")).await? else {
        return Ok(None);
    };
    let certificate = read_optional(&directory.join("server.crt")).await?;
    let private_key = read_optional(&directory.join("server.key")).await?;
    let client = certificate.zip(private_key).map(|(certificate, private_key)| Pair {
        certificate,
        private_key: PrivateKey::from_pem(private_key),
    });
    Ok(Some(Tls { certificate_authority, certificate_authority_key: None, client }))
}
