//! `setup`: what the machine must have before anything can be built or started.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{golang, process};

/// A program or file that must be there, and the Debian package that brings it.
struct Requirement {
    package: &'static str,
    /// Program names on PATH or absolute paths; one of them is enough.
    any_of: &'static [&'static str],
}

const POSTGRESQL: &str = "postgresql-15";

/// What the local cluster and the tests run on.
const REQUIREMENTS: [Requirement; 20] = [
    Requirement { package: "containerd", any_of: &["containerd"] },
    Requirement { package: "runc", any_of: &["runc"] },
    Requirement {
        package: "containernetworking-plugins",
        any_of: &["/usr/lib/cni/bridge", "/opt/cni/bin/bridge"],
    },
    Requirement { package: "nftables", any_of: &["nft"] },
    Requirement { package: "iptables", any_of: &["iptables"] },
    Requirement { package: "curl", any_of: &["curl"] },
    Requirement { package: "iproute2", any_of: &["ip"] },
    Requirement { package: "util-linux", any_of: &["nsenter"] },
    Requirement { package: "mount", any_of: &["mount"] },
    Requirement { package: "protobuf-compiler", any_of: &["protoc"] },
    Requirement { package: "libprotobuf-dev", any_of: &["/usr/include/google/protobuf/descriptor.proto"] },
    Requirement { package: "busybox-static", any_of: &golang::BUSYBOX },
    Requirement { package: "mariadb-server-core", any_of: &["/usr/sbin/mariadbd"] },
    Requirement { package: POSTGRESQL, any_of: &["/usr/lib/postgresql/15/bin/postgres"] },
    Requirement { package: "slapd", any_of: &["/usr/sbin/slapd"] },
    Requirement { package: "nodejs", any_of: &["node"] },
    Requirement { package: "npm", any_of: &["npm"] },
    Requirement { package: "chromium", any_of: &["/usr/bin/chromium"] },
    Requirement { package: "binutils", any_of: &["strip"] },
    Requirement { package: "ca-certificates", any_of: &["/etc/ssl/certs/ca-certificates.crt"] },
];

/// What upstream's tests call in the images of theirs that are made here.
const OF_THE_CONFORMANCE: [Requirement; 2] = [
    Requirement { package: "bind9-dnsutils", any_of: &["/usr/bin/dig"] },
    Requirement { package: "netcat-openbsd", any_of: &["/usr/bin/nc.openbsd"] },
];

/// Installs what is missing where it can, and says what to install where it cannot.
pub(crate) fn run() -> Result<()> {
    meet(&REQUIREMENTS)
}

/// The same, with what upstream's tests need beside it.
pub(crate) fn run_for_the_conformance() -> Result<()> {
    run()?;
    meet(&OF_THE_CONFORMANCE)
}

fn meet(requirements: &[Requirement]) -> Result<()> {
    golang::version()?;
    let missing: Vec<&str> =
        requirements.iter().filter(|needed| !is_present(needed)).map(|needed| needed.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !process::is_installed("apt-get") {
        bail!("missing on this machine: {names} (Debian names); install them with its package manager");
    }
    if !is_root()? {
        bail!("missing on this machine: {names}; run `sudo apt-get install {names}`, or this as root");
    }
    install(&missing).with_context(|| format!("install {names}"))
}

fn is_present(needed: &Requirement) -> bool {
    needed.any_of.iter().any(|name| {
        if name.starts_with('/') { Path::new(name).exists() } else { process::is_installed(name) }
    })
}

fn is_root() -> Result<bool> {
    Ok(process::read(Command::new("id").arg("-u"))?.trim() == "0")
}

fn install(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-y", "-q"]);
        command
    };
    let get = |packages: &[&str]| {
        process::run_step(
            &format!("install {}", packages.join(", ")),
            apt().args(["install", "--no-install-recommends"]).args(packages),
        )
    };
    process::run_step("update the package lists", apt().arg("update"))?;
    if packages.contains(&POSTGRESQL) {
        get(&["postgresql-common"])?;
        make_no_server()?;
    }
    get(packages)
}

/// Tests need the programs of PostgreSQL only. Its package would start a server, unless told otherwise.
fn make_no_server() -> Result<()> {
    let path = "/etc/postgresql-common/createcluster.conf";
    let settings = std::fs::read_to_string(path).unwrap_or_default();
    std::fs::write(
        path,
        format!("{settings}\n# Set by Flotilla's `cargo xtask setup`.\ncreate_main_cluster = false\n"),
    )
    .with_context(|| format!("write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirement_is_met_by_any_of_its_files() {
        let met = Requirement { package: "p", any_of: &["/nowhere/at/all", "/proc/self/exe"] };
        let unmet = Requirement { package: "p", any_of: &["/nowhere/at/all", "no-such-program-here"] };
        assert!(is_present(&met));
        assert!(!is_present(&unmet));
    }
}
