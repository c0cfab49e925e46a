//! Which images are made from a distribution.

use std::path::Path;

use launcher::Distribution;

use super::archive::Image;
use super::layer::Entry;
use super::system;
use crate::config::containerd::SANDBOX_IMAGE;

/// etcd's version in the multi-call binary; `kubernetes/versions/*.mod` pins it.
const ETCD_IMAGE: &str = "registry.k8s.io/etcd:3.6.8-0";
/// Images of single programs among the distribution's tools; those that are not built are left out. One
/// build of a tool stands for the versions that tenants ask for by default too.
const TOOLS: [(&str, &[&str]); 9] = [
    ("pause", &[SANDBOX_IMAGE, "registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause:3.10.2"]),
    (
        "coredns",
        &[
            COREDNS_IMAGE,
            "registry.k8s.io/coredns/coredns:v1.13.1",
            "registry.k8s.io/coredns/coredns:v1.14.2",
        ],
    ),
    ("kine", &["docker.io/rancher/kine:v0.17.5"]),
    ("nats-server", &["docker.io/library/nats:2.15.2"]),
    (
        "konnectivity-server",
        &[
            "registry.k8s.io/kas-network-proxy/proxy-server:v0.34.0",
            "registry.k8s.io/kas-network-proxy/proxy-server:v0.35.0",
            "registry.k8s.io/kas-network-proxy/proxy-server:v0.36.0",
        ],
    ),
    (
        "konnectivity-agent",
        &[
            "registry.k8s.io/kas-network-proxy/proxy-agent:v0.34.0",
            "registry.k8s.io/kas-network-proxy/proxy-agent:v0.35.0",
            "registry.k8s.io/kas-network-proxy/proxy-agent:v0.36.0",
        ],
    ),
    ("metrics-server", &["registry.k8s.io/metrics-server/metrics-server:v0.9.0"]),
    (
        "agnhost",
        &[
            "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
            "registry.k8s.io/e2e-test-images/agnhost:2.55",
            "registry.k8s.io/e2e-test-images/glibc-dns-testing:2.0.0",
        ],
    ),
    ("busybox", &["registry.k8s.io/e2e-test-images/busybox:1.37.0-1"]),
];
/// How many bundles, from the first one on, a node needs for its first pods: pause and `CoreDNS`. If
/// `CoreDNS` is not built, the next one is waited for, which does no harm.
pub(crate) const ESSENTIALS: usize = 2;
/// Flotilla's own programs.
const PROGRAMS: [(&str, &str); 4] = [
    ("flotilla-agent", "docker.io/flotilla/agent:0.1.0"),
    ("flotilla-operator", "docker.io/flotilla/operator:0.1.0"),
    ("flotilla-server", "docker.io/flotilla/server:0.1.0"),
    ("flotilla-tunnel", "docker.io/flotilla/tunnel:0.1.0"),
];
/// Components that control planes and nodes run as containers.
const COMPONENTS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
const UNPRIVILEGED: &str = "65532:65532";

/// The name server's image.
pub(crate) const COREDNS_IMAGE: &str = "registry.k8s.io/coredns/coredns:v1.15.0";

/// Images that share a layer.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    /// Files of the layer.
    pub(crate) entries: Vec<Entry>,
    /// The images.
    pub(crate) images: Vec<Image>,
}

/// All images of the distribution: those of every built version, of the tools and of the programs.
pub(crate) fn bundles(distribution: &Distribution) -> Vec<Bundle> {
    let versions = distribution.versions();
    let mut bundles: Vec<Bundle> = TOOLS
        .iter()
        .filter_map(|(tool, references)| Some(single(tool, &distribution.tool(tool).ok()?, references)))
        .collect();
    for bundle in &mut bundles {
        let is = |name: &str| bundle.images.iter().any(|image| image.reference.contains(name));
        if is("/kine:") {
            complete_kine(bundle, distribution);
        } else if is("/agnhost:") {
            complete_agnhost(bundle, distribution);
        } else if is("/busybox:") {
            complete_busybox(bundle, distribution);
        } else if is("/coredns:") {
            run_as_root(bundle);
        }
    }
    for version in &versions {
        let mut images: Vec<Image> = COMPONENTS
            .iter()
            .map(|component| image(&format!("registry.k8s.io/{component}:{version}"), component, ""))
            .collect();
        if Some(version) == versions.last() {
            images.push(image(ETCD_IMAGE, "etcd", ""));
        }
        bundles.push(Bundle { entries: multi_call(&distribution.kubernetes(version)), images });
    }
    for (program, reference) in PROGRAMS {
        if let Ok(path) = distribution.program(program) {
            bundles.push(dynamic(program, &path, reference));
        }
    }
    bundles
}

fn image(reference: &str, program: &str, user: &'static str) -> Image {
    let entrypoint = Some(format!("/usr/local/bin/{program}"));
    Image { reference: reference.to_owned(), entrypoint, command: None, user }
}

fn base() -> Vec<Entry> {
    const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
    vec![
        Entry::Directory("etc/ssl/certs/", 0o755),
        Entry::Directory("tmp/", 0o1777),
        Entry::Text("etc/group", "root:x:0:\nnonroot:x:65532:\n"),
        Entry::Text("etc/passwd", PASSWD),
    ]
}

fn program(name: &str, source: &Path) -> Entry {
    Entry::Program { path: format!("usr/local/bin/{name}"), source: source.to_owned() }
}

fn single(tool: &str, source: &Path, references: &[&str]) -> Bundle {
    let mut entries = base();
    entries.push(program(tool, source));
    // The tunnel's pods call its programs at the root of their images.
    let alias = match tool {
        "konnectivity-server" => Some("proxy-server"),
        "konnectivity-agent" => Some("proxy-agent"),
        _ => None,
    };
    entries.extend(
        alias.map(|path| Entry::Link { path: path.to_owned(), target: format!("usr/local/bin/{tool}") }),
    );
    let images = references.iter().map(|reference| image(reference, tool, UNPRIVILEGED)).collect();
    Bundle { entries, images }
}

/// What pods expect of kine's image beside the program: where they call it, that it runs as root, as
/// upstream's does, and a shell that copies its certificates.
fn complete_kine(bundle: &mut Bundle, distribution: &Distribution) {
    bundle.entries.push(system::link("bin/kine", "../usr/local/bin/kine"));
    run_as_root(bundle);
    bundle.entries.extend(system::shell(distribution));
}

/// As the program's pods expect. Of `CoreDNS`, upstream's program has the right to bind port 53 written on
/// its file; a layer of ours holds no such attributes, and root may bind it anyway.
fn run_as_root(bundle: &mut Bundle) {
    for image in &mut bundle.images {
        image.user = "";
    }
}

/// What upstream's tests expect of agnhost's image: its place, that it runs as root and pauses unless told what
/// to do, a certificate to serve with, and a shell with network clients.
fn complete_agnhost(bundle: &mut Bundle, distribution: &Distribution) {
    bundle.entries.extend(["agnhost", "agnhost-2"].map(|name| system::link(name, "usr/local/bin/agnhost")));
    for image in &mut bundle.images {
        image.entrypoint = Some("/agnhost".to_owned());
        image.command = Some("pause");
    }
    for name in ["localhost.crt", "localhost.key"] {
        let source = distribution.tool(name).ok();
        bundle.entries.extend(source.map(|source| Entry::Program { path: name.to_owned(), source }));
    }
    run_as_root(bundle);
    bundle.entries.extend(system::shell_of_tests(distribution));
}

/// What upstream's tests expect of busybox's image: a shell that arguments replace.
fn complete_busybox(bundle: &mut Bundle, distribution: &Distribution) {
    run_as_root(bundle);
    for image in &mut bundle.images {
        image.entrypoint = None;
        image.command = Some("sh");
    }
    bundle.entries.extend(system::shell_of_tests(distribution));
}

/// The multi-call binary with a link per component.
fn multi_call(source: &Path) -> Vec<Entry> {
    const NAME: &str = "flotilla-kubernetes";
    let mut entries = base();
    entries.push(program(NAME, source));
    entries.extend(launcher::COMPONENTS.iter().map(|component| Entry::Link {
        path: format!("usr/local/bin/{component}"),
        target: NAME.to_owned(),
    }));
    entries.extend(system::packet_filter());
    entries
}

/// A dynamically linked program with the libraries of this machine, against which it was built.
fn dynamic(name: &str, source: &Path, reference: &str) -> Bundle {
    let mut entries = base();
    entries.extend(system::with_libraries(source));
    entries.push(program(name, source));
    Bundle { entries, images: vec![image(reference, name, UNPRIVILEGED)] }
}

#[cfg(test)]
mod tests {
    use launcher::Distribution;

    use super::{Entry, bundles};

    #[test]
    fn every_built_version_gets_its_images_and_missing_tools_none() {
        let directory = tempfile::tempdir().unwrap();
        for version in ["v1.35.4", "v1.36.3"] {
            let path = directory.path().join("kubernetes").join(version);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("flotilla-kubernetes"), "").unwrap();
        }
        std::fs::create_dir(directory.path().join("tools")).unwrap();
        std::fs::write(directory.path().join("tools/pause"), "").unwrap();
        let distribution = Distribution::find(Some(directory.path())).unwrap();
        let references: Vec<String> = bundles(&distribution)
            .into_iter()
            .flat_map(|bundle| bundle.images)
            .map(|image| image.reference)
            .collect();
        insta::assert_json_snapshot!(references);
    }

    /// A distribution of tools only.
    fn distribution(directory: &std::path::Path, tools: &[&str]) -> Distribution {
        std::fs::create_dir(directory.join("kubernetes")).unwrap();
        std::fs::create_dir(directory.join("tools")).unwrap();
        for tool in tools {
            std::fs::write(directory.join("tools").join(tool), "").unwrap();
        }
        Distribution::find(Some(directory)).unwrap()
    }

    fn links(entries: &[Entry]) -> Vec<(&str, &str)> {
        entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Link { path, target } => Some((path.as_str(), target.as_str())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn kines_image_is_called_as_upstreams_and_holds_a_shell() {
        let directory = tempfile::tempdir().unwrap();
        let distribution = distribution(directory.path(), &["kine", "busybox"]);
        let [kine, busybox] = &bundles(&distribution)[..] else { panic!("not two images") };
        assert_eq!(kine.images[0].user, "");
        assert_eq!((&busybox.images[0].entrypoint, busybox.images[0].command), (&None, Some("sh")));
        let links = links(&kine.entries);
        assert_eq!(links[0].0, "bin/kine");
        for name in ["bin/sh", "bin/cp", "bin/chmod"] {
            assert!(links.contains(&(name, "busybox")), "{links:?}");
        }
    }

    #[test]
    fn agnhosts_image_has_one_shell_and_pauses_unless_told() {
        let directory = tempfile::tempdir().unwrap();
        let distribution = distribution(directory.path(), &["agnhost", "busybox"]);
        let bundles = bundles(&distribution);
        let agnhost = &bundles[0];
        assert!(agnhost.images.iter().all(|image| image.command == Some("pause") && image.user.is_empty()));
        let mut paths: Vec<&str> = agnhost.entries.iter().map(Entry::path).collect();
        paths.sort_unstable();
        assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "twice the same place: {paths:?}");
        // Debian has it wherever these tests run.
        assert!(links(&agnhost.entries).contains(&("bin/sh", "../usr/bin/bash")), "{paths:?}");
    }
}
