//! Go programs: how each one is built, and whether that has been done already.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::workspace::Workspace;
use crate::{process, progress};

/// The oldest Go that the pinned modules accept.
const OLDEST_GO: (u32, u32) = (1, 26);

/// One Go program of the distribution.
pub(crate) struct Recipe {
    /// What it is called in messages, with its version.
    title: String,
    /// The module file that pins it, relative to `kubernetes/`.
    module_file: String,
    package: String,
    linker_flags: String,
    output: PathBuf,
}

impl Recipe {
    /// Where the program is put.
    pub(crate) fn output(&self) -> &Path {
        &self.output
    }
}

/// Upstream Kubernetes of `minor` (`1.36`) as one multi-call binary.
pub(crate) fn kubernetes(workspace: &Workspace, minor: &str) -> Result<Recipe> {
    let module_file = format!("versions/{minor}.mod");
    if !workspace.kubernetes().join(&module_file).is_file() {
        let known = minors(workspace)?.join(", ");
        bail!("no Kubernetes {minor} here: choose one of {known}, or add kubernetes/{module_file}");
    }
    let version = pinned(workspace, &module_file, "k8s.io/kubernetes")?;
    Ok(Recipe {
        title: format!("kubernetes {version}"),
        linker_flags: version_flags(&version, minor),
        module_file,
        package: ".".to_owned(),
        output: workspace.dist().join("kubernetes").join(&version).join("flotilla-kubernetes"),
    })
}

/// The program of pod sandboxes, ours because upstream's is C.
pub(crate) fn pause(workspace: &Workspace) -> Recipe {
    Recipe {
        title: "pause".to_owned(),
        module_file: "go.mod".to_owned(),
        package: "./pause".to_owned(),
        linker_flags: "-s -w".to_owned(),
        output: workspace.dist().join("tools/pause"),
    }
}

/// The tools known by name.
pub(crate) const TOOLS: [&str; 11] = [
    "helm",
    "coredns",
    "kine",
    "konnectivity",
    "gateway",
    "nats",
    "versitygw",
    "dex",
    "metrics-server",
    "agnhost",
    "conformance",
];

/// Where Debian's packages and others put busybox.
pub(crate) const BUSYBOX: [&str; 2] = ["/bin/busybox", "/usr/bin/busybox"];

/// The module that brings the definitions of the Gateway API.
const GATEWAY_API: &str = "sigs.k8s.io/gateway-api";

/// The programs of one tool.
pub(crate) fn tool(workspace: &Workspace, name: &str) -> Result<Vec<Recipe>> {
    match name {
        "gateway" => return Ok(vec![gateway(workspace)?]),
        "conformance" => return Ok(vec![conformance(workspace)?]),
        _ => {}
    }
    let (module, programs): (&str, &[(&str, &str, &str)]) = match name {
        "helm" => (
            "helm.sh/helm/v4",
            &[("helm", "/cmd/helm", "-X helm.sh/helm/v4/internal/version.version=VERSION")],
        ),
        "coredns" => ("github.com/coredns/coredns", &[("coredns", "", "")]),
        "kine" => (
            "github.com/k3s-io/kine",
            &[("kine", "", "-X github.com/k3s-io/kine/pkg/version.Version=VERSION")],
        ),
        "nats" => ("github.com/nats-io/nats-server/v2", &[("nats-server", "", "")]),
        "dex" => ("github.com/dexidp/dex", &[("dex", "/cmd/dex", "")]),
        "versitygw" => ("github.com/versity/versitygw", &[("versitygw", "/cmd/versitygw", "")]),
        "konnectivity" => (
            "sigs.k8s.io/apiserver-network-proxy",
            &[("konnectivity-server", "/cmd/server", ""), ("konnectivity-agent", "/cmd/agent", "")],
        ),
        "metrics-server" => (
            "sigs.k8s.io/metrics-server",
            &[(
                "metrics-server",
                "/cmd/metrics-server",
                "-X k8s.io/client-go/pkg/version.gitVersion=VERSION",
            )],
        ),
        "agnhost" => ("k8s.io/kubernetes", &[("agnhost", "/test/images/agnhost", "")]),
        _ => bail!("no tool called {name}: choose from {}", TOOLS.join(", ")),
    };
    // The programs of upstream's end-to-end tests share their pins.
    let module_file = format!("tools/{}.mod", if name == "agnhost" { "conformance" } else { name });
    let version = pinned(workspace, &module_file, module)?;
    Ok(programs
        .iter()
        .map(|(program, package, flags)| Recipe {
            title: format!("{program} {version}"),
            module_file: module_file.clone(),
            package: format!("{module}{package}"),
            linker_flags: format!("-s -w {}", flags.replace("VERSION", &version)).trim_end().to_owned(),
            output: workspace.dist().join("tools").join(program),
        })
        .collect())
}

/// The Gateway of the end-to-end tests: a program of ours around Traefik's packages.
fn gateway(workspace: &Workspace) -> Result<Recipe> {
    let module_file = "tools/gateway.mod".to_owned();
    let version = pinned(workspace, &module_file, "github.com/traefik/traefik/v3")?;
    Ok(Recipe {
        title: format!("gateway on traefik {version}"),
        module_file,
        package: "./gateway".to_owned(),
        linker_flags: "-s -w".to_owned(),
        output: workspace.dist().join("tools/gateway"),
    })
}

/// Upstream's end-to-end suite, as far as a tenant without a cloud can pass it.
fn conformance(workspace: &Workspace) -> Result<Recipe> {
    let module_file = "tools/conformance.mod".to_owned();
    let version = pinned(workspace, &module_file, "k8s.io/kubernetes")?;
    let minor = version.trim_start_matches('v').rsplit_once('.').map_or("", |(minor, _)| minor);
    Ok(Recipe {
        title: format!("conformance tests of kubernetes {version}"),
        linker_flags: version_flags(&version, minor),
        module_file,
        package: "./conformance".to_owned(),
        output: workspace.dist().join("tools/conformance"),
    })
}

/// Puts the definitions of the Gateway API, of the version that the gateway is built against, into
/// `tools/gateway-api` of the distribution.
pub(crate) fn gateway_definitions(workspace: &Workspace) -> Result<()> {
    let source = module_directory(workspace, "tools/gateway.mod", GATEWAY_API)?.join("config/crd/standard");
    let target = workspace.dist().join("tools/gateway-api");
    fs::create_dir_all(&target).with_context(|| format!("create {}", target.display()))?;
    for entry in fs::read_dir(&source).with_context(|| format!("list {}", source.display()))? {
        copy(&entry?.path(), &target)?;
    }
    Ok(())
}

/// Puts the certificate that agnhost serves with beside it, as upstream puts it into the image.
pub(crate) fn certificate_of_agnhost(workspace: &Workspace) -> Result<()> {
    let module = module_directory(workspace, "tools/conformance.mod", "k8s.io/kubernetes")?;
    for name in ["localhost.crt", "localhost.key"] {
        copy(&module.join("test/images/agnhost/porter").join(name), &workspace.dist().join("tools"))?;
    }
    Ok(())
}

/// Where the module cache has a module.
fn module_directory(workspace: &Workspace, module_file: &str, module: &str) -> Result<PathBuf> {
    let modfile = format!("-modfile={module_file}");
    let list = ["list", &modfile, "-m", "-f", "{{.Dir}}", module];
    let directory = process::read(Command::new("go").current_dir(workspace.kubernetes()).args(list))?;
    Ok(PathBuf::from(directory.trim()))
}

/// Copies a file into a directory, unless the same is there: images are made anew when a file is newer.
fn copy(source: &Path, directory: &Path) -> Result<()> {
    let target = directory.join(source.file_name().unwrap_or_default());
    // Files of the module cache are read-only; a copy with their modes could not be written over.
    let text = fs::read(source).with_context(|| format!("read {}", source.display()))?;
    if fs::read(&target).ok().as_ref() == Some(&text) {
        return Ok(());
    }
    fs::write(&target, text).with_context(|| format!("write {}", target.display()))
}

/// Puts a shell and the few programs that it calls beside kine: pods run kine's image as a shell too, to
/// give its certificates the modes that it asks for.
pub(crate) fn shell_of_kine(workspace: &Workspace) -> Result<()> {
    let found = BUSYBOX.iter().map(Path::new).find(|path| path.is_file());
    let source = found.context("busybox is needed for kine's image; install busybox-static")?;
    let target = workspace.dist().join("tools/busybox");
    if target.is_file() && fs::read(&target).ok() == fs::read(source).ok() {
        return Ok(());
    }
    fs::copy(source, &target).map(|_| ()).with_context(|| format!("write {}", target.display()))
}

/// The minors that have a module file, oldest first.
fn minors(workspace: &Workspace) -> Result<Vec<String>> {
    let directory = workspace.kubernetes().join("versions");
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("list {}", directory.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mod") {
            found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// The version of `module` in `module_file`.
fn pinned(workspace: &Workspace, module_file: &str, module: &str) -> Result<String> {
    let path = workspace.kubernetes().join(module_file);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    pinned_in(&text, module).with_context(|| format!("{} does not require {module}", path.display()))
}

fn pinned_in(text: &str, module: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches("require ").trim_start();
        let mut words = line.strip_prefix(module)?.split_whitespace();
        line[module.len()..].starts_with(char::is_whitespace).then(|| words.next())?.map(str::to_owned)
    })
}

/// Version strings that the components report. The date stays fixed so that builds are reproducible.
fn version_flags(version: &str, minor: &str) -> String {
    let (major, minor) = minor.split_once('.').unwrap_or(("1", minor));
    let mut flags = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in [
            ("gitVersion", version),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitCommit", ""),
            ("gitTreeState", "clean"),
            ("buildDate", "1970-01-01T00:00:00Z"),
        ] {
            let _ = write!(flags, " -X {package}.{name}={value}");
        }
    }
    flags
}

/// Builds `recipe` unless its output was made from the same sources by the same Go.
pub(crate) fn build(workspace: &Workspace, recipe: &Recipe, go_version: &str) -> Result<()> {
    let fingerprint = fingerprint(workspace, recipe, go_version)?;
    let stamp = stamp_path(&recipe.output);
    if recipe.output.is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == fingerprint) {
        progress::up_to_date(&recipe.title);
        return Ok(());
    }
    let directory = recipe.output.parent().context("the output has a directory")?;
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    process::run_step(
        &format!("build {}", recipe.title),
        Command::new("go")
            .current_dir(workspace.kubernetes())
            .env("CGO_ENABLED", "0")
            .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &recipe.linker_flags])
            .arg(format!("-modfile={}", recipe.module_file))
            .arg("-o")
            .arg(&recipe.output)
            .arg(&recipe.package),
    )?;
    fs::write(&stamp, fingerprint).with_context(|| format!("write {}", stamp.display()))
}

fn stamp_path(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.fingerprint"))
}

/// A digest of everything that decides the output.
fn fingerprint(workspace: &Workspace, recipe: &Recipe, go_version: &str) -> Result<String> {
    let mut digest = Sha256::new();
    for part in [go_version, &recipe.package, &recipe.linker_flags] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let module = workspace.kubernetes().join(&recipe.module_file);
    let mut sources = vec![module.with_extension("sum"), module];
    sources.retain(|path| path.is_file()); // A module without dependencies has no checksums.
    if recipe.package.starts_with('.') {
        go_files(&workspace.kubernetes().join(&recipe.package), &mut sources)?;
    }
    sources.sort();
    for path in sources {
        digest.update(fs::read(&path).with_context(|| format!("read {}", path.display()))?);
        digest.update([0]);
    }
    Ok(digest.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn go_files(package: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(package).with_context(|| format!("list {}", package.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            into.push(path);
        }
    }
    Ok(())
}

/// What `go version` says, after checking that it is recent enough.
pub(crate) fn version() -> Result<String> {
    let text = process::read(Command::new("go").arg("version"))
        .context("Go 1.26 or newer is needed to build Kubernetes; install it from go.dev/dl")?;
    let found = text.split_whitespace().nth(2).and_then(parse_go_version);
    match found {
        Some(version) if version >= OLDEST_GO => Ok(text),
        _ => bail!("{} is too old: Go {}.{} or newer is needed", text.trim(), OLDEST_GO.0, OLDEST_GO.1),
    }
}

fn parse_go_version(word: &str) -> Option<(u32, u32)> {
    let mut numbers = word.strip_prefix("go")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pin_is_found_in_both_spellings_and_not_in_longer_paths() {
        let block = "require (\n\tk8s.io/kubernetes-x v9.9.9\n\tk8s.io/kubernetes v1.36.3\n)";
        assert_eq!(pinned_in(block, "k8s.io/kubernetes").as_deref(), Some("v1.36.3"));
        let line = "require helm.sh/helm/v4 v4.3.1";
        assert_eq!(pinned_in(line, "helm.sh/helm/v4").as_deref(), Some("v4.3.1"));
        assert_eq!(pinned_in(line, "helm.sh/helm"), None);
    }

    #[test]
    fn go_versions_are_compared_by_number() {
        assert_eq!(parse_go_version("go1.26.8"), Some((1, 26)));
        assert!(parse_go_version("go1.9").is_some_and(|version| version < OLDEST_GO));
    }

    #[test]
    fn components_report_the_version_that_was_built() {
        let flags = version_flags("v1.36.3", "1.36");
        assert!(flags.contains("-X k8s.io/component-base/version.gitVersion=v1.36.3"));
        assert!(flags.contains("-X k8s.io/component-base/version.gitMinor=36"));
    }
}
