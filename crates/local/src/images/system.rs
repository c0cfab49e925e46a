//! Programs of this machine's system that images need beside their own: a shell, a packet filter.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use launcher::Distribution;

use super::layer::{Entry, libraries, relative};
use crate::host::{files, run};

/// What busybox is called as.
const APPLETS: [&str; 67] = [
    "sh", "awk", "base64", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "dirname",
    "echo", "env", "expr", "false", "find", "grep", "head", "hexdump", "hostname", "httpd", "id", "ip",
    "kill", "ln", "ls", "md5sum", "mkdir", "mktemp", "mount", "mv", "nc", "nproc", "nslookup", "od", "ping",
    "printf", "ps", "pwd", "readlink", "rm", "rmdir", "sed", "seq", "sleep", "sort", "stat", "sync",
    "sysctl", "tail", "tar", "tee", "test", "timeout", "top", "touch", "tr", "true", "umount", "uname",
    "uniq", "wc", "wget", "which", "xargs",
];
const PACKET_FILTER: &str = "/usr/sbin/xtables-nft-multi";
const PACKET_FILTER_NAMES: [&str; 6] =
    ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"];
/// busybox's own shell calls its applets before the programs that a path names, and dash drops what it finds in
/// the environment under names that are none of a shell.
const BASH: &str = "/usr/bin/bash";
/// busybox has one too, without the flags that upstream's tests give it.
const NETCAT: &str = "/usr/bin/nc.openbsd";
/// Clients of web and name servers among them: busybox's own cannot resolve names.
const PROGRAMS_OF_TESTS: [&str; 5] = [BASH, NETCAT, "/usr/bin/curl", "/usr/bin/dig", "/usr/bin/getent"];
/// Directories in which iptables looks for its extensions.
const EXTENSIONS: &str = "xtables";

/// A shell and what it is used with, from the distribution's busybox.
pub(super) fn shell(distribution: &Distribution) -> Vec<Entry> {
    let Ok(busybox) = distribution.tool("busybox") else { return Vec::new() };
    let mut entries = with_libraries(&busybox);
    entries.push(Entry::Program { path: "bin/busybox".to_owned(), source: busybox });
    entries.extend(APPLETS.map(|name| link(&format!("bin/{name}"), "busybox")));
    entries
}

/// The same with another shell and what upstream's tests call from it, as far as this machine has it.
pub(super) fn shell_of_tests(distribution: &Distribution) -> Vec<Entry> {
    let mut entries = shell(distribution);
    let mut programs: Vec<PathBuf> = PROGRAMS_OF_TESTS.iter().map(PathBuf::from).collect();
    programs.retain(|program| program.is_file());
    let has = |program: &str| programs.iter().any(|found| found == Path::new(program));
    let mut links = Vec::new();
    links.extend(has(BASH).then(|| link("bin/sh", "../usr/bin/bash")));
    links.extend(has(NETCAT).then(|| link("usr/bin/nc", "nc.openbsd")));
    let brought = if programs.is_empty() { Vec::new() } else { with_libraries_of_all(&programs) };
    for entry in brought.into_iter().chain(links) {
        entries.retain(|earlier| earlier.path() != entry.path());
        entries.push(entry);
    }
    entries
}

/// What kube-proxy calls: iptables on top of nftables, and nft itself, as far as this machine has them.
pub(super) fn packet_filter() -> Vec<Entry> {
    let filter = Path::new(PACKET_FILTER);
    if !filter.is_file() {
        return Vec::new();
    }
    let mut programs = vec![filter.to_owned(), PathBuf::from("/usr/sbin/nft")];
    programs.extend(extensions());
    programs.retain(|path| path.is_file());
    let mut entries = with_libraries_of_all(&programs);
    entries.extend(PACKET_FILTER_NAMES.map(|name| link(&format!("usr/sbin/{name}"), "xtables-nft-multi")));
    entries
}

/// Programs of this machine at their places, and the libraries of all of them.
fn with_libraries_of_all(programs: &[PathBuf]) -> Vec<Entry> {
    // Of several programs, ldd heads each list with a name and a colon, which is no file.
    let needed =
        libraries(&run("ldd", programs).unwrap_or_default()).into_iter().filter(|path| path.is_file());
    let sources: BTreeSet<PathBuf> = programs.iter().cloned().chain(needed).collect();
    sources.into_iter().map(|source| Entry::Program { path: relative(&source), source }).collect()
}

/// The libraries of a dynamically linked program; none of a static one, which ldd refuses.
pub(super) fn with_libraries(program: &Path) -> Vec<Entry> {
    let needed = libraries(&run("ldd", &[program]).unwrap_or_default());
    needed.into_iter().map(|source| Entry::Program { path: relative(&source), source }).collect()
}

pub(super) fn link(path: &str, target: &str) -> Entry {
    Entry::Link { path: path.to_owned(), target: target.to_owned() }
}

fn extensions() -> Vec<PathBuf> {
    let libraries = Path::new("/usr/lib");
    let directories = files::entries(libraries)
        .into_iter()
        .map(|entry| libraries.join(entry).join(EXTENSIONS))
        .chain([libraries.join(EXTENSIONS)]);
    let mut found: Vec<PathBuf> = directories
        .flat_map(|directory| files::entries(&directory).into_iter().map(move |file| directory.join(file)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .collect();
    found.sort();
    found
}
