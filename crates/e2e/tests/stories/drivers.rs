//! Tenants on PostgreSQL, MySQL and NATS, each with TLS and without.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backing::{Backing, Kind, Missing, Written};
use datastore::{Access, Change, Error, Password, Record, Store, TenantSpace};
use e2e::{Cluster, TenantSpec, Tenants, Writer, eventually};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

const NAMESPACE: &str = "drivers";
const PATIENCE: Duration = Duration::from_mins(4);
/// Writes a second that each driver must take. What it took is told and no claim: this machine may be busy.
const RATE: u32 = 200;
/// Seconds of such writes, unless `FLOTILLA_E2E_LOAD_SECONDS` says otherwise.
const LOAD_SECONDS: u64 = 10;

/// A tenant and its schema.
type Tenancy = (&'static str, &'static str);

/// The stores of these stories: name, server, tenants. One schema is the prefix of the other, which is the
/// worst case where a pattern or a range tells tenants apart.
const STORES: [(&str, Kind, &[Tenancy]); 3] = [
    ("postgres", Kind::PostgreSql, &[("pg-red", "team"), ("pg-blue", "team-b")]),
    ("maria", Kind::MySql, &[("my-red", "crew"), ("my-blue", "crew_b")]),
    ("nats", Kind::Nats, &[("nats-red", "club")]),
];

pub(crate) async fn each_driver_serves_tenants_over_tls(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    for (store, kind, names) in STORES {
        deploy(cluster, store, kind).await?;
        for (name, schema) in names {
            tenants.create(&spec(name, store, schema)).await?;
        }
    }
    for (store, _, names) in STORES {
        for (name, schema) in names {
            let tenant = tenants.ready(name).await?;
            let storage = tenant.status.context("no status")?.storage;
            let setup = storage.setup;
            ensure!(storage.data_store_name.as_deref() == Some(store), "{name} is elsewhere");
            ensure!(setup.schema.as_deref() == Some(*schema), "{name}: {setup:?}");
            let kubeconfig = tenants.kubeconfig(name).await?;
            cluster.kubectl(&kubeconfig, &["create", "configmap", "kept"])?.success()?;
        }
    }
    Ok(())
}

pub(crate) async fn credentials_of_a_tenant_open_no_other_tenants_database(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    for (store, kind, names) in STORES {
        let [(red, own), (_, other)] = names else { continue };
        let backing = deploy(cluster, store, kind).await?;
        let config = config(&tenants, red).await?;
        let connection = backing.connection(&config["DB_USER"], &config["DB_PASSWORD"]);
        ensure!(config["DB_SCHEMA"] == *own, "{:?}", config.keys());
        let thief = Store::connect(&connection).await?;
        let space = |schema: &str| TenantSpace { schema: schema.to_owned(), user: config["DB_USER"].clone() };
        ensure!(read_one(&thief, &space(own)).await?.is_some(), "{red} cannot read its own database");

        let victim = TenantSpace { schema: (*other).to_owned(), user: (*other).to_owned() };
        let before = backing.administrator().await?.count(&victim).await?;
        // MariaDB tells a user of no table that it has no right to: to the thief there is nothing.
        let attacks = [
            ("read", read_one(&thief, &victim).await.is_ok_and(|record| record.is_some())),
            ("count", thief.count(&victim).await.is_ok_and(|count| count > 0)),
            ("write", write_one(&thief, &victim).await.is_ok()),
            ("raise", thief.raise_revision(&victim, i64::from(u32::MAX)).await.is_ok()),
            ("take", thief.ensure(&victim, Access::ReadWrite, &Password::new("stolen")).await.is_ok()),
            ("lock", thief.ensure(&victim, Access::ReadOnly, &Password::new("stolen")).await.is_ok()),
            ("remove", thief.remove(&victim).await.is_ok()),
        ];
        for (attack, succeeds) in attacks {
            ensure!(!succeeds, "{red} could {attack} the database of {other} in {store}");
        }
        let after = backing.administrator().await?.count(&victim).await?;
        ensure!(after >= before && before > 10, "{store}: {before} keys of {other} before, {after} after");
    }
    for (_, _, names) in STORES {
        for (name, _) in names {
            tenants.ready(name).await?;
            cluster.kubectl(&tenants.kubeconfig(name).await?, &["get", "configmap", "kept"])?.success()?;
        }
    }
    Ok(())
}

pub(crate) async fn nats_takes_one_tenant_and_says_so_to_the_next(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    tenants.create(&spec("nats-blue", "nats", "club_b")).await?;
    let refused = eventually("the second tenant is refused", PATIENCE, || async {
        let status = tenants.api().get("nats-blue").await?.status.unwrap_or_default();
        let told = status.conditions.iter().find(|condition| condition.type_ == "DataStoreReady");
        let text = told.map(|condition| condition.message.clone()).unwrap_or_default();
        ensure!(text.contains("driver NATS") && text.contains("takes one control plane"), "{text}");
        Ok(text)
    })
    .await?;
    ensure!(tenants.pods("nats-blue").await?.is_empty(), "it was started all the same: {refused}");
    tenants.delete("nats-blue").await?;
    tenants.ready("nats-red").await?;
    Ok(())
}

pub(crate) async fn a_corrupted_password_heals_and_the_pods_follow(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let mut corrupted = Vec::new();
    for (store, kind, names) in STORES {
        let [(red, _), _] = names else { continue };
        let backing = deploy(cluster, store, kind).await?;
        let (before, pods) = (config(&tenants, red).await?, pods(&tenants, red).await?);
        let patch = Patch::Merge(json!({"stringData": {"DB_PASSWORD": "corrupted"}}));
        let secrets = tenants.beside::<Secret>();
        secrets.patch(&format!("{red}-datastore-config"), &PatchParams::default(), &patch).await?;
        corrupted.push((red, backing, before, pods));
    }
    for (red, backing, before, pods) in corrupted {
        let healed = eventually("the password is another", PATIENCE, || async {
            let now = config(&tenants, red).await?;
            let password = &now["DB_PASSWORD"];
            ensure!(*password != "corrupted", "it is the corrupted one");
            Store::connect(&backing.connection(&now["DB_USER"], password)).await?;
            Ok(now)
        })
        .await?;
        if healed["DB_PASSWORD"] != before["DB_PASSWORD"] {
            let old = backing.connection(&before["DB_USER"], &before["DB_PASSWORD"]);
            ensure!(
                Store::connect(&old).await.is_err(),
                "the old password of {red} opens its database still"
            );
        }
        eventually("its pods are new", PATIENCE, || async {
            let now = self::pods(&tenants, red).await?;
            ensure!(now.iter().all(|pod| !pods.contains(pod)), "{now:?} after {pods:?}");
            Ok(())
        })
        .await?;
        tenants.ready(red).await?;
        cluster.kubectl(&tenants.kubeconfig(red).await?, &["get", "configmap", "kept"])?.success()?;
    }
    Ok(())
}

pub(crate) async fn a_store_that_is_killed_loses_no_acknowledged_write_and_no_tenant(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    for (store, kind, names) in STORES {
        let backing = deploy(cluster, store, kind).await?;
        let client = client(&tenants, names[0].0).await?;
        let late = format!("{store}-late");
        if kind != Kind::Nats {
            // Its database and user are made while the store comes and goes.
            tenants.create(&spec(&late, store, &late.replace('-', "_"))).await?;
        }
        let writing = Written::write(client.clone(), "killed", 20, Duration::from_secs(15));
        let killing = async {
            let mut outages = Vec::new();
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_secs(3)).await;
                let begin = Instant::now();
                backing.kill().await?;
                backing.answers().await?;
                outages.push((begin, Instant::now()));
            }
            anyhow::Ok(outages)
        };
        let (written, outages) = tokio::join!(writing, killing);
        let outages = outages?;
        tenants.ready(names[0].0).await?;
        let mut lost = missing(store, &written, &client).await?;
        if kind != Kind::Nats {
            // kine 0.17.5 takes a creation that the database refused for done if it then reads that nothing is
            // there, as it does when the database comes back in between.
            let all = lost.len();
            lost.retain(|name| !written.is_within(name, &outages));
            println!(
                "    {store}: kine said of {} that they were stored while it was away",
                all - lost.len()
            );
        }
        ensure!(lost.is_empty(), "{store} lost {} acknowledged writes: {:?}", lost.len(), lost.first());
        ensure!(!written.acknowledged.is_empty(), "{store}: no write came through: {:?}", written.failures);
        println!(
            "    {store}: {} acknowledged, {} failed while it was killed twice",
            written.acknowledged.len(),
            written.failures.len()
        );
        if kind != Kind::Nats {
            tenants.ready(&late).await?;
            tenants.delete(&late).await?;
        }
    }
    Ok(())
}

pub(crate) async fn each_driver_takes_two_hundred_writes_a_second(cluster: &Cluster) -> Result<()> {
    let seconds = std::env::var("FLOTILLA_E2E_LOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(LOAD_SECONDS));
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    tenants.create(&spec("etcd-red", "default", "etcd-red")).await?;
    tenants.ready("etcd-red").await?;
    let others = STORES.map(|(store, _, names)| (store, names[0].0));
    for (store, name) in [("etcd", "etcd-red")].into_iter().chain(others) {
        let client = client(&tenants, name).await?;
        let written = Written::write(client.clone(), "load", RATE, time).await;
        println!(
            "    {store}: {:.0} writes/s for {} s, 99 of 100 within {:.0} ms, {} failed",
            written.rate(),
            time.as_secs(),
            written.p99().unwrap_or_default(),
            written.failures.len()
        );
        ensure!(written.failures.is_empty(), "{store}: {:?}", written.failures.first());
        let lost = missing(store, &written, &client).await?;
        ensure!(lost.is_empty(), "{store} lost {} acknowledged writes: {:?}", lost.len(), lost.first());
    }
    tenants.delete("etcd-red").await
}

pub(crate) async fn a_live_tenant_moves_across_drivers_though_the_target_is_killed(
    cluster: &Cluster,
) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let postgres = deploy(cluster, "postgres", Kind::PostgreSql).await?;
    let maria = deploy(cluster, "maria", Kind::MySql).await?;
    tenants.create(&spec("mover", "default", "mover")).await?;
    tenants.ready("mover").await?;
    let writer = Writer::start(&tenants.kubeconfig("mover").await?, "moved").await?;
    writer.goes_on(PATIENCE).await?;
    for (store, target) in [("postgres", &postgres), ("maria", &maria)] {
        tenants.change("mover", json!({"dataStore": store})).await?;
        let phase = eventually("the move is under way", PATIENCE, || async {
            let status = tenants.api().get("mover").await?.status.unwrap_or_default();
            Ok(status.storage.migration.context("it has not begun")?.phase)
        })
        .await?;
        target.kill().await?;
        eventually("the move is done", PATIENCE, || async {
            let storage = tenants.api().get("mover").await?.status.unwrap_or_default().storage;
            ensure!(storage.migration.is_none(), "{:?}", storage.migration);
            ensure!(storage.data_store_name.as_deref() == Some(store), "{:?}", storage.data_store_name);
            Ok(())
        })
        .await?;
        tenants.ready("mover").await?;
        writer.goes_on(PATIENCE).await?;
        println!("    to {store}: it was killed in phase {phase:?}");
    }
    let written = writer.stop().await?;
    println!(
        "    {} acknowledged, {} refused, none for {:.1} s at most",
        written.acknowledged,
        written.refused,
        written.longest_gap.as_secs_f64()
    );
    let space = TenantSpace { schema: "mover".to_owned(), user: "mover".to_owned() };
    let moved = maria.administrator().await?.count(&space).await?;
    ensure!(moved > 40, "{moved} keys are in the store that was moved to");
    tenants.delete("mover").await
}

pub(crate) async fn a_deleted_tenant_leaves_nothing_in_its_store(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    for (store, kind, names) in STORES {
        let backing = deploy(cluster, store, kind).await?;
        for (name, schema) in names {
            let config = config(&tenants, name).await?;
            tenants.delete(name).await?;
            let space = TenantSpace { schema: (*schema).to_owned(), user: config["DB_USER"].clone() };
            let left = backing.administrator().await?.count(&space).await?;
            ensure!(left == 0, "{name} left {left} keys in {store}");
            if kind != Kind::Nats {
                let old = backing.connection(&config["DB_USER"], &config["DB_PASSWORD"]);
                ensure!(Store::connect(&old).await.is_err(), "the user of {name} is left in {store}");
            }
        }
        backing.remove().await?;
    }
    Ok(())
}

pub(crate) async fn stores_without_tls_serve_tenants_too(cluster: &Cluster) -> Result<()> {
    let tenants = Tenants::new(cluster, NAMESPACE).await?;
    let client = cluster.client().await?;
    let mut made = Vec::new();
    for (store, kind, _) in STORES {
        let plain = format!("plain-{store}");
        let backing = Backing::deploy(client.clone(), NAMESPACE, &plain, kind, false).await?;
        let name = format!("on-{plain}");
        tenants.create(&spec(&name, &plain, &name.replace('-', "_"))).await?;
        made.push((backing, name));
    }
    for (backing, name) in made {
        tenants.ready(&name).await?;
        let kubeconfig = tenants.kubeconfig(&name).await?;
        cluster.kubectl(&kubeconfig, &["create", "configmap", "kept"])?.success()?;
        tenants.delete(&name).await?;
        backing.remove().await?;
    }
    Ok(())
}

/// Acknowledged writes that are not in the store.
async fn missing(store: &str, written: &Written, client: &Client) -> Result<Vec<String>> {
    let Missing { lost, unlisted } =
        eventually("the API server lists", PATIENCE, || written.missing(client.clone())).await?;
    if !unlisted.is_empty() {
        println!("    {store}: kine told no watch of {unlisted:?}");
    }
    Ok(lost)
}

async fn deploy(cluster: &Cluster, store: &str, kind: Kind) -> Result<Backing> {
    Backing::deploy(cluster.client().await?, NAMESPACE, store, kind, true).await
}

fn spec(name: &str, store: &str, schema: &str) -> TenantSpec {
    TenantSpec::new(name)
        .with("/dataStore", json!(store))
        .with("/dataStoreSchema", json!(schema))
        .with("/dataStoreUsername", json!(schema))
}

/// What the tenant's pods know of their store.
async fn config(tenants: &Tenants, name: &str) -> Result<BTreeMap<String, String>> {
    let secret: Secret = tenants.beside().get(&format!("{name}-datastore-config")).await?;
    let texts = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| Ok((key, String::from_utf8(value.0)?)));
    texts.collect()
}

async fn pods(tenants: &Tenants, name: &str) -> Result<Vec<String>> {
    Ok(tenants.pods(name).await?.into_iter().filter_map(|pod| pod.metadata.name).collect())
}

/// A client that keeps one connection, as controllers do.
async fn client(tenants: &Tenants, name: &str) -> Result<Client> {
    let path = tenants.kubeconfig(name).await?;
    e2e::shared(&std::fs::read_to_string(Path::new(&path))?).await
}

async fn read_one(store: &Store, space: &TenantSpace) -> Result<Option<Record>, Error> {
    store.read(space).await?.next().await
}

async fn write_one(store: &Store, space: &TenantSpace) -> Result<(), Error> {
    let record = Record { key: b"secrets/default/x".to_vec(), value: b"stolen".to_vec(), ends_in: None };
    store.begin_writing(space, "thief").await?.write(&[Change::Put(record)]).await
}
