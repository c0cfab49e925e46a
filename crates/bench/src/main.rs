//! `flotilla-bench`: measures control planes on a management cluster and writes the figures.
//!
//! On a cluster it uses nothing but the custom resources and /proc, so it measures every operator that
//! serves `TenantControlPlane`, ours or another. What is played needs no cluster and our operator.

mod archives;
mod arguments;
mod figures;
mod hub;
mod live;
mod load;
mod machine;
mod measure;
mod memory;
mod played;
mod processes;
mod stores;
mod tenants;

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::arguments::{Arguments, Measurement};
use crate::figures::{Figures, Report};
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
    service::raise_open_files();
    let (mut figures, mut facts, mut cleaned) = (Figures::new(), machine::facts(None).await, Ok(()));
    if arguments.wants(Measurement::Played) {
        Box::pin(played::all(arguments, &mut figures)).await?;
    }
    if arguments.wants(Measurement::Hub) {
        Box::pin(hub::all(arguments, &mut figures)).await?;
    }
    if arguments.wants_cluster() {
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
        cleaned = tenants.remove_all().await;
        facts = machine::facts(Some(client)).await;
        figures.extend(measured?);
    }
    let report = Report { machine: facts, figures };
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
