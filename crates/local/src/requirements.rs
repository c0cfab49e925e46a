//! What the machine must offer.

use std::path::{Path, PathBuf};

use crate::Error;

/// Room for the images (twice, since containerd keeps them packed and unpacked) and etcd's data.
const NEEDED_MIB: u64 = 5 * 1024;

/// Programs and the Debian packages that hold them.
const PROGRAMS: [(&str, &str); 10] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("runc", "runc"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("mount", "mount"),
];

const CNI_PLUGINS: [&str; 4] = ["ptp", "host-local", "portmap", "loopback"];
const CNI_PACKAGE: &str = "containernetworking-plugins";

/// Where system programs are, also when the caller's path is that of an ordinary user.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Checks root, programs and disk space.
pub(crate) fn check(data: &Path) -> Result<(), Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    let lacking = lacking(|program| find_program(program).is_some(), cni_directory().is_some());
    if !lacking.is_empty() {
        let (missing, mut packages): (Vec<_>, Vec<_>) = lacking.into_iter().unzip();
        packages.dedup();
        return Err(Error::Requirements { missing, packages });
    }
    check_disk(data)
}

/// Missing programs with their packages, in the order of the packages.
fn lacking(exists: impl Fn(&str) -> bool, has_cni: bool) -> Vec<(String, String)> {
    let mut lacking: Vec<(String, String)> = PROGRAMS
        .iter()
        .filter(|(program, _)| !exists(program))
        .map(|(program, package)| ((*program).to_owned(), (*package).to_owned()))
        .collect();
    if !has_cni {
        lacking.push((format!("CNI plugins ({})", CNI_PLUGINS.join(", ")), CNI_PACKAGE.to_owned()));
    }
    lacking
}

/// A program on the system's path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    SYSTEM_PATH.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

/// The directory that has all the CNI plugins in use: Debian's, or the one of upstream's packages.
pub(crate) fn cni_directory() -> Option<PathBuf> {
    ["/usr/lib/cni", "/opt/cni/bin"]
        .map(PathBuf::from)
        .into_iter()
        .find(|directory| CNI_PLUGINS.iter().all(|plugin| directory.join(plugin).is_file()))
}

fn check_disk(data: &Path) -> Result<(), Error> {
    let existing = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let statistics = nix::sys::statvfs::statvfs(existing)
        .map_err(|errno| Error::file("measure the free space of", existing)(errno.into()))?;
    let free_mib = statistics.blocks_available().saturating_mul(statistics.fragment_size()) >> 20;
    if free_mib < NEEDED_MIB {
        return Err(Error::DiskSpace { directory: data.to_owned(), free_mib, needed_mib: NEEDED_MIB });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::lacking;

    #[test]
    fn each_missing_program_names_its_package() {
        let lacking = lacking(|program| program != "nft", false);
        let packages: Vec<_> = lacking.iter().map(|(_, package)| package.as_str()).collect();
        assert_eq!(packages, ["nftables", "containernetworking-plugins"]);
    }
}
