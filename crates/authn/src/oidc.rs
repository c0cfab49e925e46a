//! `OpenID` Connect with the authorization code flow and PKCE: where a browser is sent, what comes of the code, and what
//! the provider says later.

mod http;
mod id_token;

use std::fmt;

use ::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use crate::LibraryError;
use crate::provider::{ProviderError, Vouched, kept_groups};
use crate::token::random;
use http::Http;
use id_token::{Expected, verified};

/// How a provider is asked.
#[derive(Clone)]
pub struct OidcSettings {
    /// URL of the issuer.
    pub issuer: String,
    /// What the provider knows the hub by.
    pub client_id: String,
    /// By which the hub shows that; a public client has none.
    pub client_secret: Option<Zeroizing<String>>,
    /// Authorities (PEM); those of the system if there are none.
    pub ca_bundle: Option<String>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Claim with a user's name.
    pub user_name_claim: String,
    /// Claim with groups.
    pub groups_claim: String,
    /// Where the provider sends browsers back to.
    pub redirect_uri: String,
}

/// What is known of a sign-in that has begun. Whoever sees it could end it, so that only the browser keeps it, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct OidcFlow {
    /// What the provider sends back with the code.
    pub state: String,
    nonce: String,
    verifier: String,
}

/// Somebody whom the provider vouches for, and by what it is asked again.
pub struct SignedIn {
    /// Who they are.
    pub vouched: Vouched,
    /// Good for one more question, if the provider gave one.
    pub refresh_token: Option<Zeroizing<String>>,
}

/// What a provider says of itself.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(rename = "access_token")]
    access: Option<String>,
    #[serde(rename = "id_token")]
    id: Option<String>,
    #[serde(rename = "refresh_token")]
    refresh: Option<String>,
}

/// A provider that vouches for people.
#[derive(Clone)]
pub struct OidcProvider {
    settings: OidcSettings,
    http: Http,
}

impl OidcProvider {
    /// One that is asked so.
    ///
    /// # Errors
    /// If the authorities cannot be read.
    pub fn new(settings: OidcSettings) -> Result<Self, ProviderError> {
        let http = Http::new(settings.ca_bundle.as_deref())?;
        Ok(Self { settings, http })
    }

    /// Begins a sign-in: where the browser goes, and what it keeps.
    ///
    /// # Errors
    /// If the provider does not answer, or the system has no randomness.
    pub async fn begin(&self) -> Result<(String, OidcFlow), ProviderError> {
        let metadata = self.discover().await?;
        let broken = |error: LibraryError| ProviderError::Unreachable(error.to_string());
        let draw = || random::<32>().map(|text| text.to_string()).map_err(broken);
        let flow = OidcFlow { state: draw()?, nonce: draw()?, verifier: draw()? };
        let mut url = Url::parse(&metadata.authorization_endpoint)
            .map_err(|error| ProviderError::Unreachable(format!("authorization_endpoint: {error}")))?;
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, flow.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &self.scope())
            .append_pair("state", &flow.state)
            .append_pair("nonce", &flow.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok((url.into(), flow))
    }

    /// Ends a sign-in with the code that the browser brought.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] if the code, or what it was changed for, is not of this sign-in.
    pub async fn finish(
        &self,
        flow: &OidcFlow,
        code: &str,
        now: Timestamp,
    ) -> Result<SignedIn, ProviderError> {
        let metadata = self.discover().await?;
        let tokens = self
            .tokens(
                &metadata,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", &self.settings.redirect_uri),
                    ("code_verifier", &flow.verifier),
                ],
            )
            .await?;
        let tokens = tokens.ok_or(ProviderError::Refused("the provider does not take the code"))?;
        let missing = ProviderError::Refused("the provider gave no ID token");
        let token = tokens.id.as_deref().ok_or(missing)?;
        let nonce = Some(flow.nonce.as_str());
        let claims = verified(token, &self.keys(&metadata).await?, &self.expected(nonce, now))?;
        let vouched = self.vouch(&metadata, &tokens, claims.sub, claims.other).await?;
        Ok(SignedIn { vouched, refresh_token: tokens.refresh.map(Zeroizing::new) })
    }

    /// What the provider says now of a subject.
    ///
    /// # Errors
    /// [`ProviderError::Gone`] if it takes the token no more.
    pub async fn refresh(
        &self,
        subject: &str,
        refresh_token: &str,
        now: Timestamp,
    ) -> Result<SignedIn, ProviderError> {
        let metadata = self.discover().await?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let tokens = self.tokens(&metadata, &form).await?.ok_or(ProviderError::Gone)?;
        let other = match tokens.id.as_deref() {
            None => Map::new(),
            Some(token) => {
                let claims = verified(token, &self.keys(&metadata).await?, &self.expected(None, now))?;
                if claims.sub != subject {
                    return Err(ProviderError::Gone);
                }
                claims.other
            }
        };
        let vouched = self.vouch(&metadata, &tokens, subject.to_owned(), other).await?;
        // One that is not replaced stays good.
        let next = tokens.refresh.unwrap_or_else(|| refresh_token.to_owned());
        Ok(SignedIn { vouched, refresh_token: Some(Zeroizing::new(next)) })
    }

    /// Whether a provider that names itself beside the code is this one (RFC 9207).
    #[must_use]
    pub fn is_issuer(&self, named: &str) -> bool {
        named == self.settings.issuer
    }

    fn scope(&self) -> String {
        let scopes = self.settings.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        std::iter::once("openid").chain(scopes).collect::<Vec<_>>().join(" ")
    }

    fn expected<'a>(&'a self, nonce: Option<&'a str>, now: Timestamp) -> Expected<'a> {
        Expected { issuer: &self.settings.issuer, client: &self.settings.client_id, nonce, now }
    }

    async fn discover(&self) -> Result<Metadata, ProviderError> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = read(self.http.get(&url, None).await?)?;
        if metadata.issuer != *issuer {
            return Err(ProviderError::Refused("the provider says that it is another issuer"));
        }
        Ok(metadata)
    }

    async fn keys(&self, metadata: &Metadata) -> Result<JwkSet, ProviderError> {
        let mut found = self.http.get(&metadata.jwks_uri, None).await?;
        // Keys of kinds that nobody here knows are no reason to distrust the others.
        if let Some(keys) = found.get_mut("keys").and_then(Value::as_array_mut) {
            keys.retain(|key| serde_json::from_value::<jsonwebtoken::jwk::Jwk>(key.clone()).is_ok());
        }
        read(found)
    }

    /// What the provider gives for a code or a token; nothing if it does not take it.
    async fn tokens(
        &self,
        metadata: &Metadata,
        form: &[(&str, &str)],
    ) -> Result<Option<Tokens>, ProviderError> {
        let (body, authorization) = self.asked(metadata, form);
        let authorization = authorization.as_ref().map(|text| text.as_str());
        let (status, answer) = self.http.post(&metadata.token_endpoint, authorization, body).await?;
        match (status, answer["error"].as_str()) {
            (StatusCode::OK, None) => read(answer).map(Some),
            (
                StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED,
                Some("invalid_grant" | "invalid_request"),
            ) => Ok(None),
            (_, Some(error)) if error.len() <= 64 => {
                Err(ProviderError::Unreachable(format!("the token endpoint answers {status}, {error}")))
            }
            _ => Err(ProviderError::Unreachable(format!("the token endpoint answers {status}"))),
        }
    }

    /// A form and the header beside it, in which the hub shows that it is the client.
    fn asked(&self, metadata: &Metadata, form: &[(&str, &str)]) -> (String, Option<Zeroizing<String>>) {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.iter().any(|known| known == method);
        let Some(secret) = &self.settings.client_secret else {
            return (body.append_pair("client_id", &self.settings.client_id).finish(), None);
        };
        if takes("client_secret_post") && !takes("client_secret_basic") {
            body.append_pair("client_id", &self.settings.client_id).append_pair("client_secret", secret);
            return (body.finish(), None);
        }
        (body.finish(), Some(basic(&self.settings.client_id, secret)))
    }

    /// Groups stand in the ID token, or else with what the provider says of the user.
    async fn vouch(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        subject: String,
        mut claims: Map<String, Value>,
    ) -> Result<Vouched, ProviderError> {
        let is_missing = !claims.contains_key(&self.settings.groups_claim);
        let asked = metadata.userinfo_endpoint.as_ref().zip(tokens.access.as_ref()).filter(|_| is_missing);
        if let Some((url, token)) = asked
            && let Value::Object(told) = self.http.get(url, Some(token)).await?
        {
            if told.get("sub").and_then(Value::as_str) != Some(&subject) {
                return Err(ProviderError::Refused("the provider speaks of somebody else"));
            }
            claims.extend(told);
        }
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        let user_name = text(&self.settings.user_name_claim).or(text("email")).or(text("name"));
        let user_name = user_name.unwrap_or_default().to_owned();
        let groups = claims.get(&self.settings.groups_claim).map(names).unwrap_or_default();
        Ok(Vouched { subject, user_name, groups: kept_groups(groups) })
    }
}

impl fmt::Debug for OidcProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OidcProvider").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

/// Both are encoded before they are joined (RFC 6749, 2.3.1).
fn basic(client: &str, secret: &str) -> Zeroizing<String> {
    let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
    let pair = Zeroizing::new(format!("{}:{}", *encoded(client), *encoded(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, ProviderError> {
    serde_json::from_value(answer).map_err(|error| ProviderError::Unreachable(error.to_string()))
}

/// A list of names, or one.
fn names(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
