//! How much somebody may have under way at once: requests and streams, of a user and of a tenant's people together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Held = Arc<Mutex<HashMap<String, u32>>>;

/// Everybody's places of one kind.
#[derive(Debug, Default)]
pub(super) struct Shares(Held);

/// A place that somebody holds until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    whose: Vec<String>,
    held: Held,
}

impl Shares {
    /// Takes a place of each of these, who may hold so many; of none where one has no room.
    pub(super) fn take<const N: usize>(&self, from: [(&str, u32); N]) -> Option<Share> {
        let mut held = lock(&self.0);
        if from.iter().any(|(whose, most)| held.get(*whose).is_some_and(|count| count >= most)) {
            return None;
        }
        for (whose, _) in from {
            *held.entry(whose.to_owned()).or_default() += 1;
        }
        Some(Share { whose: from.map(|(whose, _)| whose.to_owned()).into(), held: self.0.clone() })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        for whose in &self.whose {
            if let Some(count) = held.get_mut(whose) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    held.remove(whose);
                }
            }
        }
    }
}

fn lock(held: &Held) -> MutexGuard<'_, HashMap<String, u32>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Share, Shares};

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let shares = Shares::default();
        let take = |user: &str| shares.take([(user, 2), ("tenant acme", 3)]);
        let mut held: Vec<Share> = [take("a"), take("a"), take("b")].into_iter().flatten().collect();
        assert_eq!(held.len(), 3);
        assert!(take("a").is_none() && take("b").is_none(), "the tenant's people hold all of theirs");
        held.remove(0);
        assert!(take("b").is_some());
        drop(held);
        assert!(shares.0.lock().unwrap().is_empty());
    }
}
