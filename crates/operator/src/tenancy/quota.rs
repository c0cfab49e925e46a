//! Grants what is asked for of a tenant's quota, one after the other in each tree, whichever replica is asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::TenantControlPlane;
use api::validation::Fault;
use authz::quota::{Amounts, Quotas};
use base::{Clock, SystemClock};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::demand::{self, Key};
use super::forest::Forest;
use super::ledger::Ledger;
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
    client: Client,
    namespace: String,
    view: View,
    /// One for each tree, so that a storm in one holds up no other.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// What is asked for.
struct Asked<'a> {
    forest: &'a Forest,
    tenant: &'a str,
    key: Key,
    has: Amounts,
    wants: Amounts,
}

impl Gate {
    pub(crate) fn new(client: Client, namespace: &str, view: View) -> Self {
        Self { client, namespace: namespace.to_owned(), view, turns: Mutex::default() }
    }

    /// The tenants and control planes that are looked at.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// The API server, for what the caches may not have seen yet.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What stands against a new or changed control plane. What is granted is entered, unless it is only tried.
    pub(crate) async fn faults(
        &self,
        old: Option<&TenantControlPlane>,
        new: &TenantControlPlane,
        is_trial: bool,
    ) -> Vec<Fault> {
        let forest = self.view.forest();
        let Some(tenant) = new.metadata.namespace.as_deref().and_then(|namespace| forest.owner(namespace))
        else {
            return Vec::new();
        };
        let found = verdict::choices(&forest, tenant, old, new);
        let more = verdict::more(old, new);
        if !found.is_empty() || more == Amounts::default() {
            return found;
        }
        let line = forest.line(tenant);
        let Some(top) = line.last() else {
            let message = format!(
                "belongs to tenant `{tenant}`, above which a tenant is missing; mend spec.parent of it or of those above it"
            );
            return vec![Fault::new("metadata.namespace", new.namespace().unwrap_or_default(), message)];
        };
        if line.iter().all(|above| forest.limits.get(*above).is_none_or(|limits| !limits.has_amounts())) {
            return Vec::new();
        }
        let has = old.map(demand::of).unwrap_or_default();
        let asked = Asked { forest: &forest, tenant, key: demand::key(new), has, wants: demand::of(new) };
        let turn = self.turn(top);
        let granted = async {
            let _mine = turn.lock().await;
            self.grant(top, &asked, is_trial).await
        };
        match tokio::time::timeout(PATIENCE, granted).await {
            Ok(Ok(fault)) => fault.into_iter().collect(),
            Ok(Err(error)) => vec![unknown(tenant, &format!("the API server did not keep it: {error}"))],
            Err(_) => vec![unknown(tenant, "too many are asked for at once")],
        }
    }

    fn turn(&self, top: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for those that only the map holds.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(top.to_owned()).or_default().clone()
    }

    /// Enters the request where all replicas see it, or tells what stands against it.
    async fn grant(
        &self,
        top: &str,
        asked: &Asked<'_>,
        is_trial: bool,
    ) -> Result<Option<Fault>, kube::Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.namespace);
        let name = format!("{PREFIX}{top}");
        loop {
            let kept = api.get_opt(&name).await?;
            let text = kept.as_ref().and_then(|kept| kept.data.as_ref()?.get(KEY));
            let mut ledger = text.map(|text| Ledger::read(text)).unwrap_or_default();
            let now = SystemClock.now();
            if let Some(fault) = self.refusal(asked, &ledger, now) {
                return Ok(Some(fault));
            }
            if is_trial {
                return Ok(None);
            }
            ledger.grant(&asked.key, &asked.wants, now);
            if enter(&api, &name, kept.as_ref(), &ledger).await? {
                return Ok(None);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn refusal(&self, asked: &Asked<'_>, ledger: &Ledger, now: jiff::Timestamp) -> Option<Fault> {
        let seen = self.view.demands(asked.forest);
        let mut own = ledger.own(asked.forest, &seen, &asked.key, now);
        let of_tenant = own.entry(asked.tenant.to_owned()).or_default();
        *of_tenant = *of_tenant + asked.has;
        let quotas = Quotas { limits: asked.forest.limits.clone(), own };
        let more = super::ledger::growth(&asked.has, &asked.wants);
        let refusal = quotas.admit(&asked.forest.tree, asked.tenant, &more).err()?;
        Some(verdict::exceeded(&refusal, ledger.unseen(&seen, now)))
    }
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

fn unknown(tenant: &str, why: &str) -> Fault {
    let message = format!(
        "whether the quotas above tenant `{tenant}` leave room could not be found out, {why}; try again"
    );
    Fault::new("metadata.namespace", tenant, message)
}

#[cfg(test)]
mod tests;
