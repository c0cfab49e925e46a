//! What tenants use.

use jiff::civil::{Date, date};
use records::{Amounts, DayUsage, Metering, UsageFilter, UsageGroup, UsageGrouping};

use crate::place::{Place, at, on_both, race, texts};

on_both!(
    what_two_replicas_report_of_an_interval_counts_once,
    intervals_add_up_whatever_their_order,
    nobody_sees_the_usage_of_others,
    usage_is_added_up_as_it_is_asked_for_page_by_page,
);

fn used(day: i8, tenant: &str, cluster: &str, seconds: u64) -> DayUsage {
    let amounts = Amounts {
        control_plane_seconds: seconds,
        replica_seconds: 2 * seconds,
        cpu_millicore_seconds: 500 * seconds,
        memory_mebibyte_seconds: 256 * seconds,
        node_seconds: 3 * seconds,
        node_cpu_millicore_seconds: 12_000 * seconds,
        node_memory_mebibyte_seconds: 4096 * seconds,
        requests: 7,
    };
    DayUsage { day: date(2026, 11, day), tenant: tenant.to_owned(), cluster: cluster.to_owned(), amounts }
}

async fn usage(
    metering: &Metering,
    tenants: Option<&[String]>,
    cluster: Option<&str>,
    (from, to): (Date, Date),
) -> Vec<DayUsage> {
    let cluster = cluster.map(str::to_owned);
    let filter = UsageFilter { from, to, tenants: tenants.map(<[String]>::to_vec), cluster };
    let (groups, has_more) = metering.usage(&filter, UsageGrouping::None, 1000, None).await.unwrap();
    assert!(!has_more);
    let row = |group: UsageGroup| DayUsage {
        day: group.day.unwrap(),
        tenant: group.tenant.unwrap(),
        cluster: group.cluster.unwrap(),
        amounts: group.amounts,
    };
    groups.into_iter().map(row).collect()
}

async fn what_two_replicas_report_of_an_interval_counts_once(place: &Place) {
    let replicas = [place.open().await.metering(), place.open().await.metering()];
    let counted = race(8, |racer| {
        let metering = replicas[racer % 2].clone();
        async move {
            let rows = [used(29, "acme", "web", 60), used(29, "acme", "shop", 60)];
            metering.report("clusters/00:05", &rows, at(0)).await.unwrap()
        }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counted| *counted).count(), 1);
    let found = usage(&replicas[0], None, None, (date(2026, 11, 29), date(2026, 11, 29))).await;
    assert_eq!(found, [used(29, "acme", "shop", 60), used(29, "acme", "web", 60)]);
}

async fn intervals_add_up_whatever_their_order(place: &Place) {
    let metering = place.open().await.metering();
    let counted = race(32, |racer| {
        let metering = metering.clone();
        async move {
            let mut rows =
                vec![used(29, "acme", "a", 60), used(29, "acme", "b", 60), used(29, "acme", "a", 1)];
            if racer % 2 == 1 {
                rows.reverse();
            }
            metering.report(&format!("interval {racer}"), &rows, at(0)).await.unwrap()
        }
    })
    .await;
    assert!(counted.into_iter().all(|counted| counted));
    let found = usage(&metering, None, None, (date(2026, 11, 1), date(2026, 11, 30))).await;
    let seconds: Vec<u64> = found.iter().map(|row| row.amounts.control_plane_seconds).collect();
    let requests: Vec<u64> = found.iter().map(|row| row.amounts.requests).collect();
    assert_eq!((seconds, requests), (vec![32 * 61, 32 * 60], vec![32 * 14, 32 * 7]));
    assert_eq!(metering.sweep(at(1)).await.unwrap(), 32);
    assert_eq!(usage(&metering, None, None, (date(2026, 11, 29), date(2026, 11, 29))).await.len(), 2);
}

async fn nobody_sees_the_usage_of_others(place: &Place) {
    let metering = place.open().await.metering();
    let rows = [
        used(27, "acme", "web", 1),
        used(28, "acme", "web", 2),
        used(28, "globex", "web", 3),
        used(29, "acme", "db", 4),
        used(30, "acme", "web", 5),
    ];
    metering.report("all", &rows, at(0)).await.unwrap();
    let days = (date(2026, 11, 28), date(2026, 11, 29));
    let acme = texts(&["acme", "nul \0", "' OR 1=1"]);
    assert_eq!(usage(&metering, Some(&acme), None, days).await, [rows[1].clone(), rows[3].clone()]);
    assert_eq!(usage(&metering, Some(&acme), Some("web"), days).await, [rows[1].clone()]);
    assert_eq!(usage(&metering, Some(&[]), None, days).await, []);
    // More names than either database takes values in a statement.
    let mut many: Vec<String> = (0..70_000).map(|number| format!("tenant-{number}")).collect();
    many.push("globex".to_owned());
    assert_eq!(usage(&metering, Some(&many), None, days).await, [rows[2].clone()]);
}

async fn usage_is_added_up_as_it_is_asked_for_page_by_page(place: &Place) {
    let metering = place.open().await.metering();
    let rows = [
        used(28, "acme", "db", 1),
        used(28, "acme", "web", 2),
        used(29, "acme", "web", 4),
        used(29, "globex", "web", 8),
    ];
    metering.report("all", &rows, at(0)).await.unwrap();
    let filter =
        UsageFilter { from: date(2026, 11, 28), to: date(2026, 11, 29), tenants: None, cluster: None };
    for (grouping, expected) in [
        (
            UsageGrouping::None,
            &[
                ("2026-11-28/acme/db", 1),
                ("2026-11-28/acme/web", 2),
                ("2026-11-29/acme/web", 4),
                ("2026-11-29/globex/web", 8),
            ][..],
        ),
        (UsageGrouping::Day, &[("2026-11-28", 3), ("2026-11-29", 12)]),
        (UsageGrouping::Tenant, &[("acme", 7), ("globex", 8)]),
        (UsageGrouping::Cluster, &[("acme/db", 1), ("acme/web", 6), ("globex/web", 8)]),
    ] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, has_more) = metering.usage(&filter, grouping, 1, after.as_deref()).await.unwrap();
            after = page.last().map(UsageGroup::cursor);
            found.extend(page);
            if !has_more {
                break;
            }
        }
        let found: Vec<_> = found
            .iter()
            .map(|group| (group.cursor(), group.amounts.node_cpu_millicore_seconds / 12_000))
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(cursor, seconds)| ((*cursor).to_owned(), *seconds)).collect();
        assert_eq!(found, expected);
    }
    assert!(metering.usage(&filter, UsageGrouping::Day, 1, Some("acme/db")).await.is_err());
}
