//! `cargo deny`: licences, bans and sources always, advisories when their database can be reached.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

/// The version that is installed when the machine has none.
const VERSION: &str = "0.20.2";

/// Where the advisory database lives.
const ADVISORY_HOST: &str = "github.com:443";

/// How long to wait for [`ADVISORY_HOST`].
const REACH_TIMEOUT: Duration = Duration::from_secs(3);

/// Checks the dependencies against deny.toml.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let program = ensure_installed(workspace)?;
    let check = |checks: &[&str]| {
        process::run_open(
            Command::new(&program)
                .current_dir(workspace.root())
                .args(["--workspace", "--locked", "check", "--hide-inclusion-graph"])
                .args(checks),
        )
    };
    check(&["bans", "licenses", "sources"])?;
    if is_reachable(ADVISORY_HOST) {
        check(&["advisories"])
    } else {
        eprintln!(
            "advisories skipped: {ADVISORY_HOST} with the advisory database cannot be reached from here"
        );
        Ok(())
    }
}

/// The program on PATH, or a pinned one kept below target/.
fn ensure_installed(workspace: &Workspace) -> Result<PathBuf> {
    if process::is_installed("cargo-deny") {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let root = workspace.target().join("tools");
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        process::run_step(
            &format!("install cargo-deny {VERSION} (once)"),
            // Without optimisation: it is used for seconds and would take minutes more to build.
            Command::new("cargo")
                .args(["install", "--locked", "--debug", "--version", VERSION, "--root"])
                .arg(&root)
                .arg("cargo-deny"),
        )?;
    }
    Ok(program)
}

fn is_reachable(address: &str) -> bool {
    address.to_socket_addrs().is_ok_and(|mut found| {
        found.any(|address| TcpStream::connect_timeout(&address, REACH_TIMEOUT).is_ok())
    })
}
