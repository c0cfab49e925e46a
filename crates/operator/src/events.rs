//! Events for `kubectl describe`: what changed, with cause and next step. The recorder counts repetitions
//! of one instead of adding more.

use kube::Resource;
use kube::runtime::events::{Event, EventType, Recorder};

use crate::context::Context;

/// Longest note that the API server takes.
const MAX_NOTE: usize = 1024;

/// What is told.
pub(crate) struct Notice<'a> {
    /// Whether something has to be done about it.
    pub(crate) is_trouble: bool,
    /// One word in `CamelCase`.
    pub(crate) reason: &'a str,
    /// What the operator did or tried.
    pub(crate) action: &'a str,
    /// Cause and next step.
    pub(crate) note: String,
}

impl<'a> Notice<'a> {
    /// Something went as it should.
    pub(crate) fn good(reason: &'a str, action: &'a str, note: String) -> Self {
        Self { is_trouble: false, reason, action, note }
    }
}

/// Tells of something about an object. A failure to tell hinders nothing.
pub(crate) async fn publish<K: Resource<DynamicType = ()>>(
    context: &Context,
    object: &K,
    notice: Notice<'_>,
) {
    publish_by(&context.recorder, object, notice).await;
}

/// The same, by a recorder alone.
pub(crate) async fn publish_by<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
    object: &K,
    notice: Notice<'_>,
) {
    let mut note = notice.note;
    while note.len() > MAX_NOTE {
        note.pop();
    }
    let event = Event {
        type_: if notice.is_trouble { EventType::Warning } else { EventType::Normal },
        reason: notice.reason.to_owned(),
        note: Some(note),
        action: notice.action.to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, &object.object_ref(&())).await {
        tracing::debug!(%error, "an event was not published");
    }
}
