//! Objects as they are shown and sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Noun;
use crate::extract::limit;
use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 500;

/// An object to be made or written anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewObject<S> {
    /// Its name.
    pub(super) name: String,
    /// Its labels.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// What it shall be.
    pub(super) spec: S,
}

/// An object.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ObjectShown<S> {
    /// Its name.
    pub(super) name: String,
    /// Its labels.
    pub(super) labels: BTreeMap<String, String>,
    /// What it shall be.
    pub(super) spec: S,
    /// How it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Value>,
    /// For `If-Match`.
    pub(super) version: String,
    /// When it was made.
    pub(super) created: Option<Timestamp>,
}

/// A page of objects, by name.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ObjectPage<S> {
    /// The objects.
    items: Vec<ObjectShown<S>>,
    /// How many there are on all pages.
    total: usize,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which page.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Text in the name, whatever the case.
    search: Option<String>,
    /// How many, 1 to 500; 100 without it.
    limit: Option<usize>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

impl<S> ObjectShown<S> {
    pub(super) fn of<N: Noun<Spec = S>>(object: &N) -> Result<Self, Problem>
    where
        S: Clone,
    {
        let mut whole = serde_json::to_value(object).map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            name: object.name_any(),
            labels: object.labels().clone(),
            spec: object.spec().clone(),
            status: whole.get_mut("status").map(Value::take).filter(|status| !status.is_null()),
            version: object.resource_version().unwrap_or_default().into_owned(),
            created: object.creation_timestamp().map(|time| time.0),
        })
    }
}

/// A page of those that may be seen.
pub(super) fn page<'a, N: Noun>(
    objects: impl Iterator<Item = &'a N>,
    query: &ListQuery,
) -> Result<ObjectPage<N::Spec>, Problem> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let search = query.search.as_ref().map(|text| text.to_lowercase());
    let is_wanted = |object: &&N| search.as_ref().is_none_or(|text| object.name_any().contains(text));
    let mut found: Vec<&N> = objects.filter(is_wanted).collect();
    found.sort_by_key(|object| object.name_any());
    let begin =
        query.after.as_ref().map_or(0, |after| found.partition_point(|object| object.name_any() <= *after));
    let rest = &found[begin..];
    let items: Vec<_> =
        rest.iter().take(limit).map(|object| ObjectShown::of(*object)).collect::<Result<_, _>>()?;
    let next = items.last().filter(|_| rest.len() > limit).map(|last| last.name.clone());
    Ok(ObjectPage { items, total: found.len(), next })
}
