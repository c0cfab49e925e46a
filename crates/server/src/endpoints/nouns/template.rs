//! Templates: shared down the tree, right before anybody makes a cluster from one, and looked at before.

use aide::axum::ApiRouter;
use aide::axum::routing::post_with;
use aide::transform::TransformOperation;
use api::{Template, TemplateSpec, TenantControlPlane, templating};
use authz::Place;
use axum::Json;
use kube::runtime::reflector::Store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Change, Noun, readable};
use crate::caches::Caches;
use crate::caller::Caller;
use crate::extract::{Named, Sent};
use crate::from_template;
use crate::hub::Hub;
use crate::problem::Problem;

impl Noun for Template {
    const RESOURCE: &'static str = "templates";

    fn cache(caches: &Caches) -> &Store<Self> {
        &caches.templates
    }

    fn place<'a>(_: &'a str, spec: &'a TemplateSpec) -> Place<'a> {
        spec.tenant.as_deref().map_or(Place::Platform, Place::Tenant)
    }

    fn is_shared(spec: &TemplateSpec) -> bool {
        spec.share_down
    }

    async fn check(_: &Caller, change: &Change<'_, Self>) -> Result<(), Problem> {
        let faults = match change {
            Change::Create { spec, .. } => templating::faults(spec),
            Change::Replace { old, spec } => templating::update_faults(&old.spec, spec),
            // Clusters that were made from it have all they need.
            Change::Delete { .. } => Vec::new(),
        };
        if faults.is_empty() { Ok(()) } else { Err(Problem::faults(&faults)) }
    }
}

pub(super) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new().api_route("/api/v1/templates/{name}/render", post_with(render, describe_render))
}

/// What a cluster would be made with.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Trial {
    /// Name of the cluster; that of the template without it.
    #[schemars(length(min = 1, max = 63))]
    name: Option<String>,
    /// Which version of the template; the newest that is not deprecated without it.
    version: Option<String>,
    /// Its parameters. Numbers and truth values may be written as text.
    #[serde(default)]
    parameters: Map<String, Value>,
}

/// What would be made.
#[derive(Serialize, JsonSchema)]
struct Rendered {
    /// The version that it is made from.
    version: String,
    /// Why that version should not be used any more, and what to take instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<String>,
    /// The TenantControlPlane, before admission fills in its defaults.
    object: Value,
}

fn describe_render(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Look at what would be made from a template")
        .description("Makes nothing. Whoever may read the template may do this.")
        .tag("templates")
        .response::<200, Json<Rendered>>()
}

async fn render(
    caller: Caller,
    Named(name): Named,
    Sent(asked): Sent<Trial>,
) -> Result<Json<Rendered>, Problem> {
    let template = readable::<Template>(&caller, &name).await?;
    let made = from_template::make(&template, asked.version.as_deref(), &asked.parameters)
        .map_err(|faults| Problem::faults(&faults))?;
    let mut object = TenantControlPlane::new(asked.name.as_deref().unwrap_or(&name), made.spec);
    object.metadata.labels = Some(made.labels);
    let object = serde_json::to_value(object).map_err(|error| Problem::internal(&error))?;
    let (version, deprecated) = (made.version.version.clone(), made.version.deprecated.clone());
    Ok(Json(Rendered { version, deprecated, object }))
}
