//! One program that is kept running.

use std::sync::Arc;
use std::time::Duration;

use launcher::{Backoff, CommandSpec, ExitReport, Probe, Process};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::Phase;
use crate::host::processes;

/// How long a program may take to end after it was asked to. An API server would wait a minute for
/// its watchers.
const GRACE: Duration = Duration::from_secs(5);
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Programs that end together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// kubelet and kube-proxy: nothing is started any more.
    Nodes,
    /// Controller manager and scheduler.
    Managers,
    /// The API server.
    ApiServer,
    /// etcd and containerd.
    Storage,
}

impl Stage {
    pub(crate) const IN_ORDER_OF_END: [Self; 4] =
        [Self::Nodes, Self::Managers, Self::ApiServer, Self::Storage];
}

/// What a program waits for before each start.
#[derive(Debug, Clone)]
pub(crate) enum Need {
    /// A server answers.
    Server(Probe),
    /// Something has been done once.
    Done(watch::Receiver<bool>),
}

impl Need {
    async fn is_met(&self) -> bool {
        match self {
            Self::Server(probe) => probe.check().await.is_ok(),
            Self::Done(done) => *done.borrow(),
        }
    }
}

/// A program and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) node: u8,
    pub(crate) stage: Stage,
    pub(crate) spec: CommandSpec,
    pub(crate) needs: Vec<Need>,
}

impl Component {
    /// Runs the program, again and again after it has ended, until `end` is cancelled.
    pub(crate) async fn keep_running(self, board: Arc<Board>, end: CancellationToken) {
        let name = self.spec.name.clone();
        let show = |phase: Phase| {
            board.component(&name, self.node, |entry, now| {
                entry.phase = phase;
                entry.since = now;
                entry.process = None;
            });
        };
        show(Phase::Waiting);
        let mut backoff = Backoff::new();
        while self.needs_are_met(&end).await {
            let began = Instant::now();
            let report = self.run_once(&board, &end).await;
            if end.is_cancelled() {
                break;
            }
            let wait = backoff.next(began.elapsed());
            tracing::warn!(component = name, node = self.node, report, ?wait, "ended; starting it again");
            show(Phase::BackOff);
            board.component(&name, self.node, |entry, _| {
                entry.restarts += 1;
                entry.last_exit = Some(report);
            });
            let _ = end.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
        show(Phase::Stopped);
    }

    /// Waits for what the program needs; false if `end` came first.
    async fn needs_are_met(&self, end: &CancellationToken) -> bool {
        for need in &self.needs {
            while !need.is_met().await {
                if end.run_until_cancelled(tokio::time::sleep(CHECK_INTERVAL)).await.is_none() {
                    return false;
                }
            }
        }
        !end.is_cancelled()
    }

    /// Starts the program and waits for its end, or ends it when `end` is cancelled.
    async fn run_once(&self, board: &Board, end: &CancellationToken) -> String {
        let mut process = match Process::spawn(&self.spec) {
            Ok(process) => process,
            Err(error) => return error.to_string(),
        };
        board.component(&self.spec.name, self.node, |entry, now| {
            entry.phase = Phase::Running;
            entry.since = now;
            entry.process = processes::identify(process.pid());
        });
        let report: ExitReport = tokio::select! {
            report = process.wait() => report,
            () = end.cancelled() => process.stop(GRACE).await,
        };
        report.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use base::FixedClock;
    use jiff::Timestamp;
    use launcher::CommandSpec;
    use tokio::sync::watch;
    use tokio_util::sync::CancellationToken;

    use super::super::board::Board;
    use super::{Component, Need, Stage};
    use crate::{Layout, Phase, State};

    fn component(script: &str, layout: &Layout, needs: Vec<Need>) -> Component {
        let spec = CommandSpec::new("shell", "/bin/sh", layout.log(0, "shell")).args(["-c", script]);
        Component { node: 0, stage: Stage::Nodes, spec, needs }
    }

    async fn until(layout: &Layout, condition: impl Fn(&State) -> bool) -> State {
        for _ in 0..500 {
            let state = State::read(layout).unwrap();
            if condition(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within 5 s: {:?}", State::read(layout));
    }

    #[tokio::test]
    async fn a_program_that_dies_is_started_again_and_reported() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new("dev".parse().unwrap(), directory.path().to_owned());
        let board = Arc::new(Board::new(layout.clone(), Arc::new(FixedClock(Timestamp::UNIX_EPOCH))));
        let end = CancellationToken::new();
        let task = tokio::spawn(component("exit 7", &layout, vec![]).keep_running(board, end.clone()));
        let state = until(&layout, |state| state.components.first().is_some_and(|c| c.restarts >= 2)).await;
        assert_eq!(state.components[0].last_exit.as_deref(), Some("exit code 7"));
        end.cancel();
        task.await.unwrap();
        assert_eq!(State::read(&layout).unwrap().components[0].phase, Phase::Stopped);
    }

    #[tokio::test]
    async fn a_program_waits_for_what_it_needs() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new("dev".parse().unwrap(), directory.path().to_owned());
        let board = Arc::new(Board::new(layout.clone(), Arc::new(FixedClock(Timestamp::UNIX_EPOCH))));
        let end = CancellationToken::new();
        let (met, need) = watch::channel(false);
        let component = component("sleep 60", &layout, vec![Need::Done(need)]);
        let task = tokio::spawn(component.keep_running(board, end.clone()));
        until(&layout, |state| state.components.first().is_some_and(|c| c.phase == Phase::Waiting)).await;
        met.send(true).unwrap();
        until(&layout, |state| state.components.first().is_some_and(|c| c.phase == Phase::Running)).await;
        end.cancel();
        task.await.unwrap();
    }
}
