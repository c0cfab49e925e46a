//! `cargo xtask VERB`: everything that building, checking and testing the project needs.

mod bench;
mod build;
mod chart;
mod conformance;
mod console;
mod deny;
mod fuzz;
mod generate;
mod golang;
mod lanes;
mod process;
mod progress;
mod setup;
mod spares;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and tests the project", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Installs the Debian packages that the local cluster needs and checks the toolchains.
    Setup,
    /// Builds Kubernetes, the tools and the programs into target/dist; skips what is up to date.
    Build(build::BuildArguments),
    /// Writes the generated files: CRDs, the API's description, references of commands and settings.
    Gen(generate::GenerateArguments),
    /// Checks what the compiler does not: ranks, manifests, sources, links, chart values.
    Tidy,
    /// Lints the chart and compares its renders with the golden files.
    Chart(chart::ChartArguments),
    /// Measures control planes on the local cluster; flags for the measurement follow behind `--`.
    Bench(bench::BenchArguments),
    /// Runs upstream's conformance tests against a tenant with two workers, as far as they can run here.
    Conformance(conformance::ConformanceArguments),
    /// Sends all that the hub's description allows, and what it does not, to the hub of a local cluster.
    Fuzz,
    /// Serves the console for whoever works on it, with a hub that is played, or the one of `FLOTILLA_HUB`.
    Console,
    /// Runs everything that CI runs, in its order.
    Test(suite::SuiteArguments),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> Result<()> {
    let workspace = Workspace::find()?;
    match verb {
        Verb::Setup => setup::run(),
        Verb::Build(arguments) => build::run(&workspace, arguments),
        Verb::Gen(arguments) => generate::run(&workspace, arguments),
        Verb::Tidy => tidy::run(&workspace),
        Verb::Chart(arguments) => chart::run(&workspace, arguments),
        Verb::Bench(arguments) => bench::run(&workspace, arguments),
        Verb::Conformance(arguments) => conformance::run(&workspace, arguments),
        Verb::Fuzz => fuzz::run(&workspace),
        Verb::Console => console::serve(&workspace),
        Verb::Test(arguments) => suite::run(&workspace, arguments),
    }
}
