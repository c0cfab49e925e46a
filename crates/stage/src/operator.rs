//! The operator as a process that can be killed at any moment.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use launcher::{CommandSpec, Probe, Process, wait_until_ready};

/// Longest wait for its webhooks.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of the log is shown of an operator that failed.
const TAIL: usize = 4000;

/// An operator that runs, or was killed and can be started again.
#[derive(Debug)]
pub struct Operator {
    spec: CommandSpec,
    process: Process,
    webhooks: Probe,
}

impl Operator {
    pub(crate) async fn start(spec: CommandSpec, webhooks: Probe) -> Result<Self> {
        let process = Process::spawn(&spec)?;
        let operator = Self { spec, process, webhooks };
        operator.is_up().await?;
        Ok(operator)
    }

    /// Ends it by SIGKILL: nothing of it gets a chance to finish.
    pub async fn kill(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Starts it again, with the same settings; returns when it serves its webhooks.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = Process::spawn(&self.spec)?;
        self.is_up().await
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().is_none()
    }

    /// Where it writes its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.spec.log.clone()
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.spec.log).unwrap_or_default();
        text.chars().skip(text.chars().count().saturating_sub(TAIL)).collect()
    }

    async fn is_up(&self) -> Result<()> {
        wait_until_ready(&self.webhooks, PATIENCE)
            .await
            .map_err(|last| anyhow::anyhow!("{last}"))
            .with_context(|| format!("the operator does not serve: {}", self.last_words()))
    }
}
