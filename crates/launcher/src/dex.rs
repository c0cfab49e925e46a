//! Dex, an `OpenID` Connect provider, of this machine for tests, gone when the value is dropped.

use std::net::SocketAddr;

use crate::server::{Server, at_once, certify_at, directory, is_a_server};
use crate::{CommandSpec, Distribution, Error, OpenLdap, free_ports, write_private};

/// A running Dex whose people and groups are those of a directory. Dropping it ends its process; it keeps nothing.
#[derive(Debug)]
pub struct Dex {
    server: Server,
}

is_a_server!(Dex);

impl Dex {
    /// The client that it knows.
    pub const CLIENT: &str = "hub";
    /// That client's secret.
    pub const SECRET: &str = "correct-horse-battery";

    /// Starts one beside a directory that sends browsers back to these places, and returns when it listens.
    pub async fn start(people: &OpenLdap, redirect_uris: &[String]) -> Result<Self, Error> {
        let program = Distribution::find(None)?.tool("dex")?;
        let directory = directory("flotilla-dex-")?;
        let here = directory.path();
        let address = people.address();
        let authority = certify_at(address, here)?;
        let of_people = here.join("ldap.crt");
        write_private(&of_people, people.authority().map_or("", |authority| &authority.certificate))?;
        let [port] = free_ports()?;
        let file = here.join("dex.yaml");
        let own = SocketAddr::new(address, port);
        write_private(&file, &settings(&here.display().to_string(), own, &people.endpoint(), redirect_uris))?;
        let log = here.join("dex.log");
        let spec = CommandSpec::new("dex", program, log).args(["serve".as_ref(), file.as_os_str()]);
        Ok(Self { server: Server::start_at(own, spec, Some(authority), directory, at_once).await? })
    }

    /// URL of the issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("https://{}", self.server.endpoint())
    }
}

fn settings(here: &str, own: SocketAddr, ldap: &str, redirect_uris: &[String]) -> String {
    let redirect_uris = redirect_uris.join("\n  - ");
    let (suffix, administrator, password) = (OpenLdap::SUFFIX, OpenLdap::ADMINISTRATOR, OpenLdap::PASSWORD);
    format!(
        "issuer: https://{own}
storage: {{type: memory}}
web: {{https: '{own}', tlsCert: {here}/server.crt, tlsKey: {here}/server.key}}
oauth2: {{skipApprovalScreen: true}}
staticClients:
- id: {client}
  secret: {secret}
  name: Hub
  redirectURIs:
  - {redirect_uris}
connectors:
- type: ldap
  id: ldap
  name: LDAP
  config:
    host: {ldap}
    rootCA: {here}/ldap.crt
    bindDN: {administrator}
    bindPW: {password}
    userSearch: {{baseDN: 'ou=people,{suffix}', username: uid, idAttr: entryUUID, emailAttr: mail, nameAttr: cn, preferredUsernameAttr: uid}}
    groupSearch: {{baseDN: 'ou=groups,{suffix}', userMatchers: [{{userAttr: DN, groupAttr: member}}], nameAttr: cn}}
",
        client = Dex::CLIENT,
        secret = Dex::SECRET,
    )
}
