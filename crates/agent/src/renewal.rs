//! The agent's token is given for a new one when the hub asks for it. The new one is kept before it is used, and the old
//! one is taken until then, so that an agent that stops in between still has one that is right.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use rand::RngExt as _;
use serde_json::json;
use tokio::sync::Mutex;
use uplink::{Backoff, CallError, Credentials, Hub, IDENTITY_SECRET, Session, Token};
use zeroize::Zeroizing;

use crate::Settings;
use crate::cluster::Cluster;

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
enum RenewalError {
    /// The hub was not reached, or refuses.
    #[error("the hub gives no new token")]
    Hub(#[from] CallError),
    /// It could not be kept.
    #[error("failed to keep the new token in Secret `{IDENTITY_SECRET}`")]
    Keep(#[from] kube::Error),
}

/// What renewing needs.
pub(crate) struct Renewal {
    hub: Hub,
    secrets: Api<Secret>,
    credentials: Arc<Credentials>,
    /// Held while a token is renewed: several replicas of the hub may ask for it.
    one_at_a_time: Mutex<()>,
}

impl Renewal {
    pub(crate) fn new(
        settings: &Settings,
        hub: &Hub,
        cluster: &Cluster,
        credentials: &Arc<Credentials>,
    ) -> Self {
        Self {
            hub: hub.clone(),
            secrets: Api::namespaced(cluster.client.clone(), &settings.namespace),
            credentials: Arc::clone(credentials),
            one_at_a_time: Mutex::default(),
        }
    }

    /// Renews a token and ends the connection that was made with it, so that the next one is made with the new. Tries
    /// until it is done or the connection ends: the next one asks again.
    pub(crate) async fn renew(self: Arc<Self>, token: Token, session: Session) {
        let mut backoff = Backoff::default();
        while let Err(error) = self.renew_once(&token).await {
            let is_refusal = matches!(&error, RenewalError::Hub(call) if call.is_refusal());
            let random = rand::rng().random();
            let pause = if is_refusal { backoff.refused(random) } else { backoff.failed(random) };
            let error = anyhow::Error::from(error);
            tracing::warn!(error = format!("{error:#}"), next_try_in = ?pause, "the agent's token was not renewed yet");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = session.ended() => return,
            }
        }
        session.close();
    }

    async fn renew_once(&self, token: &Token) -> Result<(), RenewalError> {
        let _held = self.one_at_a_time.lock().await;
        // Another connection was faster.
        if !Arc::ptr_eq(token, &self.credentials.token()) {
            return Ok(());
        }
        let renewed = Zeroizing::new(self.hub.renew(token).await?.token);
        let patch = Patch::Merge(json!({ "stringData": { "token": renewed.as_str() } }));
        self.secrets.patch(IDENTITY_SECRET, &PatchParams::default(), &patch).await?;
        self.credentials.replace(renewed);
        tracing::info!("the agent's token was renewed");
        Ok(())
    }
}
