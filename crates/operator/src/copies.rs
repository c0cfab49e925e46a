//! Copies of tenants between stores that run in this process. None is remembered over a restart: a copy
//! that begins anew compares what is there already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datastore::{Copier, Progress, Raised, Store, TenantSpace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::task::JoinSet;

use crate::data_stores::chain;

/// Rounds of a copy that the tenant still writes behind: the second one finds little to do.
const ROUNDS_AHEAD: usize = 3;

/// Which copy of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyId {
    /// Name of the store that is copied to.
    pub(crate) to: String,
    /// When the move began.
    pub(crate) started_at: Time,
    /// Whether nobody writes to the source any more.
    pub(crate) is_last: bool,
}

/// What is copied.
pub(crate) struct Job {
    pub(crate) source: Store,
    pub(crate) target: Store,
    pub(crate) space: TenantSpace,
}

/// How a copy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Running {
        /// Keys that were gone through.
        seen: u64,
        /// Keys that there are.
        total: u64,
    },
    /// The target has everything.
    Done(Raised),
    /// It failed; asked again, it begins again.
    Failed(String),
}

/// The copies, by UID of the control plane.
#[derive(Default)]
pub(crate) struct Copies(Mutex<HashMap<String, Entry>>);

struct Entry {
    id: CopyId,
    progress: Arc<Progress>,
    // Ends its task when it is dropped.
    task: JoinSet<Result<Raised, datastore::Error>>,
    done: Option<Raised>,
}

impl Copies {
    /// How a copy stands; it begins if it does not run yet, in the place of another one of the tenant.
    pub(crate) fn advance(&self, uid: &str, id: CopyId, job: impl FnOnce() -> Job) -> State {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.get(uid).is_none_or(|entry| entry.id != id) {
            entries.insert(uid.to_owned(), Entry::begin(id, job()));
        }
        let Some(entry) = entries.get_mut(uid) else { return State::Running { seen: 0, total: 0 } };
        let state = entry.look();
        if matches!(state, State::Failed(_)) {
            entries.remove(uid);
        }
        state
    }

    /// Ends the copy of a tenant, if one runs.
    pub(crate) fn cancel(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

impl Entry {
    fn begin(id: CopyId, job: Job) -> Self {
        let progress = Arc::new(Progress::default());
        let mut task = JoinSet::new();
        task.spawn(run(job, id.is_last, progress.clone()));
        Self { id, progress, task, done: None }
    }

    fn look(&mut self) -> State {
        if let Some(raised) = self.done {
            return State::Done(raised);
        }
        match self.task.try_join_next() {
            None => {
                let (seen, total) = self.progress.seen();
                State::Running { seen, total }
            }
            Some(Ok(Ok(raised))) => {
                self.done = Some(raised);
                State::Done(raised)
            }
            Some(Ok(Err(error))) => State::Failed(chain(&error)),
            Some(Err(error)) => State::Failed(chain(&error)),
        }
    }
}

/// Copies in rounds. The last copy ends when a round found both stores to be the same.
async fn run(job: Job, is_last: bool, progress: Arc<Progress>) -> Result<Raised, datastore::Error> {
    let Job { source, target, space } = job;
    // First, so that nothing in the target ever carries a version that the tenant's clients know.
    let raised = target.raise_revision(&space, source.revision(&space).await?).await?;
    let pass = uuid::Uuid::new_v4().to_string();
    let mut copier = Copier::begin(source, target, space, &pass).await?;
    let mut rounds = 0;
    while !copier.round(&progress).await?.is_settled() {
        rounds += 1;
        if !is_last && rounds == ROUNDS_AHEAD {
            break;
        }
    }
    Ok(raised)
}
