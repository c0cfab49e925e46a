//! The first user of an installation: `admin`, with a password that is made once and stands in a Secret.

use api::{Grant, GrantScope, GrantSpec, User, UserSpec};
use authn::HashedPassword;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, PostParams};
use kube::core::ClusterResourceScope;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::passwords;

const NAME: &str = "admin";
/// Secret with the first password, for whoever installs.
const FIRST_PASSWORD: &str = "flotilla-first-password";
const RANDOM_BYTES: usize = 18;

/// Why there is no first user.
#[derive(Debug, thiserror::Error)]
pub enum FirstUserError {
    /// The management cluster refused, or did not answer.
    #[error("failed to make the first user")]
    Write(#[from] kube::Error),
    /// No password could be made.
    #[error("failed to make a first password")]
    Password,
}

/// Makes the first user where there is none at all. Killed in between, it is made whole by the next start: the user
/// comes last.
pub(crate) async fn make(client: &Client, namespace: &str) -> Result<(), FirstUserError> {
    let users: Api<User> = Api::all(client.clone());
    if !users.list(&ListParams::default().limit(1)).await?.items.is_empty() {
        return Ok(());
    }
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let password = random().ok_or(FirstUserError::Password)?;
    let first = Secret {
        metadata: ObjectMeta { name: Some(FIRST_PASSWORD.to_owned()), ..ObjectMeta::default() },
        string_data: Some([("user".to_owned(), NAME.to_owned()), ("password".to_owned(), password)].into()),
        ..Secret::default()
    };
    create(&secrets, &first).await?;
    // Another replica may have made it, or this one before it was killed.
    let kept = secrets.get(FIRST_PASSWORD).await?;
    let password =
        kept.data.as_ref().and_then(|data| data.get("password")).ok_or(FirstUserError::Password)?;
    let password = String::from_utf8(password.0.clone()).map_err(|_| FirstUserError::Password)?;
    let hash = HashedPassword::new(&password).map_err(|_| FirstUserError::Password)?;
    create(&secrets, &passwords::with_password(namespace, NAME, &hash)).await?;
    let grant = GrantSpec {
        user: Some(NAME.to_owned()),
        role: "platform-admin".to_owned(),
        scope: GrantScope { platform: true, ..GrantScope::default() },
        ..GrantSpec::default()
    };
    create(&Api::<Grant>::all(client.clone()), &Grant::new("first-user", grant)).await?;
    let user = UserSpec { display_name: Some("First user".to_owned()), ..UserSpec::default() };
    create::<User, ClusterResourceScope>(&users, &User::new(NAME, user)).await?;
    tracing::info!(
        user = NAME,
        secret = FIRST_PASSWORD,
        "made the first user; its password stands in the Secret"
    );
    Ok(())
}

async fn create<K, S>(api: &Api<K>, object: &K) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = (), Scope = S> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    match api.create(&PostParams::default(), object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        made => made.map(drop),
    }
}

fn random() -> Option<String> {
    let mut bytes = [0; RANDOM_BYTES];
    rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}
