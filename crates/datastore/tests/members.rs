//! Members of a real etcd cluster: they come, lose their disks, are replaced; a full store is freed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use datastore::{Connection, Driver, EtcdMember, EtcdStore, Tls};
use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};
use launcher::Members;
use sha2::{Digest, Sha256};

/// As the chart's members are told once their cluster stands.
const NOBODY: &str = "nobody=https://nobody.invalid:2380";
const ROOMY: u64 = 1 << 30;

fn connection(members: &Members, number: usize) -> Connection {
    Connection {
        driver: Driver::Etcd,
        endpoints: vec![members.endpoint(number)],
        login: None,
        tls: Some(Tls {
            certificate_authority: members.authority().certificate.clone(),
            certificate_authority_key: None,
            client: Some(members.root().clone()),
        }),
    }
}

async fn member(members: &Members, number: usize) -> EtcdMember {
    EtcdMember::connect(&connection(members, number)).await.unwrap()
}

async fn client(members: &Members, number: usize) -> Client {
    let tls = TlsOptions::new()
        .ca_certificate(Certificate::from_pem(&members.authority().certificate))
        .identity(Identity::from_pem(&members.root().certificate, members.root().private_key.expose_pem()));
    let url = format!("https://{}", members.endpoint(number));
    Client::connect([url], Some(ConnectOptions::new().with_tls(tls))).await.unwrap()
}

/// A cluster of one with authentication on.
async fn founded(quota: u64) -> Members {
    let mut members = Members::prepare(quota).unwrap();
    let list = members.list(&[0]);
    members.start(0, "new", &list).unwrap();
    members.listens(0).await.unwrap();
    let store = EtcdStore::connect(&connection(&members, 0)).await.unwrap();
    store.enable_authentication().await.unwrap();
    members
}

/// Adds a place as a member without a vote, lets it in among `all`, and waits for its vote.
async fn bring_in(members: &mut Members, number: usize, all: &[usize]) {
    let first = member(members, 0).await;
    // etcd takes no new member before all others have been connected for five seconds.
    let url = members.peer_url(number);
    let added = async {
        while let Err(error) = first.add_learner(&url).await {
            assert!(format!("{error:?}").contains("unhealthy cluster"), "{error:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), added).await.unwrap();
    let list = members.list(all);
    members.start(number, "existing", &list).unwrap();
    members.listens(number).await.unwrap();
    let joined = async {
        loop {
            let known = first.members().await.unwrap();
            let new = known.iter().find(|known| known.peer_urls == [url.clone()]).unwrap();
            if new.has_joined && first.promote(new.id).await.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), joined).await.unwrap();
}

#[tokio::test]
async fn one_grows_to_three_and_a_lost_disk_is_replaced_without_losing_a_key() {
    let mut members = founded(ROOMY).await;
    client(&members, 0).await.put("before", "1", None).await.unwrap();
    bring_in(&mut members, 1, &[0, 1]).await;
    bring_in(&mut members, 2, &[0, 1, 2]).await;
    client(&members, 2).await.put("three", "2", None).await.unwrap();

    members.stop(1).await;
    client(&members, 0).await.put("during", "3", None).await.unwrap();
    members.wipe(1).unwrap();
    // It refuses to start, and would not be taken for what it was.
    members.start(1, "existing", NOBODY).unwrap();
    let words = members.last_words(1).await.unwrap();
    assert!(words.contains("find local name"), "{words}");

    let first = member(&members, 0).await;
    let url = members.peer_url(1);
    let known = first.members().await.unwrap();
    let lost = known.iter().find(|known| known.peer_urls == [url.clone()]).unwrap();
    first.remove(lost.id).await.unwrap();
    first.remove(lost.id).await.unwrap();
    bring_in(&mut members, 1, &[0, 1, 2]).await;
    let known = first.members().await.unwrap();
    assert_eq!(known.len(), 3);
    assert!(known.iter().all(|known| known.has_joined && !known.is_learner), "{known:?}");

    // One of the others may go now.
    members.stop(2).await;
    for key in ["before", "three", "during"] {
        assert_eq!(client(&members, 1).await.get(key, None).await.unwrap().count(), 1, "{key} is lost");
    }
    // With its data it reads no list.
    members.start(2, "existing", NOBODY).unwrap();
    members.listens(2).await.unwrap();
    let status = member(&members, 2).await.status().await.unwrap();
    assert!(status.id != 0 && status.quota == ROOMY, "{status:?}");
}

#[tokio::test]
async fn a_founder_without_its_disk_founds_no_second_cluster() {
    let mut members = Members::prepare(ROOMY).unwrap();
    let list = members.list(&[0, 1, 2]);
    for number in 0..3 {
        members.start(number, "new", &list).unwrap();
    }
    for number in 0..3 {
        members.listens(number).await.unwrap();
        // It has told its address to the others when it answers this.
        client(&members, number).await.put("key", "", None).await.unwrap();
    }
    members.stop(2).await;
    members.wipe(2).unwrap();
    members.start(2, "new", &list).unwrap();
    let words = members.last_words(2).await.unwrap();
    assert!(words.contains("has already been bootstrapped"), "{words}");
}

#[tokio::test]
async fn a_full_store_takes_writes_again_after_compaction_defragmentation_and_disarming() {
    const QUOTA: u64 = 16 << 20;
    let members = founded(QUOTA).await;
    let mut writer = client(&members, 0).await;
    let value = vec![b'x'; 1 << 20];
    let full = loop {
        if let Err(error) = writer.put("history", value.clone(), None).await {
            break error.to_string();
        }
    };
    assert!(full.contains("database space exceeded"), "{full}");
    let member = member(&members, 0).await;
    let alarms = member.alarms().await.unwrap();
    assert!(alarms.len() == 1 && !alarms[0].is_corrupt, "{alarms:?}");
    let before = member.status().await.unwrap();

    member.compact().await.unwrap();
    member.compact().await.unwrap();
    member.defragment().await.unwrap();
    member.disarm(alarms[0].member).await.unwrap();
    let after = member.status().await.unwrap();
    assert!(after.size < before.size / 4, "{before:?} {after:?}");
    assert_eq!(member.alarms().await.unwrap(), []);
    writer.put("history", value, None).await.unwrap();
}

#[tokio::test]
async fn a_snapshot_ends_in_its_digest() {
    let members = founded(ROOMY).await;
    let mut writer = client(&members, 0).await;
    for number in 0..50 {
        writer.put(format!("key-{number}"), vec![b'x'; 10_000], None).await.unwrap();
    }
    let mut snapshot = member(&members, 0).await.snapshot().await.unwrap();
    let mut bytes = Vec::new();
    while let Some(part) = snapshot.next().await.unwrap() {
        bytes.extend_from_slice(&part);
    }
    let (contents, digest) = bytes.split_at(bytes.len() - 32);
    assert!(contents.len() > 500_000, "{} bytes", contents.len());
    assert_eq!(Sha256::digest(contents).as_slice(), digest);
}
