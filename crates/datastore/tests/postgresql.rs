//! The driver against a real PostgreSQL, beside the real kine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/kine.rs"]
mod kine;
#[path = "support/sql.rs"]
mod sql;

use std::time::Duration;

use datastore::{Access, Driver, Password, Store, TenantSpace};
use launcher::PostgreSql;
use sql::{PASSWORD, Server, open, put, space};
use tokio_postgres::{Client, NoTls};

fn server(server: &PostgreSql) -> Server {
    Server {
        driver: Driver::PostgreSql,
        endpoint: server.endpoint(),
        administrator: PostgreSql::USER,
        password: PostgreSql::PASSWORD,
        authority: server.authority().cloned(),
    }
}

/// A session of somebody who speaks to the server directly.
async fn session(
    server: &Server,
    user: &str,
    password: &str,
    database: &str,
) -> Result<Client, tokio_postgres::Error> {
    let (host, port) = server.endpoint.split_once(':').unwrap();
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(port.parse().unwrap()).user(user).password(password).dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn refusal<T>(outcome: Result<T, tokio_postgres::Error>) -> String {
    match outcome {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.as_db_error().map_or_else(|| error.to_string(), |told| told.message().to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_what_kine_wrote() {
    let running = PostgreSql::start_with_tls().await.unwrap();
    sql::what_kine_wrote_is_read(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kine_serves_what_is_written() {
    let running = PostgreSql::start().await.unwrap();
    sql::what_is_written_is_served_by_kine(&server(&running)).await;
    sql::a_tenant_fills_its_own_place(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_barrier_cannot_be_passed() {
    let running = PostgreSql::start().await.unwrap();
    sql::no_acknowledged_write_comes_after_the_barrier(&server(&running)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_come_and_go_apart() {
    let running = PostgreSql::start().await.unwrap();
    let server = server(&running);
    sql::removal_takes_the_tenant_and_nothing_else(&server).await;
    sql::passwords_follow(&server).await;
    let administrator = session(&server, PostgreSql::USER, PostgreSql::PASSWORD, "postgres").await.unwrap();
    administrator.batch_execute("CREATE DATABASE billing").await.unwrap();
    administrator.batch_execute("CREATE ROLE dba LOGIN CREATEROLE PASSWORD 'dba'").await.unwrap();
    let reserved = [
        ("postgres", "third"),
        ("template1", "third"),
        ("third", "postgres"),
        ("third", "pg_monitor"),
        ("third", "dba"),
        ("billing", "third"),
        ("Third", "third"),
    ];
    sql::what_is_others_is_left_alone(&server, &reserved).await;
    session(&server, "dba", "dba", "billing").await.unwrap();
}

/// What is said of a server that was killed. The processes that serve its connections end a moment after it.
async fn away(store: &Store) -> datastore::Error {
    let failing = async {
        loop {
            if let Err(error) = store.health().await {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), failing).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_apart_and_heal() {
    let mut running = PostgreSql::start_with_tls().await.unwrap();
    let other = PostgreSql::start_with_tls().await.unwrap();
    let server = server(&running);
    sql::failures_are_told_apart(&server, other.authority().unwrap()).await;
    let store = server.store().await;
    running.stop().await;
    let error = away(&store).await;
    assert!(matches!(error, datastore::Error::Unreachable { .. }), "{error:?}");
    running.resume().await.unwrap();
    sql::answers(&store).await;
    open(&store, &space("healed")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_reaches_nothing_of_another() {
    let running = PostgreSql::start().await.unwrap();
    let server = server(&running);
    let store = server.store().await;
    let (own, other) = (space("team"), space("team-b"));
    for tenant in [&own, &other] {
        open(&store, tenant).await;
        store.begin_writing(tenant, "x").await.unwrap().write(&[put("secrets/a", "s", None)]).await.unwrap();
    }
    // Through the driver.
    let thief = server.store_of(&own).await;
    assert!(thief.read(&other).await.is_err());
    assert!(thief.count(&other).await.is_err());
    assert!(thief.begin_writing(&other, "thief").await.is_err());
    assert!(thief.remove(&other).await.is_err());
    assert!(thief.ensure(&other, Access::ReadWrite, &Password::new("stolen")).await.is_err());
    // Directly.
    let denied = refusal(session(&server, &own.user, PASSWORD, &other.schema).await);
    assert!(denied.contains("permission denied for database"), "{denied}");
    assert!(refusal(session(&server, &other.user, "guess", &other.schema).await).contains("password"));
    let client = session(&server, &own.user, PASSWORD, &own.schema).await.unwrap();
    for statement in [
        "SELECT rolpassword FROM pg_authid",
        "ALTER ROLE \"team-b\" PASSWORD 'stolen'",
        "SET ROLE \"team-b\"",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT \"team-b\" TO team",
        "CREATE ROLE thief SUPERUSER",
        "ALTER ROLE team SUPERUSER",
        "CREATE DATABASE thief",
        "ALTER DATABASE \"team-b\" OWNER TO team",
        "DROP DATABASE \"team-b\"",
        "CREATE DATABASE thief TEMPLATE \"team-b\"",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY kine TO PROGRAM 'true'",
        "CREATE EXTENSION dblink",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    ] {
        let outcome = client.batch_execute(statement).await;
        assert!(outcome.is_err(), "{statement} was not refused");
    }
    let maintenance = session(&server, &own.user, PASSWORD, "postgres").await.unwrap();
    assert!(maintenance.batch_execute("CREATE TABLE t (i int)").await.is_err());
    assert_eq!(sql::contents(&store, &other).await, [("secrets/a".to_owned(), b"s".to_vec())]);
}

/// The owner of a database can put code into it, which must not run with the administrator's rights.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_code_never_runs_as_the_administrator() {
    let traps = [
        "CREATE TRIGGER trap BEFORE INSERT ON kine FOR EACH ROW EXECUTE FUNCTION trap()",
        "CREATE INDEX trap ON kine (becomes_root(name))",
        "ALTER TABLE kine ADD CONSTRAINT trap CHECK (becomes_root(name) <> '')",
        "CREATE RULE trap AS ON INSERT TO kine DO ALSO SELECT becomes_root('')",
        "ALTER TABLE kine RENAME TO hidden; CREATE VIEW kine AS SELECT id, becomes_root(name) AS name, created, \
         deleted, create_revision, prev_revision, lease, value, old_value FROM hidden",
    ];
    let running = PostgreSql::start().await.unwrap();
    let server = server(&running);
    let store = server.store().await;
    for (number, trap) in traps.iter().enumerate() {
        let tenant = space(&format!("trap-{number}"));
        open(&store, &tenant).await;
        store.begin_writing(&tenant, "x").await.unwrap().write(&[put("a", "", None)]).await.unwrap();
        let client = session(&server, &tenant.user, PASSWORD, &tenant.schema).await.unwrap();
        let user = &tenant.user;
        client
            .batch_execute(&format!(
                "CREATE FUNCTION becomes_root(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN \
                 IF current_setting('is_superuser') = 'on' THEN EXECUTE 'ALTER ROLE \"{user}\" SUPERUSER'; \
                 END IF; RETURN $1; END $$; \
                 CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 PERFORM public.becomes_root(''); RETURN NEW; END $$; \
                 CREATE FUNCTION public.max(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'; {trap}"
            ))
            .await
            .unwrap();
        let refused = store.count(&tenant).await.unwrap_err().to_string();
        assert!(refused.contains("open the tenant's table"), "{trap}: {refused}");
        assert!(store.read(&tenant).await.is_err(), "{trap}");
        assert!(store.begin_writing(&tenant, "y").await.is_err(), "{trap}");
        assert!(store.raise_revision(&tenant, 1000).await.is_err(), "{trap}");
        store.ensure(&tenant, Access::ReadOnly, &Password::new(PASSWORD)).await.unwrap();
        open(&store, &tenant).await;
        let query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
        let is_superuser: bool = client.query_one(query, &[]).await.unwrap().get(0);
        assert!(!is_superuser, "{trap}");
        store.remove(&tenant).await.unwrap();
    }
}

/// Databases that Kamaji made, with its rights, are taken over and closed to others.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_another_operator_made_is_taken_over() {
    let running = PostgreSql::start().await.unwrap();
    let server = server(&running);
    let administrator = session(&server, PostgreSql::USER, PostgreSql::PASSWORD, "postgres").await.unwrap();
    for statement in [
        "CREATE DATABASE default_a",
        "CREATE ROLE default_a LOGIN PASSWORD 'older'",
        "GRANT CONNECT, CREATE ON DATABASE default_a TO default_a",
        "ALTER DATABASE default_a OWNER TO default_a",
    ] {
        administrator.batch_execute(statement).await.unwrap();
    }
    let (tenant, other) = (space("default_a"), space("default_b"));
    let store: Store = server.store().await;
    open(&store, &tenant).await;
    open(&store, &other).await;
    let mine = TenantSpace { schema: tenant.schema.clone(), user: other.user.clone() };
    assert!(
        refusal(session(&server, &mine.user, PASSWORD, &mine.schema).await).contains("permission denied")
    );
    session(&server, &tenant.user, PASSWORD, &tenant.schema).await.unwrap();
}
