//! What somebody wants to see of the inventory: filter, order, page.

use std::cmp::Ordering;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClusterRow, Kind};
use crate::extract::limit;
use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 50;
const MOST: usize = 500;

/// What is asked of the inventory.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ClusterQuery {
    /// Text in name, id, version or tenant, whatever the case.
    pub(crate) search: Option<String>,
    /// Only those of this tenant.
    pub(crate) tenant: Option<String>,
    /// Only hosted or only imported ones.
    pub(crate) kind: Option<Kind>,
    /// Only those in this state.
    pub(crate) state: Option<String>,
    /// Labels, such as `tier=gold,zone!=a,region`.
    pub(crate) labels: Option<String>,
    /// Order: `id` (as without it), `name`, `tenant`, `state`, `version`, `nodes`, `cpu` and `memory` of the nodes,
    /// `lastSeen`, `created`; with `-` before it, backwards.
    pub(crate) sort: Option<String>,
    /// How many, 1 to 500; 50 without it.
    pub(crate) limit: Option<usize>,
    /// Where the page before ended: its `next`.
    pub(crate) after: Option<String>,
}

/// A page of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterPage {
    /// The clusters.
    pub(crate) items: Vec<ClusterRow>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// What `after` has to be for the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One page of the rows that somebody may see.
pub(crate) fn select(rows: Vec<Arc<ClusterRow>>, query: &ClusterQuery) -> Result<ClusterPage, Problem> {
    let order = Order::read(query.sort.as_deref().unwrap_or("id"))?;
    let filter = Filter::read(query)?;
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let mut found: Vec<Arc<ClusterRow>> = rows.into_iter().filter(|row| filter.takes(row)).collect();
    found.sort_by(|one, other| order.compare(one, other));
    let total = found.len();
    // The last one of the page before may be gone, or stand elsewhere now: then its id says where to go on.
    let begin = query.after.as_ref().map_or(0, |after| {
        let position = found.iter().position(|row| row.id == *after).map(|position| position + 1);
        position.unwrap_or_else(|| found.partition_point(|row| row.id <= *after))
    });
    let page = found.get(begin..).unwrap_or_default();
    let items: Vec<ClusterRow> = page.iter().take(limit).map(|row| (**row).clone()).collect();
    let next = items.last().filter(|_| page.len() > limit).map(|row| row.id.clone());
    Ok(ClusterPage { items, total, next })
}

#[derive(Clone, Copy)]
enum Column {
    Id,
    Name,
    Tenant,
    State,
    Version,
    Nodes,
    Cpu,
    Memory,
    LastSeen,
    Created,
}

struct Order {
    column: Column,
    is_backwards: bool,
}

impl Order {
    fn read(text: &str) -> Result<Self, Problem> {
        let (name, is_backwards) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let column = match name {
            "id" => Column::Id,
            "name" => Column::Name,
            "tenant" => Column::Tenant,
            "state" => Column::State,
            "version" => Column::Version,
            "nodes" => Column::Nodes,
            "cpu" => Column::Cpu,
            "memory" => Column::Memory,
            "lastSeen" => Column::LastSeen,
            "created" => Column::Created,
            _ => {
                return Err(Problem::invalid(format!(
                    "sort: `{text}` is none of id, name, tenant, state, version, nodes, cpu, memory, lastSeen, created"
                )));
            }
        };
        Ok(Self { column, is_backwards })
    }

    fn compare(&self, one: &ClusterRow, other: &ClusterRow) -> Ordering {
        let ordering = match self.column {
            Column::Id => one.id.cmp(&other.id),
            Column::Name => one.name.cmp(&other.name),
            Column::Tenant => one.tenant.cmp(&other.tenant),
            Column::State => one.state.cmp(&other.state),
            Column::Version => version(one).cmp(&version(other)),
            Column::Nodes => nodes(one).cmp(&nodes(other)),
            Column::Cpu => capacity(one).map(|(cpu, _)| cpu).cmp(&capacity(other).map(|(cpu, _)| cpu)),
            Column::Memory => {
                capacity(one).map(|(_, memory)| memory).cmp(&capacity(other).map(|(_, memory)| memory))
            }
            Column::LastSeen => one.last_seen.cmp(&other.last_seen),
            Column::Created => one.created.cmp(&other.created),
        };
        let ordering = if self.is_backwards { ordering.reverse() } else { ordering };
        ordering.then_with(|| one.id.cmp(&other.id))
    }
}

fn nodes(row: &ClusterRow) -> Option<i64> {
    row.nodes.map(|nodes| nodes.total)
}

/// CPU and memory of the nodes.
fn capacity(row: &ClusterRow) -> Option<(u64, u64)> {
    row.capacity.map(|capacity| (capacity.cpu_milli, capacity.memory_bytes))
}

fn version(row: &ClusterRow) -> Option<base::KubernetesVersion> {
    row.version.as_deref().and_then(|version| version.parse().ok())
}

struct Filter<'a> {
    query: &'a ClusterQuery,
    search: Option<String>,
    labels: Vec<LabelRule<'a>>,
}

enum LabelRule<'a> {
    Is(&'a str, &'a str),
    IsNot(&'a str, &'a str),
    IsThere(&'a str),
}

impl<'a> Filter<'a> {
    fn read(query: &'a ClusterQuery) -> Result<Self, Problem> {
        let parts =
            query.labels.as_deref().unwrap_or_default().split(',').filter(|part| !part.trim().is_empty());
        let labels = parts.map(label_rule).collect::<Result<_, _>>()?;
        Ok(Self { query, search: query.search.as_ref().map(|text| text.to_lowercase()), labels })
    }

    fn takes(&self, row: &ClusterRow) -> bool {
        let query = self.query;
        query.tenant.as_ref().is_none_or(|tenant| row.tenant.as_ref() == Some(tenant))
            && query.kind.is_none_or(|kind| row.kind == kind)
            && query.state.as_ref().is_none_or(|state| row.state.eq_ignore_ascii_case(state))
            && self.labels.iter().all(|rule| rule.takes(row))
            && self.search.as_ref().is_none_or(|text| mentions(row, text))
    }
}

impl LabelRule<'_> {
    fn takes(&self, row: &ClusterRow) -> bool {
        match self {
            Self::Is(key, value) => row.labels.get(*key).is_some_and(|own| own == value),
            Self::IsNot(key, value) => row.labels.get(*key).is_none_or(|own| own != value),
            Self::IsThere(key) => row.labels.contains_key(*key),
        }
    }
}

fn label_rule(part: &str) -> Result<LabelRule<'_>, Problem> {
    let part = part.trim();
    let rule = match (part.split_once("!="), part.split_once('=')) {
        (Some((key, value)), _) => LabelRule::IsNot(key.trim(), value.trim()),
        (None, Some((key, value))) => LabelRule::Is(key.trim(), value.trim_start_matches('=').trim()),
        (None, None) => LabelRule::IsThere(part),
    };
    let (LabelRule::Is(key, _) | LabelRule::IsNot(key, _) | LabelRule::IsThere(key)) = &rule;
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(Problem::invalid(format!(
            "labels: `{part}` is not like `key=value`, `key!=value` or `key`"
        )));
    }
    Ok(rule)
}

fn mentions(row: &ClusterRow, text: &str) -> bool {
    let has = |word: &str| word.to_lowercase().contains(text);
    has(&row.id)
        || has(&row.name)
        || row.version.as_deref().is_some_and(has)
        || row.tenant.as_deref().is_some_and(has)
}

#[cfg(test)]
mod tests;
