//! What the cluster makes on the machine outside its own directories, and how that is removed again.

pub(crate) mod cgroups;
pub(crate) mod files;
pub(crate) mod limits;
pub(crate) mod namespaces;
pub(crate) mod network;
pub(crate) mod processes;
pub(crate) mod sweep;

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::Error;
use crate::requirements::SYSTEM_PATH;

/// Runs a program of the system and returns what it printed.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String, Error> {
    run_with_input(program, args, "")
}

/// Runs a program of the system with `input` on its standard input.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(
    program: &str,
    args: &[S],
    input: &str,
) -> Result<String, Error> {
    let failed = |output: String| Error::Command { command: command_line(program, args), output };
    let mut child = Command::new(program)
        .args(args)
        .env("PATH", SYSTEM_PATH)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn command_line<S: AsRef<OsStr>>(program: &str, args: &[S]) -> String {
    let args = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned());
    std::iter::once(program.to_owned()).chain(args).collect::<Vec<_>>().join(" ")
}
