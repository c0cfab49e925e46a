//! How a database is opened.

use std::os::unix::fs::PermissionsExt as _;

use records::{Records, RecordsError};
use sqlx::Row as _;

use crate::place::{Place, on_both, race};

on_both!(
    many_who_open_at_once_migrate_once,
    what_a_newer_program_wrote_is_refused,
    nothing_shows_the_password,
    after_closing_nothing_is_kept,
);

async fn many_who_open_at_once_migrate_once(place: &Place) {
    let url = place.url.clone();
    let opened = race(6, |_| {
        let url = url.clone();
        async move { Records::open(&url).await }
    })
    .await;
    for records in opened {
        records.unwrap().ping().await.unwrap();
    }
    let mut session = place.session().await;
    let rows =
        sqlx::query("SELECT version FROM migrations ORDER BY version").fetch_all(&mut session).await.unwrap();
    let versions: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8]);
}

async fn what_a_newer_program_wrote_is_refused(place: &Place) {
    place.open().await.close().await;
    let mut session = place.session().await;
    sqlx::query("INSERT INTO migrations (version) VALUES (900)").execute(&mut session).await.unwrap();
    let told = Records::open(&place.url).await.unwrap_err();
    assert!(matches!(told, RecordsError::Newer { found: 900, known: 8, .. }), "{told}");
}

async fn nothing_shows_the_password(place: &Place) {
    let records = place.open().await;
    assert!(!format!("{records:?}").contains(launcher::PostgreSql::PASSWORD));
    if place.url.starts_with("postgres") {
        let url = place.url.replace(launcher::PostgreSql::PASSWORD, "wrong-horse");
        let told = Records::open(&url).await.unwrap_err();
        assert!(told.to_string().contains("password authentication failed"), "{told}");
        let shown = format!("{told} {told:?}");
        assert!(!shown.contains("wrong-horse") && shown.contains("/records_"), "{shown}");
    }
}

async fn after_closing_nothing_is_kept(place: &Place) {
    let records = place.open().await;
    let clone = records.clone();
    records.close().await;
    assert!(clone.ping().await.is_err());
    assert!(clone.audit().append(records::AuditEntry::default()).await.is_err());
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let told = Records::open("sqlite:///nowhere/at/all.db?mode=rwc").await.unwrap_err().to_string();
    assert!(told.contains("/nowhere/at/all.db") && told.contains("directory exists"), "{told}");
    let told = Records::open("sqlite:///tmp/flotilla-not-there.db").await.unwrap_err().to_string();
    assert!(told.contains("/tmp/flotilla-not-there.db"), "{told}");
}

#[tokio::test]
async fn only_its_owner_reads_the_file() {
    let place = Place::sqlite();
    let records = place.open().await;
    records.links().link("corporate", "s", "olga", jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let path = place.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc");
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{path}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{suffix} {mode:o}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_fails_and_comes_back() {
    let mut server = launcher::PostgreSql::start().await.unwrap();
    let place = Place::postgresql(&server).await;
    let records = place.open().await;
    records.ping().await.unwrap();
    server.stop().await;
    let told = records.audit().append(records::AuditEntry::default()).await.unwrap_err();
    assert!(matches!(told, RecordsError::Failed { .. } | RecordsError::Unanswered { .. }), "{told}");
    server.resume().await.unwrap();
    records.audit().append(records::AuditEntry::default()).await.unwrap();
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_wants_it() {
    let server = launcher::PostgreSql::start_with_tls().await.unwrap();
    let place = Place::postgresql(&server).await;
    let directory = tempfile::TempDir::new().unwrap();
    let authority = directory.path().join("ca.crt");
    std::fs::write(&authority, &server.authority().unwrap().certificate).unwrap();
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", place.url, authority.display());
    Records::open(&url).await.unwrap().ping().await.unwrap();
    let refused = Records::open(&format!("{}?sslmode=verify-full", place.url)).await;
    assert!(refused.is_err());
}
