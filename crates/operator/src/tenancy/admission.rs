//! Admission of Tenants themselves: what would tear the tree, take somebody's namespace, or delete a tenant that
//! still has something.

use std::sync::Arc;

use api::names::annotations;
use api::validation::Fault;
use api::{Tenant, TenantControlPlane, TenantState};
use authz::quota::Quotas;
use base::{Clock, SystemClock, quantity};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::ListParams;
use kube::core::admission::{AdmissionRequest, Operation};
use kube::{Api, Client, ResourceExt};

use super::demand::{self, Demands};
use super::forest::Forest;
use super::{Gate, View, ledger, verdict};

/// Path of the webhook.
pub(crate) const VALIDATE_PATH: &str = "/validate-flotilla-dev-v1alpha1-tenant";
/// Where the API server does not answer.
const UNTOLD: &str = "takes nobody in while the API server does not tell what there is; try again";
/// Most names that a message tells.
const TOLD: usize = 5;

/// What stands against a request about a Tenant.
pub(crate) async fn faults(request: &AdmissionRequest<Tenant>, gate: &Gate) -> Vec<Fault> {
    let (view, client) = (gate.view(), gate.client());
    match (&request.operation, &request.object, &request.old_object) {
        (Operation::Create, Some(new), _) => written(None, new, view, client).await,
        // Finalizers must come off whatever the spec says.
        (Operation::Update, Some(new), old) if new.metadata.deletion_timestamp.is_none() => {
            written(old.as_ref(), new, view, client).await
        }
        (Operation::Delete, _, Some(old)) => {
            deleted(old, view, client, SystemClock.now()).await.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

async fn written(old: Option<&Tenant>, new: &Tenant, view: &View, client: &Client) -> Vec<Fault> {
    let forest = view.forest();
    let name = new.name_any();
    let mut found: Vec<Fault> = unreadable(new).collect();
    let namespace = new.wanted_namespace();
    match old.map(Tenant::wanted_namespace) {
        Some(before) if before != namespace => found.push(Fault::new(
            "spec.namespace",
            &namespace,
            format!(
                "cannot be changed, control planes live in `{before}`; make another tenant and move them"
            ),
        )),
        Some(_) => {}
        None => found.extend(forest.rival(&name, &namespace).map(|rival| {
            let message = format!("is the namespace of tenant `{rival}`; name another one in spec.namespace");
            Fault::new("spec.namespace", &namespace, message)
        })),
    }
    let parent = new.spec.parent.as_deref().filter(|parent| !parent.is_empty());
    if let Some(parent) = parent.filter(|_| old.is_none_or(|old| old.spec.parent != new.spec.parent)) {
        match forest_of(old.is_some(), view, client).await {
            Some(forest) => found.extend(misplaced(&name, parent, &forest, client).await),
            None => found.push(Fault::new("spec.parent", parent, UNTOLD)),
        }
    }
    found
}

/// Amounts that are none.
fn unreadable(tenant: &Tenant) -> impl Iterator<Item = Fault> {
    let quota = &tenant.spec.quota;
    let amounts = [("spec.quota.cpu", &quota.cpu), ("spec.quota.memory", &quota.memory)];
    amounts.into_iter().filter_map(|(path, amount)| {
        let Quantity(text) = amount.as_ref()?;
        let is_read = quantity::thousandths(text).is_some();
        (!is_read).then(|| Fault::new(path, text, "is no amount; write it like `2`, `500m` or `4Gi`"))
    })
}

/// The tree by which a tenant's place is judged. A move is rare, and makes a ring if a cache is late: the API server
/// tells what there is, if it does.
async fn forest_of(is_move: bool, view: &View, client: &Client) -> Option<Arc<Forest>> {
    if !is_move {
        return Some(view.forest());
    }
    let tenants = Api::<Tenant>::all(client.clone()).list(&ListParams::default()).await.ok()?;
    Some(Arc::new(Forest::new(tenants.items.iter())))
}

/// Why a tenant cannot stand below another.
async fn misplaced(tenant: &str, parent: &str, forest: &Forest, client: &Client) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.parent", parent, message));
    if !forest.has(parent) && !is_there(parent, client).await {
        return fault(
            "is no tenant; create it first, or name one that `kubectl get tenants` lists".to_owned(),
        );
    }
    if tenant == parent || forest.within(tenant).contains(&parent) {
        return fault(format!("is `{tenant}` itself or stands below it; a tree has no rings"));
    }
    if forest.is_too_deep(tenant, parent) {
        return fault(format!("stands too deep: a tree has at most {} levels", authz::DEEPEST));
    }
    if let Some(held) = forest.held(parent) {
        let what = if held.state == TenantState::Leaving { "is leaving" } else { "is suspended" };
        return fault(format!("takes nobody in while tenant `{}` {what}", held.by));
    }
    // A move is rare and takes along all at once: the API server tells what there is, no cache.
    let Ok(clusters) = Api::<TenantControlPlane>::all(client.clone()).list(&ListParams::default()).await
    else {
        return fault(UNTOLD.to_owned());
    };
    no_room(tenant, parent, forest, &demand::of_all(forest, &clusters.items))
}

/// Whether what a tenant has, with all below it, fits into the quotas of those above its new place.
fn no_room(tenant: &str, parent: &str, forest: &Forest, demands: &Demands) -> Option<Fault> {
    let own = ledger::sum(forest, demands.iter());
    let quotas = forest.quotas_with(own);
    let brought = quotas.used(&forest.tree, tenant);
    // Who stands above already has it counted.
    let new_above: Vec<&str> =
        forest.line(parent).into_iter().filter(|above| !forest.within(above).contains(&tenant)).collect();
    let limits = quotas.limits.into_iter().filter(|(name, _)| new_above.contains(&name.as_str())).collect();
    let quotas = Quotas { limits, own: quotas.own };
    let refusal = quotas.admit(&forest.tree, parent, &brought).err()?;
    let message = verdict::exceeded(&refusal, 0).message;
    Some(Fault::new("spec.parent", parent, format!("has no room for tenant `{tenant}`: {message}")))
}

/// The cache may not have seen a tenant that was made together with the one below it. If the API server does not
/// answer, the reconciler finds out.
async fn is_there(tenant: &str, client: &Client) -> bool {
    !matches!(Api::<Tenant>::all(client.clone()).get_opt(tenant).await, Ok(None))
}

async fn deleted(tenant: &Tenant, view: &View, client: &Client, now: jiff::Timestamp) -> Option<Fault> {
    let name = tenant.name_any();
    let forest = view.forest();
    let children = forest.children(&name);
    // The cache may still show one that has just gone.
    if any_is_there(&children, client).await {
        let message = format!(
            "has tenants below it: {}; delete them first, or give them another spec.parent",
            told(&children)
        );
        return Some(Fault::new("metadata.name", &name, message));
    }
    let is_over = forest.leaves_at(&name).is_some_and(|end| end <= now);
    let is_confirmed = tenant.annotations().get(annotations::CONFIRM_DELETION) == Some(&name);
    if is_over || is_confirmed {
        return None;
    }
    let namespace = tenant.status.as_ref().and_then(|status| status.namespace.clone())?;
    let clusters: Api<TenantControlPlane> = Api::namespaced(client.clone(), &namespace);
    let names: Vec<String> = match clusters.list_metadata(&ListParams::default()).await {
        Ok(list) => list.items.iter().map(ResourceExt::name_any).collect(),
        Err(_) => vec!["what there is could not be found out".to_owned()],
    };
    if names.is_empty() {
        return None;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!(
        "still has control planes: {}; set spec.state to Leaving, and it is deleted when its grace period is over, \
         or have it deleted at once with all it has: kubectl annotate tenant {name} {}={name}",
        told(&names),
        annotations::CONFIRM_DELETION
    );
    Some(Fault::new("metadata.name", &name, message))
}

async fn any_is_there(tenants: &[&str], client: &Client) -> bool {
    for tenant in tenants {
        if is_there(tenant, client).await {
            return true;
        }
    }
    false
}

/// The first of some names, and how many more there are.
fn told(names: &[&str]) -> String {
    let first = names.iter().take(TOLD).copied().collect::<Vec<_>>().join(", ");
    if names.len() > TOLD { format!("{first} and {} more", names.len() - TOLD) } else { first }
}
