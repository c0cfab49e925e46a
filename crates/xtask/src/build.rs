//! `build`: fills target/dist, from which images are made and the local cluster starts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::golang::{self, Recipe};
use crate::workspace::Workspace;
use crate::{console, process};

/// The programs of the workspace that are part of the distribution.
const PROGRAMS: [&str; 5] =
    ["flotilla", "flotilla-operator", "flotilla-tunnel", "flotilla-server", "flotilla-agent"];

/// The Kubernetes minor version that is built when none is named.
const DEFAULT_KUBERNETES: &str = "1.36";

/// The minor version before it, from which upgrades are tested.
const PREVIOUS_KUBERNETES: &str = "1.35";

/// The tools that are built when none are named.
const DEFAULT_TOOLS: &str = "helm,coredns";

/// What to build.
#[derive(Args)]
pub(crate) struct BuildArguments {
    /// Kubernetes minor version to build; may be given several times.
    #[arg(long, value_name = "MINOR", default_value = DEFAULT_KUBERNETES)]
    kubernetes: Vec<String>,
    /// Tools to build: helm, coredns, kine, konnectivity, gateway, nats, versitygw, dex, metrics-server,
    /// agnhost, conformance.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = DEFAULT_TOOLS)]
    tools: Vec<String>,
    /// Leaves out the Rust programs.
    #[arg(long)]
    no_programs: bool,
    /// Optimizes the Rust programs for what is shipped and measured, which takes minutes more.
    #[arg(long)]
    release: bool,
}

impl BuildArguments {
    /// What tests and benchmarks need: beside the defaults a version to upgrade from, and what stories run.
    pub(crate) fn of_the_suite() -> Self {
        Self {
            kubernetes: [PREVIOUS_KUBERNETES, DEFAULT_KUBERNETES].map(str::to_owned).into(),
            tools: [
                "helm",
                "coredns",
                "konnectivity",
                "gateway",
                "kine",
                "nats",
                "versitygw",
                "dex",
                "metrics-server",
                "agnhost",
            ]
            .map(str::to_owned)
            .into(),
            no_programs: false,
            release: false,
        }
    }

    /// The same, and upstream's tests.
    pub(crate) fn of_the_conformance() -> Self {
        let mut arguments = Self::of_the_suite();
        arguments.tools.push("conformance".to_owned());
        arguments
    }

    /// The same, as it is shipped.
    pub(crate) fn of_the_bench() -> Self {
        Self { release: true, ..Self::of_the_suite() }
    }
}

/// Builds what `arguments` name, and skips what is up to date.
pub(crate) fn run(workspace: &Workspace, arguments: &BuildArguments) -> Result<()> {
    let mut recipes = vec![golang::pause(workspace)];
    for minor in &arguments.kubernetes {
        recipes.push(golang::kubernetes(workspace, minor)?);
    }
    for name in &arguments.tools {
        recipes.extend(golang::tool(workspace, name)?);
    }
    let go_version = golang::version()?;
    // One after the other: two large Go builds at once only compete for memory and cores.
    for recipe in &recipes {
        golang::build(workspace, recipe, &go_version)?;
    }
    if arguments.tools.iter().any(|tool| tool == "gateway") {
        golang::gateway_definitions(workspace)?;
    }
    if arguments.tools.iter().any(|tool| tool == "agnhost") {
        golang::certificate_of_agnhost(workspace)?;
    }
    if arguments.tools.iter().any(|tool| tool == "kine") {
        golang::shell_of_kine(workspace)?;
    }
    for minor in &arguments.kubernetes {
        link_kubectl(&golang::kubernetes(workspace, minor)?)?;
    }
    if arguments.no_programs { Ok(()) } else { programs(workspace, arguments.release) }
}

/// Lets people call `kubectl` by its name; everything else is called by programs.
fn link_kubectl(recipe: &Recipe) -> Result<()> {
    let link = recipe.output().with_file_name("kubectl");
    if link.is_symlink() {
        return Ok(());
    }
    let target = recipe.output().file_name().unwrap_or_default();
    symlink(target, &link).with_context(|| format!("link {}", link.display()))
}

/// Builds the Rust programs and copies them, stripped, into the distribution.
fn programs(workspace: &Workspace, release: bool) -> Result<()> {
    console::build(workspace)?; // The server embeds it.
    process::run_step("build the programs of the platform", &mut program(workspace, &PROGRAMS, release))?;
    fs::create_dir_all(workspace.dist()).context("create the distribution directory")?;
    for program in PROGRAMS {
        strip(&built(workspace, program, release), &workspace.dist().join(program))?;
    }
    Ok(())
}

/// The command that builds programs of the workspace.
///
/// The whole workspace is selected so that features resolve as in `cargo test --workspace` and
/// nothing is compiled a second time there.
pub(crate) fn program(workspace: &Workspace, names: &[&str], release: bool) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace.root()).args(["build", "--workspace", "--locked"]);
    if release {
        cargo.arg("--release");
    }
    for name in names {
        cargo.args(["--bin", name]);
    }
    cargo
}

/// Where [`program`] leaves the program `name`.
pub(crate) fn built(workspace: &Workspace, name: &str, release: bool) -> PathBuf {
    workspace.target().join(if release { "release" } else { "debug" }).join(name)
}

/// Copies `from` to `to` without symbols, unless `to` is that already.
fn strip(from: &Path, to: &Path) -> Result<()> {
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Beside the target first, then renamed: a program that is running cannot be written over.
    let fresh = to.with_extension("new");
    process::run_step(
        &format!("strip {name}"),
        Command::new("strip").arg("--strip-all").arg("-o").arg(&fresh).arg(from),
    )?;
    if have_same_content(&fresh, to) {
        // Images are made anew when a program is newer.
        return fs::remove_file(&fresh).with_context(|| format!("remove {}", fresh.display()));
    }
    fs::rename(&fresh, to).with_context(|| format!("replace {}", to.display()))
}

fn have_same_content(one: &Path, other: &Path) -> bool {
    let (one, other) = (fs::read(one).ok(), fs::read(other).ok());
    one.is_some() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_has_the_same_content() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| directory.path().join(name));
        assert!(!have_same_content(&one, &other));
        fs::write(&one, "x").unwrap();
        assert!(!have_same_content(&one, &other));
        fs::write(&other, "x").unwrap();
        assert!(have_same_content(&one, &other));
    }
}
