//! What is sent to each replica of the hub: how the cluster is, at once when it changes and every minute.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uplink::{Report, ReportError, Reporter, Session};

use crate::board::Known;

/// Changes that come within this are told together.
const TOGETHER: Duration = Duration::from_secs(1);
/// Longest wait for something to tell; the hub does not wait for long to be introduced.
const FIRST: Duration = Duration::from_secs(5);
/// Without a change.
const PERIOD: Duration = Duration::from_mins(1);

/// When an agent stops: what it says first, and when nothing more is to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// It takes no new requests.
    pub(crate) leaving: CancellationToken,
    /// Requests have ended.
    pub(crate) done: CancellationToken,
}

/// Reports over a connection until it ends, or the agent is about to stop, which is the last report. Then the
/// connection is ended in good order, so that the report arrives.
pub(crate) async fn report(session: Session, mut board: watch::Receiver<Known>, stop: Stop) {
    let stream = match session.open().await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "no stream for reports");
            return session.close();
        }
    };
    let mut reporter = Reporter::new(stream);
    if let Err(error) = send_all(&mut reporter, &mut board, &stop.leaving).await {
        tracing::debug!(%error, "reports ended");
    }
    // The stream stays open as long as the connection: its end would be taken for the agent's.
    tokio::select! {
        () = session.ended() => {}
        () = stop.done.cancelled() => {
            session.close();
            session.ended().await;
        }
    }
}

async fn send_all(
    reporter: &mut Reporter,
    board: &mut watch::Receiver<Known>,
    leaving: &CancellationToken,
) -> Result<(), ReportError> {
    let telling = async {
        let known = tokio::time::timeout(FIRST, board.wait_for(Known::is_telling)).await;
        drop(known);
    };
    tokio::select! {
        // An agent that has just started knows nothing yet, which is not the state of its cluster.
        () = telling => {}
        () = leaving.cancelled() => return reporter.send(&Report::Leaving).await,
    }
    loop {
        let status = board.borrow_and_update().status();
        reporter.send(&Report::Status(Box::new(status))).await?;
        let wait = async {
            tokio::time::sleep(TOGETHER).await;
            // An error means that nobody keeps the board any more; the stop follows.
            let _ = tokio::time::timeout(PERIOD, board.changed()).await;
        };
        tokio::select! {
            () = wait => {}
            () = leaving.cancelled() => return reporter.send(&Report::Leaving).await,
        }
    }
}
