//! A MariaDB on loopback for tests, gone when the value is dropped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::server::{Server, at_once, certify, finish, home, installed, is_a_server, own, unprivileged};
use crate::{Error, free_ports, write_private};

const PACKAGE: &str = "mariadb-server-core";
/// Where the package keeps the statements that make the system tables.
const SHARED: &str = "/usr/share/mysql";
const TABLES: [&str; 3] =
    ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
/// Hands them to a server that ends after them. It takes one statement per line. `$0` is the server, `$1` the
/// directory of its data, the rest are the files.
const BOOTSTRAP: &str = r#"data="$1"; shift
{ printf '%s\n' 'CREATE DATABASE mysql;' 'USE mysql;' 'SET @auth_root_socket=NULL;' 'SET @skip_auth_anonymous=1;'
  cat "$@"; } | "$0" --no-defaults --bootstrap --datadir="$data" --innodb-buffer-pool-size=32M --skip-innodb-use-native-aio \
  --tmpdir="${data%/*}""#;

/// A running MariaDB. Dropping it ends its process and removes its data.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
}

is_a_server!(MariaDb);

impl MariaDb {
    /// The administrator.
    pub const USER: &str = "root";
    /// The administrator's password.
    pub const PASSWORD: &str = "correct-horse";

    /// Starts one without encryption and returns when it listens.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(false).await
    }

    /// Starts one that takes connections over TLS only, with a certificate for 127.0.0.1 and localhost.
    pub async fn start_with_tls() -> Result<Self, Error> {
        Self::start_with(true).await
    }

    async fn start_with(encrypted: bool) -> Result<Self, Error> {
        let directory = home("flotilla-mariadb-")?;
        let here = directory.path();
        make_data(here).await?;
        let authority = if encrypted { Some(certify(here)?) } else { None };
        let [port] = free_ports()?;
        let log = here.join("mariadb.log");
        let spec = unprivileged("mariadbd", &program()?, settings(here, port, encrypted), log);
        Ok(Self { server: Server::start(spec, port, authority, directory, at_once).await? })
    }
}

/// Makes the system tables. The packages' own script for it needs programs of the client's package.
async fn make_data(here: &Path) -> Result<(), Error> {
    let tables = TABLES.map(|name| Path::new(SHARED).join(name));
    for file in &tables {
        installed(std::slice::from_ref(file), PACKAGE)?;
    }
    let data = here.join("data");
    std::fs::create_dir(&data).map_err(Error::file("create", &data))?;
    own(&data)?;
    let mut arguments: Vec<OsString> = vec!["-c".into(), BOOTSTRAP.into(), program()?.into(), data.into()];
    arguments.extend(tables.map(OsString::from));
    let shell = Path::new("/bin/sh");
    finish(&unprivileged("mariadbd --bootstrap", shell, arguments, here.join("install.log"))).await?;
    let first = here.join("first.sql");
    let (user, password) = (MariaDb::USER, MariaDb::PASSWORD);
    write_private(
        &first,
        &format!(
            "CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{user}'@'%' WITH GRANT OPTION;\n\
             DELETE FROM mysql.global_priv WHERE User = '{user}' AND Host <> '%';\n\
             FLUSH PRIVILEGES;\n"
        ),
    )?;
    own(&first)
}

fn program() -> Result<PathBuf, Error> {
    let candidates = ["/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd", "/usr/libexec/mariadbd"];
    installed(&candidates.map(PathBuf::from), PACKAGE)
}

fn settings(here: &Path, port: u16, encrypted: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "--no-defaults".into(),
        joined("--datadir=", &here.join("data")),
        joined("--socket=", &here.join("socket")),
        joined("--pid-file=", &here.join("pid")),
        // A server that starts removes what it takes for left over from there.
        joined("--tmpdir=", here),
        joined("--init-file=", &here.join("first.sql")),
        "--bind-address=127.0.0.1".into(),
        format!("--port={port}").into(),
        "--skip-name-resolve".into(),
        // Written at each commit, which the end of the process does not undo; only the machine's would.
        "--innodb-flush-log-at-trx-commit=2".into(),
        "--innodb-buffer-pool-size=32M".into(),
        // The kernel has few of those for all servers together.
        "--skip-innodb-use-native-aio".into(),
        "--max-allowed-packet=64M".into(),
    ];
    if encrypted {
        arguments.extend([
            joined("--ssl-ca=", &here.join("ca.crt")),
            joined("--ssl-cert=", &here.join("server.crt")),
            joined("--ssl-key=", &here.join("server.key")),
            "--require-secure-transport=ON".into(),
        ]);
    }
    arguments
}

fn joined(flag: &str, file: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(file);
    argument
}
