//! A fuse in the line of writes: it blows at a chosen one, so that whoever holds it can end the writer
//! exactly there, at the same place in every run.

use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// When the fuse blows, seen from the chosen write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It is not carried out.
    Before,
    /// It is carried out, and the writer never hears of it.
    After,
    /// It is carried out and answered, and the writer goes on for this long.
    Later(Duration),
}

/// Counts writes and blows at the one it was armed for. Once blown, no write gets through or is
/// answered until it is reset. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Fuse {
    state: Arc<Mutex<State>>,
    change: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    armed: Option<(usize, Moment)>,
    writes: Vec<String>,
    has_blown: bool,
}

/// What becomes of one write.
enum Fate {
    Passes,
    Freezes,
    Blows(Moment),
}

impl Fuse {
    /// Forgets the writes so far and blows at the `nth` from now, counted from 1.
    pub fn arm(&self, nth: usize, moment: Moment) {
        *self.state() = State { armed: Some((nth, moment)), ..State::default() };
    }

    /// Lets all through from now on; returns the writes that there were, and forgets them.
    #[must_use = "`clear` forgets them unseen"]
    pub fn reset(&self) -> Vec<String> {
        std::mem::take(&mut *self.state()).writes
    }

    /// Lets all through from now on and forgets the writes.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    /// Resolves once the fuse has blown.
    pub async fn blown(&self) {
        loop {
            let changed = self.change.notified();
            if self.state().has_blown {
                return;
            }
            changed.await;
        }
    }

    /// Lets a write through, or not.
    pub(crate) async fn write<T>(&self, what: String, carry_out: impl Future<Output = T>) -> T {
        match self.fate(what) {
            Fate::Passes => carry_out.await,
            Fate::Freezes => pending().await,
            Fate::Blows(Moment::Before) => {
                self.blow();
                pending().await
            }
            Fate::Blows(Moment::After) => {
                carry_out.await;
                self.blow();
                pending().await
            }
            Fate::Blows(Moment::Later(delay)) => {
                let fuse = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    fuse.blow();
                });
                carry_out.await
            }
        }
    }

    fn fate(&self, what: String) -> Fate {
        let mut state = self.state();
        if state.has_blown {
            return Fate::Freezes;
        }
        state.writes.push(what);
        match state.armed {
            Some((nth, moment)) if state.writes.len() == nth => Fate::Blows(moment),
            // Between the chosen write and its answer others must not slip through.
            Some((nth, Moment::After)) if state.writes.len() > nth => Fate::Freezes,
            _ => Fate::Passes,
        }
    }

    fn blow(&self) {
        self.state().has_blown = true;
        self.change.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Fuse, Moment};

    const SHORT: Duration = Duration::from_millis(20);

    async fn passes(fuse: &Fuse) -> bool {
        timeout(SHORT, fuse.write("write".to_owned(), async {})).await.is_ok()
    }

    #[tokio::test]
    async fn it_blows_at_the_chosen_write_and_freezes_the_rest() {
        let fuse = Fuse::default();
        fuse.arm(2, Moment::Before);
        assert!(passes(&fuse).await);
        assert!(timeout(SHORT, fuse.blown()).await.is_err());
        assert!(!passes(&fuse).await);
        fuse.blown().await;
        assert!(!passes(&fuse).await);
        assert_eq!(fuse.reset().len(), 2);
        assert!(passes(&fuse).await);
    }

    #[tokio::test]
    async fn a_write_before_which_it_blows_is_not_carried_out_and_one_after_is() {
        for (moment, expected) in [(Moment::Before, false), (Moment::After, true)] {
            let fuse = Fuse::default();
            fuse.arm(1, moment);
            let mut done = false;
            let write = fuse.write("write".to_owned(), async { done = true });
            assert!(timeout(SHORT, write).await.is_err());
            assert_eq!(done, expected);
        }
    }
}
