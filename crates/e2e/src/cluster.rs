//! The local management cluster of the stories, run by the `flotilla` program as a user would.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use kube::Client;
use machines::Told;

/// A local cluster, known by its name.
#[derive(Debug, Clone)]
pub struct Cluster {
    root: PathBuf,
    name: String,
}

impl Cluster {
    /// A cluster of this workspace, with data under `target/`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self { root: root.canonicalize().unwrap_or(root), name: name.to_owned() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Directory of its data.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.root.join("target/local").join(&self.name)
    }

    /// The administrator's kubeconfig of the management cluster.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory().join("admin.kubeconfig")
    }

    /// The root of the workspace.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs `flotilla VERB… --name … --dir … REST…`.
    pub fn flotilla(&self, verb: &[&str], rest: &[&str]) -> Result<Told> {
        let program = self.root.join("target/debug/flotilla");
        let directory = self.directory();
        Command::new(&program)
            .args(verb)
            .args(["--name", &self.name, "--dir"])
            .arg(&directory)
            .args(rest)
            .output()
            .map(Told::from)
            .with_context(|| format!("run {}; was it built? `cargo xtask build` does", program.display()))
    }

    /// Runs kubectl with a kubeconfig.
    pub fn kubectl(&self, kubeconfig: &Path, arguments: &[&str]) -> Result<Told> {
        let program = self.directory().join("bin/kubectl");
        Command::new(&program)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .output()
            .map(Told::from)
            .with_context(|| format!("run {}", program.display()))
    }

    /// Runs helm on the management cluster.
    pub fn helm(&self, arguments: &[&str]) -> Result<Told> {
        let program = self.root.join("target/dist/tools/helm");
        Command::new(&program)
            .args(arguments)
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .output()
            .map(Told::from)
            .with_context(|| format!("run {}", program.display()))
    }

    /// A client of the management cluster.
    pub async fn client(&self) -> Result<Client> {
        Ok(kubekit::client(Some(&self.kubeconfig())).await?)
    }
}
