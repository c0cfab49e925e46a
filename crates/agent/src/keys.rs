//! The hub's public keys, asked for again when somebody shows a token that none of them signed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use authn::{Identity, Refusal, Verifier};
use base::Clock;
use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uplink::{CallError, Hub};

/// Whoever sends wrong tokens makes the agent ask the hub no more often than this.
const PAUSE: Duration = Duration::from_secs(10);

/// Why the keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The hub was not reached.
    #[error("failed to ask the hub for its keys")]
    Call(#[from] CallError),
    /// What it said is no set of keys.
    #[error("the hub's keys are no JWK set; see whether the versions of agent and hub fit")]
    Malformed(#[from] serde_json::Error),
}

/// Verifies identities for one cluster.
pub struct Keys {
    hub: Hub,
    issuer: String,
    cluster: String,
    clock: Arc<dyn Clock>,
    verifier: RwLock<Arc<Verifier>>,
    /// When the hub was last asked because of a token.
    asked: Mutex<Option<Instant>>,
}

impl Keys {
    /// Begins with the keys of the registration.
    ///
    /// # Errors
    /// [`KeysError::Malformed`] if they are none.
    pub fn new(
        hub: Hub,
        issuer: &str,
        cluster: &str,
        keys: &Value,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeysError> {
        let verifier = RwLock::new(Arc::new(read(issuer, keys)?));
        let (issuer, cluster) = (issuer.to_owned(), cluster.to_owned());
        Ok(Self { hub, issuer, cluster, clock, verifier, asked: Mutex::new(None) })
    }

    /// Whom a token names.
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        match self.look(token) {
            Err(Refusal::Foreign) if self.ask_again().await => self.look(token),
            verdict => verdict,
        }
    }

    /// Asks the hub for its keys, so that those that it no longer has are not believed any more.
    ///
    /// # Errors
    /// [`KeysError`]; the old ones stay then.
    pub async fn refresh(&self) -> Result<(), KeysError> {
        let verifier = Arc::new(read(&self.issuer, &self.hub.keys().await?)?);
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = verifier;
        Ok(())
    }

    fn look(&self, token: &str) -> Result<Identity, Refusal> {
        let verifier = Arc::clone(&self.verifier.read().unwrap_or_else(PoisonError::into_inner));
        verifier.verify(token, &self.cluster, self.clock.now())
    }

    /// Whether the keys may be others now. Requests that come together wait for one answer.
    async fn ask_again(&self) -> bool {
        let came = Instant::now();
        let mut asked = self.asked.lock().await;
        if let Some(last) = *asked {
            // Somebody else asked while this one waited.
            if last >= came {
                return true;
            }
            if last.elapsed() < PAUSE {
                return false;
            }
        }
        *asked = Some(Instant::now());
        let refreshed = self.refresh().await;
        *asked = Some(Instant::now());
        if let Err(error) = &refreshed {
            tracing::warn!(%error, "a token was signed by no known key, and the hub's keys could not be had");
        }
        refreshed.is_ok()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn read(issuer: &str, keys: &Value) -> Result<Verifier, serde_json::Error> {
    Ok(Verifier::new(issuer, &serde_json::from_value::<JwkSet>(keys.clone())?))
}
