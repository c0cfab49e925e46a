//! Goes through one tenant's cluster: what differs is written, what is not wished is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::names::labels;
use desired::Validated;
use desired::inside::{Inputs, Key, Kind, LiveDns, Object, Part, REMOVABLE, Wished, is_right, objects};
use futures::future::{join_all, try_join_all};
use kubekit::{RemoteError, fingerprint, is_current};
use serde_json::Value;

use super::administrator;
use super::sessions::Session;
use crate::data_stores::chain;

/// Most writes at the same time: the tenant's API server has other things to do.
const CONCURRENCY: usize = 8;
/// The API server makes its namespaces itself, a moment after it is ready.
const NAMESPACE_RETRIES: usize = 20;
const NAMESPACE_PAUSE: Duration = Duration::from_millis(150);

/// Objects as they were read in this pass.
type Found = BTreeMap<Key, Value>;

/// What shall stand in a tenant's cluster, but for what depends on what is there: the name server's objects, and
/// the namespaces of projects.
pub(super) struct Wish<'a> {
    pub(super) validated: &'a Validated,
    pub(super) inputs: Inputs<'a>,
}

impl Wish<'_> {
    fn objects(&self, dns: &LiveDns, namespaces: &BTreeSet<String>) -> Wished {
        objects(self.validated, &Inputs { dns, namespaces, ..self.inputs })
    }

    /// The namespaces that projects ask for.
    fn namespaces(&self) -> BTreeSet<String> {
        self.inputs.rights.map(desired::inside::Rights::namespaces).unwrap_or_default()
    }
}

/// Makes everything as wished. Answers with what that was and the faults of what could not be done, and
/// whether the API server refused some of it: that may pass by itself.
pub(super) async fn bring_about(session: &Session, wish: &Wish<'_>) -> Result<(Wished, bool), RemoteError> {
    session.known().begin();
    let outcome = go_through(session, wish).await;
    if session.known().end() && outcome.is_ok() {
        session.waker().wake();
    }
    outcome
}

/// Makes one object as wished and leaves everything else alone.
pub(super) async fn hold(session: &Session, object: &Object) -> Result<(), RemoteError> {
    let (_, live) = get(session, object.key.clone()).await?;
    session.known().begin();
    let outcome = write(session, object, live.as_ref()).await;
    session.known().end();
    outcome
}

async fn go_through(session: &Session, wish: &Wish<'_>) -> Result<(Wished, bool), RemoteError> {
    session.follow_namespaces(wish.namespaces());
    let is_first = !session.known().is_filled();
    let found = look(session, wish).await?;
    let mut wished = {
        let known = session.known();
        wish.objects(known.dns(), &known.namespaces().present())
    };
    let of_the_spec = wished.faults.len();
    for objects in wished.objects.chunks(CONCURRENCY) {
        let writes = objects.iter().map(|object| write(session, object, found.get(&object.key)));
        let written = join_all(writes).await;
        sum_up(&mut wished.faults, objects.iter().map(|object| object.part).zip(written))?;
    }
    if is_first && !found.contains_key(&administrator::binding()) {
        wait_for_rights(session).await;
    }
    let keys: BTreeSet<Key> = wished.objects.iter().map(|object| object.key.clone()).collect();
    let unwished = session.known().unwished(&keys);
    for key in unwished.into_iter().filter(|key| REMOVABLE.contains(key) || is_right(key)) {
        session.remote().delete(&collection(&key), &key.name).await?;
        session.known().forget(&key);
    }
    session.watch(&keys.iter().map(|key| key.kind).collect());
    session.decide_requests();
    let is_refused = wished.faults.len() > of_the_spec;
    Ok((wished, is_refused))
}

/// Ready is not told before the administrator can act; that this cannot be asked changes nothing.
async fn wait_for_rights(session: &Session) {
    if let Err(error) = administrator::wait(session.remote().client()).await {
        tracing::debug!(%error, "whether the administrator's rights hold could not be asked");
    }
}

/// What the API server refuses is a fault of its part; that it cannot be reached concerns all of them.
fn sum_up(
    faults: &mut Vec<(Part, String)>,
    written: impl Iterator<Item = (Part, Result<(), RemoteError>)>,
) -> Result<(), RemoteError> {
    for (part, outcome) in written {
        match outcome {
            Ok(()) => {}
            Err(error) if error.is_answer() => faults.push((part, chain(&error))),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads what is not known: everything of ours at first, later what the name server's objects say where
/// somebody has changed them.
async fn look(session: &Session, wish: &Wish<'_>) -> Result<Found, RemoteError> {
    if session.known().is_filled() {
        let touched = session.known().touched();
        let of_dns = touched.into_iter().filter(LiveDns::concerns);
        let read = try_join_all(of_dns.map(|key| get(session, key))).await?;
        let mut known = session.known();
        for (key, live) in &read {
            known.read(key, live.as_ref());
        }
        return Ok(read.into_iter().filter_map(|(key, live)| Some((key, live?))).collect());
    }
    let wished = wish.objects(&LiveDns::default(), &BTreeSet::new());
    let wished: BTreeSet<Key> = wished.objects.into_iter().map(|object| object.key).collect();
    let found = list(session, &wished).await?;
    let mut known = session.known();
    for (key, live) in &found {
        known.read(key, Some(live));
    }
    known.fill();
    Ok(found)
}

/// What stands there and is ours, or is about to become ours and holds something of the user's.
async fn list(session: &Session, wished: &BTreeSet<Key>) -> Result<Found, RemoteError> {
    let keys: BTreeSet<Key> = wished.iter().cloned().chain(REMOVABLE).collect();
    let mut found = Found::new();
    for (kind, items) in try_join_all(Kind::ALL.map(|kind| list_kind(session, kind))).await? {
        for item in items {
            let text = |pointer| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let key = Key::new(kind, text("/metadata/namespace"), text("/metadata/name"));
            if keys.contains(&key) || is_right(&key) {
                found.insert(key, item);
            }
        }
    }
    // Kamaji puts no label on its webhooks.
    let webhooks = keys.iter().filter(|key| key.kind == Kind::ValidatingWebhookConfiguration);
    let users = wished.iter().filter(|key| LiveDns::concerns(key));
    let unseen: BTreeSet<Key> =
        webhooks.chain(users).filter(|key| !found.contains_key(*key)).cloned().collect();
    for (key, live) in try_join_all(unseen.into_iter().map(|key| get(session, key))).await? {
        found.extend(live.map(|live| (key, live)));
    }
    Ok(found)
}

async fn list_kind(session: &Session, kind: Kind) -> Result<(Kind, Vec<Value>), RemoteError> {
    let ours = format!("{}={}", labels::PROJECT, labels::PROJECT_VALUE);
    Ok((kind, session.remote().list(&kind.collection(""), &ours).await?))
}

async fn get(session: &Session, key: Key) -> Result<(Key, Option<Value>), RemoteError> {
    let found = session.remote().get(&collection(&key), &key.name).await?;
    Ok((key, found))
}

/// Writes an object unless it stands as wished. What was read of it goes into what is written, so that a
/// change by somebody else in between is not written over but read in the next pass.
async fn write(session: &Session, object: &Object, live: Option<&Value>) -> Result<(), RemoteError> {
    let made_from = fingerprint(&object.body);
    if session.known().is_current(&object.key, &made_from) {
        return Ok(());
    }
    if let Some(live) = live
        && is_current(live, &object.body)
    {
        session.known().note(object.key.clone(), made_from, live);
        return Ok(());
    }
    let place = collection(&object.key);
    let over = session.known().written_over(&object.key);
    let mut tries = 0;
    let written = loop {
        let write = session.remote().apply_over(over.as_deref(), &place, &object.key.name, &object.body);
        match write.await {
            Err(error) if over.is_some() && error.is_conflict() => {
                session.known().doubt(object.key.clone());
                return Ok(());
            }
            // The namespace of a project went in this moment; the watch tells of it.
            Err(error) if error.is_not_found() && is_right(&object.key) => return Ok(()),
            // Somebody has bound the group to another role, which cannot be changed back.
            Err(error) if is_invalid(&error) && is_binding(&object.key) && tries == 0 => {
                tries += 1;
                session.remote().delete(&place, &object.key.name).await?;
            }
            Err(error) if error.is_not_found() && tries < NAMESPACE_RETRIES => {
                tries += 1;
                tokio::time::sleep(NAMESPACE_PAUSE).await;
            }
            other => break other?,
        }
    };
    session.known().note(object.key.clone(), made_from, &written);
    Ok(())
}

fn is_binding(key: &Key) -> bool {
    is_right(key) && matches!(key.kind, Kind::ClusterRoleBinding | Kind::RoleBinding)
}

/// Whether the API server found fault with the object, or with changing it so.
fn is_invalid(error: &RemoteError) -> bool {
    let RemoteError::Refused { source, .. } = error else { return false };
    matches!(&**source, kube::Error::Api(status) if status.code == 422)
}

fn collection(key: &Key) -> String {
    key.kind.collection(&key.namespace)
}
