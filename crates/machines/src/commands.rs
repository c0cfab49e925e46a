//! Programs of the system, run to their end.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

/// What a program said.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Told {
    /// The standard output of a run that succeeded.
    pub fn success(self) -> Result<String> {
        ensure!(self.code == 0, "exit code {}: {}{}", self.code, self.out, self.err);
        Ok(self.out)
    }
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a program with `input` on its standard input.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S], input: &str) -> Result<Told> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {program}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading is judged by its exit code.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().map(Told::from).with_context(|| format!("run {program}"))
}

/// Runs `ip` with a batch, in a network namespace if one is given.
pub(crate) fn ip(namespace: Option<&str>, batch: &str) -> Result<()> {
    let mut arguments = Vec::new();
    if let Some(namespace) = namespace {
        arguments.extend(["-netns", namespace]);
    }
    arguments.extend(["-batch", "-"]);
    run("ip", &arguments, batch)?.success().with_context(|| format!("ip: {batch}")).map(drop)
}
