//! What is wrong with the definition of a parameter, and what values a template is tried with.

use serde_json::Value;

use super::filling::is_name;
use super::values::{Standing, accept, pattern, shown, supported};
use crate::validation::{Fault, SUPPORTED_MINORS};
use crate::{ParameterType, TemplateParameter};

/// Everything that is wrong with one parameter.
pub(super) fn faults(parameter: &TemplateParameter) -> Vec<Fault> {
    let path = |field: &str| format!("parameters[{}].{field}", parameter.name);
    let mut faults = Vec::new();
    if !is_name(&parameter.name) {
        let message = "must have 1 to 63 letters, digits, `-` and `_`, and begin with a letter";
        faults.push(Fault::new(path("name"), &parameter.name, message));
    }
    for (field, value, kinds) in limits(parameter) {
        if !kinds.contains(&parameter.kind) {
            let message = format!("limits parameters of type {} only; leave it out", told(kinds));
            faults.push(Fault::new(path(field), value, message));
        }
    }
    faults.extend(limit_faults(parameter, &path));
    // What limits say wrongly would make every default wrong.
    if let Some(default) = parameter.default.as_ref().filter(|_| faults.is_empty()) {
        let refused = accept(parameter, default).err();
        faults.extend(refused.map(|message| Fault::new(path("default"), shown(default), message)));
    }
    faults
}

/// The limits that are there, with the types that have them.
fn limits(parameter: &TemplateParameter) -> Vec<(&'static str, String, &'static [ParameterType])> {
    use ParameterType::{Choice, Integer, String, Version};
    let choices = (!parameter.choices.is_empty()).then(|| parameter.choices.join(", "));
    let limits: [(_, _, &'static [ParameterType]); 6] = [
        ("minimum", parameter.minimum.map(|limit| limit.to_string()), &[Integer]),
        ("maximum", parameter.maximum.map(|limit| limit.to_string()), &[Integer]),
        ("pattern", parameter.pattern.clone(), &[String]),
        ("minLength", parameter.min_length.map(|limit| limit.to_string()), &[String]),
        ("maxLength", parameter.max_length.map(|limit| limit.to_string()), &[String]),
        ("choices", choices, &[Choice, Version]),
    ];
    limits.into_iter().filter_map(|(field, value, kinds)| Some((field, value?, kinds))).collect()
}

fn limit_faults(parameter: &TemplateParameter, path: &impl Fn(&str) -> String) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let (Some(least), Some(most)) = (parameter.minimum, parameter.maximum)
        && least > most
    {
        faults.push(Fault::new(
            path("minimum"),
            least,
            format!("must not be above `maximum`, which is {most}"),
        ));
    }
    if let (Some(least), Some(most)) = (parameter.min_length, parameter.max_length)
        && least > most
    {
        faults.push(Fault::new(
            path("minLength"),
            least,
            format!("must not be above `maxLength`, which is {most}"),
        ));
    }
    if let Some(text) = &parameter.pattern
        && let Err(error) = pattern(text)
    {
        faults.push(Fault::new(path("pattern"), text, format!("is no regular expression: {error}")));
    }
    if parameter.kind == ParameterType::Choice && parameter.choices.is_empty() {
        faults.push(Fault::new(path("choices"), "[]", "must name what can be chosen"));
    }
    for (index, choice) in parameter.choices.iter().enumerate() {
        if parameter.choices[..index].contains(choice) {
            faults.push(Fault::new(path("choices"), choice, "is there twice"));
        }
        if parameter.kind == ParameterType::Version && supported(choice).is_none() {
            let message = format!(
                "must be a version from 1.{} to 1.{}",
                SUPPORTED_MINORS.start(),
                SUPPORTED_MINORS.end()
            );
            faults.push(Fault::new(path("choices"), choice, message));
        }
    }
    faults
}

fn told(kinds: &[ParameterType]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    names.join(" and ")
}

/// What a parameter is tried with: what it is if nothing is said, then its extremes. Nobody knows before which texts a
/// pattern lets through.
pub(super) fn trials(parameter: &TemplateParameter) -> Vec<Standing> {
    let default = parameter.default.as_ref().and_then(|default| accept(parameter, default).ok());
    let mut trials: Vec<Standing> = default.into_iter().map(Standing::Is).collect();
    if trials.is_empty() && !parameter.required {
        trials.push(Standing::LeftOut);
    }
    let is = |value: Value| Standing::Is(value);
    match parameter.kind {
        ParameterType::String if trials.is_empty() => trials.push(Standing::Untold),
        ParameterType::String => {}
        ParameterType::Boolean => trials.extend([true, false].map(|value| is(value.into()))),
        ParameterType::Integer => {
            let bounds: Vec<i64> = [parameter.minimum, parameter.maximum].into_iter().flatten().collect();
            let bounds = if bounds.is_empty() { vec![1] } else { bounds };
            trials.extend(bounds.into_iter().map(|value| is(value.into())));
        }
        ParameterType::Version if parameter.choices.is_empty() => {
            trials.push(is(format!("v1.{}.0", SUPPORTED_MINORS.end()).into()));
        }
        ParameterType::Choice | ParameterType::Version => {
            let choices = parameter.choices.iter();
            let choices = choices.filter_map(|choice| accept(parameter, &choice.as_str().into()).ok());
            trials.extend(choices.map(is));
        }
    }
    trials
}
