//! Tests of filter, order and pages.

use std::sync::Arc;

use proptest::prelude::*;

use super::{ClusterQuery, select};
use crate::inventory::{ClusterRow, Kind, Resources};

fn rows() -> Vec<Arc<ClusterRow>> {
    let row = |id: &str, tenant: &str, version: &str, tier: &str| {
        Arc::new(ClusterRow {
            id: id.to_owned(),
            name: id.to_uppercase(),
            kind: if id.contains('.') { Kind::Hosted } else { Kind::Imported },
            tenant: Some(tenant.to_owned()),
            version: Some(version.to_owned()),
            labels: [("tier".to_owned(), tier.to_owned())].into(),
            ..ClusterRow::default()
        })
    };
    vec![
        row("acme.a", "acme", "v1.36.3", "gold"),
        row("acme.b", "acme", "v1.9.0", "iron"),
        row("edge", "globex", "v1.35.4", "gold"),
    ]
}

fn ids(query: &ClusterQuery) -> Vec<String> {
    select(rows(), query).unwrap().items.into_iter().map(|row| row.id).collect()
}

#[test]
fn rows_are_found_by_what_they_are() {
    let query = ClusterQuery::default;
    assert_eq!(ids(&ClusterQuery { search: Some("EDG".to_owned()), ..query() }), ["edge"]);
    assert_eq!(ids(&ClusterQuery { tenant: Some("acme".to_owned()), ..query() }), ["acme.a", "acme.b"]);
    assert_eq!(ids(&ClusterQuery { kind: Some(Kind::Imported), ..query() }), ["edge"]);
    for (labels, found) in
        [("tier=gold", vec!["acme.a", "edge"]), ("tier!=gold", vec!["acme.b"]), ("none", vec![])]
    {
        assert_eq!(ids(&ClusterQuery { labels: Some(labels.to_owned()), ..query() }), found, "{labels}");
    }
}

#[test]
fn versions_are_ordered_as_versions() {
    let sorted = |sort: &str| ids(&ClusterQuery { sort: Some(sort.to_owned()), ..ClusterQuery::default() });
    assert_eq!(sorted("version"), ["acme.b", "edge", "acme.a"]);
    assert_eq!(sorted("-version"), ["acme.a", "edge", "acme.b"]);
}

#[test]
fn clusters_are_ordered_by_what_their_nodes_have_and_those_that_have_told_nothing_come_first() {
    let row = |id: &str, cpu_milli, memory_bytes| {
        let capacity = Some(Resources { cpu_milli, memory_bytes, pods: 0 });
        Arc::new(ClusterRow { id: id.to_owned(), capacity, ..ClusterRow::default() })
    };
    let rows = vec![row("a", 8000, 1), row("b", 500, 3), Arc::default()];
    let sorted = |sort: &str| {
        let query = ClusterQuery { sort: Some(sort.to_owned()), ..ClusterQuery::default() };
        let items = select(rows.clone(), &query).unwrap().items;
        items.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(sorted("cpu"), ["", "b", "a"]);
    assert_eq!(sorted("memory"), ["", "a", "b"]);
    assert_eq!(sorted("-memory"), ["b", "a", ""]);
    assert_eq!(sorted("lastSeen"), ["", "a", "b"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let query = ClusterQuery::default;
    for wrong in [
        ClusterQuery { sort: Some("colour".to_owned()), ..query() },
        ClusterQuery { limit: Some(0), ..query() },
        ClusterQuery { limit: Some(501), ..query() },
        ClusterQuery { labels: Some("=gold".to_owned()), ..query() },
    ] {
        assert_eq!(select(rows(), &wrong).unwrap_err().status, 422, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn pages_together_are_everything_once(count in 0_usize..40, limit in 1_usize..10) {
        let all: Vec<_> = (0..count)
            .map(|number| Arc::new(ClusterRow { id: format!("c-{number:03}"), ..ClusterRow::default() }))
            .collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let query = ClusterQuery { limit: Some(limit), after: after.clone(), ..ClusterQuery::default() };
            let page = select(all.clone(), &query).unwrap();
            prop_assert_eq!(page.total, count);
            seen.extend(page.items.into_iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, all.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
    }
}
