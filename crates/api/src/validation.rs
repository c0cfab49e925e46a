//! Rules that need nothing but the object: shared by admission and reconciliation, so that neither
//! accepts what the other refuses.

use std::fmt;
use std::ops::RangeInclusive;

use base::KubernetesVersion;
use serde_json::Value;

use crate::TenantControlPlane;

mod containers;
mod exposure;
mod network;
mod store;
mod text;

pub(crate) use text::is_dns_1123_label;

/// Minor versions of Kubernetes that can be run as control planes.
pub const SUPPORTED_MINORS: RangeInclusive<u64> = 30..=36;

/// Something in an object that is not allowed: where, what, and what is allowed instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, such as `spec.networkProfile.port`.
    pub path: String,
    /// What stands there.
    pub value: String,
    /// What is wrong with it and what is allowed.
    pub message: String,
}

impl Fault {
    /// A fault at a path.
    #[must_use]
    pub fn new(path: impl Into<String>, value: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { path: path.into(), value: value.to_string(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}` {}", self.path, self.value, self.message)
    }
}

/// Longest value that is repeated in a message.
const LONGEST: usize = 120;

/// What stands at a path such as `spec.list[1].field`, shortened for a message; nothing if nothing stands there.
#[must_use]
pub fn value_at(object: &Value, path: &str) -> String {
    let parts = path.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    let parts: Vec<String> = parts.map(|part| part.replace('~', "~0").replace('/', "~1")).collect();
    let text = object.pointer(&format!("/{}", parts.join("/"))).map(Value::to_string).unwrap_or_default();
    if text.chars().count() <= LONGEST {
        text
    } else {
        text.chars().take(LONGEST).chain("…".chars()).collect()
    }
}

/// Everything that is wrong with a control plane, in the order of its fields.
#[must_use]
pub fn faults(object: &TenantControlPlane) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(name_fault(object.metadata.name.as_deref().unwrap_or_default()));
    faults.extend(version_fault(&object.spec.kubernetes.version));
    store::check(&object.spec, &mut faults);
    network::check(&object.spec, &mut faults);
    exposure::check(&object.spec, &mut faults);
    containers::check(&object.spec, &mut faults);
    faults
}

/// Everything that a change of a control plane may not do. The rules of [`faults`] apply to `new`
/// beside it, except that a version which stays is not looked at again.
#[must_use]
pub fn update_faults(old: &TenantControlPlane, new: &TenantControlPlane) -> Vec<Fault> {
    let (old, new) = (&old.spec.kubernetes.version, &new.spec.kubernetes.version);
    if old == new {
        return Vec::new();
    }
    upgrade_fault(old, new).into_iter().collect()
}

/// What stands against a change from one version to another: an older minor version, or more than one
/// minor version at a time. Versions that cannot be read are the matter of [`faults`].
#[must_use]
pub fn upgrade_fault(from: &str, to: &str) -> Option<Fault> {
    const PATH: &str = "spec.kubernetes.version";
    let (from, to): (KubernetesVersion, KubernetesVersion) = (from.parse().ok()?, to.parse().ok()?);
    if to.minor() < from.minor() {
        let message = format!(
            "is a downgrade from {from}, which Kubernetes does not support; keep a 1.{} version",
            from.minor()
        );
        return Some(Fault::new(PATH, to, message));
    }
    if to.minor() > from.minor() + 1 {
        let next = from.minor() + 1;
        let message = format!("is more than one minor version above {from}; go to a 1.{next} version first");
        return Some(Fault::new(PATH, to, message));
    }
    None
}

fn name_fault(name: &str) -> Option<Fault> {
    const MESSAGE: &str = "must be 1 to 63 lower-case letters, digits or `-`, begin with a letter and end with a letter or digit";
    (!text::is_dns_1035_label(name)).then(|| Fault::new("metadata.name", name, MESSAGE))
}

fn version_fault(version: &str) -> Option<Fault> {
    let range = format!("1.{} to 1.{}", SUPPORTED_MINORS.start(), SUPPORTED_MINORS.end());
    let message = match version.parse::<KubernetesVersion>() {
        Ok(version) if SUPPORTED_MINORS.contains(&version.minor()) => return None,
        Ok(_) => format!("is not supported; use a version from {range}"),
        Err(_) => format!("is no version; write it as `v1.{}.0`, from {range}", SUPPORTED_MINORS.end()),
    };
    Some(Fault::new("spec.kubernetes.version", version, message))
}

#[cfg(test)]
mod tests;
