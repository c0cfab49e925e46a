//! The driver against a real MariaDB, beside the real kine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/kine.rs"]
mod kine;
#[path = "support/sql.rs"]
mod sql;

use datastore::{Access, Driver, Error, Password, TenantSpace};
use launcher::MariaDb;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use sql::{PASSWORD, Server, open, put, space};

fn server(server: &MariaDb) -> Server {
    Server {
        driver: Driver::MySql,
        endpoint: server.endpoint(),
        administrator: MariaDb::USER,
        password: MariaDb::PASSWORD,
        authority: server.authority().cloned(),
    }
}

/// A session of somebody who speaks to the server directly.
async fn session(
    server: &Server,
    user: &str,
    password: &str,
    database: Option<&str>,
) -> Result<Conn, mysql_async::Error> {
    let (host, port) = server.endpoint.split_once(':').unwrap();
    let options = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port.parse().unwrap())
        .prefer_socket(false)
        .user(Some(user))
        .pass(Some(password))
        .db_name(database);
    Conn::new(options).await
}

fn refusal<T>(outcome: Result<T, mysql_async::Error>) -> String {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_what_kine_wrote() {
    let running = MariaDb::start_with_tls().await.unwrap();
    sql::what_kine_wrote_is_read(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kine_serves_what_is_written() {
    let running = MariaDb::start().await.unwrap();
    sql::what_is_written_is_served_by_kine(&server(&running)).await;
    sql::a_tenant_fills_its_own_place(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_barrier_cannot_be_passed() {
    let running = MariaDb::start().await.unwrap();
    sql::no_acknowledged_write_comes_after_the_barrier(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_come_and_go_apart() {
    let running = MariaDb::start().await.unwrap();
    let server = server(&running);
    sql::removal_takes_the_tenant_and_nothing_else(&server).await;
    sql::passwords_follow(&server).await;
    let mut administrator = session(&server, MariaDb::USER, MariaDb::PASSWORD, None).await.unwrap();
    for statement in [
        "CREATE DATABASE billing",
        "CREATE TABLE billing.accounts (id int)",
        "CREATE USER dba@'%' IDENTIFIED BY 'dba'",
        "GRANT RELOAD ON *.* TO dba@'%'",
        "CREATE DATABASE shared",
        "GRANT SELECT ON shared.* TO dba@'%'",
    ] {
        administrator.query_drop(statement).await.unwrap();
    }
    let reserved = [
        ("mysql", "third"),
        ("sys", "third"),
        ("third", "root"),
        ("third", "mariadb.sys"),
        ("third", "dba"),
        ("billing", "third"),
        ("shared", "third"),
    ];
    sql::what_is_others_is_left_alone(&server, &reserved).await;
    session(&server, "dba", "dba", Some("shared")).await.unwrap();
    administrator.query_drop("SELECT * FROM billing.accounts").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_apart_and_heal() {
    let mut running = MariaDb::start_with_tls().await.unwrap();
    let other = MariaDb::start_with_tls().await.unwrap();
    let server = server(&running);
    sql::failures_are_told_apart(&server, other.authority().unwrap()).await;
    let store = server.store().await;
    running.stop().await;
    let error = store.health().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    running.resume().await.unwrap();
    sql::answers(&store).await;
    open(&store, &space("healed")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_reaches_nothing_of_another() {
    let running = MariaDb::start().await.unwrap();
    let server = server(&running);
    let store = server.store().await;
    // `_` stands for any character where rights are granted.
    let (own, other, alike) = (space("team_a"), space("team_a-b"), space("teamxa"));
    for tenant in [&own, &other, &alike] {
        open(&store, tenant).await;
        store.begin_writing(tenant, "x").await.unwrap().write(&[put("secrets/a", "s", None)]).await.unwrap();
    }
    let thief = server.store_of(&own).await;
    for victim in [&other, &alike] {
        // Through the driver: the tenant does not even see that there is a table.
        assert!(sql::contents(&thief, victim).await.is_empty());
        assert!(thief.begin_writing(victim, "thief").await.is_err());
        assert!(thief.remove(victim).await.is_err());
        assert!(thief.ensure(victim, Access::ReadWrite, &Password::new("stolen")).await.is_err());
        // Directly.
        let denied = refusal(session(&server, &own.user, PASSWORD, Some(&victim.schema)).await);
        assert!(denied.contains("Access denied"), "{denied}");
        let mut client = session(&server, &own.user, PASSWORD, Some(&own.schema)).await.unwrap();
        let (schema, user) = (&victim.schema, &victim.user);
        for statement in [
            format!("SELECT * FROM `{schema}`.kine"),
            format!("INSERT INTO `{schema}`.kine (name) VALUES ('x')"),
            format!("CREATE TABLE `{schema}`.t (i int)"),
            format!("DROP DATABASE `{schema}`"),
            format!("SET PASSWORD FOR `{user}`@'%' = PASSWORD('stolen')"),
            format!("CREATE VIEW v AS SELECT * FROM `{schema}`.kine"),
            "SELECT * FROM mysql.user".to_owned(),
            "SELECT * FROM mysql.global_priv".to_owned(),
            "CREATE USER thief".to_owned(),
            "CREATE DATABASE thief".to_owned(),
            "GRANT ALL ON *.* TO team_a@'%'".to_owned(),
            "SELECT LOAD_FILE('/etc/hostname') INTO OUTFILE '/tmp/thief'".to_owned(),
            "CREATE TRIGGER t BEFORE INSERT ON kine FOR EACH ROW SET @a = 1".to_owned(),
            "CREATE FUNCTION f() RETURNS int RETURN 1".to_owned(),
        ] {
            assert!(client.query_drop(&statement).await.is_err(), "{statement} was not refused");
        }
        let seen: Vec<String> = client.query("SHOW DATABASES").await.unwrap();
        assert!(!seen.contains(schema), "{seen:?}");
        assert_eq!(sql::contents(&store, victim).await, [("secrets/a".to_owned(), b"s".to_vec())]);
    }
}

/// Databases that Kamaji made, with its rights, are taken over; what it granted too much is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_another_operator_made_is_taken_over_and_narrowed() {
    let running = MariaDb::start().await.unwrap();
    let server = server(&running);
    let mut administrator = session(&server, MariaDb::USER, MariaDb::PASSWORD, None).await.unwrap();
    for statement in [
        "CREATE DATABASE IF NOT EXISTS default_a",
        "CREATE USER default_a@'%' IDENTIFIED BY 'older'",
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON default_a.* TO default_a@'%'",
        "CREATE DATABASE defaultxa",
    ] {
        administrator.query_drop(statement).await.unwrap();
    }
    session(&server, "default_a", "older", Some("defaultxa")).await.unwrap();
    let (tenant, alike): (TenantSpace, TenantSpace) = (space("default_a"), space("defaultxa"));
    let store = server.store().await;
    open(&store, &tenant).await;
    open(&store, &alike).await;
    assert!(session(&server, &tenant.user, PASSWORD, Some("defaultxa")).await.is_err());
    session(&server, &tenant.user, PASSWORD, Some("default_a")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_differ_in_case_only_are_refused_and_named() {
    let running = MariaDb::start().await.unwrap();
    let store = server(&running).store().await;
    let tenant = space("case");
    open(&store, &tenant).await;
    let mut writer = store.begin_writing(&tenant, "x").await.unwrap();
    writer.write(&[put("roles/a", "1", None)]).await.unwrap();
    for changes in [vec![put("roles/A", "2", None)], vec![put("b", "", None), put("B", "", None)]] {
        match writer.write(&changes).await {
            Err(Error::Refused { source, .. }) => assert!(source.to_string().contains("case"), "{source}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sql::contents(&store, &tenant).await, [("roles/a".to_owned(), b"1".to_vec())]);
}
