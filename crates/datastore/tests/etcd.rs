//! The driver against real etcds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use datastore::{
    Access, Change, Copier, Error, MOST_RAISED, Password, Progress, Raised, Record, Store, TenantSpace,
};
use etcd_client::{Client, GetOptions, PutOptions};
use support::{Stage, space};

/// All entries under a prefix: key to value and whether a lease ends it.
async fn entries(client: &mut Client, prefix: &str) -> BTreeMap<Vec<u8>, (Vec<u8>, bool)> {
    let answer = client.get(prefix, Some(GetOptions::new().with_prefix())).await.unwrap();
    answer
        .kvs()
        .iter()
        .filter(|entry| !entry.key().ends_with(b"/flotilla-fence"))
        .map(|entry| (entry.key().to_vec(), (entry.value().to_vec(), entry.lease() != 0)))
        .collect()
}

async fn fill(client: &mut Client, space: &TenantSpace, keys: std::ops::Range<usize>, value: &str) {
    for key in keys {
        client.put(format!("/{}/registry/{key:05}", space.schema), value, None).await.unwrap();
    }
}

async fn begin(from: &Stage, to: &Stage, tenant: &TenantSpace) -> Copier {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let pass = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let (from, to) = (Store::Etcd(Box::new(from.store.clone())), Store::Etcd(Box::new(to.store.clone())));
    Copier::begin(from, to, tenant.clone(), &pass).await.unwrap()
}

fn refusal<T>(outcome: Result<T, etcd_client::Error>) -> String {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_tenant_reads_and_writes_nothing_on_connections_old_and_new() {
    let stage = Stage::set().await;
    let (own, other) = (space("own"), space("other"));
    for tenant in [&own, &other] {
        stage.store.ensure(tenant, Access::ReadWrite, &Password::default()).await.unwrap();
    }
    let mut old = stage.tenant(&own).await;
    old.put("/own/a", "1", None).await.unwrap();

    stage.store.ensure(&own, Access::ReadOnly, &Password::default()).await.unwrap();
    stage.store.ensure(&own, Access::ReadOnly, &Password::default()).await.unwrap();
    let mut new = stage.tenant(&own).await;
    for client in [&mut old, &mut new] {
        assert_eq!(client.get("/own/a", None).await.unwrap().kvs().len(), 1);
        assert!(refusal(client.put("/own/a", "2", None).await).contains("permission denied"));
        assert!(refusal(client.delete("/own/a", None).await).contains("permission denied"));
    }
    stage.tenant(&other).await.put("/other/a", "1", None).await.unwrap();

    stage.store.ensure(&own, Access::ReadWrite, &Password::default()).await.unwrap();
    old.put("/own/a", "3", None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_comes_after_the_barrier() {
    let stage = Stage::set().await;
    let tenant = space("busy");
    stage.store.ensure(&tenant, Access::ReadWrite, &Password::default()).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let client = stage.tenant(&tenant);
            async move {
                let mut client = client.await;
                let mut acknowledged = 0_u64;
                while client.put(format!("/busy/{writer}/{acknowledged}"), "", None).await.is_ok() {
                    acknowledged += 1;
                }
                acknowledged
            }
        })
        .collect();
    let writing = async {
        let mut total = 0;
        for counted in futures::future::join_all(writers).await {
            total += counted;
        }
        total
    };
    let barrier = async {
        while stage.store.count(&tenant).await.unwrap() < 200 {
            tokio::task::yield_now().await;
        }
        stage.store.ensure(&tenant, Access::ReadOnly, &Password::default()).await.unwrap();
        stage.store.count(&tenant).await.unwrap()
    };
    let (acknowledged, seen) = tokio::join!(writing, barrier);
    assert_eq!(acknowledged, seen, "writes were acknowledged after the barrier, or lost before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_make_the_target_the_same_and_the_last_finds_nothing_to_do() {
    let (from, to) = (Stage::set().await, Stage::set().await);
    let tenant = space("moving");
    let (mut source, mut target) = (from.root().await, to.root().await);
    fill(&mut source, &tenant, 0..2500, "first").await;
    source.put("/moving/large", "x".repeat(1_400_000), None).await.unwrap();
    source.put("/moving-not/a", "of another tenant", None).await.unwrap();
    // Left by an earlier stay: one key that is gone, one that is older.
    target.put("/moving/registry/gone", "", None).await.unwrap();
    target.put("/moving/registry/00007", "older", None).await.unwrap();
    target.put("/moving-not/b", "of another tenant", None).await.unwrap();

    let mut copier = begin(&from, &to, &tenant).await;
    let progress = Progress::default();
    let first = copier.round(&progress).await.unwrap();
    assert_eq!((first.examined, first.written, first.removed), (2501, 2501, 1));
    assert_eq!(progress.seen(), (2501, 2501));

    fill(&mut source, &tenant, 2400..2600, "second").await;
    source.delete("/moving/registry/00000", None).await.unwrap();
    let second = copier.round(&progress).await.unwrap();
    assert_eq!((second.written, second.removed), (200, 1));
    assert!(copier.round(&progress).await.unwrap().is_settled());

    assert_eq!(entries(&mut source, "/moving/").await, entries(&mut target, "/moving/").await);
    let neighbours = entries(&mut target, "/moving-not/").await;
    assert_eq!(neighbours.keys().collect::<Vec<_>>(), [b"/moving-not/b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_cut_off_is_taken_up_by_a_new_one() {
    let (from, to) = (Stage::set().await, Stage::set().await);
    let tenant = space("cut");
    let (mut source, mut target) = (from.root().await, to.root().await);
    fill(&mut source, &tenant, 0..1500, "value").await;
    let mut first = begin(&from, &to, &tenant).await;
    let progress = std::sync::Arc::new(Progress::default());
    let seen = progress.clone();
    let cut = tokio::spawn(async move { first.round(&seen).await });
    while progress.seen().0 < 300 {
        tokio::task::yield_now().await;
    }
    cut.abort();
    let _ = cut.await;

    let mut second = begin(&from, &to, &tenant).await;
    second.round(&progress).await.unwrap();
    assert!(second.round(&progress).await.unwrap().is_settled());
    assert_eq!(entries(&mut source, "/cut/").await, entries(&mut target, "/cut/").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_copy_that_began_last_writes_and_none_once_copies_ended() {
    let (from, to) = (Stage::set().await, Stage::set().await);
    let tenant = space("once");
    fill(&mut from.root().await, &tenant, 0..10, "value").await;
    let progress = Progress::default();
    let mut stale = begin(&from, &to, &tenant).await;
    let mut current = begin(&from, &to, &tenant).await;
    assert!(matches!(stale.round(&progress).await, Err(Error::Superseded)));
    assert_eq!(to.store.count(&tenant).await.unwrap(), 0);
    assert_eq!(current.round(&progress).await.unwrap().written, 10);

    to.store.end_copies(&tenant).await.unwrap();
    to.store.end_copies(&tenant).await.unwrap();
    to.root().await.put("/once/registry/of-the-tenant", "", None).await.unwrap();
    assert!(matches!(current.round(&progress).await, Err(Error::Superseded)));
    assert_eq!(to.store.count(&tenant).await.unwrap(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_by_itself_ends_in_the_target_too() {
    let (from, to) = (Stage::set().await, Stage::set().await);
    let tenant = space("leased");
    let (mut source, mut target) = (from.root().await, to.root().await);
    let lease = source.lease_grant(3600, None).await.unwrap().id();
    for key in ["a", "b"] {
        let options = PutOptions::new().with_lease(lease);
        source.put(format!("/leased/events/{key}"), "", Some(options)).await.unwrap();
    }
    source.put("/leased/pods/c", "", None).await.unwrap();
    let mut copier = begin(&from, &to, &tenant).await;
    let progress = Progress::default();
    assert_eq!(copier.round(&progress).await.unwrap().written, 3);
    assert!(copier.round(&progress).await.unwrap().is_settled());
    assert_eq!(entries(&mut source, "/leased/").await, entries(&mut target, "/leased/").await);
    let found = target.get("/leased/events/a", None).await.unwrap().kvs()[0].lease();
    let left = target.lease_time_to_live(found, None).await.unwrap().ttl();
    assert!((3000..=3600).contains(&left), "{left} s left");

    source.lease_revoke(lease).await.unwrap();
    assert_eq!(copier.round(&progress).await.unwrap().removed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_is_raised_as_asked_and_never_beyond_what_is_reasonable() {
    let stage = Stage::set().await;
    let tenant = space("raised");
    let before = stage.store.revision(&tenant).await.unwrap();
    let raised = stage.store.raise_revision(&tenant, before + 3000).await.unwrap();
    assert_eq!(raised, Raised::Done { by: 3000 });
    let reached = stage.store.revision(&tenant).await.unwrap();
    assert!((before + 3000..before + 3200).contains(&reached), "{before} -> {reached}");
    assert_eq!(stage.store.raise_revision(&tenant, before).await.unwrap(), Raised::Done { by: 0 });
    let too_far = stage.store.raise_revision(&tenant, reached + MOST_RAISED + 1).await.unwrap();
    assert_eq!(too_far, Raised::TooFar { missing: MOST_RAISED + 1 });
    assert_eq!(stage.store.revision(&tenant).await.unwrap(), reached);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_one_tenant_away_harms_no_other_whose_name_begins_alike() {
    let stage = Stage::set().await;
    let (short, long) = (space("team"), space("team-b"));
    for tenant in [&short, &long] {
        stage.store.ensure(tenant, Access::ReadWrite, &Password::default()).await.unwrap();
        stage.tenant(tenant).await.put(format!("/{}/a", tenant.schema), "", None).await.unwrap();
    }
    stage.store.remove(&short).await.unwrap();
    stage.store.remove(&short).await.unwrap();
    assert_eq!(stage.store.count(&short).await.unwrap(), 0);
    assert_eq!(stage.store.count(&long).await.unwrap(), 1);
    stage.tenant(&long).await.put("/team-b/b", "", None).await.unwrap();
    let mut root = stage.root().await;
    assert!(refusal(root.user_get("team").await).contains("not found"));
    assert!(refusal(root.role_get("team").await).contains("not found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_is_named_and_answers_again_when_it_is_back() {
    let mut stage = Stage::set().await;
    stage.etcd.stop().await;
    let error = stage.store.check().await.unwrap_err().to_string();
    assert!(error.contains("read from the store"), "{error}");
    stage.etcd.resume().await.unwrap();
    let began = Instant::now();
    while let Err(error) = stage.store.check().await {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not answer: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_one_moment_and_the_tenants_own_credentials_will_do() {
    let stage = Stage::set().await;
    let tenant = space("still");
    stage.store.ensure(&tenant, Access::ReadWrite, &Password::default()).await.unwrap();
    let mut root = stage.root().await;
    fill(&mut root, &tenant, 0..300, "before").await;
    let store = stage.connected_as(&tenant).await.unwrap();

    let mut reader = store.read(&tenant).await.unwrap();
    fill(&mut root, &tenant, 100..400, "after").await;
    root.delete("/still/registry/00299", None).await.unwrap();
    let mut keys = Vec::new();
    while let Some(record) = reader.next().await.unwrap() {
        assert_eq!(record.value, b"before", "{record:?}");
        keys.push(String::from_utf8(record.key).unwrap());
    }
    let expected: Vec<_> = (0..300).map(|key| format!("registry/{key:05}")).collect();
    assert_eq!(keys, expected);

    let put = |key: &str| Change::Put(Record { key: key.into(), value: b"written".to_vec(), ends_in: None });
    let mut writer = store.begin_writing(&tenant, "one").await.unwrap();
    writer.write(&[put("a"), Change::Remove(b"registry/00000".to_vec())]).await.unwrap();
    assert_eq!(store.count(&tenant).await.unwrap(), 399);
    let mut second = store.begin_writing(&tenant, "two").await.unwrap();
    assert!(matches!(writer.write(&[put("b")]).await, Err(Error::Superseded)));
    second.write(&[put("c")]).await.unwrap();
    assert!(store.read(&space("other")).await.is_err(), "it reads another tenant's keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_tells_its_version_size_and_quota() {
    let stage = Stage::set().await;
    let health = stage.store.health().await.unwrap();
    assert!(health.version.starts_with("3."), "{health:?}");
    assert!(health.used.unwrap() > 0 && health.limit.unwrap() > 0, "{health:?}");
    assert_eq!(health.refuses_writes, None);
}
