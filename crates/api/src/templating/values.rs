//! What parameters are: what is said of them, or their defaults.

use std::collections::BTreeMap;

use base::KubernetesVersion;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::validation::{Fault, SUPPORTED_MINORS};
use crate::{ParameterType, TemplateParameter};

/// Most characters of a text.
const LONGEST: i32 = 4096;
/// Most memory that a pattern may take.
const PATTERN_BYTES: usize = 1 << 18;

/// What a parameter is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// This.
    Is(Value),
    /// Nothing, which is allowed.
    LeftOut,
    /// Something that is not known before somebody says it.
    Untold,
}

/// What all parameters are.
pub(super) type Values<'a> = BTreeMap<&'a str, Standing>;

/// Reads what is said.
///
/// # Errors
/// Everything that is wrong: unknown, missing, or not allowed.
pub(super) fn read<'a>(
    parameters: &'a [TemplateParameter],
    said: &Map<String, Value>,
) -> Result<Values<'a>, Vec<Fault>> {
    let (mut values, mut faults) = (Values::new(), Vec::new());
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for (name, value) in said.iter().filter(|(name, _)| !names.contains(&name.as_str())) {
        let message = format!("is said of no parameter of the template; there are: {}", listed(&names));
        faults.push(Fault::new(path(name), value, message));
    }
    for parameter in parameters {
        let said = said.get(&parameter.name).filter(|value| !value.is_null());
        let standing = match (said.or(parameter.default.as_ref()), parameter.required) {
            (Some(value), _) => accept(parameter, value).map(Standing::Is),
            (None, false) => Ok(Standing::LeftOut),
            (None, true) => Err(format!("must be said: {}", allowed(parameter))),
        };
        match standing {
            Ok(standing) => {
                values.insert(&parameter.name, standing);
            }
            Err(message) => {
                let value = said.map_or_else(|| "null".to_owned(), shown);
                faults.push(Fault::new(path(&parameter.name), value, message));
            }
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// The value as it is used; what must be so otherwise.
pub(super) fn accept(parameter: &TemplateParameter, value: &Value) -> Result<Value, String> {
    let text = value.as_str();
    let accepted = match parameter.kind {
        ParameterType::String => text.filter(|text| is_allowed(parameter, text)).map(Value::from),
        ParameterType::Integer => {
            let number = value.as_i64().or_else(|| text?.parse().ok());
            number.filter(|number| is_within(parameter, *number)).map(Value::from)
        }
        ParameterType::Boolean => value.as_bool().or_else(|| text?.parse().ok()).map(Value::from),
        ParameterType::Choice => {
            text.filter(|text| parameter.choices.iter().any(|choice| choice == text)).map(Value::from)
        }
        ParameterType::Version => text.and_then(|text| version(parameter, text)).map(Value::from),
    };
    accepted.ok_or_else(|| format!("must be {}", allowed(parameter)))
}

/// A pattern that a text as a whole matches.
///
/// # Errors
/// It is no regular expression, or takes too much memory.
pub(super) fn pattern(text: &str) -> Result<Regex, regex::Error> {
    let build = |text: &str| RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
    // By itself first: `a)|(b` would be one within the brackets.
    build(text)?;
    build(&format!(r"\A(?:{text})\z"))
}

/// A version that can be run.
pub(super) fn supported(text: &str) -> Option<KubernetesVersion> {
    text.parse().ok().filter(|version: &KubernetesVersion| SUPPORTED_MINORS.contains(&version.minor()))
}

/// A value for a message: texts as they are.
pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_allowed(parameter: &TemplateParameter, text: &str) -> bool {
    let length = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
    let (least, most) = lengths(parameter);
    let matches = |wanted: &String| pattern(wanted).is_ok_and(|pattern| pattern.is_match(text));
    (least..=most).contains(&length) && parameter.pattern.as_ref().is_none_or(matches)
}

fn lengths(parameter: &TemplateParameter) -> (i32, i32) {
    (parameter.min_length.unwrap_or(0), parameter.max_length.unwrap_or(LONGEST))
}

fn is_within(parameter: &TemplateParameter, number: i64) -> bool {
    parameter.minimum.is_none_or(|least| number >= least)
        && parameter.maximum.is_none_or(|most| number <= most)
}

fn version(parameter: &TemplateParameter, text: &str) -> Option<String> {
    let version = supported(text)?;
    let is_it = |choice: &String| supported(choice).as_ref() == Some(&version);
    let is_chosen = parameter.choices.is_empty() || parameter.choices.iter().any(is_it);
    is_chosen.then(|| version.to_string())
}

/// What a parameter may be, in words.
fn allowed(parameter: &TemplateParameter) -> String {
    match parameter.kind {
        ParameterType::String => {
            let (least, most) = lengths(parameter);
            let shape = parameter.pattern.as_ref().map(|pattern| format!(" that matches `{pattern}`"));
            format!("a text of {least} to {most} characters{}", shape.unwrap_or_default())
        }
        ParameterType::Integer => match (parameter.minimum, parameter.maximum) {
            (None, None) => "a whole number".to_owned(),
            (Some(least), None) => format!("a whole number from {least} on"),
            (None, Some(most)) => format!("a whole number up to {most}"),
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        },
        ParameterType::Boolean => "true or false".to_owned(),
        ParameterType::Version if parameter.choices.is_empty() => {
            let (first, last) = (SUPPORTED_MINORS.start(), SUPPORTED_MINORS.end());
            format!("a version from 1.{first} to 1.{last}, such as `v1.{last}.0`")
        }
        ParameterType::Choice | ParameterType::Version => {
            let choices: Vec<&str> = parameter.choices.iter().map(String::as_str).collect();
            format!("one of: {}", listed(&choices))
        }
    }
}

/// Names in a message.
pub(super) fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn path(parameter: &str) -> String {
    format!("parameters.{parameter}")
}
