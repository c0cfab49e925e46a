//! The store as its administrator sees it.

use anyhow::{Result, bail, ensure};
use etcd_client::{Certificate, Client, ConnectOptions, GetOptions, Identity, TlsOptions};
use stage::Stage;

/// A connection with all rights.
pub(crate) struct StoreView(Client);

impl StoreView {
    pub(crate) async fn open(stage: &mut Stage) -> Result<Self> {
        let store = stage.store();
        let (root, authority) = (store.root(), &store.authority().certificate);
        let tls = TlsOptions::new()
            .ca_certificate(Certificate::from_pem(authority))
            .identity(Identity::from_pem(&root.certificate, root.private_key.expose_pem()));
        let url = format!("https://{}", store.endpoint());
        Ok(Self(Client::connect([url], Some(ConnectOptions::new().with_tls(tls))).await?))
    }

    /// Puts something there as a tenant would.
    pub(crate) async fn fill(&mut self, schema: &str) -> Result<()> {
        self.0.put(format!("/{schema}/registry/configmaps/default/kept"), "data", None).await?;
        Ok(())
    }

    /// Fails if anything of a tenant is left.
    pub(crate) async fn holds_nothing(&mut self, (schema, user): &(String, String)) -> Result<()> {
        let prefix = Some(GetOptions::new().with_prefix());
        let keys = self.0.get(format!("/{schema}/"), prefix).await?.count();
        ensure!(keys == 0, "{keys} keys are left under /{schema}/");
        if self.0.user_list().await?.users().contains(user) {
            bail!("user {user} is left");
        }
        if self.0.role_list().await?.roles().contains(schema) {
            bail!("role {schema} is left");
        }
        Ok(())
    }
}
