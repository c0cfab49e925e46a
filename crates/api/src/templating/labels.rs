//! Labels that come from a template.

use std::collections::BTreeMap;

use crate::validation::Fault;

/// What the platform's own labels begin with.
const PLATFORM: &str = "flotilla.dev/";

/// Whether a label says something of the platform, so that nobody else may set it.
#[must_use]
pub fn is_platform_label(name: &str) -> bool {
    name.starts_with(PLATFORM)
}

/// Labels that are the platform's, or that the API server would refuse.
pub(super) fn faults(labels: &BTreeMap<String, String>) -> Vec<Fault> {
    let fault = |(name, value): (&String, &String)| {
        let message = if is_platform_label(name) {
            "is a label of the platform, which it sets itself"
        } else if !is_key(name) {
            "is the value of no label: names have letters, digits, `-`, `_` and `.`, and a domain with `/` in front if any"
        } else if !value.is_empty() && !is_word(value) {
            "must have at most 63 letters, digits, `-`, `_` and `.`, and begin and end with a letter or digit"
        } else {
            return None;
        };
        Some(Fault::new(format!("labels.{name}"), value, message))
    };
    labels.iter().filter_map(fault).collect()
}

fn is_key(name: &str) -> bool {
    let (domain, name) = name.split_once('/').map_or((None, name), |(domain, name)| (Some(domain), name));
    let is_domain =
        |domain: &str| domain.len() <= 253 && domain.split('.').all(crate::validation::is_dns_1123_label);
    is_word(name) && domain.is_none_or(is_domain)
}

fn is_word(text: &str) -> bool {
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && is_edge(text.bytes().next())
        && is_edge(text.bytes().last())
}
