//! What is told of a tenant. Pure.

use api::condition::put;
use api::{Tenant, TenantStatus, TenantUsage};
use authz::quota::{Amounts, KINDS, Kind};
use desired::backups::condition;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::forest::{Forest, Held};
use super::verdict::amount_of;

/// What a pass found.
pub(super) struct Found<'a> {
    pub(super) own: Amounts,
    pub(super) total: Amounts,
    /// Whether the namespace is the tenant's; what to do if it is not.
    pub(super) namespace: Result<(), String>,
    /// What else hinders, with its reason.
    pub(super) hindered: Option<(&'static str, String)>,
    pub(super) held: Option<Held<'a>>,
    /// When its own grace period is over.
    pub(super) leaves_at: Option<Timestamp>,
    /// When it is deleted, since that of one above it may be over before.
    pub(super) deleted_at: Option<Timestamp>,
}

pub(super) fn status(tenant: &Tenant, forest: &Forest, found: &Found<'_>, now: Timestamp) -> TenantStatus {
    let name = tenant.metadata.name.as_deref().unwrap_or_default();
    let generation = tenant.metadata.generation;
    let before = tenant.status.clone().unwrap_or_default();
    let mut conditions = before.conditions;
    let (holds, reason, message) = ready(forest, name, found);
    put(&mut conditions, condition("Ready", Some(holds), reason, message, generation, now));
    let (holds, reason, message) = within_quota(forest, name, &found.total);
    put(&mut conditions, condition("WithinQuota", Some(holds), reason, message, generation, now));
    let line = forest.line(name);
    TenantStatus {
        observed_generation: generation,
        conditions,
        namespace: found.namespace.is_ok().then(|| tenant.wanted_namespace()),
        above: line.iter().skip(1).rev().map(|above| (*above).to_owned()).collect(),
        children: i32::try_from(forest.children(name).len()).unwrap_or(i32::MAX),
        own: usage(&found.own),
        total: usage(&found.total),
        leaves_at: found.leaves_at.map(Time),
    }
}

fn ready(forest: &Forest, name: &str, found: &Found<'_>) -> (bool, &'static str, String) {
    if let Some((reason, message)) = &found.hindered {
        return (false, reason, message.clone());
    }
    if forest.line(name).is_empty() {
        let message = "the tenants above do not lead to the top of the tree: one is missing, or they stand in a \
                       ring; mend spec.parent of this one or of those above it";
        return (false, "NoWayUp", message.to_owned());
    }
    if let Err(message) = &found.namespace {
        return (false, "NamespaceTaken", message.clone());
    }
    let by = |held: &Held<'_>| {
        if held.by == name { String::new() } else { format!(" with tenant `{}` above it", held.by) }
    };
    match (&found.held, found.deleted_at) {
        (Some(held), Some(end)) => {
            let message = format!(
                "the tenant leaves{}: its control planes sleep, and it is deleted with all it has at {end}; set \
                 spec.state to Active to keep it",
                by(held)
            );
            (false, "Leaving", message)
        }
        (Some(held), None) => {
            let message = format!(
                "the tenant is suspended{}: its control planes sleep, and it gets nothing more until spec.state is Active",
                by(held)
            );
            (false, "Suspended", message)
        }
        (None, _) => (true, "Active", "the namespace is there and may be used".to_owned()),
    }
}

fn within_quota(forest: &Forest, name: &str, total: &Amounts) -> (bool, &'static str, String) {
    let limits = forest.quotas.limits.get(name);
    let over: Vec<String> = KINDS
        .into_iter()
        .filter_map(|kind| {
            let limit = limits?.of(kind)?;
            let used = total.of(kind);
            let told = |amount| amount_of(kind, amount);
            (used > limit).then(|| format!("{} {} of {}", word(kind), told(used), told(limit)))
        })
        .collect();
    if over.is_empty() {
        return (true, "WithinQuota", "it and all below it have no more than its quota".to_owned());
    }
    let message = format!(
        "more is used than the quota allows: {}; nothing is taken away, and nothing more is given",
        over.join(", ")
    );
    (false, "OverQuota", message)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Clusters => "clusters",
        Kind::ControlPlaneReplicas => "controlPlaneReplicas",
        Kind::Cpu => "cpu",
        Kind::Memory => "memory",
        Kind::Workers => "workers",
    }
}

fn usage(amounts: &Amounts) -> TenantUsage {
    let count = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    TenantUsage {
        clusters: count(amounts.clusters),
        control_plane_replicas: count(amounts.control_plane_replicas),
        cpu: Quantity(amount_of(Kind::Cpu, amounts.cpu_millis)),
        memory: Quantity(amount_of(Kind::Memory, amounts.memory_bytes)),
        workers: count(amounts.workers),
    }
}

#[cfg(test)]
mod tests {
    use api::TenantState;
    use authz::quota::Amounts;
    use jiff::Timestamp;
    use serde_json::json;

    use super::super::forest::tests::tenant;
    use super::{Forest, Found, Held, status};

    fn told(found: &Found<'_>, quota: i32) -> Vec<(String, String)> {
        let acme = tenant("acme", None, json!({"quota": {"clusters": quota}}));
        let dev = tenant("dev", Some("acme"), json!({"quota": {"clusters": quota, "cpu": "1"}}));
        let forest = Forest::new([&acme, &dev]);
        let status = status(&dev, &forest, found, Timestamp::UNIX_EPOCH);
        assert_eq!(status.above, ["acme"]);
        status.conditions.into_iter().map(|told| (told.reason, told.message)).collect()
    }

    fn found() -> Found<'static> {
        let total = Amounts { clusters: 2, cpu_millis: 1500, ..Amounts::default() };
        Found {
            own: total,
            total,
            namespace: Ok(()),
            hindered: None,
            held: None,
            leaves_at: None,
            deleted_at: None,
        }
    }

    #[test]
    fn what_is_too_much_is_named() {
        let told = told(&found(), 1);
        assert_eq!((told[0].0.as_str(), told[1].0.as_str()), ("Active", "OverQuota"));
        assert!(told[1].1.contains("clusters 2 of 1, cpu 1500m of 1"), "{}", told[1].1);
    }

    #[test]
    fn who_holds_and_until_when_is_told() {
        let held = || Some(Held { by: "acme", state: TenantState::Suspended });
        let suspended = told(&Found { held: held(), ..found() }, 5);
        assert_eq!(suspended[0].0, "Suspended");
        assert!(suspended[0].1.contains("with tenant `acme` above it"), "{}", suspended[0].1);
        let leaving = told(&Found { held: held(), deleted_at: Some(Timestamp::UNIX_EPOCH), ..found() }, 5);
        assert!(leaving[0].1.contains("deleted with all it has at 1970-01-01T00:00:00Z"), "{}", leaving[0].1);
        let taken = told(&Found { namespace: Err("taken".to_owned()), held: held(), ..found() }, 5);
        assert_eq!(taken[0].0, "NamespaceTaken");
    }

    #[test]
    fn a_tenant_that_leads_nowhere_is_told_so() {
        let orphan = tenant("orphan", Some("nobody"), json!({}));
        let status = status(&orphan, &Forest::new([&orphan]), &found(), Timestamp::UNIX_EPOCH);
        assert_eq!(status.conditions[0].reason, "NoWayUp");
        assert_eq!(status.namespace.as_deref(), Some("orphan"));
    }
}
