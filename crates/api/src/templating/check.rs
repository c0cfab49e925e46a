//! What is wrong with a template, found before anybody makes a cluster from it.

use std::collections::BTreeSet;

use super::values::{Standing, Values, shown};
use super::{definition, is_same, numbers, rendered};
use crate::new_cluster::platform_fields;
use crate::validation::Fault;
use crate::{TemplateSpec, TemplateVersion};

/// Everything that is wrong with a new template.
#[must_use]
pub fn faults(spec: &TemplateSpec) -> Vec<Fault> {
    let mut faults = list_faults(spec);
    faults.extend(spec.versions.iter().flat_map(|version| version_faults(spec, version)));
    faults
}

/// Everything that a change of a template may not do. What was published before is not looked at again: it may have
/// been right when it was.
#[must_use]
pub fn update_faults(old: &TemplateSpec, new: &TemplateSpec) -> Vec<Fault> {
    let mut faults = list_faults(new);
    if old.tenant != new.tenant {
        let tenant = new.tenant.as_deref().unwrap_or_default();
        faults.push(Fault::new("spec.tenant", tenant, "cannot be changed; make another template"));
    }
    for version in &new.versions {
        let published = old.versions.iter().find(|published| published.version == version.version);
        match published {
            None => faults.extend(version_faults(new, version)),
            Some(published) if is_unchanged(published, version) => {}
            Some(_) => {
                let message = "is published and does not change, but for `deprecated`; add a version";
                faults.push(Fault::new(at(version), &version.version, message));
            }
        }
    }
    faults
}

fn is_unchanged(published: &TemplateVersion, version: &TemplateVersion) -> bool {
    let version = TemplateVersion { deprecated: published.deprecated.clone(), ..version.clone() };
    *published == version
}

fn list_faults(spec: &TemplateSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    if spec.versions.is_empty() {
        faults.push(Fault::new("spec.versions", "[]", "must have a version"));
    }
    for (index, version) in spec.versions.iter().enumerate() {
        if numbers(&version.version).is_none() {
            let message = "must be one to three numbers, such as `1`, `1.2` or `1.2.3`";
            faults.push(Fault::new(format!("{}.version", at(version)), &version.version, message));
        }
        let twin = spec.versions[..index].iter().find(|other| is_same(&other.version, &version.version));
        if let Some(twin) = twin {
            let message = format!("is there already, as `{}`", twin.version);
            faults.push(Fault::new(at(version), &version.version, message));
        }
    }
    faults
}

fn version_faults(spec: &TemplateSpec, version: &TemplateVersion) -> Vec<Fault> {
    let mut faults = parameter_faults(version);
    if spec.tenant.is_some() {
        faults.extend(platform_fields(&version.control_plane));
    }
    if faults.is_empty() {
        faults = trial_faults(version);
    }
    faults.into_iter().map(|fault| Fault { path: within(version, &fault.path), ..fault }).collect()
}

fn parameter_faults(version: &TemplateVersion) -> Vec<Fault> {
    let (mut faults, mut names) = (Vec::new(), BTreeSet::new());
    for parameter in &version.parameters {
        faults.extend(definition::faults(parameter));
        if !names.insert(&parameter.name) {
            faults.push(Fault::new(
                format!("parameters[{}]", parameter.name),
                &parameter.name,
                "is there twice",
            ));
        }
    }
    faults
}

/// Renders the template as it is if nothing is said, then with each parameter's extremes, one after the other.
fn trial_faults(version: &TemplateVersion) -> Vec<Fault> {
    let trials: Vec<_> =
        version.parameters.iter().map(|it| (it.name.as_str(), definition::trials(it))).collect();
    let usual: Values<'_> =
        trials.iter().filter_map(|(name, trials)| Some((*name, trials.first()?.clone()))).collect();
    if let Err(faults) = rendered(version, &usual) {
        let untold: Vec<&str> =
            usual.iter().filter(|(_, value)| **value == Standing::Untold).map(|(name, _)| *name).collect();
        return faults.into_iter().map(|fault| without(&untold, fault)).collect();
    }
    for (name, trials) in &trials {
        for trial in trials.iter().skip(1) {
            let mut values = usual.clone();
            values.insert(name, trial.clone());
            if let Err(faults) = rendered(version, &values) {
                return faults.into_iter().map(|fault| with(name, trial, fault)).collect();
            }
        }
    }
    Vec::new()
}

fn with(name: &str, trial: &Standing, fault: Fault) -> Fault {
    let is = if let Standing::Is(value) = trial { shown(value) } else { "left out".to_owned() };
    Fault { message: format!("{}; that is so if `{name}` is {is}", fault.message), ..fault }
}

/// A field that is made with a text which nobody knows yet is missing in the trial.
fn without(untold: &[&str], fault: Fault) -> Fault {
    if untold.is_empty() {
        return fault;
    }
    let message = format!("{}; tried without {}, for want of a default", fault.message, untold.join(", "));
    Fault { message, ..fault }
}

fn at(version: &TemplateVersion) -> String {
    format!("spec.versions[{}]", version.version)
}

/// The path of a fault of what is rendered, in the template that it comes from.
fn within(version: &TemplateVersion, path: &str) -> String {
    match path.strip_prefix("spec") {
        Some(rest) => format!("{}.controlPlane{rest}", at(version)),
        None => format!("{}.{path}", at(version)),
    }
}
