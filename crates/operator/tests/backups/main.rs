//! Backups and restores through the operator: real store, real Jobs' program, a played kubelet.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/etcd.rs"]
mod etcd;
mod kubelet;
mod setting;

use std::sync::LazyLock;

use api::names::annotations::HOLD;
use api::{TenantBackupSchedule, TenantControlPlane};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use launcher::S3;
use serde_json::json;
use setting::{PATIENCE, Setting, message};
use stage::eventually;

/// Keys that the control plane has; more of them to measure with, by this variable.
static KEYS: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("FLOTILLA_BACKUP_KEYS").ok().and_then(|text| text.parse().ok()).unwrap_or(700)
});

fn filled() -> impl Iterator<Item = (String, Option<String>)> {
    (0..*KEYS).map(|key| (format!("configmaps/{key:05}"), Some(format!("value {key} {}", "x".repeat(400)))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_is_as_it_was_after_a_restore_and_its_clone_is_the_same() {
    let setting = Setting::set(&["--backup-directory=/backups"]).await;
    setting.tenant("shop").await;
    setting.write("shop", filled()).await;
    let before = setting.contents("shop").await;

    let target = json!({"directory": {}});
    setting.back_up("first", json!({"tenantControlPlane": "shop", "target": target})).await;
    let backup = setting.backup_is("first", "Completed").await;
    let status = backup.status.clone().unwrap();
    assert_eq!(usize::try_from(status.objects.unwrap()).unwrap(), before.len());
    assert!(status.size.unwrap() > 0 && status.revision.unwrap() > 0 && status.key.is_some());
    let archive = std::fs::read(setting.file(&backup)).unwrap();
    assert!(!archive.windows(9).any(|window| window == b"configmap"), "nothing of it is readable");

    // Lost, changed and new since.
    let lost = (0..50).map(|key| (format!("configmaps/{key:05}"), None));
    let changed = (50..99).map(|key| (format!("configmaps/{key:05}"), Some("changed".to_owned())));
    let new = (0..99).map(|key| (format!("secrets/{key:05}"), Some("new".to_owned())));
    setting.write("shop", lost.chain(changed).chain(new)).await;
    assert_ne!(setting.contents("shop").await, before);

    setting.restore("back", json!({"tenantControlPlane": "shop", "backup": "first"})).await;
    let restored = setting.restore_is("back", "Completed").await.status.unwrap();
    assert_eq!(restored.objects, status.objects);
    // Shown with --nocapture: what a backup and a restore of so many objects take.
    eprintln!(
        "{} objects, {} bytes: backed up in {} ms, restored in {} ms",
        before.len(),
        status.size.unwrap(),
        status.duration_milliseconds.unwrap(),
        restored.duration_milliseconds.unwrap()
    );
    assert_eq!(setting.contents("shop").await, before);
    assert!(!setting.tenants().get("shop").await.unwrap().annotations().contains_key(HOLD));
    setting.ready("shop").await;

    setting.restore("copy", json!({"tenantControlPlane": "twin", "backup": "first"})).await;
    setting.restore_is("copy", "Completed").await;
    assert_eq!(setting.contents("twin").await, before);
    setting.ready("twin").await;
    let uid = |tenant: TenantControlPlane| tenant.uid().unwrap();
    assert_ne!(
        uid(setting.tenants().get("shop").await.unwrap()),
        uid(setting.tenants().get("twin").await.unwrap())
    );
    assert_eq!(setting.contents("shop").await, before, "the original is untouched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_that_was_made_before_its_backup_is_filled_by_it_and_has_keys_of_its_own() {
    let setting = Setting::set(&["--backup-directory=/backups"]).await;
    setting.tenant("shop").await;
    setting.write("shop", filled().take(20)).await;
    let before = setting.contents("shop").await;
    let twin = desired::backups::twin(&setting.tenants().get("shop").await.unwrap(), "copy", "fill");
    setting.tenants().create(&PostParams::default(), &twin).await.unwrap();
    setting.restore("fill", json!({"tenantControlPlane": "copy", "backup": "later"})).await;
    setting.restore_is("fill", "BackupNotFound").await;
    setting.back_up("later", json!({"tenantControlPlane": "shop", "target": {"directory": {}}})).await;
    setting.restore_is("fill", "Completed").await;
    assert_eq!(setting.contents("copy").await, before);
    setting.ready("copy").await;

    let secrets: Api<Secret> = setting.stage.objects("default");
    for kind in ["ca", "sa-certificate", "front-proxy-ca-certificate", "admin-kubeconfig"] {
        let of = |name: &str| format!("{name}-{kind}");
        let (original, copy) =
            (secrets.get(&of("shop")).await.unwrap(), secrets.get(&of("copy")).await.unwrap());
        let (original, copy) = (original.data.unwrap(), copy.data.unwrap());
        assert!(original.keys().eq(copy.keys()), "{kind}");
        assert!(original.values().all(|value| !copy.values().any(|own| own == value)), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_or_another_key_changes_nothing_and_stops_nobody() {
    let setting = Setting::set(&["--backup-directory=/backups"]).await;
    setting.tenant("shop").await;
    setting.write("shop", filled()).await;
    setting.back_up("first", json!({"tenantControlPlane": "shop", "target": {"directory": {}}})).await;
    let backup = setting.backup_is("first", "Completed").await;
    let whole = std::fs::read(setting.file(&backup)).unwrap();
    let before = setting.contents("shop").await;
    let generation = setting.tenants().get("shop").await.unwrap().metadata.generation;

    let mut tampered = whole.clone();
    let middle = whole.len() / 2;
    tampered[middle] ^= 1;
    for (name, bytes, expected) in
        [("cut", &whole[..middle], "truncated"), ("turned", &tampered[..], "changed after it was written")]
    {
        std::fs::write(setting.file(&backup), bytes).unwrap();
        setting.restore(name, json!({"tenantControlPlane": "shop", "backup": "first"})).await;
        let found = setting.restore_is(name, "Failed").await;
        let told = message(&found.status.unwrap().conditions);
        assert!(told.contains(expected) && told.contains("nothing was changed"), "{told}");
    }
    std::fs::write(setting.file(&backup), &whole).unwrap();

    let other = json!({"metadata": {"name": "other"}, "stringData": {"key": "A".repeat(43) + "="}});
    let secrets: Api<Secret> = setting.stage.objects("default");
    secrets.create(&PostParams::default(), &serde_json::from_value(other).unwrap()).await.unwrap();
    let spec = json!({
        "tenantControlPlane": "shop", "backup": "first", "encryption": {"secretName": "other"},
    });
    setting.restore("locked", spec).await;
    let told = message(&setting.restore_is("locked", "Failed").await.status.unwrap().conditions);
    assert!(told.contains("encrypted with key"), "{told}");

    assert_eq!(setting.contents("shop").await, before);
    let tenant = setting.tenants().get("shop").await.unwrap();
    assert!(!tenant.annotations().contains_key(HOLD));
    assert_eq!(tenant.metadata.generation, generation);

    // A target that ends before its time: the Job's message says so.
    let file = setting.file(&backup);
    std::fs::remove_file(&file).unwrap();
    setting.restore("gone", json!({"tenantControlPlane": "shop", "backup": "first"})).await;
    let told = message(&setting.restore_is("gone", "Failed").await.status.unwrap().conditions);
    assert!(told.contains("there is no backup"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_from_a_bucket_without_its_object_and_goes_with_it_if_that_is_wished() {
    let setting = Setting::set(&[]).await;
    let service = S3::start().await.unwrap();
    let secret = json!({"metadata": {"name": "bucket"}, "stringData": {
        "accessKeyId": S3::ACCESS_KEY_ID, "secretAccessKey": S3::SECRET_ACCESS_KEY,
        "ca.crt": service.authority().certificate,
    }});
    let secrets: Api<Secret> = setting.stage.objects("default");
    secrets.create(&PostParams::default(), &serde_json::from_value(secret).unwrap()).await.unwrap();
    setting.tenant("shop").await;
    setting.write("shop", filled()).await;
    let before = setting.contents("shop").await;
    let bucket = |name: &str| json!({"s3": {"endpoint": service.endpoint(), "bucket": name, "prefix": "eu", "secretName": "bucket"}});

    let target = bucket(S3::BUCKET);
    for (name, policy) in [("kept", "Keep"), ("passing", "Delete")] {
        let spec = json!({"tenantControlPlane": "shop", "target": target, "archivePolicy": policy});
        setting.back_up(name, spec).await;
    }
    setting.back_up("lost", json!({"tenantControlPlane": "shop", "target": bucket("absent")})).await;
    let told = message(&setting.backup_is("lost", "Failed").await.status.unwrap().conditions);
    assert!(told.contains("bucket absent") && told.contains("NoSuchBucket"), "{told}");
    // It is taken once: nothing comes of waiting for it.
    setting.restore("from-lost", json!({"tenantControlPlane": "shop", "backup": "lost"})).await;
    let told = message(&setting.restore_is("from-lost", "Failed").await.status.unwrap().conditions);
    assert!(told.contains("NoSuchBucket") && told.contains("Nothing was changed"), "{told}");

    let mut places = Vec::new();
    for name in ["kept", "passing"] {
        let archive = setting.backup_is(name, "Completed").await.status.unwrap().archive.unwrap();
        let place = service.object(&format!("eu/{archive}"));
        assert!(place.is_file(), "{}", place.display());
        setting.backups().delete(name, &DeleteParams::default()).await.unwrap();
        places.push((archive, place));
    }
    eventually("both objects are gone", PATIENCE, || async {
        let left = setting.backups().list(&ListParams::default()).await?.items;
        anyhow::ensure!(left.len() == 1, "{} left", left.len());
        Ok(())
    })
    .await
    .unwrap();
    assert!(places[0].1.exists() && !places[1].1.exists());

    setting.write("shop", (0..*KEYS).map(|key| (format!("configmaps/{key:05}"), None))).await;
    let spec = json!({"tenantControlPlane": "shop", "target": target, "archive": places[0].0});
    setting.restore("back", spec).await;
    setting.restore_is("back", "Completed").await;
    assert_eq!(setting.contents("shop").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hinders_a_backup_is_named_and_it_goes_on_when_that_is_mended() {
    let mut setting = Setting::set(&[]).await;
    setting.back_up("early", json!({"tenantControlPlane": "shop", "target": {"directory": {}}})).await;
    let told = message(&setting.backup_is("early", "ControlPlaneNotFound").await.status.unwrap().conditions);
    assert!(told.contains("`shop`"), "{told}");
    setting.tenant("shop").await;
    let told = message(&setting.backup_is("early", "TargetRefused").await.status.unwrap().conditions);
    assert!(told.contains("--backup-directory"), "{told}");

    let bucket = json!({"endpoint": "http://127.0.0.1:1", "bucket": "b", "secretName": "bucket"});
    setting.back_up("bucket", json!({"tenantControlPlane": "shop", "target": {"s3": bucket}})).await;
    let told = message(&setting.backup_is("bucket", "SecretMissing").await.status.unwrap().conditions);
    assert!(told.contains("accessKeyId"), "{told}");
    let claim = json!({"claimName": "disk"});
    let spec = json!({"tenantControlPlane": "shop", "target": {"persistentVolumeClaim": claim}});
    setting.back_up("claim", spec).await;
    setting.backup_is("claim", "TargetNotFound").await;
    assert!(setting.operator.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_takes_one_backup_at_its_time_and_removes_what_is_not_kept() {
    let setting = Setting::set(&["--backup-directory=/backups"]).await;
    setting.tenant("shop").await;
    setting.write("shop", filled().take(20)).await;
    // One of an earlier time, so that there is no waiting for two.
    let earlier = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackup",
        "metadata": {"name": "earlier", "labels": {"flotilla.dev/schedule": "often"}},
        "spec": {"tenantControlPlane": "shop", "target": {"directory": {}}, "archivePolicy": "Delete"},
    });
    let earlier = serde_json::from_value(earlier).unwrap();
    setting.backups().create(&PostParams::default(), &earlier).await.unwrap();
    let earlier = setting.backup_is("earlier", "Completed").await;
    assert!(setting.file(&earlier).is_file());

    let schedule = json!({
        "apiVersion": "flotilla.dev/v1alpha1", "kind": "TenantBackupSchedule",
        "metadata": {"name": "often"},
        "spec": {
            "tenantControlPlane": "shop", "schedule": "* * * * *", "timeZone": "Europe/Berlin",
            "target": {"directory": {}}, "retention": {"last": 1},
        },
    });
    let schedules: Api<TenantBackupSchedule> = setting.stage.objects("default");
    schedules.create(&PostParams::default(), &serde_json::from_value(schedule).unwrap()).await.unwrap();
    let selection = ListParams::default().labels("flotilla.dev/schedule=often");
    let next = eventually("a backup is taken at its time", PATIENCE, || async {
        let items = setting.backups().list(&selection).await?.items;
        let found = items.iter().map(ResourceExt::name_any).find(|name| name != "earlier");
        found.ok_or_else(|| anyhow::anyhow!("{} backups", items.len()))
    })
    .await
    .unwrap();
    let next = setting.backup_is(&next, "Completed").await;
    assert!(setting.file(&next).is_file());
    eventually("the earlier one goes, and its archive too", PATIENCE, || async {
        let items = setting.backups().list(&selection).await?.items;
        let is_gone = items.iter().all(|found| found.name_any() != "earlier");
        anyhow::ensure!(is_gone && !setting.file(&earlier).exists(), "{} left", items.len());
        Ok(())
    })
    .await
    .unwrap();
    let status = schedules.get("often").await.unwrap().status.unwrap();
    assert!(status.next_schedule_time.is_some() && status.last_schedule_time.is_some());

    schedules.delete("often", &DeleteParams::default()).await.unwrap();
    let left = setting.backups().list(&selection).await.unwrap().items;
    assert!(!left.is_empty(), "whoever deletes a schedule does not mean its archives");
}
