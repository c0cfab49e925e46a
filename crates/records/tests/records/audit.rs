//! Who did what.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use jiff::SignedDuration;
use records::{Audit, AuditEntry, AuditFilter, Cursor, Decision, RecordedEntry, RecordsError};

use crate::place::{Place, at, on_both, race, texts};

on_both!(
    an_entry_is_read_as_it_was_appended,
    pages_have_no_gap_and_nothing_twice_while_others_append,
    each_filter_leaves_what_it_should,
    an_asker_sees_nothing_of_other_tenants,
    an_export_has_all_entries_in_order,
    old_entries_are_swept,
    what_cannot_be_stored_is_told_to_who_appends,
    hostile_texts_are_kept_as_texts,
);

fn entry(seconds: i64, name: &str) -> AuditEntry {
    AuditEntry {
        time: at(seconds),
        actor: "olga".to_owned(),
        actor_kind: "person".to_owned(),
        credential: "session-1".to_owned(),
        address: "10.0.0.1".to_owned(),
        agent: "kubectl".to_owned(),
        tenant: "acme".to_owned(),
        cluster: "web".to_owned(),
        verb: "create".to_owned(),
        group: "apps".to_owned(),
        resource: "deployments".to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
        path: "/apis/apps/v1/namespaces/default/deployments".to_owned(),
        decision: Decision::Allowed,
        reason: "role developer".to_owned(),
        status: 201,
        duration_microseconds: 1234,
        request: "r-1".to_owned(),
    }
}

fn names(entries: &[RecordedEntry]) -> Vec<&str> {
    entries.iter().map(|recorded| recorded.entry.name.as_str()).collect()
}

async fn all(audit: &Audit, filter: &AuditFilter, size: u32) -> Vec<RecordedEntry> {
    let mut entries = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = audit.query(filter, size, cursor).await.unwrap();
        assert!(page.entries.len() <= size as usize);
        entries.extend(page.entries);
        // As a client keeps it.
        let Some(next) = page.next else { return entries };
        cursor = Some(next.to_string().parse().unwrap());
    }
}

async fn an_entry_is_read_as_it_was_appended(place: &Place) {
    let audit = place.open().await.audit();
    let mut appended = entry(0, "web");
    appended.time += SignedDuration::from_micros(123_456);
    let id = audit.append(appended.clone()).await.unwrap();
    let page = audit.query(&AuditFilter::default(), 10, None).await.unwrap();
    assert_eq!(
        (page.entries.as_slice(), page.next),
        ([RecordedEntry { id, entry: appended }].as_slice(), None)
    );
    let line = serde_json::to_value(&page.entries[0]).unwrap();
    assert_eq!((line["id"].as_str(), &line["decision"]), (Some(id.to_string().as_str()), &"allowed".into()));
    assert_eq!(line["time"], at(0).to_string().replace('Z', ".123456Z"));
}

/// Appends from many tasks; the time of each entry is that of its number.
async fn append_many(audit: &Audit, numbers: std::ops::Range<i64>) {
    let tasks = 64;
    race(usize::try_from(tasks).unwrap(), |racer| {
        let (audit, numbers) = (audit.clone(), numbers.clone());
        async move {
            for number in numbers.skip(racer).step_by(usize::try_from(tasks).unwrap()) {
                audit.append(entry(number, &number.to_string())).await.unwrap();
            }
        }
    })
    .await;
}

async fn pages_have_no_gap_and_nothing_twice_while_others_append(place: &Place) {
    let (here, other) = (place.open().await.audit(), place.open().await.audit());
    append_many(&here, 0..20_000).await;
    let first = here.query(&AuditFilter::default(), 500, None).await.unwrap();
    let newer = tokio::spawn(async move { append_many(&other, 20_000..24_000).await });
    let mut seen = first.entries;
    let mut cursor = first.next;
    while let Some(after) = cursor {
        let page = here.query(&AuditFilter::default(), 500, Some(after)).await.unwrap();
        seen.extend(page.entries);
        cursor = page.next;
    }
    newer.await.unwrap();
    let expected: Vec<String> = (0..20_000).rev().map(|number| number.to_string()).collect();
    assert!(names(&seen).iter().eq(expected.iter()), "{} entries", seen.len());
    assert_eq!(all(&here, &AuditFilter::default(), 1000).await.len(), 24_000);
}

async fn each_filter_leaves_what_it_should(place: &Place) {
    let audit = place.open().await.audit();
    let changes: [fn(&mut AuditEntry); 8] = [
        |_| (),
        |entry| "piet".clone_into(&mut entry.actor),
        |entry| "globex".clone_into(&mut entry.tenant),
        |entry| "shop".clone_into(&mut entry.cluster),
        |entry| "delete".clone_into(&mut entry.verb),
        |entry| "secrets".clone_into(&mut entry.resource),
        |entry| entry.decision = Decision::Denied,
        |entry| entry.decision = Decision::Failed,
    ];
    for (number, change) in (0..).zip(changes) {
        let mut appended = entry(number, &number.to_string());
        change(&mut appended);
        audit.append(appended).await.unwrap();
    }
    let any = AuditFilter::default;
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (any(), "7 6 5 4 3 2 1 0"),
        (AuditFilter { actor: some("piet"), ..any() }, "1"),
        (AuditFilter { tenants: Some(texts(&["globex"])), ..any() }, "2"),
        (AuditFilter { tenants: Some(texts(&["globex", "acme", "globex"])), ..any() }, "7 6 5 4 3 2 1 0"),
        (AuditFilter { cluster: some("shop"), ..any() }, "3"),
        (AuditFilter { verb: some("delete"), ..any() }, "4"),
        (AuditFilter { resource: some("secrets"), ..any() }, "5"),
        (AuditFilter { decision: Some(Decision::Denied), ..any() }, "6"),
        (AuditFilter { decision: Some(Decision::Failed), ..any() }, "7"),
        (AuditFilter { decision: Some(Decision::Allowed), ..any() }, "5 4 3 2 1 0"),
        (AuditFilter { name: some("0"), ..any() }, "0"),
        (AuditFilter { from: Some(at(2)), until: Some(at(5)), ..any() }, "4 3 2"),
        (
            AuditFilter { actor: some("olga"), verb: some("create"), cluster: some("web"), ..any() },
            "7 6 5 2 0",
        ),
        (AuditFilter { decision: Some(Decision::Denied), actor: some("piet"), ..any() }, ""),
        (
            AuditFilter { tenants: Some(texts(&["acme"])), actor: some("olga"), from: Some(at(5)), ..any() },
            "7 6 5",
        ),
        (AuditFilter { tenants: Some(texts(&["acme"])), decision: Some(Decision::Failed), ..any() }, "7"),
        (AuditFilter { resource: some("deployments"), verb: some("delete"), ..any() }, "4"),
    ];
    for (filter, expected) in cases {
        for size in [1, 3, 100] {
            assert_eq!(names(&all(&audit, &filter, size).await).join(" "), expected, "{filter:?}");
        }
        let mut exported: Vec<_> = audit.export(filter.clone()).try_collect().await.unwrap();
        exported.reverse();
        assert_eq!(names(&exported).join(" "), expected, "{filter:?}");
    }
}

async fn an_asker_sees_nothing_of_other_tenants(place: &Place) {
    let audit = place.open().await.audit();
    for number in 0..300 {
        let tenant = format!("tenant-{}", number % 100);
        audit.append(AuditEntry { tenant, ..entry(number, &number.to_string()) }).await.unwrap();
    }
    for count in [0, 1, 2, 70, 199, 200, 201, 40_000] {
        let tenants: Vec<String> = (0..count).map(|number| format!("tenant-{number}")).collect();
        let filter = AuditFilter { tenants: Some(tenants.clone()), ..AuditFilter::default() };
        let seen = all(&audit, &filter, 7).await;
        assert_eq!(seen.len(), 3 * count.min(100), "{count} tenants");
        assert!(seen.iter().all(|recorded| tenants.contains(&recorded.entry.tenant)));
        assert!(seen.windows(2).all(|two| two[0].entry.time > two[1].entry.time));
        // A cursor of somebody else's page opens nothing.
        let foreign = audit.query(&AuditFilter::default(), 1, None).await.unwrap().next;
        let page = audit.query(&filter, 1000, foreign).await.unwrap();
        assert!(page.entries.iter().all(|recorded| tenants.contains(&recorded.entry.tenant)));
    }
    assert!(matches!("1 OR 1=1".parse::<Cursor>(), Err(RecordsError::Cursor)));
}

async fn an_export_has_all_entries_in_order(place: &Place) {
    let audit = place.open().await.audit();
    // Twice as many as are read at once, so that the last part is empty.
    append_many(&audit, 0..1000).await;
    let exported: Vec<_> = audit.export(AuditFilter::default()).try_collect().await.unwrap();
    let expected: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    assert_eq!(names(&exported), expected);
    let ids: BTreeSet<_> = exported.iter().map(|recorded| recorded.id).collect();
    assert_eq!(ids.len(), 1000);
}

async fn old_entries_are_swept(place: &Place) {
    let audit = place.open().await.audit();
    append_many(&audit, 0..5000).await;
    assert_eq!(audit.sweep(at(4998)).await.unwrap(), 4998);
    assert_eq!(names(&all(&audit, &AuditFilter::default(), 10).await), ["4999", "4998"]);
}

async fn what_cannot_be_stored_is_told_to_who_appends(place: &Place) {
    let audit = place.open().await.audit();
    audit.append(entry(0, "before")).await.unwrap();
    let mut session = place.session().await;
    sqlx::query("ALTER TABLE audit RENAME TO elsewhere").execute(&mut session).await.unwrap();
    let outcomes = race(16, |_| {
        let audit = audit.clone();
        async move { audit.append(entry(1, "during")).await }
    })
    .await;
    for outcome in outcomes {
        let told = outcome.unwrap_err();
        assert!(matches!(told, RecordsError::Failed { .. }), "{told}");
    }
    sqlx::query("ALTER TABLE elsewhere RENAME TO audit").execute(&mut session).await.unwrap();
    audit.append(entry(2, "after")).await.unwrap();
    assert_eq!(names(&all(&audit, &AuditFilter::default(), 10).await), ["after", "before"]);
}

async fn hostile_texts_are_kept_as_texts(place: &Place) {
    let audit = place.open().await.audit();
    let name = "'); DROP TABLE audit; -- \0 $1 ? \u{202e}";
    let path = format!("/{}", "ä".repeat(5000));
    audit.append(AuditEntry { path, ..entry(0, name) }).await.unwrap();
    let filter = AuditFilter { name: Some(name.to_owned()), ..AuditFilter::default() };
    let [recorded] = all(&audit, &filter, 10).await.try_into().unwrap();
    assert_eq!(recorded.entry.name, name.replace('\0', "\u{fffd}"));
    assert!(recorded.entry.path.len() <= 1024 && recorded.entry.path.starts_with("/ää"));
}
