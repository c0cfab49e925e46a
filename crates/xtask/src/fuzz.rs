//! `fuzz`: schemathesis sends all that the hub's description allows, and what it does not, to the hub of a local cluster.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::build::{self, BuildArguments};
use crate::workspace::Workspace;
use crate::{process, setup};

/// Name of the local cluster, which is made for this and removed.
const CLUSTER: &str = "fuzz";
const PASSWORD: [&str; 7] = [
    "get",
    "secret",
    "--namespace=flotilla-system",
    "flotilla-first-password",
    "--output",
    "go-template={{.data.password | base64decode}}",
    "--kubeconfig",
];

/// Starts a cluster, asks its hub whatever comes to mind, and fails if the hub does.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run()?;
    build::run(workspace, &BuildArguments::of_the_suite())?;
    process::run_step("build flotilla", &mut build::program(workspace, &["flotilla"], false))?;
    let tool = schemathesis(workspace)?;
    let site = Site::new(workspace);
    process::run_step("start a local cluster", site.flotilla(&["up"]).args(site.place()))?;
    let outcome = ask(workspace, &site, &tool);
    process::run_step("remove it", site.flotilla(&["down", "--purge"]).args(site.place()))?;
    outcome
}

/// The tool in an environment of its own.
fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    let environment = workspace.root().join("target/fuzz");
    let tool = environment.join("bin/schemathesis");
    if !tool.exists() {
        process::run_step(
            "make a Python environment",
            Command::new("python3").args(["-m", "venv"]).arg(&environment),
        )?;
        process::run_step(
            "install schemathesis",
            Command::new(environment.join("bin/pip"))
                .args(["install", "--no-deps", "--requirement"])
                .arg(workspace.root().join("crates/xtask/fuzz/requirements.txt")),
        )?;
    }
    Ok(tool)
}

fn ask(workspace: &Workspace, site: &Site, tool: &Path) -> Result<()> {
    let authority = site.directory.join("tenants/hub-ca.crt");
    let hub = site.hub()?;
    let token = site.sign_in(&hub, &authority)?;
    let configuration = workspace.root().join("crates/xtask/fuzz/schemathesis.toml");
    process::run_open(
        Command::new(tool)
            .arg("--config-file")
            .arg(configuration)
            .args(["run", &format!("{hub}/openapi.json"), "--tls-verify"])
            .arg(authority)
            .env("FLOTILLA_TOKEN", token)
            .current_dir(workspace.root()),
    )
}

/// The local cluster.
struct Site {
    program: PathBuf,
    directory: PathBuf,
}

impl Site {
    fn new(workspace: &Workspace) -> Self {
        let directory = workspace.root().join("target/local").join(CLUSTER);
        Self { program: build::built(workspace, "flotilla", false), directory }
    }

    /// A command of the program, whose sessions are the cluster's.
    fn flotilla(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("XDG_CONFIG_HOME", self.directory.join("config"));
        command
    }

    fn place(&self) -> [String; 4] {
        ["--name", CLUSTER, "--dir", &self.directory.display().to_string()].map(str::to_owned)
    }

    fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.directory.join("bin/kubectl"));
        command.args(arguments).arg(self.directory.join("admin.kubeconfig"));
        command
    }

    fn hub(&self) -> Result<String> {
        let address = process::read(&mut self.kubectl(&[
            "get",
            "service",
            "--namespace=flotilla-system",
            "flotilla-server",
            "--output=jsonpath={.status.loadBalancer.ingress[0].ip}",
            "--kubeconfig",
        ]))?;
        Ok(format!("https://{address}"))
    }

    /// The first user's token. The password goes by a file, not by an argument.
    fn sign_in(&self, hub: &str, authority: &Path) -> Result<String> {
        let path = self.directory.join("password");
        std::fs::write(&path, process::read(&mut self.kubectl(&PASSWORD))?).context("keep the password")?;
        let password = File::open(&path).context("read the password")?;
        let status = self
            .flotilla(&["login", hub, "--user=admin", "--password-stdin", "--ca-file"])
            .arg(authority)
            .stdin(Stdio::from(password))
            .status()
            .context("sign in")?;
        anyhow::ensure!(status.success(), "signing in to {hub} ended with {status}");
        let told: Value = serde_json::from_str(&process::read(&mut self.flotilla(&["credential"]))?)?;
        told["status"]["token"].as_str().map(str::to_owned).context("the credential has no token")
    }
}
