//! Tenants in their tree, as admission and reconciliation look at them. Pure.

use std::collections::{BTreeMap, HashMap};

use api::{Tenant, TenantQuota, TenantState};
use authz::quota::{Amounts, Kind, Limits, Quotas};
use authz::{DEEPEST, Place, Tree};
use base::quantity;
use jiff::Timestamp;
use kube::ResourceExt;

/// All tenants at a moment.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pub(super) tree: Tree,
    /// The limits of each tenant; what tenants have changes oftener and is not kept here.
    pub(super) quotas: Quotas,
    members: BTreeMap<String, Member>,
    children: HashMap<String, Vec<String>>,
    namespaces: HashMap<String, String>,
}

/// What is asked of one tenant.
#[derive(Debug)]
struct Member {
    state: TenantState,
    leaves_at: Option<Timestamp>,
    wanted_namespace: String,
}

/// A tenant that may not use what it has, and the one that is the reason: itself or one above it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held<'a> {
    pub(crate) by: &'a str,
    pub(crate) state: TenantState,
}

impl Forest {
    /// The limits beside what tenants have.
    pub(super) fn quotas_with(&self, own: HashMap<String, Amounts>) -> Quotas {
        Quotas { limits: self.quotas.limits.clone(), own }
    }

    pub(crate) fn new<'a>(tenants: impl IntoIterator<Item = &'a Tenant>) -> Self {
        let mut forest = Self::default();
        for tenant in tenants {
            forest.add(tenant);
        }
        forest
    }

    fn add(&mut self, tenant: &Tenant) {
        let name = tenant.name_any();
        self.tree.add_tenant(&name, tenant.spec.parent.as_deref());
        self.quotas.limits.insert(name.clone(), limits(&tenant.spec.quota));
        if let Some(namespace) = tenant.status.as_ref().and_then(|status| status.namespace.clone()) {
            self.namespaces.insert(namespace, name.clone());
        }
        let is_going = tenant.metadata.deletion_timestamp.is_some();
        let state = if is_going { TenantState::Leaving } else { tenant.spec.state };
        let leaves_at = tenant.status.as_ref().and_then(|status| status.leaves_at.as_ref()).map(|end| end.0);
        let leaves_at = leaves_at.filter(|_| state == TenantState::Leaving);
        if let Some(parent) = &tenant.spec.parent {
            self.children.entry(parent.clone()).or_default().push(name.clone());
        }
        self.members.insert(name, Member { state, leaves_at, wanted_namespace: tenant.wanted_namespace() });
    }

    /// Whether there is such a tenant.
    pub(crate) fn has(&self, tenant: &str) -> bool {
        self.members.contains_key(tenant)
    }

    /// The tenant whose control planes live in a namespace.
    pub(crate) fn owner(&self, namespace: &str) -> Option<&str> {
        self.namespaces.get(namespace).map(String::as_str)
    }

    /// Another tenant that wants the namespace.
    pub(crate) fn rival(&self, tenant: &str, namespace: &str) -> Option<&str> {
        let is_rival = |(name, member): &(&String, &Member)| {
            *name != tenant && (member.wanted_namespace == namespace || self.owner(namespace) == Some(name))
        };
        self.members.iter().find(is_rival).map(|(name, _)| name.as_str())
    }

    /// The tenant and those above it, up to the top. Empty if the way up does not end, or leads to nobody.
    pub(crate) fn line(&self, tenant: &str) -> Vec<&str> {
        match self.members.get_key_value(tenant) {
            Some((own, _)) => self.tree.ancestry(Place::Tenant(own.as_str())).collect(),
            None => Vec::new(),
        }
    }

    /// The tenants directly below one.
    pub(crate) fn children(&self, tenant: &str) -> Vec<&str> {
        self.children.get(tenant).into_iter().flatten().map(String::as_str).collect()
    }

    /// The tenant and all below it.
    pub(crate) fn within(&self, tenant: &str) -> Vec<&str> {
        self.members.keys().map(String::as_str).filter(|name| self.tree.is_within(name, tenant)).collect()
    }

    /// Why a tenant may not use what it has; who leaves holds harder than who is suspended.
    pub(crate) fn held(&self, tenant: &str) -> Option<Held<'_>> {
        let (tenant, _) = self.members.get_key_value(tenant)?;
        let line = self.tree.ancestry(Place::Tenant(tenant.as_str()));
        let held = line.filter_map(|by| Some(Held { by, state: self.members.get(by)?.state }));
        let held: Vec<Held<'_>> = held.filter(|held| held.state != TenantState::Active).collect();
        let leaving = held.iter().position(|held| held.state == TenantState::Leaving).unwrap_or_default();
        held.into_iter().nth(leaving)
    }

    /// When a tenant is deleted, since it or one above it leaves.
    pub(crate) fn leaves_at(&self, tenant: &str) -> Option<Timestamp> {
        self.line(tenant).into_iter().filter_map(|above| self.members.get(above)?.leaves_at).min()
    }

    /// Whether a tenant, with all below it, still fits under another.
    pub(crate) fn is_too_deep(&self, tenant: &str, parent: &str) -> bool {
        let above = self.line(parent).len();
        let height =
            |name: &str| self.line(name).iter().position(|own| *own == tenant).unwrap_or_default() + 1;
        let below = self.within(tenant).into_iter().map(height).max().unwrap_or(1);
        above + below > DEEPEST
    }
}

fn limits(quota: &TenantQuota) -> Limits {
    let count = |limit: Option<i32>| limit.map(|limit| u64::try_from(limit).unwrap_or_default());
    let amounts = [
        (Kind::Clusters, count(quota.clusters)),
        (Kind::ControlPlaneReplicas, count(quota.control_plane_replicas)),
        (Kind::Workers, count(quota.workers)),
        // What cannot be read was refused; were it there all the same, it would allow nothing.
        (Kind::Cpu, quota.cpu.as_ref().map(|cpu| quantity::thousandths(&cpu.0).unwrap_or_default())),
        (Kind::Memory, quota.memory.as_ref().map(|memory| quantity::units(&memory.0).unwrap_or_default())),
    ];
    let mut lists = Limits::default();
    lists.versions.clone_from(&quota.versions);
    lists.data_stores.clone_from(&quota.data_stores);
    amounts
        .into_iter()
        .filter_map(|(kind, limit)| Some((kind, limit?)))
        .fold(lists, |limits, (kind, limit)| limits.with(kind, limit))
}

#[cfg(test)]
pub(super) mod tests {
    use api::{Tenant, TenantState};
    use serde_json::{Value, json};

    use super::{Forest, Held};

    pub(in crate::tenancy) fn tenant(name: &str, parent: Option<&str>, rest: Value) -> Tenant {
        let mut spec = rest;
        spec["parent"] = json!(parent);
        let object = json!({
            "apiVersion": "flotilla.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name},
            "spec": spec, "status": {"namespace": name},
        });
        serde_json::from_value(object).unwrap()
    }

    fn forest() -> Forest {
        Forest::new(&[
            tenant("acme", None, json!({})),
            tenant("dev", Some("acme"), json!({"namespace": "acme-dev", "state": "Suspended"})),
            tenant("team", Some("dev"), json!({})),
            tenant("globex", None, json!({})),
            tenant("orphan", Some("nobody"), json!({})),
            tenant("head", Some("tail"), json!({})),
            tenant("tail", Some("head"), json!({})),
        ])
    }

    #[test]
    fn a_line_leads_to_the_top_or_nowhere() {
        let forest = forest();
        assert_eq!(forest.line("team"), ["team", "dev", "acme"]);
        assert_eq!(forest.children("acme"), ["dev"]);
        assert_eq!(forest.within("acme"), ["acme", "dev", "team"]);
        for lost in ["orphan", "head", "stranger"] {
            assert!(forest.line(lost).is_empty(), "{lost}");
        }
    }

    #[test]
    fn who_is_above_holds_who_is_below_and_leaving_holds_harder() {
        let forest = forest();
        assert_eq!(forest.held("team"), Some(Held { by: "dev", state: TenantState::Suspended }));
        assert_eq!(forest.held("acme"), None);
        let mut gone = tenant("acme", None, json!({}));
        gone.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        let dev = tenant("dev", Some("acme"), json!({"state": "Suspended"}));
        let forest = Forest::new(&[gone, dev]);
        assert_eq!(forest.held("dev"), Some(Held { by: "acme", state: TenantState::Leaving }));
    }

    #[test]
    fn a_namespace_has_one_tenant() {
        let forest = forest();
        assert_eq!(forest.rival("newcomer", "acme-dev"), Some("dev"));
        assert_eq!(forest.rival("newcomer", "globex"), Some("globex"));
        assert_eq!(forest.rival("dev", "acme-dev"), None);
        assert_eq!(forest.owner("acme"), Some("acme"));
    }

    #[test]
    fn no_branch_grows_deeper_than_the_tree_is_read() {
        let mut tenants = vec![tenant("t0", None, json!({}))];
        for depth in 1..30 {
            tenants.push(tenant(&format!("t{depth}"), Some(&format!("t{}", depth - 1)), json!({})));
        }
        tenants.extend([tenant("a", None, json!({})), tenant("b", Some("a"), json!({}))]);
        let forest = Forest::new(&tenants);
        assert!(!forest.is_too_deep("a", "t29") && !forest.is_too_deep("new", "t29"));
        let deeper = tenant("c", Some("b"), json!({}));
        let forest = Forest::new(tenants.iter().chain([&deeper]));
        assert!(forest.is_too_deep("a", "t29"));
        assert_eq!(forest.line("t29").len(), 30);
    }
}
