//! An etcd of a test as its administrator reaches it.

use datastore::{Connection, Driver, Tls};
use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};
use launcher::Etcd;

pub(crate) fn connection(etcd: &Etcd) -> Connection {
    let authority = etcd.authority();
    Connection {
        driver: Driver::Etcd,
        login: None,
        endpoints: vec![etcd.endpoint()],
        tls: Some(Tls {
            certificate_authority: authority.certificate.clone(),
            certificate_authority_key: Some(authority.private_key.clone()),
            client: Some(etcd.root().clone()),
        }),
    }
}

/// A client that may do everything.
pub(crate) async fn administrator(etcd: &Etcd) -> Client {
    let root = etcd.root();
    let tls = TlsOptions::new()
        .ca_certificate(Certificate::from_pem(&etcd.authority().certificate))
        .identity(Identity::from_pem(&root.certificate, root.private_key.expose_pem()));
    let url = format!("https://{}", etcd.endpoint());
    Client::connect([url], Some(ConnectOptions::new().with_tls(tls))).await.unwrap()
}
