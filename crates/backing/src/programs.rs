//! What runs in the pods.

use serde_json::{Value, json};

use crate::Kind;

/// The administrator that each of them knows.
pub(crate) const ADMINISTRATOR: &str = "root";
/// User and group of the pods.
pub(crate) const USER: i64 = 65532;

/// Has a shell, and users in /etc/passwd; the rest of what Debian's programs need is the node's.
const SHELL_IMAGE: &str = "docker.io/rancher/kine:v0.17.5";
const NATS_IMAGE: &str = "docker.io/library/nats:2.15.2";

/// Makes the database once, then starts the server. The shell stays: it heeds no signal but the last one, so
/// that a server never ends in good order, which would be the easier case.
const POSTGRESQL: &str = r#"set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
data=/data/postgresql
if [ ! -s "$data/complete" ]; then
    rm -rf "$data"
    printf %s "$PASSWORD" > /tmp/password
    "$bin/initdb" --pgdata="$data" --username=root --pwfile=/tmp/password --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8
    rm /tmp/password
    echo yes > "$data/complete"
fi
# A volume's files are opened to its group when it is mounted again; the server refuses that.
chmod 0700 "$data"
printf 'local all all reject\n%s all all all scram-sha-256\n' "$HBA" > /tmp/hba.conf
"$bin/postgres" -D "$data" -c listen_addresses='*' -c port="$PORT" -c unix_socket_directories=/tmp \
    -c hba_file=/tmp/hba.conf -c max_connections=400 $TLS || exit
"#;

/// The same for MariaDB. The system tables are made as the packages' script does, which needs programs of the
/// client's package; a server that makes them takes one statement per line. The password is set at each
/// start, so that it is what the Secret says.
const MARIADB: &str = r#"set -eu
data=/data/mariadb
if [ ! -s "$data/complete" ]; then
    rm -rf "$data"
    mkdir "$data"
    tables=/usr/share/mysql/mysql
    {
        printf '%s\n' 'CREATE DATABASE mysql;' 'USE mysql;' 'SET @auth_root_socket=NULL;' \
            'SET @skip_auth_anonymous=1;'
        cat "${tables}_system_tables.sql" "${tables}_performance_tables.sql" "${tables}_system_tables_data.sql"
    } | /usr/sbin/mariadbd --no-defaults --bootstrap --datadir="$data"
    echo yes > "$data/complete"
fi
cat > /tmp/start.sql <<END
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '$PASSWORD';
ALTER USER 'root'@'%' IDENTIFIED BY '$PASSWORD';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
DROP USER IF EXISTS 'root'@'localhost';
FLUSH PRIVILEGES;
END
/usr/sbin/mariadbd --no-defaults --datadir="$data" --port="$PORT" --bind-address=0.0.0.0 \
    --socket=/tmp/mariadb.sock --pid-file=/tmp/mariadb.pid --skip-name-resolve --max-connections=400 \
    --init-file=/tmp/start.sql $TLS || exit
"#;

/// The container of a store, named `store`.
pub(crate) fn container(kind: Kind, encrypted: bool, secret: &str) -> Value {
    let mut mounts = vec![
        json!({"name": "data", "mountPath": "/data"}),
        json!({"name": "tmp", "mountPath": "/tmp"}),
        json!({"name": "conf", "mountPath": "/conf", "readOnly": true}),
    ];
    if encrypted {
        mounts.push(json!({"name": "pki", "mountPath": "/pki", "readOnly": true}));
    }
    let (image, command) = match kind {
        Kind::PostgreSql => (SHELL_IMAGE, json!(["sh", "-c", POSTGRESQL])),
        Kind::MySql => (SHELL_IMAGE, json!(["sh", "-c", MARIADB])),
        Kind::Nats => (NATS_IMAGE, json!(["/usr/local/bin/nats-server", "-c", "/conf/nats.conf"])),
    };
    if kind != Kind::Nats {
        for directory in NODE_DIRECTORIES {
            mounts.push(json!({"name": volume(directory), "mountPath": directory, "readOnly": true}));
        }
    }
    json!({
        "name": "store", "image": image, "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}},
            {"name": "PORT", "value": kind.port().to_string()},
            {"name": "HBA", "value": if encrypted { "hostssl" } else { "host" }},
            {"name": "TLS", "value": tls(kind, encrypted)},
            {"name": "PATH", "value": "/bin:/usr/bin:/usr/sbin"},
        ],
        "volumeMounts": mounts,
    })
}

/// Volumes of the pod beside its data.
pub(crate) fn volumes(kind: Kind, encrypted: bool, name: &str) -> Vec<Value> {
    let mut volumes = vec![
        json!({"name": "tmp", "emptyDir": {}}),
        json!({"name": "conf", "secret": {"secretName": format!("{name}-conf"), "defaultMode": 0o440}}),
    ];
    if encrypted {
        // PostgreSQL takes no key that others than the owner's group can read.
        let secret = json!({"secretName": format!("{name}-server"), "defaultMode": 0o440});
        volumes.push(json!({"name": "pki", "secret": secret}));
    }
    if kind != Kind::Nats {
        for directory in NODE_DIRECTORIES {
            volumes.push(json!({"name": volume(directory), "hostPath": {"path": directory}}));
        }
    }
    volumes
}

/// Settings of a NATS server; the others have theirs on their command lines.
pub(crate) fn settings(kind: Kind, encrypted: bool, password: &str) -> String {
    if kind != Kind::Nats {
        return String::new();
    }
    let tls =
        if encrypted { "tls { cert_file: \"/pki/tls.crt\", key_file: \"/pki/tls.key\" }\n" } else { "" };
    format!(
        "listen: \"0.0.0.0:{}\"\nserver_name: only\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"/data/nats\", max_file_store: 1GB, max_memory_store: 64MB, \
         sync_interval: always }}\n\
         authorization {{ user: {ADMINISTRATOR}, password: \"{password}\" }}\n{tls}",
        kind.port()
    )
}

/// Where Debian's programs, their libraries and data are.
const NODE_DIRECTORIES: [&str; 3] = ["/usr", "/lib", "/lib64"];

fn volume(directory: &str) -> String {
    format!("node{}", directory.replace('/', "-"))
}

fn tls(kind: Kind, encrypted: bool) -> &'static str {
    match kind {
        _ if !encrypted => "",
        Kind::PostgreSql => "-c ssl=on -c ssl_cert_file=/pki/tls.crt -c ssl_key_file=/pki/tls.key",
        Kind::MySql => "--ssl-cert=/pki/tls.crt --ssl-key=/pki/tls.key --require-secure-transport=ON",
        Kind::Nats => "",
    }
}
