//! Grants what is asked for of a tenant's quota, one after the other in each tree, whichever replica is asked.
//! Requests that come together are decided together: one read and one write of the ledger for all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::TenantControlPlane;
use api::validation::Fault;
use authz::quota::Amounts;
use base::{Clock, SystemClock};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::oneshot;

use super::demand::{self, Demands, Key};
use super::forest::Forest;
use super::ledger::{Ledger, growth};
use super::{View, verdict};

/// Prefix of the ConfigMap in the operator's namespace, before the name of the topmost tenant.
const PREFIX: &str = "tenant-quota.";
const KEY: &str = "granted";
/// How long a request is tried to be entered beside those of other replicas; the API server waits a little
/// longer for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(20);

/// Decides about control planes in namespaces of tenants.
pub(crate) struct Gate {
    keeper: Keeper,
    /// One for each tree, so that a storm in one holds up no other.
    turns: Mutex<HashMap<String, Arc<Turn>>>,
}

/// Those that wait in one tree: who is first decides for all that wait by then.
#[derive(Default)]
struct Turn {
    waiting: Mutex<Vec<Waiting>>,
    first: tokio::sync::Mutex<()>,
}

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Option<Fault>>,
}

/// What is asked for.
struct Asked {
    tenant: String,
    key: Key,
    has: Amounts,
    wants: Amounts,
    is_trial: bool,
}

impl Gate {
    pub(crate) fn new(client: Client, namespace: &str, view: View) -> Self {
        let keeper = Keeper { client, namespace: namespace.to_owned(), view };
        Self { keeper, turns: Mutex::default() }
    }

    /// The tenants and control planes that are looked at.
    pub(super) fn view(&self) -> &View {
        &self.keeper.view
    }

    /// The API server, for what the caches may not have seen yet.
    pub(super) fn client(&self) -> &Client {
        &self.keeper.client
    }

    /// Whether a namespace is a tenant's.
    pub(crate) fn concerns(&self, namespace: &str) -> bool {
        self.keeper.view.forest().owner(namespace).is_some()
    }

    /// What stands against a new or changed control plane. What is granted is entered, unless it is only tried.
    pub(crate) async fn faults(
        &self,
        old: Option<&TenantControlPlane>,
        new: &TenantControlPlane,
        is_trial: bool,
    ) -> Vec<Fault> {
        let forest = self.keeper.view.forest();
        let Some(tenant) = new.metadata.namespace.as_deref().and_then(|namespace| forest.owner(namespace))
        else {
            return Vec::new();
        };
        let found = verdict::choices(&forest, tenant, old, new);
        if !found.is_empty() || verdict::more(old, new) == Amounts::default() {
            return found;
        }
        let line = forest.line(tenant);
        let Some(top) = line.last() else { return vec![lost(tenant)] };
        if line
            .iter()
            .all(|above| forest.quotas.limits.get(*above).is_none_or(|limits| !limits.has_amounts()))
        {
            return Vec::new();
        }
        let asked = Asked {
            tenant: tenant.to_owned(),
            key: demand::key(new),
            has: old.map(demand::of).unwrap_or_default(),
            wants: demand::of(new),
            is_trial,
        };
        match tokio::time::timeout(PATIENCE, self.ask(top, asked)).await {
            Ok(Some(fault)) => fault.into_iter().collect(),
            Ok(None) | Err(_) => vec![unknown(tenant)],
        }
    }

    /// Waits for its turn, or for who has it. Nothing if the API server did not keep what was granted.
    async fn ask(&self, top: &str, asked: Asked) -> Option<Option<Fault>> {
        let turn = self.turn(top);
        let (answer, told) = oneshot::channel();
        lock(&turn.waiting).push(Waiting { asked, answer });
        let first = turn.first.lock().await;
        let waiting = std::mem::take(&mut *lock(&turn.waiting));
        if !waiting.is_empty() {
            let (keeper, top) = (self.keeper.clone(), top.to_owned());
            // Apart from this request, which may be given up while others wait for the same answer.
            let deciding = tokio::spawn(async move {
                if let Err(error) = keeper.decide(&top, waiting).await {
                    tracing::warn!(tenant = top, %error, "what was granted of a quota could not be kept");
                }
            });
            // Who waited is told by then, or is told that it is unknown.
            let _ = deciding.await;
        }
        drop(first);
        told.await.ok()
    }

    fn turn(&self, top: &str) -> Arc<Turn> {
        let mut turns = lock(&self.turns);
        // Nobody waits for those that only the map holds.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(top.to_owned()).or_default().clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what was granted where all replicas see it.
#[derive(Clone)]
struct Keeper {
    client: Client,
    namespace: String,
    view: View,
}

impl Keeper {
    /// Decides one after the other, enters all that is granted at once, and then tells.
    async fn decide(&self, top: &str, waiting: Vec<Waiting>) -> Result<(), kube::Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.namespace);
        let name = format!("{PREFIX}{top}");
        let found = loop {
            let kept = api.get_opt(&name).await?;
            let text = kept.as_ref().and_then(|kept| kept.data.as_ref()?.get(KEY));
            let before = text.map(|text| Ledger::read(text)).unwrap_or_default();
            let (found, after) = self.judge(&waiting, before);
            let is_kept = match after {
                Some(ledger) => enter(&api, &name, kept.as_ref(), &ledger).await?,
                None => true,
            };
            if is_kept {
                break found;
            }
            tokio::time::sleep(PAUSE).await;
        };
        for (waiting, fault) in waiting.into_iter().zip(found) {
            // Who no longer waits is told nothing; what it was granted is forgotten soon.
            let _ = waiting.answer.send(fault);
        }
        Ok(())
    }

    /// What stands against each request if those before it are granted, and the ledger if any is to be entered.
    fn judge(&self, waiting: &[Waiting], mut ledger: Ledger) -> (Vec<Option<Fault>>, Option<Ledger>) {
        let (forest, now) = (self.view.forest(), SystemClock.now());
        let seen = self.view.demands(&forest);
        let mut is_changed = false;
        let mut found = Vec::with_capacity(waiting.len());
        for Waiting { asked, .. } in waiting {
            let fault = refusal(asked, &forest, &seen, &ledger, now);
            if fault.is_none() && !asked.is_trial {
                ledger.grant(&asked.key, &asked.wants, now);
                is_changed = true;
            }
            found.push(fault);
        }
        (found, is_changed.then_some(ledger))
    }
}

fn refusal(asked: &Asked, forest: &Forest, seen: &Demands, ledger: &Ledger, now: Timestamp) -> Option<Fault> {
    if forest.line(&asked.tenant).is_empty() {
        return Some(lost(&asked.tenant));
    }
    let mut own = ledger.own(forest, seen, &asked.key, now);
    let of_tenant = own.entry(asked.tenant.clone()).or_default();
    *of_tenant = *of_tenant + asked.has;
    let quotas = forest.quotas_with(own);
    let refusal = quotas.admit(&forest.tree, &asked.tenant, &growth(&asked.has, &asked.wants)).err()?;
    Some(verdict::exceeded(&refusal, ledger.unseen(seen, now)))
}

/// Forgets what was granted in the tree of a tenant that is no more.
pub(super) async fn forget(client: &Client, namespace: &str, tenant: &str) -> Result<(), kube::Error> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    match api.delete(&format!("{PREFIX}{tenant}"), &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Keeps the ledger, unless another replica was first.
async fn enter(
    api: &Api<ConfigMap>,
    name: &str,
    kept: Option<&ConfigMap>,
    ledger: &Ledger,
) -> Result<bool, kube::Error> {
    let data: BTreeMap<String, String> = [(KEY.to_owned(), ledger.write())].into();
    let written = if let Some(kept) = kept {
        let patch = json!({"metadata": {"resourceVersion": kept.metadata.resource_version}, "data": data});
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await
    } else {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let new = ConfigMap { metadata, data: Some(data), ..ConfigMap::default() };
        api.create(&PostParams::default(), &new).await
    };
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
        Err(error) => Err(error),
    }
}

fn lost(tenant: &str) -> Fault {
    let message = "is a tenant above which one is missing, or that stands in a ring; mend spec.parent of it or of \
                   those above it";
    Fault::new("metadata.namespace", tenant, message)
}

fn unknown(tenant: &str) -> Fault {
    let message = "is a tenant of which could not be found out whether the quotas above it leave room: too much is \
                   asked for at once, or the API server does not answer; try again";
    Fault::new("metadata.namespace", tenant, message)
}

#[cfg(test)]
mod tests;
