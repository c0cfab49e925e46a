//! What a local user signs in with: one Secret of the platform's namespace for each, with the password's hash, the second
//! factor and the passkeys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use authn::{Digest, Enrolment, HashedPassword, PasswordError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::json;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::FIELD_MANAGER;
use crate::hub::Hub;
use crate::problem::Problem;

/// Key of the hash.
pub(crate) const PASSWORD: &str = "password";
/// Key of the second factor's secret, base 32.
pub(crate) const TOTP: &str = "totp";
/// Key of a second factor that was not confirmed yet: [`Pending`].
pub(crate) const PENDING: &str = "totp-pending";
/// Key of the digests of recovery codes: a JSON list of base 64.
pub(crate) const RECOVERY: &str = "recovery-codes";
/// Key of the passkeys: a JSON list of [`KeptPasskey`].
pub(crate) const PASSKEYS: &str = "passkeys";

/// Longest wait for a CPU to hash on, and when it is worth another try after it, in seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: u64 = 5;

/// What is kept of a user's ways to sign in.
#[derive(Default)]
pub(crate) struct Kept {
    /// Of the Secret, if there is one.
    version: Option<String>,
    pub(crate) password: Option<HashedPassword>,
    pub(crate) totp: Option<Enrolment>,
    pub(crate) pending: Option<Pending>,
    pub(crate) recovery: Vec<Digest>,
    pub(crate) passkeys: Vec<KeptPasskey>,
}

impl Kept {
    /// Whether anything is kept at all.
    pub(crate) fn is_there(&self) -> bool {
        self.version.is_some()
    }
}

/// A second factor that somebody begins with.
pub(crate) struct Pending {
    pub(crate) enrolment: Enrolment,
    pub(crate) expires: Timestamp,
}

impl Pending {
    /// As it is kept: the secret in base 32, and when it expires, in seconds.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{} {}", self.enrolment.expose().as_str(), self.expires.as_second()))
    }

    fn read(text: &str) -> Option<Self> {
        let (secret, expires) = text.split_once(' ')?;
        let expires = Timestamp::from_second(expires.parse().ok()?).ok()?;
        Some(Self { enrolment: Enrolment::kept(secret)?, expires })
    }
}

/// A passkey.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptPasskey {
    /// Id of the credential, URL-safe base 64.
    pub(crate) id: String,
    /// What its owner calls it.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    algorithm: i64,
    /// Base 64.
    public_key: String,
}

impl KeptPasskey {
    pub(crate) fn new(passkey: &authn::Passkey, name: String, created: Timestamp) -> Self {
        Self {
            id: passkey.id.clone(),
            name,
            created,
            algorithm: passkey.algorithm,
            public_key: STANDARD.encode(&passkey.public_key),
        }
    }

    /// The key; nothing if what is kept is damaged.
    pub(crate) fn passkey(&self) -> Option<authn::Passkey> {
        let public_key = STANDARD.decode(&self.public_key).ok()?;
        Some(authn::Passkey { id: self.id.clone(), algorithm: self.algorithm, public_key })
    }
}

/// Name of a user's Secret.
pub(crate) fn secret_name(user: &str) -> String {
    format!("user-{user}")
}

/// What is kept of a user.
pub(crate) async fn kept(hub: &Hub, user: &str) -> Result<Kept, Problem> {
    let secrets: Api<Secret> = Api::namespaced(hub.client.clone(), &hub.settings.namespace);
    let Some(secret) = secrets.get_opt(&secret_name(user)).await? else { return Ok(Kept::default()) };
    let text = |key: &str| {
        let value = secret.data.as_ref()?.get(key)?;
        String::from_utf8(value.0.clone()).ok().map(Zeroizing::new)
    };
    Ok(Kept {
        password: text(PASSWORD).map(|hash| HashedPassword::kept(hash.as_str())),
        totp: text(TOTP).and_then(|secret| Enrolment::kept(&secret)),
        pending: text(PENDING).and_then(|pending| Pending::read(&pending)),
        recovery: text(RECOVERY).and_then(|list| digests(&list)).unwrap_or_default(),
        passkeys: text(PASSKEYS).and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default(),
        version: secret.metadata.resource_version,
    })
}

fn digests(list: &str) -> Option<Vec<Digest>> {
    let list: Vec<String> = serde_json::from_str(list).ok()?;
    let digest = |text: &String| STANDARD.decode(text).ok()?.try_into().ok().map(Digest);
    list.iter().map(digest).collect()
}

/// How digests of recovery codes are kept.
pub(crate) fn recovery_text(digests: &[Digest]) -> String {
    let list: Vec<String> = digests.iter().map(|digest| STANDARD.encode(digest.0)).collect();
    serde_json::Value::from(list).to_string()
}

/// Writes values under some keys of a user's Secret, and takes those without a value away, if nobody has changed it since
/// it was read.
pub(crate) async fn change(
    hub: &Hub,
    user: &str,
    kept: &Kept,
    values: impl IntoIterator<Item = (&'static str, Option<&str>)>,
) -> Result<(), Problem> {
    let encoded = |(key, value): (&'static str, Option<&str>)| (key, value.map(|text| STANDARD.encode(text)));
    let data: BTreeMap<_, _> = values.into_iter().map(encoded).collect();
    let secrets: Api<Secret> = Api::namespaced(hub.client.clone(), &hub.settings.namespace);
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let patch = json!({ "metadata": { "resourceVersion": kept.version }, "data": data });
    secrets.patch(&secret_name(user), &parameters, &Patch::Merge(patch)).await?;
    Ok(())
}

/// The Secret of a user with a new hash.
pub(crate) fn with_password(namespace: &str, user: &str, hash: &HashedPassword) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(user)),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        string_data: Some([(PASSWORD.to_owned(), hash.expose().to_owned())].into()),
        ..Secret::default()
    }
}

/// Keeps another hash. What else is kept of the user stays.
pub(crate) async fn set_password(hub: &Hub, user: &str, hash: &HashedPassword) -> Result<(), Problem> {
    let secret = with_password(&hub.settings.namespace, user, hash);
    let secrets: Api<Secret> = Api::namespaced(hub.client.clone(), &hub.settings.namespace);
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let patch = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": secret.metadata.name }, "stringData": secret.string_data,
    });
    secrets.patch(&secret_name(user), &parameters, &Patch::Apply(patch)).await?;
    Ok(())
}

/// Forgets everything.
pub(crate) async fn forget(hub: &Hub, user: &str) -> Result<(), Problem> {
    let secrets: Api<Secret> = Api::namespaced(hub.client.clone(), &hub.settings.namespace);
    match secrets.delete(&secret_name(user), &kube::api::DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Hashes at once: each takes a CPU and much memory for a while, so there are no more than CPUs.
pub(crate) struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))))
    }
}

impl Hashing {
    /// Makes a hash.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<HashedPassword, Problem> {
        self.on_a_thread(move || HashedPassword::new(&password)).await
    }

    /// Compares with a hash; takes the same time if there is none.
    pub(crate) async fn is_right(
        &self,
        kept: Option<HashedPassword>,
        password: Zeroizing<String>,
    ) -> Result<bool, Problem> {
        self.on_a_thread(move || {
            let Some(kept) = kept else {
                HashedPassword::pretend(&password);
                return Ok(false);
            };
            kept.is(&password)
        })
        .await
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Problem::too_many("too many people sign in at the moment; try again", AGAIN));
        };
        let work = move || {
            // Held to the end of the work, which goes on when nobody waits for it any more.
            let _turn = turn;
            work()
        };
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?;
        done.map_err(|error| Problem::internal(&error))
    }
}
