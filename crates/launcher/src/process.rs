//! A running child: how it ends, and how it is made to end.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;

use crate::{CommandSpec, Error};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReport {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody knows: another collected it.
    Unknown,
}

impl ExitReport {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for ExitReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exit code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(formatter, "signal {signal}"),
                Err(_) => write!(formatter, "signal {number}"),
            },
            Self::Unknown => formatter.write_str("end unknown"),
        }
    }
}

/// A child process. It is killed when the value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts the process.
    pub fn spawn(spec: &CommandSpec) -> Result<Self, Error> {
        let spawn = |source| Error::Spawn { program: spec.name.clone(), source };
        let child = spec.command()?.kill_on_drop(true).spawn().map_err(spawn)?;
        let pid = child.id().unwrap_or_default();
        tracing::debug!(component = spec.name, pid, "started");
        Ok(Self { child, pid })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the process has ended.
    ///
    /// Cancel safe: a later call waits on.
    pub async fn wait(&mut self) -> ExitReport {
        self.child.wait().await.map_or(ExitReport::Unknown, ExitReport::of)
    }

    /// How the process has ended, if it has.
    pub fn try_wait(&mut self) -> Option<ExitReport> {
        match self.child.try_wait() {
            Ok(status) => status.map(ExitReport::of),
            Err(_) => Some(ExitReport::Unknown),
        }
    }

    /// Asks the process to end, and kills it if it has not after `grace`.
    pub async fn stop(&mut self, grace: Duration) -> ExitReport {
        self.signal(Signal::SIGTERM);
        if let Ok(report) = tokio::time::timeout(grace, self.wait()).await {
            return report;
        }
        self.kill();
        self.wait().await
    }

    /// Kills the process without waiting for its end.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// Stops the process where it is, as on a machine that hangs. It can still be killed.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    fn signal(&self, signal: Signal) {
        // `child.id()` is none once the end was collected: the number may then be another's.
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // A failure means that the process has ended, which is what is wanted.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ExitReport, Process};
    use crate::CommandSpec;

    fn shell(script: &str, directory: &tempfile::TempDir) -> CommandSpec {
        CommandSpec::new("shell", "/bin/sh", directory.path().join("log")).args(["-c", script])
    }

    #[tokio::test]
    async fn the_exit_code_is_reported_and_output_is_logged() {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Process::spawn(&shell("echo out; echo err >&2; exit 3", &directory)).unwrap();
        assert_eq!(process.wait().await, ExitReport::Code(3));
        let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
        assert!(log.contains("out") && log.contains("err"), "{log}");
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_request_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let script =
            format!("trap '' TERM; touch {}/up; while :; do sleep 0.05; done", directory.path().display());
        let mut process = Process::spawn(&shell(&script, &directory)).unwrap();
        while !directory.path().join("up").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let report = process.stop(Duration::from_millis(100)).await;
        assert_eq!(report.to_string(), "signal SIGKILL");
    }

    #[tokio::test]
    async fn a_missing_program_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let spec = CommandSpec::new("kubelet", "/nonexistent", directory.path().join("log"));
        assert!(Process::spawn(&spec).unwrap_err().to_string().contains("kubelet"));
    }
}
