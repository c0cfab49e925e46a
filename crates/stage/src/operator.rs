//! The operator as a process that can be killed at any moment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use launcher::{CommandSpec, Process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::eventually;

/// Longest wait for its being ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of the log is shown of an operator that failed.
const TAIL: usize = 4000;

/// An operator that runs, or was killed and can be started again.
#[derive(Debug)]
pub struct Operator {
    spec: CommandSpec,
    process: Process,
    health: SocketAddr,
}

impl Operator {
    pub(crate) async fn start(spec: CommandSpec, health: SocketAddr) -> Result<Self> {
        let process = Process::spawn(&spec)?;
        let operator = Self { spec, process, health };
        operator.is_up().await?;
        Ok(operator)
    }

    /// Ends it by SIGKILL: nothing of it gets a chance to finish.
    pub async fn kill(&mut self) {
        self.process.kill();
        self.process.wait().await;
    }

    /// Starts it again, with the same settings; returns when it is ready.
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
        eventually("the operator is ready", PATIENCE, || is_ready(self.health))
            .await
            .with_context(|| format!("it does not serve: {}", self.last_words()))
    }
}

/// Asks as a kubelet does.
async fn is_ready(health: SocketAddr) -> Result<()> {
    let mut connection = TcpStream::connect(health).await?;
    connection.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}
