//! Whether the management cluster serves Gateway API, now or from some moment on.

use std::time::Duration;

use api::gateway_api::{GROUP, TLS_ROUTE, VERSION};
use futures::FutureExt;
use futures::future::BoxFuture;
use kube::Client;
use tokio::sync::watch;

/// How often a cluster without Gateway API is asked for it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Whether the cluster serves TLS routes in the version that is used here.
pub(crate) async fn serves_tls_routes(client: &Client) -> Result<bool, kube::Error> {
    match client.list_api_group_resources(&format!("{GROUP}/{VERSION}")).await {
        Ok(served) => Ok(served.resources.iter().any(|resource| resource.kind == TLS_ROUTE)),
        // By its code: the API server answers for a group that it does not know with text, not a Status.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is known of Gateway API in the cluster.
#[derive(Clone, Debug)]
pub(crate) struct GatewayApi(watch::Receiver<bool>);

impl GatewayApi {
    /// Asks the cluster once, then again as long as it answers no: by the future that is returned, which
    /// never ends.
    pub(crate) async fn discover(client: &Client) -> Result<(Self, BoxFuture<'static, ()>), kube::Error> {
        let (tell, told) = watch::channel(serves_tls_routes(client).await?);
        let client = client.clone();
        let looking = async move {
            while !*tell.borrow() {
                tokio::time::sleep(LOOK_EVERY).await;
                match serves_tls_routes(&client).await {
                    Ok(served) => {
                        tell.send_replace(served);
                    }
                    Err(error) => tracing::debug!(%error, "asking for Gateway API"),
                }
            }
            tell.closed().await;
            std::future::pending::<()>().await;
        };
        Ok((Self(told), looking.boxed()))
    }

    /// Whether the cluster is known to serve it.
    pub(crate) fn is_served(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it does.
    pub(crate) async fn served(mut self) {
        if self.0.wait_for(|served| *served).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
