//! The user's patches of a component's configuration.

use api::validation::Fault;
use api::{JsonPatch, JsonPatchOperation, TenantControlPlaneSpec};
use serde_json::{Value, json};

use super::{kube_proxy, kubelet};

/// A list of patches of a spec.
pub(super) struct Patches {
    /// Where it is.
    pub(super) field: &'static str,
    /// Kind of the configuration.
    pub(super) kind: &'static str,
}

impl Patches {
    /// Applies patches one after the other. `replace` also sets a field that is not there: the user need
    /// not know which ones are written out.
    pub(super) fn apply(&self, configuration: &mut Value, patches: &[JsonPatch]) -> Result<(), Fault> {
        for (index, wanted) in patches.iter().enumerate() {
            let mut operation = wanted.clone();
            if operation.op == JsonPatchOperation::Replace && configuration.pointer(&operation.path).is_none()
            {
                operation.op = JsonPatchOperation::Add;
            }
            let applied = serde_json::from_value::<json_patch::Patch>(json!([operation]))
                .map_err(|error| error.to_string())
                .and_then(|operation| {
                    json_patch::patch(configuration, &operation).map_err(|error| error.kind.to_string())
                });
            if let Err(reason) = applied {
                let message = format!(
                    "does not apply ({reason}); use an operation of RFC 6902 with the pointer to a field of {}",
                    self.kind
                );
                return Err(Fault::new(format!("{}[{index}]", self.field), &wanted.path, message));
            }
        }
        Ok(())
    }
}

/// The first patch of a spec that does not apply.
#[must_use]
pub fn patch_fault(spec: &TenantControlPlaneSpec) -> Option<Fault> {
    kubelet::patch_fault(spec).or_else(|| kube_proxy::patch_fault(spec))
}
