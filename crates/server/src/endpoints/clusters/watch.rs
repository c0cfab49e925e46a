//! Changes of the inventory as server-sent events.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use aide::axum::IntoApiResponse;
use aide::transform::TransformOperation;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::StreamExt;
use futures::stream;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::may_see;
use crate::caller::Caller;
use crate::inventory::{Change, ClusterRow};
use crate::problem::Problem;
use crate::streams::Stream;

/// So often something is sent where nothing happens, and it is looked whether the user may still watch.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Watch clusters")
        .description(
            "Server-sent events: `cluster` with a cluster as it is, first all, then each that changes; `synced` after the \
             first ones; `gone` with the id of one that is gone; `reset` when changes were lost: watch anew.",
        )
        .tag("clusters")
}

/// All that the caller sees, and what changes of it.
pub(super) async fn stream(caller: Caller) -> Result<impl IntoApiResponse, Problem> {
    let share = caller.streaming().await?;
    let (rows, changes) = caller.hub.inventory.watch();
    let seen: Vec<_> = rows.into_iter().filter(|row| may_see(&caller, &row.id)).collect();
    let first: Vec<Event> =
        seen.iter().map(|row| cluster(row)).chain([Event::default().event("synced").data("{}")]).collect();
    let stream = Stream {
        subject: caller.subject.clone(),
        credential: caller.credential.clone(),
        source: None,
        goes_on_elsewhere: true,
    };
    let end = caller.hub.streams.open(stream, share);
    let watcher = Watcher { caller, told: seen.iter().map(|row| row.id.clone()).collect() };
    let later = BroadcastStream::new(changes)
        .scan(watcher, |watcher, change| std::future::ready(watcher.next(change)));
    let events = stream::iter(first).chain(later.flat_map(stream::iter)).map(Ok::<_, Infallible>);
    let events = events.take_until(end);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response())
}

/// Who watches, and which clusters they were told of: only of those they learn that one is gone.
struct Watcher {
    caller: Caller,
    told: HashSet<String>,
}

impl Watcher {
    /// What a change tells, one event at most; the end of the stream if they are no longer anybody.
    fn next(&mut self, change: Result<Change, BroadcastStreamRecvError>) -> Option<Vec<Event>> {
        let Ok(change) = change else {
            return Some(vec![Event::default().event("reset").data("{}")]);
        };
        self.caller.snapshot = self.caller.hub.index.now();
        if !self.caller.snapshot.is_active(&self.caller.subject.user) {
            return None;
        }
        if !change.is_gone && may_see(&self.caller, &change.row.id) {
            self.told.insert(change.row.id.clone());
            return Some(vec![cluster(&change.row)]);
        }
        // One that they may not see any more is gone for them.
        let was_told = self.told.remove(&change.id);
        Some(was_told.then(|| Event::default().event("gone").data(change.id)).into_iter().collect())
    }
}

fn cluster(row: &ClusterRow) -> Event {
    Event::default().event("cluster").json_data(row).unwrap_or_default()
}
