//! `HubSettings`: what holds for a hub as a whole.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The one name that settings have.
pub const HUB_SETTINGS: &str = "hub";

/// What the hub is called, and how people sign in to it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "flotilla.dev",
    version = "v1alpha1",
    kind = "HubSettings",
    plural = "hubsettings",
    category = "flotilla",
    derive = "Default",
    derive = "PartialEq",
    doc = "What holds for the hub as a whole. There is one, named `hub`; without it everything is as it is by default.",
    validation = Rule::new("self.metadata.name == 'hub'").message("there is one HubSettings, named `hub`"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.branding.name"),
    printcolumn(name = "Session hours", type_ = "integer", json_path = ".spec.signIn.sessionHours"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct HubSettingsSpec {
    /// What people see before and while they are signed in.
    #[serde(default)]
    pub branding: Branding,
    /// How people sign in.
    #[serde(default)]
    pub sign_in: SignInSettings,
}

/// What the console calls itself, and what it says to whoever signs in. Anybody who reaches the hub may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Branding {
    /// Stands in place of `Flotilla` in the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[^\p{C}]+$"))]
    pub name: Option<String>,
    /// Plain text on the page to sign in at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub notice: Option<String>,
    /// Where people find help: an address that begins with `https://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), regex(pattern = r"^https://[^\s/?#@\\]+([/?#][^\s\\]*)?$"))]
    pub support_url: Option<String>,
}

/// How people sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInSettings {
    /// Hours that a session lasts, from 1 to 168; 12 without it. Sessions that are open keep their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 168))]
    pub session_hours: Option<i32>,
}
