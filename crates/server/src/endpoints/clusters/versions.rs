//! Versions of Kubernetes that a cluster may have.

use std::collections::BTreeSet;

use aide::transform::TransformOperation;
use api::validation::SUPPORTED_MINORS;
use authz::quota::Quotas;
use authz::{Place, Scope};
use axum::Json;
use base::KubernetesVersion;
use kube::runtime::reflector::ObjectRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::caller::Caller;
use crate::extract::Asked;
use crate::inventory::Kind;
use crate::problem::Problem;

/// For whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionsQuery {
    /// Only what this tenant and all above it allow.
    tenant: Option<String>,
}

/// What may be chosen.
#[derive(Serialize, JsonSchema)]
pub(super) struct Versions {
    /// Minor versions, the newest first.
    items: Vec<OfferedMinor>,
}

/// A minor version of Kubernetes.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct OfferedMinor {
    /// Such as `v1.36`.
    minor: String,
    /// Its versions that clusters run here or that quotas name, the newest first. There may be others.
    versions: Vec<String>,
}

pub(super) fn describe(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Versions of Kubernetes that a cluster may have")
        .description("Of the clusters that you see.")
        .tag("clusters")
}

/// Answers with what may be chosen.
pub(super) async fn list(
    caller: Caller,
    Asked(query): Asked<VersionsQuery>,
) -> Result<Json<Versions>, Problem> {
    let mut seen = Seen::default();
    let rows = caller.hub.inventory.rows();
    let hosted = rows.iter().filter(|row| row.kind == Kind::Hosted && seen.sees(&caller, row));
    let mut known: BTreeSet<KubernetesVersion> =
        hosted.filter_map(|row| row.version.as_ref()?.parse().ok()).collect();
    let Some(tenant) = &query.tenant else {
        return Ok(Json(Versions { items: offered(&known, |_| true) }));
    };
    let tree = caller.snapshot.policy.tree();
    if !tree.has(&Scope::Tenant(tenant.clone())) || !caller.sees(Place::Tenant(tenant)) {
        return Err(Problem::not_found("tenants", tenant));
    }
    let mut quotas = Quotas::default();
    for above in tree.ancestry(Place::Tenant(tenant)) {
        let Some(object) = caller.hub.caches.tenants.get(&ObjectRef::new(above)) else { continue };
        let versions = &object.spec.quota.versions;
        known.extend(versions.iter().filter_map(|version| version.parse().ok()));
        quotas.limits.entry(above.to_owned()).or_default().versions.clone_from(versions);
    }
    let admits = |version: &str| quotas.admit_version(tree, tenant, version).is_ok();
    Ok(Json(Versions { items: offered(&known, admits) }))
}

/// Minor versions that run as control planes, with those of their versions that are known and admitted.
fn offered(known: &BTreeSet<KubernetesVersion>, admits: impl Fn(&str) -> bool) -> Vec<OfferedMinor> {
    let minors = SUPPORTED_MINORS.rev().filter_map(|number| {
        let of_minor = known.iter().rev().filter(|version| version.minor() == number);
        let versions: Vec<String> =
            of_minor.map(ToString::to_string).filter(|version| admits(version)).collect();
        let minor = format!("v1.{number}");
        // Where certain versions are allowed only, the minor version as such is not.
        (admits(&minor) || !versions.is_empty()).then_some(OfferedMinor { minor, versions })
    });
    minors.collect()
}

#[cfg(test)]
mod tests {
    use super::{OfferedMinor, offered};

    fn told(known: &[&str], admits: impl Fn(&str) -> bool) -> Vec<String> {
        let known = known.iter().map(|version| version.parse().unwrap()).collect();
        let line = |OfferedMinor { minor, versions }| format!("{minor}: {}", versions.join(" "));
        offered(&known, admits).into_iter().map(line).collect()
    }

    #[test]
    fn every_version_that_runs_is_offered_below_its_minor_version_the_newest_first() {
        let all = told(&["1.36.9", "v1.36.10", "v1.35.4", "v1.12.0", "v1.99.0"], |_| true);
        assert_eq!(all[..3], ["v1.36: v1.36.10 v1.36.9", "v1.35: v1.35.4", "v1.34: "]);
        assert_eq!(all.last().unwrap(), "v1.30: ");
    }

    #[test]
    fn what_is_not_admitted_is_not_offered() {
        let known = ["v1.36.3", "v1.36.1", "v1.35.4"];
        assert_eq!(told(&known, |version| version == "v1.36.1"), ["v1.36: v1.36.1"]);
        assert_eq!(told(&known, |version| version.starts_with("v1.35")), ["v1.35: v1.35.4"]);
        assert_eq!(told(&[], |version| version == "v1.35"), ["v1.35: "]);
        assert!(told(&known, |_| false).is_empty());
    }
}
