//! A person with a home of their own, who works with the programs of a local cluster.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use machines::Told;

use crate::{Cluster, Hub};

/// A person. What they keep is gone when the value is dropped.
#[derive(Debug)]
pub struct Person {
    home: tempfile::TempDir,
    programs: PathBuf,
    kubectl: PathBuf,
}

impl Person {
    /// Somebody who knows the authority of the hub's certificate.
    pub fn new(cluster: &Cluster, hub: &Hub) -> Result<Self> {
        let home = tempfile::tempdir()?;
        std::fs::write(home.path().join("ca.crt"), &hub.authority)?;
        let programs = cluster.root().join("target/debug");
        Ok(Self { home, programs, kubectl: cluster.directory().join("bin/kubectl") })
    }

    /// File with the authority of the hub's certificate.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.home.path().join("ca.crt")
    }

    /// A file of theirs.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs `flotilla` with `input` on its standard input.
    pub fn flotilla<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Result<Told> {
        let mut child = self.begin(&self.programs.join("flotilla"), arguments)?;
        child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
        Ok(Told::from(child.wait_with_output()?))
    }

    /// Begins to run `flotilla`.
    pub fn begin_flotilla<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Child> {
        self.begin(&self.programs.join("flotilla"), arguments)
    }

    /// Runs kubectl with a kubeconfig of theirs.
    pub fn kubectl(&self, kubeconfig: &Path, arguments: &[&str]) -> Result<Told> {
        let config = [OsStr::new("--kubeconfig"), kubeconfig.as_os_str()];
        let all: Vec<&OsStr> = config.into_iter().chain(arguments.iter().map(OsStr::new)).collect();
        Ok(Told::from(self.begin(&self.kubectl, &all)?.wait_with_output()?))
    }

    fn begin<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> Result<Child> {
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap_or_default());
        Command::new(program)
            .args(arguments)
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("run {}", program.display()))
    }
}
