//! Moves a control plane to another store; `desired::migration` decides which step comes next.

use std::time::Duration;

use api::{Driver, MigrationPhase, MigrationStatus, TenantControlPlane};
use datastore::{Access, MOST_RAISED, Raised};
use desired::migration::{Move, may_replace, next, serves_from};
use desired::{DataStoreOutcome, Endpoint, MigrationOutcome, TenantOutcome, Validated};
use jiff::Timestamp;
use kube::ResourceExt;

use super::pass::Pass;
use super::storage::{self, Found, Place, Storage};
use super::{events, inside, placement};
use crate::context::Context;
use crate::copies::{CopyId, Job, State};
use crate::data_stores::{chain, wished};

/// How often a move that is under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How soon a move that cannot begin is tried again; a change of what hinders it comes sooner.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What is to be done about a move.
pub(super) fn plan(tenant: &TenantControlPlane, context: &Context, now: Timestamp) -> Move {
    next(tenant, Some(wished(tenant, context.settings.default_store())).filter(|name| !name.is_empty()), now)
}

/// What a step of a move has at hand.
pub(super) struct Step<'a> {
    pub(super) tenant: &'a TenantControlPlane,
    pub(super) validated: &'a Validated,
    pub(super) endpoint: &'a Endpoint,
    pub(super) storage: &'a Storage,
}

/// Does what can be done of it now, once everything else of the pass is done.
pub(super) async fn advance(pass: &mut Pass, moving: &Move, step: &Step<'_>, context: &Context) {
    let Step { tenant, validated, .. } = step;
    let uid = tenant.uid().unwrap_or_default();
    let outcome = match moving {
        Move::None => MigrationOutcome::Settled,
        Move::Finish(record) => finish(pass, record, validated, context, &uid),
        Move::Rest(record) => MigrationOutcome::GivenUp { record: record.clone() },
        Move::GiveUp(record) => {
            Box::pin(abandon(record, &uid, validated, context)).await;
            MigrationOutcome::GivenUp { record: record.clone() }
        }
        Move::Undo(record) => {
            Box::pin(abandon(record, &uid, validated, context)).await;
            MigrationOutcome::Settled
        }
        Move::Begin(record) => match Box::pin(begin(record, tenant, validated, context)).await {
            Ok(()) => under_way(record.clone(), "the state is about to be copied"),
            Err(message) => MigrationOutcome::Refused { message },
        },
        Move::Go(record) => Box::pin(go(pass, record, &uid, step, context)).await,
    };
    match &outcome {
        MigrationOutcome::UnderWay { .. } => pass.ask_again = Some(LOOK_EVERY),
        MigrationOutcome::Refused { .. } => pass.ask_again = Some(RETRY_AFTER),
        _ => {}
    }
    pass.migration = outcome;
}

/// After the switch: the move is done when only pods of the new store serve and may write again.
fn finish(
    pass: &Pass,
    record: &MigrationStatus,
    validated: &Validated,
    context: &Context,
    uid: &str,
) -> MigrationOutcome {
    let is_replaced = serves_from(pass.deployment.as_ref(), &record.to);
    let is_unfrozen = validated.is_sleeping() || matches!(pass.tenant, TenantOutcome::Done { .. });
    if is_replaced && is_unfrozen {
        context.copies.cancel(uid);
        return MigrationOutcome::Settled;
    }
    let message = if is_replaced {
        "the state is moved; writes are about to be allowed again"
    } else {
        "the state is moved, and writes are refused until the last pod of the old store is replaced"
    };
    under_way(record.clone(), message)
}

fn under_way(record: MigrationStatus, message: impl Into<String>) -> MigrationOutcome {
    MigrationOutcome::UnderWay { record, message: message.into() }
}

/// Whether the target takes the tenant. It gets a user that may only read, until the switch.
async fn begin(
    record: &MigrationStatus,
    tenant: &TenantControlPlane,
    validated: &Validated,
    context: &Context,
) -> Result<(), String> {
    let to = &record.to;
    let is_override =
        |entry: &api::DataStoreOverride| entry.data_store.as_ref().is_some_and(|name| name == to);
    if validated.spec().data_store_overrides.iter().any(is_override) {
        return Err(format!(
            "DataStore `{to}` holds overrides of this control plane under the same keys; \
             take it out of spec.dataStoreOverrides first"
        ));
    }
    let space = storage::space(validated);
    placement::take(tenant, to, context).map_err(|outcome| hindrance(to, &outcome))?;
    let found = storage::read(to, context).await.map_err(|outcome| hindrance(to, &outcome))?;
    let target = storage::connect(to, &found, context).await.map_err(|outcome| hindrance(to, &outcome))?;
    let counted = target.count(&space).await;
    let older = counted.map_err(|source| hindrance(to, &storage::unreachable(to, source)))?;
    if older > 0 && !may_replace(tenant) {
        return Err(format!(
            "DataStore `{to}` holds {older} keys of an earlier stay of this control plane; to replace them, \
             annotate it with {}=true",
            api::names::annotations::CLEANUP_PRIOR_MIGRATION
        ));
    }
    if older > 0 {
        // Nothing of this move is there yet. An empty place takes any revision.
        target.remove(&space).await.map_err(|source| hindrance(to, &storage::unreachable(to, source)))?;
    }
    let password = storage::password(to, &found, validated, context).await;
    let password = password.map_err(|outcome| hindrance(to, &outcome))?;
    let place = Place { name: to, found: &found, space: &space, password: password.as_ref() };
    // A barrier in NATS keeps the copy out too. Until the switch nobody of the tenant knows the way there.
    let access = if found.object.spec.driver == Driver::Nats { Access::ReadWrite } else { Access::ReadOnly };
    storage::make_room(&place, access, context).await.map_err(|outcome| hindrance(to, &outcome))
}

async fn go(
    pass: &Pass,
    record: &MigrationStatus,
    uid: &str,
    step: &Step<'_>,
    context: &Context,
) -> MigrationOutcome {
    let Step { tenant, validated, storage, .. } = step;
    if let Some(trouble) = &storage.trouble {
        return under_way(record.clone(), hindrance(&record.from, trouble));
    }
    let in_phase = |phase| MigrationStatus { phase, ..record.clone() };
    match record.phase {
        MigrationPhase::Freezing => match freeze(pass, step, context).await {
            Ok(()) => under_way(
                in_phase(MigrationPhase::Frozen),
                "writes are refused for a moment, and the last changes are copied",
            ),
            Err(message) => under_way(record.clone(), message),
        },
        MigrationPhase::Frozen => match copy(record, uid, true, validated, context).await {
            Ok(State::Done(raised)) => {
                tell_of_versions(record, raised, tenant, context).await;
                let record = in_phase(MigrationPhase::Switched);
                under_way(record, "the state is moved, and the pods are about to be replaced")
            }
            other => under_way(record.clone(), progress("writes are refused; the last changes", other)),
        },
        _ => match copy(record, uid, false, validated, context).await {
            Ok(State::Done(_)) => under_way(
                in_phase(MigrationPhase::Freezing),
                "the state is copied, and writes are about to be refused for a moment",
            ),
            other => under_way(record.clone(), progress("the tenant goes on writing; the keys", other)),
        },
    }
}

/// Has the tenant's own cluster refuse changes, where one runs. The store's barrier alone would do, but
/// its refusals are errors of the server to a client, and not answers.
async fn freeze(pass: &Pass, step: &Step<'_>, context: &Context) -> Result<(), String> {
    let status = pass.deployment.as_ref().and_then(|live| live.status.as_ref());
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() == 0 {
        return Ok(());
    }
    inside::freeze(pass, step.tenant, step.validated, step.endpoint, context).await.map_err(|error| {
        format!("writes could not be refused in the tenant's cluster yet: {}", chain(&error))
    })
}

/// Starts the copy, or looks at it.
async fn copy(
    record: &MigrationStatus,
    uid: &str,
    is_last: bool,
    validated: &Validated,
    context: &Context,
) -> Result<State, String> {
    let (from, to) = (&record.from, &record.to);
    let (source, target) = (found(from, context).await?, found(to, context).await?);
    let source = storage::connect(from, &source, context).await.map_err(|why| hindrance(from, &why))?;
    let target = storage::connect(to, &target, context).await.map_err(|why| hindrance(to, &why))?;
    let id = CopyId { to: to.clone(), started_at: record.started_at.clone(), is_last };
    let job = || Job { source, target, space: storage::space(validated) };
    Ok(context.copies.advance(uid, id, job))
}

async fn found(name: &str, context: &Context) -> Result<Found, String> {
    storage::read(name, context).await.map_err(|outcome| hindrance(name, &outcome))
}

fn progress(what: &str, state: Result<State, String>) -> String {
    match state {
        Ok(State::Running { seen, total }) => format!("{what} are being copied, {seen} of {total} keys seen"),
        Ok(State::Done(_)) => format!("{what} are copied"),
        Ok(State::Failed(message)) | Err(message) => format!("the copy is tried again: {message}"),
    }
}

/// Ends a move before its switch: what was copied is removed from the target, as far as that answers.
async fn abandon(record: &MigrationStatus, uid: &str, validated: &Validated, context: &Context) {
    context.copies.cancel(uid);
    context.places.give_back(uid, &record.to);
    let (to, space) = (&record.to, storage::space(validated));
    let removed = async {
        let store = storage::connect(to, &found(to, context).await?, context)
            .await
            .map_err(|outcome| hindrance(to, &outcome))?;
        // With the contents goes the pass of a copy that another replica still runs.
        store.remove(&space).await.map_err(|error| chain(&error))
    };
    if let Err(message) = removed.await {
        tracing::warn!(tenant = validated.name(), datastore = to, message, "a partial copy is left behind");
    }
}

/// Tells the owner when the target's revision could not be raised above the source's.
async fn tell_of_versions(
    record: &MigrationStatus,
    raised: Raised,
    tenant: &TenantControlPlane,
    context: &Context,
) {
    let Raised::TooFar { missing } = raised else { return };
    let note = format!(
        "resource versions go back by {missing} in DataStore `{}`, as raising them takes one write each and is \
         done up to {MOST_RAISED} only: restart clients that keep watches or versions, such as kubelets",
        record.to
    );
    events::notice(context, tenant, "ResourceVersionsGoBack", "Migrate", note).await;
}

/// What hinders the use of a store, with the next step.
fn hindrance(name: &str, outcome: &DataStoreOutcome<'_>) -> String {
    match outcome {
        DataStoreOutcome::NotFound { .. } => {
            format!("there is no DataStore `{name}`; create it or set spec.dataStore back")
        }
        DataStoreOutcome::NotReady { message, .. }
        | DataStoreOutcome::Unreachable { message, .. }
        | DataStoreOutcome::NoRoom { message } => message.clone(),
        _ => format!("DataStore `{name}` cannot be used now"),
    }
}
