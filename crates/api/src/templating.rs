//! Templates: from a version and what somebody says to the spec of a control plane, and what is wrong with a template.
//!
//! ```text
//!  parameters ─┬─► values ──► filling ──► new_cluster::compose ──► spec, labels
//!  what is said┘                ▲
//!  controlPlane, labels ────────┘
//! ```

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::defaulting::{Defaults, fill};
use crate::new_cluster::{compose, leave_out};
use crate::validation::Fault;
use crate::{TemplateSpec, TemplateVersion, TenantControlPlane, TenantControlPlaneSpec};

mod check;
mod definition;
mod filling;
mod labels;
mod values;

pub use check::{faults, update_faults};
pub use labels::is_platform_label;

use filling::Filling;
use values::Values;

/// What a version of a template becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The control plane.
    pub spec: TenantControlPlaneSpec,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Makes a control plane from a version of a template and what is said of its parameters. Numbers and truth values may
/// be written as text.
///
/// # Errors
/// All parameters that are wrong (`parameters.NAME`); if none is, what is wrong with what comes of them.
pub fn render(version: &TemplateVersion, said: &Map<String, Value>) -> Result<Rendered, Vec<Fault>> {
    rendered(version, &values::read(&version.parameters, said)?)
}

/// The version of a name, or else the newest that is not deprecated.
///
/// # Errors
/// There is none of that name, or all are deprecated.
pub fn choose<'a>(spec: &'a TemplateSpec, named: Option<&str>) -> Result<&'a TemplateVersion, Fault> {
    let known: Vec<&str> = spec.versions.iter().map(|version| version.version.as_str()).collect();
    let known = known.join(", ");
    let Some(named) = named else {
        let current = spec.versions.iter().filter(|version| version.deprecated.is_none());
        let newest = current.max_by_key(|version| numbers(&version.version));
        let message = format!("must be named, since all versions are deprecated: {known}");
        return newest.ok_or_else(|| Fault::new("version", Value::Null, message));
    };
    let found = spec.versions.iter().find(|version| is_same(&version.version, named));
    found.ok_or_else(|| {
        Fault::new("version", named, format!("is no version of the template; there are: {known}"))
    })
}

/// The numbers of a version, by which versions are ordered: `1` is `1.0.0`.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    let parts: Vec<&str> = version.split('.').collect();
    if parts.len() > numbers.len() {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(parts) {
        let is_plain =
            part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        *number = part.parse().ok().filter(|_| is_plain)?;
    }
    Some(numbers)
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || numbers(one).is_some_and(|one| numbers(other) == Some(one))
}

fn rendered(version: &TemplateVersion, values: &Values<'_>) -> Result<Rendered, Vec<Fault>> {
    let mut filling = Filling::new(values);
    let mut said = filling.object("spec", &version.control_plane);
    let labels = filling.labels(&version.labels);
    let mut faults = filling.faults;
    faults.extend(labels::faults(&labels));
    faults.extend(version.without.iter().filter_map(|path| leave_out(&mut said, path).err()));
    if !faults.is_empty() {
        return Err(faults);
    }
    let spec = compose(&said)?;
    let faults = spec_faults(&spec);
    if faults.is_empty() { Ok(Rendered { spec, labels }) } else { Err(faults) }
}

/// What admission would say of a control plane with this spec.
fn spec_faults(spec: &TenantControlPlaneSpec) -> Vec<Fault> {
    let mut object = TenantControlPlane::new("a", spec.clone());
    match fill(&mut object.spec, Defaults { data_store: None, uid: "a" }) {
        Ok(()) => crate::validation::faults(&object),
        Err(faults) => faults,
    }
}

#[cfg(test)]
mod tests;
