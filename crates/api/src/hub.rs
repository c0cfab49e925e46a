//! What the hub keeps beside tenants: imported clusters, projects, roles, grants, users, identity providers,
//! templates, settings.

mod cluster;
mod grant;
mod hub_settings;
mod identity_provider;
mod project;
mod project_quota;
mod role;
mod template;
mod user;

pub use cluster::{Cluster, ClusterConnection, ClusterNodes, ClusterResources, ClusterSpec, ClusterStatus};
pub use grant::{Grant, GrantScope, GrantSpec};
pub use hub_settings::{Branding, HUB_SETTINGS, HubSettings, HubSettingsSpec, SignInSettings};
pub use identity_provider::{IdentityProvider, IdentityProviderSpec, LdapProvider, OidcProvider};
pub use project::{Project, ProjectNamespace, ProjectSpec};
pub use project_quota::{hard_limits, quota_fault};
pub use role::{Role, RoleRule, RoleSpec};
pub use template::{ParameterType, Template, TemplateParameter, TemplateSpec, TemplateVersion};
pub use user::{User, UserSpec};
