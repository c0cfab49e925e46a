//! What a tenant may not have, in words. Pure.

use api::validation::Fault;
use api::{TenantControlPlane, TenantState};
use authz::quota::{Amounts, Exceeded, Kind, NotAllowed};

use super::demand;
use super::forest::{Forest, Held};
use super::ledger::growth;

/// What stands against a change whatever room there is: the tenant may not use what it has, or may not choose
/// this. `old` is what was there before.
pub(super) fn choices(
    forest: &Forest,
    tenant: &str,
    old: Option<&TenantControlPlane>,
    new: &TenantControlPlane,
) -> Vec<Fault> {
    let mut found = Vec::new();
    if let Some(held) = forest.held(tenant)
        && more(old, new) != Amounts::default()
    {
        found.push(Fault::new(
            "metadata.namespace",
            new.metadata.namespace.clone().unwrap_or_default(),
            held_back(tenant, &held),
        ));
    }
    let quotas = &forest.quotas;
    let version = &new.spec.kubernetes.version;
    if old.is_none_or(|old| old.spec.kubernetes.version != *version)
        && let Err(refusal) =
            quotas.admit_version(&forest.tree, tenant, &format!("v{}", version.trim_start_matches('v')))
    {
        found.push(Fault::new("spec.kubernetes.version", version, not_allowed(&refusal)));
    }
    for (path, store) in stores(new) {
        let is_new = old.is_none_or(|old| !stores(old).any(|(_, known)| known == store));
        if is_new && let Err(refusal) = quotas.admit_data_store(&forest.tree, tenant, store) {
            found.push(Fault::new(path, store, not_allowed(&refusal)));
        }
    }
    found
}

/// What a change asks for beside what is there.
pub(super) fn more(old: Option<&TenantControlPlane>, new: &TenantControlPlane) -> Amounts {
    growth(&old.map(demand::of).unwrap_or_default(), &demand::of(new))
}

/// The stores that a spec names, where; one that is still to be chosen is named by nothing, which a tenant that
/// may use certain ones only is not allowed.
fn stores(cluster: &TenantControlPlane) -> impl Iterator<Item = (String, &str)> {
    let own = cluster.spec.data_store.as_deref().unwrap_or_default();
    let overrides = cluster.spec.data_store_overrides.iter().enumerate().filter_map(|(index, entry)| {
        let name = entry.data_store.as_deref().filter(|name| !name.is_empty())?;
        Some((format!("spec.dataStoreOverrides[{index}].dataStore"), name))
    });
    std::iter::once(("spec.dataStore".to_owned(), own)).chain(overrides)
}

fn held_back(tenant: &str, held: &Held<'_>) -> String {
    let below = if held.by == tenant { String::new() } else { format!(" below tenant `{}`", held.by) };
    let what = match held.state {
        TenantState::Leaving => "is leaving; it gets nothing more",
        _ => "is suspended; it gets nothing more until its spec.state is Active",
    };
    format!("belongs to tenant `{tenant}`{below}, which {what}")
}

fn not_allowed(refusal: &NotAllowed) -> String {
    format!("is not what tenant `{}` allows: {}", refusal.tenant, refusal.allowed.join(", "))
}

/// The fault of a change for which there is no room; `unseen` requests of the last moments are counted in.
pub(super) fn exceeded(refusal: &Exceeded, unseen: usize) -> Fault {
    let (path, what) = match refusal.kind {
        Kind::Clusters => ("metadata.namespace", "clusters"),
        Kind::ControlPlaneReplicas => ("spec.controlPlane.deployment.replicas", "pods of control planes"),
        Kind::Cpu => ("spec.controlPlane.deployment.resources", "CPU of control planes"),
        Kind::Memory => ("spec.controlPlane.deployment.resources", "memory of control planes"),
        Kind::Workers => ("metadata.namespace", "workers"),
    };
    let told = |amount: u64| amount_of(refusal.kind, amount);
    let just_now = match unseen {
        0 => String::new(),
        count => format!(" ({count} of its clusters were asked for within the last 30 s)"),
    };
    let message = format!(
        "more are asked for than the quota of tenant `{tenant}` leaves: {what} {used} of {limit} are used{just_now}; \
         remove some, or have spec.quota of tenant `{tenant}` raised",
        tenant = refusal.tenant,
        used = told(refusal.used),
        limit = told(refusal.limit),
    );
    Fault::new(path, told(refusal.asked), message)
}

/// An amount as Kubernetes writes it.
pub(super) fn amount_of(kind: Kind, amount: u64) -> String {
    match kind {
        Kind::Cpu if amount.is_multiple_of(1000) => (amount / 1000).to_string(),
        Kind::Cpu => format!("{amount}m"),
        Kind::Memory if amount > 0 && amount.is_multiple_of(1 << 20) => format!("{}Mi", amount >> 20),
        _ => amount.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use api::TenantControlPlane;
    use authz::quota::{Exceeded, Kind};
    use serde_json::{Value, json};

    use super::super::forest::tests::tenant;
    use super::{Forest, amount_of, choices, exceeded};

    fn cluster(version: &str, store: &Value, replicas: i32) -> TenantControlPlane {
        serde_json::from_value(json!({
            "apiVersion": "kamaji.clastix.io/v1alpha1", "kind": "TenantControlPlane",
            "metadata": {"name": "a", "namespace": "dev"},
            "spec": {
                "controlPlane": {"service": {"serviceType": "ClusterIP"}, "deployment": {"replicas": replicas}},
                "kubernetes": {"version": version, "kubelet": {}}, "dataStore": store,
            },
        }))
        .unwrap()
    }

    fn said(forest: &Forest, old: Option<&TenantControlPlane>, new: &TenantControlPlane) -> String {
        choices(forest, "dev", old, new).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn versions_and_stores_of_the_tenants_above_count_too() {
        let forest = Forest::new(&[
            tenant("acme", None, json!({"quota": {"versions": ["v1.36"], "dataStores": ["gold"]}})),
            tenant("dev", Some("acme"), json!({})),
        ]);
        assert_eq!(said(&forest, None, &cluster("v1.36.3", &json!("gold"), 1)), "");
        let text = said(&forest, None, &cluster("1.35.4", &json!("tin"), 1));
        insta::assert_snapshot!(text, @r"
        spec.kubernetes.version: `1.35.4` is not what tenant `acme` allows: v1.36
        spec.dataStore: `tin` is not what tenant `acme` allows: gold
        ");
        // What was there before the limit came stays, and so does what is changed beside it.
        let old = cluster("v1.35.4", &json!("tin"), 1);
        assert_eq!(said(&forest, Some(&old), &cluster("v1.35.4", &json!("tin"), 2)), "");
        assert!(said(&forest, None, &cluster("v1.36.3", &Value::Null, 1)).contains("spec.dataStore: ``"));
    }

    #[test]
    fn who_is_held_gets_nothing_more_and_may_have_less() {
        let forest = Forest::new(&[
            tenant("acme", None, json!({"state": "Suspended"})),
            tenant("dev", Some("acme"), json!({})),
        ]);
        let (one, two) = (cluster("v1.36.3", &json!("x"), 1), cluster("v1.36.3", &json!("x"), 2));
        insta::assert_snapshot!(said(&forest, None, &one), @"metadata.namespace: `dev` belongs to tenant `dev` below tenant `acme`, which is suspended; it gets nothing more until its spec.state is Active");
        assert!(!said(&forest, Some(&one), &two).is_empty());
        assert_eq!(said(&forest, Some(&two), &one), "");
    }

    #[test]
    fn a_refusal_says_whose_quota_and_what_to_do() {
        let refusal =
            Exceeded { tenant: "acme".to_owned(), kind: Kind::Clusters, limit: 5, used: 5, asked: 1 };
        insta::assert_snapshot!(exceeded(&refusal, 2), @"metadata.namespace: `1` more are asked for than the quota of tenant `acme` leaves: clusters 5 of 5 are used (2 of its clusters were asked for within the last 30 s); remove some, or have spec.quota of tenant `acme` raised");
        assert_eq!(amount_of(Kind::Cpu, 1500), "1500m");
        assert_eq!(amount_of(Kind::Cpu, 2000), "2");
        assert_eq!(amount_of(Kind::Memory, 512 << 20), "512Mi");
        assert_eq!(amount_of(Kind::Memory, 0), "0");
    }
}
