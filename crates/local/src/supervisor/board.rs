//! The snapshot of the cluster, written to disk on every change.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use base::Clock;
use jiff::Timestamp;

use crate::host::{files, processes};
use crate::state::{ComponentState, Phase};
use crate::{Layout, State, Step};

/// The order in which components are shown.
const ORDER: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
];

pub(crate) struct Board {
    layout: Layout,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Board {
    /// A board that shows this process as the supervisor.
    pub(crate) fn new(layout: Layout, clock: Arc<dyn Clock>) -> Self {
        let state = State { supervisor: processes::identify(std::process::id()), ..State::default() };
        let board = Self { layout, clock, state: Mutex::new(state) };
        board.change(|_, _| ());
        board
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Changes the snapshot and writes it. The file is small, so this blocks for microseconds.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State, Timestamp)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state, self.clock.now());
        if let Err(error) = files::write_json(&self.layout.state(), &*state) {
            tracing::error!(%error, "failed to write the state");
        }
    }

    /// Does a step and shows its progress.
    pub(crate) async fn step<T, E: Display>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tracing::info!(step = name, "began");
        self.change(|state, now| {
            state.steps.push(Step { name: name.to_owned(), began: now, ended: None, error: None });
        });
        let outcome = work.await;
        let error = outcome.as_ref().err().map(ToString::to_string);
        tracing::info!(step = name, error, "ended");
        self.change(|state, now| {
            if let Some(step) = state.steps.iter_mut().find(|step| step.name == name) {
                step.ended = Some(now);
                step.error = error;
            }
        });
        outcome
    }

    /// Changes the state of one component, and enters it if it is new.
    pub(crate) fn component(
        &self,
        component: &str,
        node: u8,
        change: impl FnOnce(&mut ComponentState, Timestamp),
    ) {
        self.change(|state, now| {
            let is_it = |entry: &&mut ComponentState| entry.component == component && entry.node == node;
            if let Some(entry) = state.components.iter_mut().find(is_it) {
                change(entry, now);
                return;
            }
            let mut entry = ComponentState {
                component: component.to_owned(),
                node,
                phase: Phase::Waiting,
                since: now,
                process: None,
                restarts: 0,
                last_exit: None,
            };
            change(&mut entry, now);
            state.components.push(entry);
            let rank = |component: &str| ORDER.iter().position(|known| *known == component);
            state.components.sort_by_key(|entry| (entry.node, rank(&entry.component)));
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::FixedClock;
    use jiff::Timestamp;

    use super::Board;
    use crate::{Layout, Phase, State};

    #[tokio::test]
    async fn steps_and_components_are_seen_by_readers_of_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new("dev".parse().unwrap(), directory.path().to_owned());
        let board = Board::new(layout.clone(), Arc::new(FixedClock(Timestamp::UNIX_EPOCH)));
        let failed: Result<(), String> =
            board.step("load images", async { Err("no space".to_owned()) }).await;
        failed.unwrap_err();
        board.component("etcd", 0, |entry, _| entry.phase = Phase::Running);
        board.component("etcd", 0, |entry, _| entry.restarts += 1);

        let state = State::read(&layout).unwrap();
        assert!(state.is_supervised());
        assert_eq!(state.failure().unwrap().error.as_deref(), Some("no space"));
        assert_eq!(state.components.len(), 1);
        assert_eq!((state.components[0].phase, state.components[0].restarts), (Phase::Running, 1));
    }
}
