//! `test`: everything that CI runs, in its order, cheap checks first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::build::{self, BuildArguments};
use crate::chart::{self, ChartArguments};
use crate::generate::{self, GenerateArguments};
use crate::spares::Spares;
use crate::workspace::Workspace;
use crate::{console, deny, lanes, process, progress, setup, tidy};

/// One part of the test run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layer {
    Setup,
    Format,
    Tidy,
    Gen,
    Clippy,
    Deny,
    Docs,
    Console,
    Build,
    Chart,
    Unit,
    Integration,
    E2e,
}

/// What to run.
#[derive(Args)]
pub(crate) struct SuiteArguments {
    /// Runs only these layers; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Layer>,
    /// Also tells the stories that take long and claim what shorter ones and tests of single parts claim too.
    #[arg(long)]
    all: bool,
}

/// Runs the layers in order and stops at the first failure.
pub(crate) fn run(workspace: &Workspace, arguments: &SuiteArguments) -> Result<()> {
    let mut times: Vec<(Layer, Duration)> = Vec::new();
    for layer in Layer::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(layer) {
            continue;
        }
        eprintln!("==> {}", name(*layer));
        let started = Instant::now();
        let outcome = run_layer(workspace, *layer, arguments.all);
        times.push((*layer, started.elapsed()));
        if outcome.is_err() {
            report(&times);
        }
        outcome.with_context(|| format!("{} failed", name(*layer)))?;
    }
    report(&times);
    Ok(())
}

fn run_layer(workspace: &Workspace, layer: Layer, all: bool) -> Result<()> {
    match layer {
        Layer::Setup => setup::run(),
        Layer::Format => process::run_open(cargo(workspace).args(["fmt", "--all", "--check"])),
        Layer::Tidy => tidy::run(workspace),
        Layer::Gen => generate::run(workspace, &GenerateArguments { check: true }),
        Layer::Clippy => process::run_open(cargo(workspace).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])),
        Layer::Deny => deny::run(workspace),
        Layer::Unit => {
            let spares = Spares::new(workspace)?;
            process::run_open(spares.lend(test(workspace).args(["--lib", "--bins"])))
        }
        Layer::Docs => {
            process::run_open(cargo(workspace).args([
                "doc",
                "--workspace",
                "--no-deps",
                "--locked",
                "--quiet",
            ]))?;
            process::run_open(test(workspace).arg("--doc"))
        }
        Layer::Console => console::check(workspace),
        Layer::Build => build::run(workspace, &BuildArguments::of_the_suite()),
        Layer::Chart => chart::run(workspace, &ChartArguments { update: false }),
        Layer::Integration => run_targets(workspace, Kind::Integration, false),
        Layer::E2e => {
            // Stories of the console are told in its Node.
            console::install(workspace)?;
            run_targets(workspace, Kind::EndToEnd, all)
        }
    }
}

/// The two kinds of files in `crates/*/tests`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integration,
    EndToEnd,
}

/// Names of the test targets of `kind`: crates/e2e has the end-to-end ones, every other crate's
/// `tests` directory has integration tests, which may start real programs of the distribution.
fn test_targets(workspace: &Workspace, kind: Kind) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    let crates = workspace.root().join("crates");
    for entry in fs::read_dir(&crates).with_context(|| format!("list {}", crates.display()))? {
        let directory = entry?.path();
        let is_end_to_end = directory.ends_with("e2e");
        if is_end_to_end == (kind == Kind::EndToEnd) {
            targets.extend(names_of_tests(&directory.join("tests")));
        }
    }
    targets.sort();
    Ok(targets)
}

/// `tests/NAME.rs` and `tests/NAME/main.rs`.
fn names_of_tests(directory: &Path) -> Vec<String> {
    let paths = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    paths
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file()
        })
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect()
}

fn run_targets(workspace: &Workspace, kind: Kind, all: bool) -> Result<()> {
    let targets = test_targets(workspace, kind)?;
    if targets.is_empty() {
        eprintln!("      no tests of this layer");
        return Ok(());
    }
    let mut command = test(workspace);
    for target in &targets {
        command.args(["--test", target]);
    }
    match kind {
        Kind::Integration => lanes::run(&mut command, &workspace.dist(), &Spares::new(workspace)?),
        Kind::EndToEnd if all => process::run_open(command.args(["--", "--all"])),
        Kind::EndToEnd => process::run_open(&mut command),
    }
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command =
        Command::new(env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from));
    command.current_dir(workspace.root());
    command
}

fn test(workspace: &Workspace) -> Command {
    let mut command = cargo(workspace);
    command.env("FLOTILLA_DIST", workspace.dist()).args(["test", "--workspace", "--locked"]);
    command
}

fn name(layer: Layer) -> String {
    layer.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn report(times: &[(Layer, Duration)]) {
    eprintln!("==> times");
    for (layer, elapsed) in times {
        eprintln!("{:>8} {}", progress::seconds(*elapsed), name(*layer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories_with_a_main_file_are_test_targets() {
        let directory = tempfile::tempdir().unwrap();
        for file in ["admission.rs", "notes.md"] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        for name in ["fixtures", "stories"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("stories/main.rs"), "").unwrap();
        let mut found = names_of_tests(directory.path());
        found.sort();
        assert_eq!(found, ["admission", "stories"]);
        assert!(names_of_tests(&directory.path().join("absent")).is_empty());
    }

    #[test]
    fn cheap_layers_come_before_those_that_start_clusters() {
        let order = Layer::value_variants();
        let place = |wanted: Layer| order.iter().position(|layer| *layer == wanted);
        assert!(place(Layer::Clippy) < place(Layer::Unit));
        // The server embeds the console.
        assert!(place(Layer::Console) < place(Layer::Build));
        // Tests of the operator's inside have a real API server too.
        assert!(place(Layer::Build) < place(Layer::Unit));
        assert!(place(Layer::Unit) < place(Layer::Integration));
        assert!(place(Layer::Integration) < place(Layer::E2e));
    }
}
