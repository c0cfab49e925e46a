//! Steps and their elapsed time on standard error: live lines in a terminal, else one line per
//! finished step.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use local::State;

const TICK: Duration = Duration::from_millis(100);

/// Shows steps.
pub(crate) struct Progress {
    live: Option<MultiProgress>,
    running: BTreeMap<String, Option<ProgressBar>>,
    finished: BTreeSet<String>,
    start: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let live = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { live, running: BTreeMap::new(), finished: BTreeSet::new(), start: Instant::now() }
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Shows the steps of a local cluster's start.
    pub(crate) fn follow(&mut self, state: &State) {
        for step in &state.steps {
            self.began(&step.name);
            if let Some(ended) = step.ended {
                let took = ended.duration_since(step.began).unsigned_abs();
                self.ended(&step.name, took, step.error.is_none());
            }
        }
    }

    /// Does a step of this process and shows it. `work` gets a function that shows what it waits for.
    pub(crate) async fn step<T, E>(
        &mut self,
        name: &str,
        work: impl AsyncFnOnce(&dyn Fn(&str)) -> Result<T, E>,
    ) -> Result<T, E> {
        let began = Instant::now();
        self.began(name);
        let bar = self.running.get(name).cloned().flatten();
        let outcome = work(&|detail| {
            if let Some(bar) = &bar {
                bar.set_message(format!("{name} ({detail})"));
            }
        })
        .await;
        self.ended(name, began.elapsed(), outcome.is_ok());
        outcome
    }

    fn began(&mut self, name: &str) {
        if self.running.contains_key(name) || self.finished.contains(name) {
            return;
        }
        let bar = self.live.as_ref().map(|live| {
            let bar = live.add(ProgressBar::new_spinner().with_message(name.to_owned()));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>5}  {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        self.running.insert(name.to_owned(), bar);
    }

    fn ended(&mut self, name: &str, took: Duration, good: bool) {
        let Some(bar) = self.running.remove(name) else { return };
        self.finished.insert(name.to_owned());
        let text = format!("{} {:>5.1}s  {name}", if good { "✓" } else { "✗" }, took.as_secs_f64());
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        match &self.live {
            Some(live) => live.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        for bar in self.running.values().flatten() {
            bar.finish_and_clear();
        }
    }
}
