//! Targets: a directory, one that is full, and a real S3 service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use backup::{S3Settings, Target, TargetError};
use launcher::S3;

async fn put(target: &Target, name: &str, bytes: &[u8]) -> Result<u64, TargetError> {
    let mut upload = target.create(name).await?;
    for piece in bytes.chunks(300_000) {
        if let Err(error) = upload.write(piece).await {
            upload.abort().await;
            return Err(error);
        }
    }
    upload.finish().await
}

async fn get(target: &Target, name: &str) -> Result<Vec<u8>, TargetError> {
    let mut download = target.open(name).await?;
    let mut all = Vec::new();
    while let Some(piece) = download.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// What every target does.
async fn behaves(target: &Target, bytes: &[u8]) {
    let name = "team/shop/first.flotilla";
    assert!(matches!(get(target, name).await, Err(TargetError::Missing { .. })));
    assert_eq!(put(target, name, bytes).await.unwrap(), bytes.len() as u64);
    assert_eq!(get(target, name).await.unwrap(), bytes);

    let mut given_up = target.create("team/shop/second.flotilla").await.unwrap();
    given_up.write(bytes).await.unwrap();
    given_up.abort().await;
    assert!(matches!(get(target, "team/shop/second.flotilla").await, Err(TargetError::Missing { .. })));

    target.remove(name).await.unwrap();
    target.remove(name).await.unwrap();
    assert!(matches!(get(target, name).await, Err(TargetError::Missing { .. })));
}

#[tokio::test]
async fn a_directory_keeps_archives() {
    let directory = tempfile::tempdir().unwrap();
    behaves(&Target::Directory(directory.path().to_owned()), &vec![7; 1 << 20]).await;
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing stays behind");
}

#[tokio::test]
async fn a_directory_that_is_missing_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let target = Target::Directory(directory.path().join("unmounted"));
    let error = put(&target, "a", b"x").await.unwrap_err();
    assert!(error.to_string().contains("unmounted"), "{error}");
}

/// A file system of this size; none where the test may not mount one.
fn small(path: &Path) -> Option<()> {
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"]).arg(path).output();
    mount.ok()?.status.success().then_some(())
}

#[tokio::test]
async fn a_full_directory_is_named_and_keeps_what_it_had() {
    let directory = tempfile::tempdir().unwrap();
    if small(directory.path()).is_none() {
        return;
    }
    let target = Target::Directory(directory.path().to_owned());
    put(&target, "a/small", b"kept").await.unwrap();
    let outcome = put(&target, "a/large", &vec![1; 1 << 20]).await;
    let kept = get(&target, "a/small").await;
    let large = get(&target, "a/large").await;
    let again = put(&target, "a/small", b"replaced").await;
    assert!(Command::new("umount").arg(directory.path()).status().unwrap().success());
    let error = outcome.unwrap_err();
    assert!(matches!(error, TargetError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("is full"), "{error}");
    assert_eq!(kept.unwrap(), b"kept");
    assert!(matches!(large, Err(TargetError::Missing { .. })));
    again.unwrap();
}

fn settings(service: &S3) -> S3Settings {
    S3Settings {
        endpoint: service.endpoint(),
        bucket: S3::BUCKET.to_owned(),
        prefix: "clusters/eu".to_owned(),
        access_key_id: S3::ACCESS_KEY_ID.to_owned(),
        secret_access_key: S3::SECRET_ACCESS_KEY.to_owned(),
        certificate_authority: service.authority().certificate.clone(),
        ..S3Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_archives_small_and_in_parts() {
    let service = S3::start().await.unwrap();
    let target = Target::s3(&settings(&service)).unwrap();
    behaves(&target, b"a small one").await;
    behaves(&target, &vec![7; 40 << 20]).await;
    put(&target, "a/b", b"x").await.unwrap();
    assert!(service.object("clusters/eu/a/b").is_file(), "below the prefix");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses_is_named_with_its_reason() {
    let service = S3::start().await.unwrap();
    let wrong_secret = S3Settings { secret_access_key: "wrong".to_owned(), ..settings(&service) };
    let error = put(&Target::s3(&wrong_secret).unwrap(), "a", b"x").await.unwrap_err().to_string();
    assert!(error.contains("bucket backups") && error.contains("SignatureDoesNotMatch"), "{error}");
    assert!(!error.contains("wrong"), "{error}");

    let wrong_bucket = S3Settings { bucket: "other".to_owned(), ..settings(&service) };
    let error = put(&Target::s3(&wrong_bucket).unwrap(), "a", b"x").await.unwrap_err().to_string();
    assert!(error.contains("NoSuchBucket"), "{error}");

    let no_authority = S3Settings { certificate_authority: "none".to_owned(), ..settings(&service) };
    let error = Target::s3(&no_authority).unwrap_err().to_string();
    assert!(error.contains("no certificate"), "{error}");
}
