//! An `OpenLDAP` server of this machine for tests, gone when the value is dropped.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapResult, Mod};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::server::{
    LOOPBACK, Server, at_once, certify_at, finish, home, installed, is_a_server, own, unprivileged,
};
use crate::{Error, free_ports, write_private};

/// Where Debian puts what the server reads.
const SCHEMAS: &str = "/etc/ldap/schema";
const MODULES: &str = "/usr/lib/ldap";

/// A running `OpenLDAP` that speaks TLS and knows people and groups. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct OpenLdap {
    server: Server,
    /// Where it is asked for TLS after the connection was made.
    plain: SocketAddr,
}

is_a_server!(OpenLdap);

impl OpenLdap {
    /// Below which everything is.
    pub const SUFFIX: &str = "dc=example,dc=com";
    /// Who may do everything.
    pub const ADMINISTRATOR: &str = "cn=admin,dc=example,dc=com";
    /// The administrator's password.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts one with people, each with a password of `<name>-password`, and groups with their members.
    pub async fn start(people: &[&str], groups: &[(&str, &[&str])]) -> Result<Self, Error> {
        Self::start_at(LOOPBACK, people, groups).await
    }

    /// The same at an address of this machine.
    pub async fn start_at(
        address: IpAddr,
        people: &[&str],
        groups: &[(&str, &[&str])],
    ) -> Result<Self, Error> {
        let directory = home("flotilla-openldap-")?;
        let here = directory.path();
        let authority = certify_at(address, here)?;
        let data = here.join("data");
        std::fs::create_dir(&data).map_err(Error::file("create", &data))?;
        own(&data)?;
        let [port, plain] = free_ports()?;
        for (name, text) in [("slapd.conf", settings(here)), ("content.ldif", content(people, groups))] {
            let file = here.join(name);
            write_private(&file, &text)?;
            own(&file)?;
        }
        let program = installed(&[PathBuf::from("/usr/sbin/slapd")], "slapd")?;
        let conf = here.join("slapd.conf").display().to_string();
        let content = here.join("content.ldif").display().to_string();
        // The program loads data under another name of its own.
        let load = ["-T", "add", "-f", &conf, "-l", &content].map(str::to_owned);
        finish(&unprivileged("slapadd", &program, load, here.join("slapadd.log"))).await?;
        let plain = SocketAddr::from((address, plain));
        let listen = format!("ldaps://{address}:{port}/ ldap://{plain}/");
        let serve = ["-d", "256", "-f", &conf, "-h", &listen].map(str::to_owned);
        let spec = unprivileged("slapd", &program, serve, here.join("slapd.log"));
        Ok(Self {
            server: Server::start_at((address, port).into(), spec, Some(authority), directory, at_once)
                .await?,
            plain,
        })
    }

    /// `ldaps://<address>:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldaps://{}", self.server.endpoint())
    }

    /// `ldap://<address>:<port>`, where nobody is told anything but over TLS that is asked for there.
    #[must_use]
    pub fn url_of_start_tls(&self) -> String {
        format!("ldap://{}", self.plain)
    }

    /// Takes somebody out of a group.
    pub async fn remove_member(&self, group: &str, name: &str) -> Result<(), Error> {
        let member = Self::person(name);
        let change = vec![Mod::Delete("member", [member.as_str()].into())];
        let mut administrator = self.administrator().await?;
        changed(administrator.modify(&Self::group(group), change).await)
    }

    /// Removes somebody.
    pub async fn remove_person(&self, name: &str) -> Result<(), Error> {
        let mut administrator = self.administrator().await?;
        changed(administrator.delete(&Self::person(name)).await)
    }

    /// A connection with all rights.
    async fn administrator(&self) -> Result<Ldap, Error> {
        let mut roots = rustls::RootCertStore::empty();
        let authority = self.server.authority().map(|pair| pair.certificate.as_bytes()).unwrap_or_default();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(authority).filter_map(Result::ok));
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let settings = LdapConnSettings::new().set_config(Arc::new(tls));
        let connected = LdapConnAsync::with_settings(settings, &self.url()).await;
        let (connection, mut ldap) = connected.map_err(|source| Error::Directory { source })?;
        tokio::spawn(connection.drive());
        changed(ldap.simple_bind(Self::ADMINISTRATOR, Self::PASSWORD).await)?;
        Ok(ldap)
    }

    /// The entry of somebody.
    #[must_use]
    pub fn person(name: &str) -> String {
        format!("uid={name},ou=people,{}", Self::SUFFIX)
    }

    /// The entry of a group.
    #[must_use]
    pub fn group(name: &str) -> String {
        format!("cn={name},ou=groups,{}", Self::SUFFIX)
    }
}

fn changed(outcome: ldap3::result::Result<LdapResult>) -> Result<(), Error> {
    outcome.and_then(LdapResult::success).map(drop).map_err(|source| Error::Directory { source })
}

fn settings(here: &Path) -> String {
    let schemas =
        ["core", "cosine", "inetorgperson"].map(|name| format!("include {SCHEMAS}/{name}.schema\n"));
    let here = here.display();
    format!(
        "{}modulepath {MODULES}\nmoduleload back_mdb\npidfile {here}/slapd.pid\n\
         TLSCACertificateFile {here}/ca.crt\nTLSCertificateFile {here}/server.crt\n\
         TLSCertificateKeyFile {here}/server.key\nsecurity tls=1\n\
         database mdb\nsuffix \"{}\"\nrootdn \"{}\"\nrootpw {}\ndirectory {here}/data\nmaxsize 16777216\n",
        schemas.concat(),
        OpenLdap::SUFFIX,
        OpenLdap::ADMINISTRATOR,
        OpenLdap::PASSWORD,
    )
}

fn content(people: &[&str], groups: &[(&str, &[&str])]) -> String {
    let suffix = OpenLdap::SUFFIX;
    let mut text =
        format!("dn: {suffix}\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n");
    for unit in ["people", "groups"] {
        // Writing into a String does not fail.
        let _ = write!(text, "\ndn: ou={unit},{suffix}\nobjectClass: organizationalUnit\nou: {unit}\n");
    }
    for name in people {
        let entry = OpenLdap::person(name);
        let _ = write!(
            text,
            "\ndn: {entry}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n\
             mail: {name}@example.com\nuserPassword: {name}-password\n",
        );
    }
    for (name, members) in groups {
        let entry = OpenLdap::group(name);
        let _ = write!(text, "\ndn: {entry}\nobjectClass: groupOfNames\ncn: {name}\n");
        for member in *members {
            let _ = writeln!(text, "member: {}", OpenLdap::person(member));
        }
    }
    text
}
