//! Running other programs: quietly behind a step, with the output shown when it fails, or in the open.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::progress::Step;

/// Lines of a failed command that are shown.
const SHOWN_LINES: usize = 40;

/// Runs `command` behind a step called `title`; shows the end of its output if it fails.
pub(crate) fn run_step(title: &str, command: &mut Command) -> Result<()> {
    let step = Step::start(title);
    let output = command.stdin(Stdio::null()).output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            step.failed();
            return Err(error).with_context(|| format!("start {}", program(command)));
        }
    };
    if output.status.success() {
        step.done();
        return Ok(());
    }
    step.failed();
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
            eprintln!("      {line}");
        }
    }
    bail!("{title}: {} ended with {}", program(command), output.status)
}

/// Runs `command` with its output going straight to the terminal.
pub(crate) fn run_open(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", program(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", program(command));
    }
    Ok(())
}

/// Standard output of `command`, which must succeed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start {}; is it installed and on PATH?", program(command)))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("{} ended with {}: {reason}", program(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("read the output of {}", program(command)))
}

/// Whether a program of this name is on PATH or in the system directories that PATH may lack.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(Into::into))
        .any(|directory| directory.join(name).is_file())
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
