//! Which store a control plane gets that names none, and how many control planes a store takes.

use std::collections::BTreeSet;
use std::str::FromStr;

use api::names::annotations;
use api::{DataStore, Driver, TenantControlPlane};
use kube::ResourceExt;
use kube::core::{Expression, Selector, SelectorExt};

/// Labels that a store must have, written as `kubectl -l` takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreSelector {
    text: String,
    selector: Selector,
}

/// A text that selects nothing, as it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` is no selector of labels; write it like `tier=gold`, `zone in (a,b)` or `!old`, joined by commas"
)]
pub struct SelectorError {
    part: String,
}

impl StoreSelector {
    /// Whether a store has the labels.
    #[must_use]
    pub fn matches(&self, store: &DataStore) -> bool {
        self.selector.matches(store.labels())
    }
}

impl FromStr for StoreSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = split(text).into_iter().map(str::trim).filter(|part| !part.is_empty());
        let selector = parts.map(expression).collect::<Result<Selector, _>>()?;
        Ok(Self { text: text.trim().to_owned(), selector })
    }
}

/// Commas in parentheses part values, the others expressions.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .collect()
}

fn expression(part: &str) -> Result<Expression, SelectorError> {
    let fault = || SelectorError { part: part.to_owned() };
    let name = |text: &str| {
        let allowed = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
        let text = text.trim();
        (!text.is_empty() && text.chars().all(allowed)).then(|| text.to_owned()).ok_or_else(fault)
    };
    let value = |text: &str| if text.trim().is_empty() { Ok(String::new()) } else { name(text) };
    if let Some((set, values)) = part.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(fault)?;
        let values = values.split(',').map(value).collect::<Result<BTreeSet<_>, _>>()?;
        let mut words = set.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Ok(Expression::In(name(key)?, values)),
            (Some(key), Some("notin"), None) => Ok(Expression::NotIn(name(key)?, values)),
            _ => Err(fault()),
        };
    }
    if let Some((key, text)) = part.split_once("!=") {
        return Ok(Expression::NotEqual(name(key)?, value(text)?));
    }
    if let Some((key, text)) = part.split_once('=') {
        return Ok(Expression::Equal(name(key)?, value(text.strip_prefix('=').unwrap_or(text))?));
    }
    match part.strip_prefix('!') {
        Some(key) => name(key).map(Expression::DoesNotExist),
        None => name(part).map(Expression::Exists),
    }
}

/// How many control planes a store takes; none if as many as come.
///
/// # Errors
/// A message if the annotation is no number.
pub fn capacity(store: &DataStore) -> Result<Option<usize>, String> {
    // NATS has one user for all, who reads every bucket.
    let most = (store.spec.driver == Driver::Nats).then_some(1);
    let Some(text) = store.annotations().get(annotations::CAPACITY) else { return Ok(most) };
    let wished: usize = text.trim().parse().map_err(|_| {
        let name = store.name_any();
        format!(
            "annotation {} of DataStore `{name}` is `{text}`, which is no number of control planes; mend it",
            annotations::CAPACITY
        )
    })?;
    Ok(Some(most.map_or(wished, |most| wished.min(most))))
}

/// Whether a store with so many other control planes takes one more.
///
/// # Errors
/// A message with the cause and the next step.
pub fn room(store: &DataStore, others: usize) -> Result<(), String> {
    let name = store.name_any();
    match capacity(store)? {
        Some(capacity) if others >= capacity && store.spec.driver == Driver::Nats && capacity > 0 => {
            Err(format!(
                "DataStore `{name}` has driver NATS, whose only user reads every bucket, so that it takes one \
             control plane, and it has one; set spec.dataStore to another one"
            ))
        }
        Some(capacity) if others >= capacity => Err(format!(
            "DataStore `{name}` takes {capacity} control planes and has {others}; set spec.dataStore to \
             another one, or raise the annotation {} of that one",
            annotations::CAPACITY
        )),
        _ => Ok(()),
    }
}

/// A store that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The store.
    pub store: &'a DataStore,
    /// How many control planes it has, or is about to have.
    pub tenants: usize,
}

/// The selector in a control plane's annotation, if it has one.
///
/// # Errors
/// A message if it cannot be read.
pub fn selector_of(tenant: &TenantControlPlane) -> Result<Option<StoreSelector>, String> {
    let Some(text) = tenant.annotations().get(annotations::DATA_STORE_SELECTOR) else { return Ok(None) };
    let read = text.parse();
    read.map(Some).map_err(|error| format!("annotation {}: {error}", annotations::DATA_STORE_SELECTOR))
}

/// The ready store with the fewest control planes of those that match all selectors and have room.
///
/// # Errors
/// A message that says why none of them will do.
pub fn choose<'a>(
    candidates: &[Candidate<'a>],
    selectors: &[&StoreSelector],
) -> Result<&'a DataStore, String> {
    let matching: Vec<_> = candidates
        .iter()
        .filter(|candidate| selectors.iter().all(|selector| selector.matches(candidate.store)))
        .collect();
    if matching.is_empty() {
        let texts: Vec<&str> =
            selectors.iter().map(|selector| selector.text.as_str()).filter(|text| !text.is_empty()).collect();
        return Err(if texts.is_empty() {
            "there is no DataStore; create one".to_owned()
        } else {
            format!(
                "no DataStore has the labels `{}`; label one, or set spec.dataStore",
                texts.join("` and `")
            )
        });
    }
    let hindrance = |candidate: &Candidate<'_>| {
        if !is_ready(candidate.store) {
            return Some(format!("DataStore `{}` is not ready", candidate.store.name_any()));
        }
        room(candidate.store, candidate.tenants).err()
    };
    let fitting = matching.iter().filter(|candidate| hindrance(candidate).is_none());
    let best = fitting.min_by_key(|candidate| (candidate.tenants, candidate.store.name_any()));
    best.map(|candidate| candidate.store).ok_or_else(|| {
        let reasons: Vec<String> = matching.iter().filter_map(|candidate| hindrance(candidate)).collect();
        reasons.join("; ")
    })
}

fn is_ready(store: &DataStore) -> bool {
    store.metadata.deletion_timestamp.is_none() && store.status.as_ref().is_some_and(|status| status.ready)
}

#[cfg(test)]
mod tests;
