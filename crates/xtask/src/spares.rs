//! Control planes that tests hand on to one another, and their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Tests that find it start their control planes in the directory that it names, and leave them there.
const DIRECTORY: &str = "FLOTILLA_TEST_CONTROL_PLANES";

/// The control planes that tests leave while this value lives.
pub(crate) struct Spares {
    directory: PathBuf,
}

impl Spares {
    /// None yet; what a run that was broken off has left is ended.
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let directory = workspace.root().join("target/test-control-planes");
        end(&directory)?;
        Ok(Self { directory })
    }

    /// Lets the tests that a command runs use them.
    pub(crate) fn lend<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(DIRECTORY, &self.directory)
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        if let Err(error) = end(&self.directory) {
            eprintln!("      control planes of tests are left: {error:#}");
        }
    }
}

/// Ends the processes of all that are there, and removes their files.
fn end(directory: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    let pids: Vec<String> = entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("pids")).ok())
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|pid| is_of(directory, pid))
        .collect();
    for pid in &pids {
        // One that has ended meanwhile is none that is left.
        Command::new("kill").args(["-KILL", pid]).status().context("start kill")?;
    }
    while pids.iter().any(|pid| is_of(directory, pid)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))
}

/// Whether a process runs with files of this directory: numbers of processes are given out again.
fn is_of(directory: &Path, pid: &str) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*directory.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::end;

    #[test]
    fn processes_of_the_directory_end_and_others_do_not() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("spares");
        fs::create_dir_all(directory.join("one")).unwrap();
        // A shell that ends with its pipe, and shows the argument in its command line.
        let start = |argument: &str| {
            Command::new("sh")
                .args(["-c", "read line", argument])
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let (mut ours, mut other) = (start(directory.to_str().unwrap()), start("other"));
        fs::write(directory.join("one/pids"), format!("{}\n{}", ours.id(), other.id())).unwrap();
        let ended = std::thread::spawn(move || ours.wait().unwrap());
        end(&directory).unwrap();
        assert!(!ended.join().unwrap().success());
        assert!(!directory.exists());
        assert!(other.try_wait().unwrap().is_none());
        drop(other.stdin.take());
        other.wait().unwrap();
    }
}
