//! `IdentityProvider`: who vouches for people beside the hub itself.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a provider is asked, and for whom it vouches.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "IdentityProvider",
    plural = "identityproviders",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "A provider of identities: OIDC, or LDAP. Its client's secret or bind password stands in the Secret \
           `provider-<name>` of the platform's namespace, under `secret`. Grants name its groups `<name>:<group>`.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$') && self.metadata.name != 'local'").message("must have 1 to 32 small letters, digits and dashes, begin and end with a letter or digit, and not be `local`"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenant"),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".spec.oidc.issuer"),
    printcolumn(name = "LDAP", type_ = "string", json_path = ".spec.ldap.url"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.oidc) != has(self.ldap)", "message": "name one way to ask the provider: oidc or ldap"},
    {"rule": "has(self.oidc) == has(oldSelf.oidc)", "message": "a provider stays of its kind; create another IdentityProvider"},
    {"rule": "has(self.tenant) == has(oldSelf.tenant) && (!has(self.tenant) || self.tenant == oldSelf.tenant)", "message": "a provider stays with its tenant; create another IdentityProvider"}
]))]
pub struct IdentityProviderSpec {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The tenant whose provider it is: it vouches for users of that tenant and of those below, and what they may do by
    /// it ends there. Without one it is the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub tenant: Option<String>,
    /// Whether whoever signs in first gets a User. Otherwise people link their identity after they have signed in in
    /// another way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_users: bool,
    /// OIDC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcProvider>,
    /// LDAP, such as Active Directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ldap: Option<LdapProvider>,
}

/// An OIDC provider, asked with the authorization code flow and PKCE. Its redirect URI is
/// `<url of the hub>/api/v1/session/oidc/<name>/callback`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OidcProvider {
    /// URL of the issuer, to the letter as the provider says it. It cannot be changed: identities of another issuer are
    /// other people's.
    #[schemars(
        length(max = 512),
        regex(pattern = r"^https://[^\s?#@]+$"),
        extend("x-kubernetes-validations" = [{"rule": "self == oldSelf", "message": "identities of another issuer are other people's; create another IdentityProvider"}])
    )]
    pub issuer: String,
    /// What the provider knows the hub by.
    #[schemars(length(min = 1, max = 512))]
    pub client_id: String,
    /// Authorities that the provider's certificate is verified with (PEM); those of the system if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ca_bundle: Option<String>,
    /// What is asked for beside `openid`; `profile`, `email`, `groups` and `offline_access` if nothing is named. Without
    /// `offline_access` groups hold for ten minutes after signing in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(regex(pattern = r"^[!#-\[\]-~]{1,128}$")))]
    pub scopes: Vec<String>,
    /// Claim that new users are named by; `preferred_username` if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub username_claim: Option<String>,
    /// Claim with the groups; `groups` if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub groups_claim: Option<String>,
}

/// A directory. It is spoken with over TLS only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "self.url.startsWith('ldaps://') != (has(self.startTls) && self.startTls)", "message": "passwords go over TLS only: use ldaps://, or ldap:// with startTls"},
    {"rule": "self.url == oldSelf.url", "message": "another directory would be sent the bind password; create another IdentityProvider"},
    {"rule": "has(self.idAttribute) == has(oldSelf.idAttribute) && (!has(self.idAttribute) || self.idAttribute == oldSelf.idAttribute)", "message": "identities by another attribute are other people's; create another IdentityProvider"}
]))]
pub struct LdapProvider {
    /// `ldaps://host[:port]`, or `ldap://host[:port]` with `startTls`. It cannot be changed: another directory would be
    /// sent the bind password.
    #[schemars(length(max = 512), regex(pattern = r"^ldaps?://[^\s/?#@]+$"))]
    pub url: String,
    /// Whether a connection without TLS is turned into one with it before anything is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub start_tls: bool,
    /// Authorities that the directory's certificate is verified with (PEM); those of the system if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ca_bundle: Option<String>,
    /// Who searches. It should be allowed to read users and groups, and nothing else.
    #[schemars(length(min = 1, max = 1024))]
    pub bind_dn: String,
    /// Below which users are.
    #[schemars(length(min = 1, max = 1024))]
    pub user_base: String,
    /// Which entry is a user's; `{user}` stands for the name that was typed. Whoever it finds no more has no session.
    #[schemars(
        length(max = 1024),
        extend("x-kubernetes-validations" = [{"rule": "self.contains('{user}')", "message": "must have {user} where the name goes"}])
    )]
    pub user_filter: String,
    /// Attribute that new users are named by; `uid` if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9.;-]{1,128}$"))]
    pub user_name_attribute: Option<String>,
    /// Attribute by which an entry is the same for ever; `entryUUID` if none is named, `objectGUID` in Active Directory.
    /// It cannot be changed: identities would be other people's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9.;-]{1,128}$"))]
    pub id_attribute: Option<String>,
    /// Below which groups are; nobody is in one if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub group_base: Option<String>,
    /// Which entries are a user's groups; `{dn}` stands for the user's entry, `{user}` for its name. `(member={dn})` if
    /// there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub group_filter: Option<String>,
    /// Attribute with a group's name; `cn` if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9.;-]{1,128}$"))]
    pub group_name_attribute: Option<String>,
}
