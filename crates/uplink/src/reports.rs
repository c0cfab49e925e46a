//! The stream of reports: an agent writes lines, the hub reads them at a pace that it can bear.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::Instant;

use crate::{End, Limits, Report, Stream};

const READ_BUFFER: usize = 4 << 10;

/// Why a report was not sent.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It cannot be written as JSON.
    #[error("failed to write a report as JSON")]
    Json(#[from] serde_json::Error),
    /// The connection was lost.
    #[error("failed to send a report")]
    Lost(#[from] std::io::Error),
}

/// An agent's end of the stream.
#[derive(Debug)]
pub struct Reporter(Stream);

impl Reporter {
    /// Takes over a stream that an agent opened.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self(stream)
    }

    /// Sends one report.
    ///
    /// # Errors
    /// [`ReportError`]; the reporter is of no more use then.
    pub async fn send(&mut self, report: &Report) -> Result<(), ReportError> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        self.0.write_all(&line).await?;
        Ok(self.0.flush().await?)
    }
}

/// Reads reports until their stream ends. Those that come too fast wait, and with them the agent.
pub(crate) async fn read(stream: Stream, limits: &Limits, mut on_report: impl FnMut(Report)) -> End {
    let mut reader = BufReader::with_capacity(READ_BUFFER, stream);
    let mut pace = Pace {
        burst: limits.report_pace * limits.report_burst,
        each: limits.report_pace,
        next: Instant::now(),
    };
    let longest = u64::try_from(limits.report).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        match (&mut reader).take(longest).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return End::Closed,
            Ok(_) if line.last() == Some(&b'\n') => {}
            Ok(length) if length >= limits.report => {
                return End::Report(format!("it is longer than {longest} bytes"));
            }
            Ok(_) => return End::Closed,
        }
        match serde_json::from_slice(&line) {
            Ok(report) => on_report(report),
            Err(error) => return End::Report(error.to_string()),
        }
        line.clear();
        line.shrink_to(READ_BUFFER);
        tokio::time::sleep_until(pace.take(Instant::now())).await;
    }
}

/// One each so often, some at once.
struct Pace {
    burst: Duration,
    each: Duration,
    next: Instant,
}

impl Pace {
    /// Counts one and tells when to go on.
    fn take(&mut self, now: Instant) -> Instant {
        self.next = self.next.max(now) + self.each;
        self.next.checked_sub(self.burst).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Pace;

    #[test]
    fn some_come_at_once_and_the_rest_at_the_pace() {
        let now = Instant::now() + Duration::from_hours(1);
        let each = Duration::from_secs(1);
        let mut pace = Pace { burst: each * 3, each, next: now };
        let waits: Vec<Duration> = (0..5).map(|_| pace.take(now).saturating_duration_since(now)).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2].map(Duration::from_secs));
        let later = now + Duration::from_mins(1);
        assert!(pace.take(later) <= later);
    }
}
