//! The supervisor: one process that starts all others, keeps them running and reports.

mod board;
mod component;
mod components;
mod files;
mod start;

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::host::{cgroups, processes};
use crate::{Error, Layout, Record};
use board::Board;
use component::Stage;

/// How long the processes of pods may take to end when the cluster ends.
const POD_GRACE: Duration = Duration::from_secs(5);

/// Starts the recorded cluster and keeps it running until SIGTERM or SIGINT arrives, or until the
/// start fails; then ends all its processes. The caller's output is the supervisor's log.
pub async fn supervise(layout: Layout, clock: Arc<dyn Clock>) -> Result<(), Error> {
    // Out of the terminal's session, so that its end is not the cluster's. Fails in a process that
    // leads a session already, which is as good.
    let _ = nix::unistd::setsid();
    let record = Record::read(&layout)?.ok_or_else(|| Error::IncompatibleData {
        directory: layout.data().to_owned(),
        reason: "there is no cluster in it".to_owned(),
        name: layout.name().to_string(),
    })?;
    let board = Arc::new(Board::new(layout.clone(), clock));
    cgroups::enter_as_supervisor(layout.name())?;
    let mut running = Running::default();
    let outcome = tokio::select! {
        outcome = run(&layout, &record, &board, &mut running) => outcome,
        () = asked_to_end() => Ok(()),
    };
    tracing::info!(?outcome, "ending the cluster");
    board.change(|state, _| state.usable = false);
    running.end(&layout).await;
    outcome
}

async fn run(
    layout: &Layout,
    record: &Record,
    board: &Arc<Board>,
    running: &mut Running,
) -> Result<(), Error> {
    start::start(layout, record, board, running).await?;
    board.change(|state, _| state.usable = true);
    tracing::info!("the cluster is usable");
    std::future::pending().await
}

async fn asked_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The tasks of the supervisor, by the stage in which they end.
#[derive(Default)]
pub(crate) struct Running {
    controllers: JoinSet<()>,
    controllers_end: CancellationToken,
    components: Vec<(Stage, CancellationToken, tokio::task::JoinHandle<()>)>,
}

impl Running {
    /// Ends everything in an order in which each still finds what it needs for a clean end.
    async fn end(mut self, layout: &Layout) {
        self.controllers_end.cancel();
        self.controllers.shutdown().await;
        for stage in Stage::IN_ORDER_OF_END {
            if stage == Stage::Managers {
                end_pods(layout).await;
            }
            let ending: Vec<_> = self.components.extract_if(.., |(of, _, _)| *of == stage).collect();
            for (_, token, _) in &ending {
                token.cancel();
            }
            for (_, _, task) in ending {
                // A task that panicked has ended too.
                let _ = task.await;
            }
        }
    }
}

async fn end_pods(layout: &Layout) {
    let deadline = tokio::time::Instant::now() + POD_GRACE;
    for pid in processes::of_pods(layout.name()) {
        processes::signal(pid, Signal::SIGTERM);
    }
    while tokio::time::Instant::now() < deadline && !processes::of_pods(layout.name()).is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for pid in processes::of_pods(layout.name()) {
        processes::signal(pid, Signal::SIGKILL);
    }
}
