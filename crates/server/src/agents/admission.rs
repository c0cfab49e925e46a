//! Who may connect: import tokens, each for one cluster, one agent and a time; and tokens of agents that were let in.
//! Digests are kept in Secrets that go with the cluster.

use authn::{Kind, Presented};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::renewal::{Admitted, REPLACES, is_replaced};
use super::{is_right, mint, secret_name};
use crate::hub::Hub;
use crate::problem::{Code, Problem};

/// How long an import token can be used.
const IMPORT_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// How long an import token can be used again by the cluster that it was used by, until its agent has come.
const AGAIN_FOR: SignedDuration = SignedDuration::from_mins(10);
/// On the Secret of an import token that was used: the uid of the cluster.
const REGISTERED: &str = "flotilla.dev/registered";
/// On the Secret of an agent's token that was not used yet: name of that of the import token.
pub(super) const IMPORTED_BY: &str = "flotilla.dev/imported-by";
/// On the Secret of an agent's token: the cluster.
pub(super) const LABEL: &str = "flotilla.dev/agent-of";
const CLUSTER: &str = "cluster";
const MADE: &str = "made";
const DIGEST: &str = "digest";
const EXPIRES: &str = "expires";

/// Tokens of agents.
pub(crate) struct Admission<'a> {
    pub(super) hub: &'a Hub,
    pub(super) secrets: Api<Secret>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(hub: &'a Hub) -> Self {
        Self { hub, secrets: Api::namespaced(hub.client.clone(), &hub.settings.namespace) }
    }

    /// A token by which a cluster can be imported once.
    pub(crate) async fn import_token(
        &self,
        cluster: &str,
    ) -> Result<(Zeroizing<String>, Timestamp), Problem> {
        let expires = self.hub.now() + IMPORT_LASTS;
        let token = self.keep(Kind::Import, cluster, None).await?;
        Ok((token, expires))
    }

    /// The cluster that a token imports, while it can be used. It is not used up by this.
    pub(crate) async fn importable(&self, token: &str) -> Result<String, Problem> {
        self.find(Kind::Import, token).await.map(|(cluster, _)| cluster)
    }

    /// Uses an import token for a cluster of a uid and answers with the agent's own. Of two clusters that come with it
    /// one is let in; that one may come again until its agent has come, since an answer can be lost. What an earlier
    /// agent of the cluster has is of no use any more.
    pub(crate) async fn admit(
        &self,
        import_token: &str,
        uid: &str,
    ) -> Result<(String, Zeroizing<String>), Problem> {
        let (cluster, secret) = self.find(Kind::Import, import_token).await?;
        let import = secret.name_any();
        if let Some(used) = used(&secret, uid, self.hub.now())? {
            match self.secrets.patch(&import, &PatchParams::default(), &Patch::Merge(used)).await {
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return Err(unknown()),
                patched => drop(patched?),
            }
        }
        let earlier = ListParams::default().labels(&format!("{LABEL}={cluster}"));
        self.secrets.delete_collection(&DeleteParams::default(), &earlier).await?;
        self.hub.agents.close(&cluster);
        let token = self.keep(Kind::Agent, &cluster, Some((IMPORTED_BY, &import))).await?;
        Ok((cluster, token))
    }

    /// The agent by its token. One that was replaced is refused once the newer one was used: whoever has it still is not
    /// the agent.
    pub(crate) async fn agent(&self, token: &str) -> Result<Admitted, Problem> {
        let (cluster, secret) = self.find(Kind::Agent, token).await?;
        if is_replaced(&secret) {
            return Err(Problem::new(
                Code::Unauthenticated,
                format!(
                    "this token of the agent of cluster `{cluster}` was replaced by a newer one; if the agent did not \
                     send it, it was stolen before"
                ),
            ));
        }
        let made = text(&secret, MADE).and_then(|text| text.parse().ok());
        let created = || secret.metadata.creation_timestamp.as_ref().map(|created| created.0);
        let made = made.or_else(created).unwrap_or_else(|| self.hub.now());
        let replaces = secret.labels().get(REPLACES).cloned();
        let import = secret.labels().get(IMPORTED_BY).cloned();
        Ok(Admitted { cluster, secret: secret.name_any(), made, replaces, import })
    }

    /// Makes a token and keeps its digest. A label of its Secret may say where it comes from.
    pub(super) async fn keep(
        &self,
        kind: Kind,
        cluster: &str,
        origin: Option<(&str, &str)>,
    ) -> Result<Zeroizing<String>, Problem> {
        let (minted, name) = mint(kind).map_err(|error| Problem::internal(&error))?;
        let owner = self.hub.caches.imported.get(&ObjectRef::new(cluster));
        let owner = owner.and_then(|cluster| cluster.controller_owner_ref(&()));
        let owner = owner.ok_or_else(|| Problem::not_found("clusters", cluster))?;
        let of_agent = (kind == Kind::Agent).then(|| (LABEL.to_owned(), cluster.to_owned()));
        let origin = origin.map(|(label, secret)| (label.to_owned(), secret.to_owned()));
        let labels = Some(of_agent.into_iter().chain(origin).collect());
        let now = self.hub.now();
        let time = match kind {
            Kind::Import => (EXPIRES, now + IMPORT_LASTS),
            _ => (MADE, now),
        };
        let data = [
            (CLUSTER, cluster.as_bytes().to_vec()),
            (DIGEST, minted.digest.0.to_vec()),
            (time.0, time.1.to_string().into_bytes()),
        ];
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name),
                labels,
                owner_references: Some(vec![OwnerReference { controller: Some(false), ..owner }]),
                ..ObjectMeta::default()
            },
            data: Some(data.map(|(key, value)| (key.to_owned(), ByteString(value))).into()),
            ..Secret::default()
        };
        self.secrets.create(&PostParams::default(), &secret).await?;
        Ok(minted.text)
    }

    /// The cluster of a token, and its Secret. Which part is wrong is not told.
    async fn find(&self, kind: Kind, token: &str) -> Result<(String, Secret), Problem> {
        let presented =
            Presented::read(token).filter(|presented| presented.kind == kind).ok_or_else(unknown)?;
        let secret = self.secrets.get_opt(&secret_name(kind, presented.id)).await?.ok_or_else(unknown)?;
        let expires: Option<Timestamp> = text(&secret, EXPIRES).and_then(|text| text.parse().ok());
        let is_late = kind == Kind::Import && expires.is_none_or(|expires| expires <= self.hub.now());
        let cluster = text(&secret, CLUSTER).unwrap_or_default().to_owned();
        let live = self.hub.caches.imported.get(&ObjectRef::new(&cluster));
        let is_its_own = live.is_some_and(|live| {
            live.meta().deletion_timestamp.is_none()
                && secret.owner_references().iter().any(|owner| Some(&owner.uid) == live.meta().uid.as_ref())
        });
        if is_late || !is_its_own || !is_right(&presented, value(&secret, DIGEST).unwrap_or_default()) {
            return Err(unknown());
        }
        Ok((cluster, secret))
    }
}

/// What is to be noted on the Secret of an import token that a cluster uses; nothing if it was. Somebody who used it at
/// the same time makes the version another.
fn used(secret: &Secret, uid: &str, now: Timestamp) -> Result<Option<Value>, Problem> {
    match secret.annotations().get(REGISTERED) {
        Some(by) if by == uid => return Ok(None),
        Some(_) => return Err(unknown()),
        None => {}
    }
    let known: Option<Timestamp> = text(secret, EXPIRES).and_then(|text| text.parse().ok());
    let expires = known.map_or(now, |known| known.min(now + AGAIN_FOR));
    Ok(Some(json!({
        "metadata": { "resourceVersion": secret.resource_version(), "annotations": { REGISTERED: uid } },
        "stringData": { EXPIRES: expires },
    })))
}

fn value<'a>(secret: &'a Secret, key: &str) -> Option<&'a [u8]> {
    secret.data.as_ref()?.get(key).map(|value| &*value.0)
}

fn text<'a>(secret: &'a Secret, key: &str) -> Option<&'a str> {
    std::str::from_utf8(value(secret, key)?).ok()
}

fn unknown() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "the token is not known, was used, or has expired; make another one for the import and apply its manifest",
    )
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use k8s_openapi::ByteString;
    use k8s_openapi::api::core::v1::Secret;

    use super::{AGAIN_FOR, EXPIRES, used};

    #[test]
    fn a_token_that_was_used_is_its_clusters_and_not_for_long() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let expiring = |expires: Timestamp| Secret {
            data: Some([(EXPIRES.to_owned(), ByteString(expires.to_string().into_bytes()))].into()),
            ..Secret::default()
        };
        let (soon, late) = (now + SignedDuration::from_mins(1), now + SignedDuration::from_hours(20));
        let noted = used(&expiring(late), "a", now).unwrap().unwrap();
        assert_eq!(noted["stringData"][EXPIRES], (now + AGAIN_FOR).to_string());
        let noted = used(&expiring(soon), "a", now).unwrap().unwrap();
        assert_eq!(noted["stringData"][EXPIRES], soon.to_string());
        let mut known = expiring(soon);
        known.metadata.annotations =
            serde_json::from_value(noted["metadata"]["annotations"].clone()).unwrap();
        assert_eq!(used(&known, "a", now).unwrap(), None, "it lasts no longer for being used again");
        assert!(used(&known, "b", now).is_err());
    }
}
