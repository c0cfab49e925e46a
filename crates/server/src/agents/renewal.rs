//! Tokens of agents are replaced every month, and when somebody asks for it. The old one is taken until the new one was
//! used; what comes with it afterwards is not the agent.

use std::time::Duration;

use api::names::annotations::ROTATE_AGENT;
use authn::Kind;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::reflector::ObjectRef;
use serde_json::json;
use zeroize::Zeroizing;

use super::Admission;
use super::admission::{IMPORTED_BY, LABEL};
use crate::hub::Hub;
use crate::problem::{Code, Problem};

/// How long a token is used.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 30);
/// On the Secret of a token that was not used yet: name of the one whose token it replaces.
pub(super) const REPLACES: &str = "flotilla.dev/replaces";
/// On the Secret of a token that was replaced. It is kept to know the token again.
const REPLACED: &str = "flotilla.dev/replaced";
const TRUE: &str = "true";
/// How often it is looked whether a token is to be replaced.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so many looks it is asked whether the token is still taken: another replica may have seen a newer one.
const ASK_AFTER: usize = 120;

/// An agent that was let in by its token.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// Its cluster.
    pub(crate) cluster: String,
    /// Secret with the digest of its token.
    pub(super) secret: String,
    /// When the token was made.
    pub(super) made: Timestamp,
    /// Secret of the token that this one replaces, if it was not used before.
    pub(super) replaces: Option<String>,
    /// Secret of the import token that it was given for, if it was not used before.
    pub(super) import: Option<String>,
}

impl Admitted {
    /// Whether the token is to be replaced.
    pub(crate) fn is_due(&self, hub: &Hub) -> bool {
        let live = hub.caches.imported.get(&ObjectRef::new(&self.cluster));
        let asked = live.and_then(|live| live.annotations().get(ROTATE_AGENT)?.parse().ok());
        is_due(self.made, asked, hub.now())
    }
}

/// A token that was made when is to be replaced by now, if somebody asked for that at a time.
fn is_due(made: Timestamp, asked: Option<Timestamp>, now: Timestamp) -> bool {
    now >= made + LASTS || asked.is_some_and(|asked| asked > made && asked <= now)
}

/// Whether a Secret is of a token that was replaced.
pub(super) fn is_replaced(secret: &Secret) -> bool {
    secret.labels().contains_key(REPLACED)
}

impl Admission<'_> {
    /// A new token for one that is to be replaced.
    pub(crate) async fn renew(&self, admitted: &Admitted) -> Result<Zeroizing<String>, Problem> {
        if !admitted.is_due(self.hub) {
            return Err(Problem::new(Code::Exists, "the token is not due; keep it"));
        }
        // An agent that asks again has not got the answer.
        let unused = ListParams::default().labels(&format!("{REPLACES}={}", admitted.secret));
        self.secrets.delete_collection(&DeleteParams::default(), &unused).await?;
        self.keep(Kind::Agent, &admitted.cluster, Some((REPLACES, &admitted.secret))).await
    }

    /// A token was used: what it was given for is of no use from now on. Of those that were replaced the last one is
    /// kept.
    pub(crate) async fn used(&self, admitted: &Admitted) -> Result<(), Problem> {
        if let Some(import) = &admitted.import {
            match self.secrets.delete(import, &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => {}
                deleted => drop(deleted?),
            }
            let done = Patch::Merge(json!({ "metadata": { "labels": { IMPORTED_BY: null } } }));
            self.secrets.patch_metadata(&admitted.secret, &PatchParams::default(), &done).await?;
        }
        let Some(old) = &admitted.replaces else { return Ok(()) };
        let earlier = format!("{LABEL}={},{REPLACED}={TRUE}", admitted.cluster);
        let earlier = ListParams::default().labels(&earlier);
        self.secrets.delete_collection(&DeleteParams::default(), &earlier).await?;
        let label = |key: &str, value: Option<&str>| {
            Patch::Merge(json!({ "metadata": { "labels": { key: value } } }))
        };
        let parameters = PatchParams::default();
        match self.secrets.patch_metadata(old, &parameters, &label(REPLACED, Some(TRUE))).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            patched => drop(patched?),
        }
        self.secrets.patch_metadata(&admitted.secret, &parameters, &label(REPLACES, None)).await?;
        self.hub.agents.close(&admitted.cluster);
        tracing::info!(cluster = admitted.cluster, "an agent has a new token");
        Ok(())
    }

    /// Whether a token that was taken still is.
    async fn holds(&self, admitted: &Admitted) -> bool {
        match self.secrets.get_opt(&admitted.secret).await {
            Ok(secret) => secret.is_some_and(|secret| !is_replaced(&secret)),
            // It is asked again.
            Err(_) => true,
        }
    }
}

/// Waits until a connection is to be made anew, since its token is not taken any more, or has become due: whoever
/// connects with one that is due is told so.
pub(super) async fn outdated(hub: &Hub, admitted: &Admitted) {
    let was_due = admitted.is_due(hub);
    loop {
        for _ in 0..ASK_AFTER {
            tokio::time::sleep(LOOK_EVERY).await;
            if !was_due && admitted.is_due(hub) {
                return;
            }
        }
        if !Admission::new(hub).holds(admitted).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::is_due;

    #[test]
    fn a_token_is_replaced_after_a_month_or_when_somebody_asks() {
        let made = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |hours| made + SignedDuration::from_hours(hours);
        assert!(!is_due(made, None, after(24 * 30 - 1)) && is_due(made, None, after(24 * 30)));
        assert!(is_due(made, Some(after(1)), after(2)));
        assert!(!is_due(made, Some(made), after(2)), "it was made after that");
        assert!(!is_due(made, Some(after(3)), after(2)), "a time to come would never end");
    }
}
