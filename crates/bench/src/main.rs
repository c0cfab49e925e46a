//! `flotilla-bench`: measures control planes on a management cluster and writes the figures.
//!
//! It uses nothing but the custom resources and /proc, so it measures every operator that serves
//! `TenantControlPlane`, ours or another.

mod arguments;
mod figures;
mod machine;
mod measure;
mod memory;
mod processes;
mod tenants;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::arguments::Arguments;
use crate::figures::Report;
use crate::tenants::Tenants;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.no_install {
        install()?;
    }
    let client = kubekit::client(Some(&arguments.kubeconfig)).await.with_context(|| {
        format!("open {}; is the cluster up? (`make up`)", arguments.kubeconfig.display())
    })?;
    let tenants = Tenants::new(client.clone(), arguments);
    tenants.prepare().await?;
    let measured = tokio::select! {
        measured = measure::all(client.clone(), &tenants, arguments) => measured,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    eprintln!("cleaning up");
    let cleaned = tenants.remove_all().await;
    let report = Report { machine: machine::facts(client).await, figures: measured? };
    println!("{}", report.table());
    report.write(&arguments.output)?;
    eprintln!("wrote {}", arguments.output.display());
    cleaned
}

/// Brings the local cluster and the platform up with the program that lies beside this one.
fn install() -> Result<()> {
    let program = std::env::current_exe().context("find this program")?.with_file_name("flotilla");
    let status = Command::new(&program)
        .arg("up")
        .status()
        .with_context(|| format!("start {}; build it with `make build`", program.display()))?;
    if !status.success() {
        bail!("`flotilla up` ended with {status}");
    }
    Ok(())
}
