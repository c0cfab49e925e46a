//! Real etcds on loopback, with authentication on.

use base::{Clock, SystemClock};
use datastore::{Connection, EtcdStore, TenantSpace, Tls};
use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};
use launcher::Etcd;
use pki::{CertificateAuthority, CertificatePlan, Pair};

/// A store and its administrator.
pub(crate) struct Stage {
    pub(crate) etcd: Etcd,
    pub(crate) store: EtcdStore,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let etcd = Etcd::start().await.unwrap();
        let store = EtcdStore::connect(&connection(&etcd)).await.unwrap();
        store.enable_authentication().await.unwrap();
        Self { etcd, store }
    }

    /// A client with all rights.
    pub(crate) async fn root(&self) -> Client {
        client(&self.etcd, self.etcd.root()).await
    }

    /// A client as a tenant's API server is one.
    pub(crate) async fn tenant(&self, space: &TenantSpace) -> Client {
        let authority = CertificateAuthority::from_pair(self.etcd.authority().clone()).unwrap();
        let nobody: [&str; 0] = [];
        let plan = CertificatePlan::client(space.user.as_str(), nobody);
        let pair = plan.issue(&authority, SystemClock.now()).unwrap();
        client(&self.etcd, &pair).await
    }
}

pub(crate) fn connection(etcd: &Etcd) -> Connection {
    let authority = etcd.authority();
    Connection {
        endpoints: vec![etcd.endpoint()],
        tls: Some(Tls {
            certificate_authority: authority.certificate.clone(),
            certificate_authority_key: Some(authority.private_key.clone()),
            client: Some(etcd.root().clone()),
        }),
    }
}

pub(crate) fn space(name: &str) -> TenantSpace {
    TenantSpace { schema: name.to_owned(), user: name.to_owned() }
}

async fn client(etcd: &Etcd, pair: &Pair) -> Client {
    let tls = TlsOptions::new()
        .ca_certificate(Certificate::from_pem(&etcd.authority().certificate))
        .identity(Identity::from_pem(&pair.certificate, pair.private_key.expose_pem()));
    let url = format!("https://{}", etcd.endpoint());
    Client::connect([url], Some(ConnectOptions::new().with_tls(tls))).await.unwrap()
}
