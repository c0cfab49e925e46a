//! Which control planes a generator selects, and who stands in their kubeconfigs.

use std::collections::{BTreeMap, BTreeSet};

use api::{CompoundValue, KubeconfigGenerator, TenantControlPlane};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;
use kube::core::{Selector, SelectorExt};
use serde_json::Value;

use super::Fault;

/// Which control planes a generator selects.
#[derive(Clone, Debug)]
pub struct Selection {
    namespaces: Selector,
    tenants: Selector,
}

impl Selection {
    /// Reads the selectors of a generator; an empty one selects everything.
    ///
    /// # Errors
    /// [`Fault::Selector`] if one of them has an unknown operator or lacks values.
    pub fn of(generator: &KubeconfigGenerator) -> Result<Self, Fault> {
        let read = |field, selector: &Option<LabelSelector>| {
            Selector::try_from(selector.clone().unwrap_or_default())
                .map_err(|error| Fault::Selector { field, reason: error.to_string() })
        };
        Ok(Self {
            namespaces: read("namespaceSelector", &generator.spec.namespace_selector)?,
            tenants: read("tenantControlPlaneSelector", &generator.spec.tenant_control_plane_selector)?,
        })
    }

    /// Whether a control plane is selected, by its labels and those of its namespace.
    #[must_use]
    pub fn selects(
        &self,
        tenant: &TenantControlPlane,
        namespace_labels: Option<&BTreeMap<String, String>>,
    ) -> bool {
        let none = BTreeMap::new();
        tenant.metadata.deletion_timestamp.is_none()
            && self.namespaces.matches(namespace_labels.unwrap_or(&none))
            && self.tenants.matches(tenant.labels())
    }
}

/// Who stands in the kubeconfigs of one control plane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Name of the user.
    pub user: String,
    /// Names of the groups.
    pub groups: BTreeSet<String>,
}

/// User and groups for a control plane.
///
/// # Errors
/// [`Fault::Identity`] if one is empty, or is to come from a place where the control plane has no text.
pub fn identity(generator: &KubeconfigGenerator, tenant: &TenantControlPlane) -> Result<Identity, Fault> {
    let definition = serde_json::to_value(tenant).unwrap_or_default();
    let groups = generator.spec.groups.iter().enumerate();
    Ok(Identity {
        user: resolve(&generator.spec.user, "user", &definition)?,
        groups: groups
            .map(|(index, group)| resolve(group, &format!("groups[{index}]"), &definition))
            .collect::<Result<_, _>>()?,
    })
}

fn resolve(value: &CompoundValue, field: &str, definition: &Value) -> Result<String, Fault> {
    let fault = |name: &str, problem: String| Fault::Identity { field: format!("{field}{name}"), problem };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(text) = given(&value.string_value) {
        return Ok(text);
    }
    let Some(path) = given(&value.from_definition) else {
        return Err(fault("", "is empty; give a stringValue or a fromDefinition".to_owned()));
    };
    match path.split('.').try_fold(definition, |value, key| value.get(key)) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::String(_)) | None => Err(fault(
            ".fromDefinition",
            format!(
                "`{path}` leads to nothing in the TenantControlPlane; give the path of a text that is set"
            ),
        )),
        Some(_) => Err(fault(
            ".fromDefinition",
            format!("`{path}` leads to no text in the TenantControlPlane; give the path of a text"),
        )),
    }
}
