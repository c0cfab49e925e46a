//! The token itself, the Secret that hands it out and the one by which the tenant's cluster knows it.

use std::collections::BTreeMap;
use std::fmt;

use api::JoinToken;
use api::names::labels;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::inside::JOINERS;
use crate::metadata::text;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 6;
const SECRET_LENGTH: usize = 16;

/// A bootstrap token. Its `Debug` form shows the public part only.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: String,
    secret: String,
}

impl Token {
    /// A new token from two random numbers.
    #[must_use]
    pub fn from_random(random: [u128; 2]) -> Self {
        let [first, second] = random;
        Self { id: digits(first, ID_LENGTH), secret: digits(second, SECRET_LENGTH) }
    }

    /// Reads `id.secret`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('.')?;
        let is = |part: &str, length| part.len() == length && part.bytes().all(|byte| DIGITS.contains(&byte));
        (is(id, ID_LENGTH) && is(secret, SECRET_LENGTH))
            .then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All of it, to be written where only its owner reads.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}.{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({}..)", self.id)
    }
}

fn digits(mut number: u128, length: usize) -> String {
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        let digit = usize::try_from(number % 36).unwrap_or_default();
        text.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        number /= 36;
    }
    text
}

/// All that a worker needs to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// `host:port` of the API server as workers reach it.
    pub endpoint: String,
    /// The token.
    pub token: Token,
    /// `sha256:<hex>` of the public key of the cluster's authority.
    pub ca_cert_hash: String,
    /// Kubernetes version of the control plane.
    pub version: String,
}

impl Join {
    /// The line that makes a machine with kubeadm and kubelet a worker.
    #[must_use]
    pub fn command(&self) -> String {
        format!(
            "kubeadm join {} --token {} --discovery-token-ca-cert-hash {}",
            self.endpoint,
            self.token.expose(),
            self.ca_cert_hash
        )
    }

    /// Reads what [`secret`] wrote.
    #[must_use]
    pub fn read(secret: &Secret) -> Option<Self> {
        let read = |key| text(secret, key).map(str::to_owned);
        Some(Self {
            endpoint: read("endpoint")?,
            token: Token::read(text(secret, "token")?)?,
            ca_cert_hash: read("ca-cert-hash")?,
            version: read("version")?,
        })
    }
}

/// Name of the Secret that hands a token out.
#[must_use]
pub fn secret_name(token: &JoinToken) -> String {
    format!("{}-join", token.name_any())
}

/// The Secret that hands a token out, beside its `JoinToken`.
#[must_use]
pub fn secret(token: &JoinToken, join: &Join) -> Secret {
    let data = [
        ("token", join.token.expose()),
        ("ca-cert-hash", join.ca_cert_hash.clone()),
        ("endpoint", join.endpoint.clone()),
        ("version", join.version.clone()),
        ("command", join.command()),
    ];
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(token)),
            namespace: token.namespace(),
            labels: Some([(labels::JOIN_TOKEN.to_owned(), token.uid().unwrap_or_default())].into()),
            owner_references: Some(vec![owner(token)]),
            ..ObjectMeta::default()
        },
        data: Some(data.into_iter().map(|(key, text)| (key.to_owned(), bytes(&text))).collect()),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}

/// Whether a Secret was made for this very `JoinToken`.
#[must_use]
pub fn is_own_secret(secret: &Secret, token: &JoinToken) -> bool {
    secret.labels().get(labels::JOIN_TOKEN).is_some_and(|uid| Some(uid) == token.uid().as_ref())
}

/// Name of the Secret by which the tenant's cluster knows a token, in `kube-system`.
#[must_use]
pub fn tenant_secret_name(token_id: &str) -> String {
    format!("bootstrap-token-{token_id}")
}

/// The Secret by which the tenant's cluster knows a token, until `expires`.
#[must_use]
pub fn tenant_secret(token: &JoinToken, known: &Token, expires: Timestamp) -> Value {
    let (namespace, name) = (token.namespace().unwrap_or_default(), token.name_any());
    let data: BTreeMap<&str, ByteString> = [
        ("token-id", known.id.clone()),
        ("token-secret", known.secret.clone()),
        ("usage-bootstrap-authentication", "true".to_owned()),
        ("usage-bootstrap-signing", "true".to_owned()),
        ("auth-extra-groups", JOINERS.to_owned()),
        ("expiration", api::condition::whole_seconds(expires).to_string()),
        ("description", format!("made for the JoinToken {namespace}/{name}; revoked when that is deleted")),
    ]
    .into_iter()
    .map(|(key, text)| (key, bytes(&text)))
    .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": tenant_secret_name(&known.id),
            "namespace": "kube-system",
            "labels": {
                labels::PROJECT: labels::PROJECT_VALUE,
                labels::JOIN_TOKEN: token.uid().unwrap_or_default(),
            },
        },
        "type": "bootstrap.kubernetes.io/token",
        "data": data,
    })
}

fn bytes(text: &str) -> ByteString {
    ByteString(text.as_bytes().to_vec())
}

fn owner(token: &JoinToken) -> OwnerReference {
    OwnerReference {
        api_version: JoinToken::api_version(&()).into_owned(),
        kind: JoinToken::kind(&()).into_owned(),
        name: token.name_any(),
        uid: token.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

#[cfg(test)]
mod tests {
    use api::{JoinToken, JoinTokenSpec};
    use jiff::Timestamp;

    use super::{Join, Token, secret, tenant_secret};

    fn join() -> Join {
        Join {
            endpoint: "10.0.0.1:6443".to_owned(),
            token: Token::from_random([u128::MAX, 7]),
            ca_cert_hash: "sha256:00".to_owned(),
            version: "v1.36.3".to_owned(),
        }
    }

    fn token() -> JoinToken {
        let mut token = JoinToken::new("a", JoinTokenSpec::default());
        token.metadata.namespace = Some("team".to_owned());
        token.metadata.uid = Some("uid".to_owned());
        token
    }

    #[test]
    fn a_token_is_as_upstream_wants_it_and_read_back() {
        let made = Token::from_random([u128::MAX, 7]);
        assert_eq!(Token::read(&made.expose()), Some(made.clone()));
        assert_eq!(made.expose().len(), 23);
        assert_ne!(Token::from_random([1, 2]).expose(), Token::from_random([1, 3]).expose());
        for wrong in
            ["", "abcdef", "abcde.0123456789abcdef", "ABCDEF.0123456789abcdef", "abcdef.0123456789abcde!"]
        {
            assert_eq!(Token::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_by_debug() {
        let join = join();
        let secret = join.token.expose().split_once('.').unwrap().1.to_owned();
        assert!(!format!("{join:?}").contains(&secret));
    }

    #[test]
    fn the_secret_holds_what_joins() {
        let secret = secret(&token(), &join());
        assert_eq!(Join::read(&secret), Some(join()));
        let command = String::from_utf8(secret.data.unwrap()["command"].0.clone()).unwrap();
        let text = join().token.expose();
        assert_eq!(
            command,
            format!("kubeadm join 10.0.0.1:6443 --token {text} --discovery-token-ca-cert-hash sha256:00")
        );
    }

    #[test]
    fn the_tenant_knows_it_by_another_group_than_kubeadms() {
        let made =
            tenant_secret(&token(), &join().token, "2026-01-02T03:04:05.6Z".parse::<Timestamp>().unwrap());
        let made: k8s_openapi::api::core::v1::Secret = serde_json::from_value(made).unwrap();
        let text = |key| String::from_utf8(made.data.as_ref().unwrap()[key].0.clone()).unwrap();
        assert_eq!(text("auth-extra-groups"), "system:bootstrappers:flotilla:join");
        assert_eq!(text("expiration"), "2026-01-02T03:04:05Z");
        assert!(text("description").contains("team/a"));
    }
}
