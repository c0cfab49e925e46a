//! Making hosted clusters, from scratch or from a template.

use std::collections::BTreeMap;
use std::time::Duration;

use aide::transform::TransformOperation;
use api::new_cluster::{compose, platform_fields};
use api::validation::Fault;
use api::{Template, TenantControlPlane, TenantControlPlaneSpec};
use authz::Place;
use axum::Json;
use axum::http::StatusCode;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::reflector::ObjectRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::hosted::{ClusterNamed, check_name, own_labels};
use crate::caches::hosted_id;
use crate::caller::{Ask, Caller};
use crate::endpoints::nouns::readable;
use crate::extract::Sent;
use crate::from_template;
use crate::hub::Hub;
use crate::problem::Problem;

/// How long the operator may take for the namespace of a new tenant.
const NAMESPACE_COMES: Duration = Duration::from_secs(10);

/// A hosted cluster to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCluster {
    /// Its name, unique in its tenant.
    #[schemars(length(min = 1, max = 63))]
    name: String,
    /// The tenant that it belongs to.
    tenant: String,
    /// What it is made from, instead of all that follows but labels.
    template: Option<ChosenTemplate>,
    /// Version of Kubernetes, such as `v1.36.3`.
    version: Option<String>,
    /// Pods of the control plane; 2 without it.
    #[schemars(range(min = 0, max = 9))]
    replicas: Option<i32>,
    /// How workers and people reach it: `LoadBalancer` without it, `NodePort` or `ClusterIP`.
    service_type: Option<String>,
    /// DataStore; one is chosen without it.
    data_store: Option<String>,
    /// More of the spec of the TenantControlPlane, merged over what clusters have otherwise (JSON merge patch). What
    /// reaches into the management cluster is for those who may make clusters at the platform.
    spec: Option<Map<String, Value>>,
    /// Labels.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// A template, and what is said of its parameters.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChosenTemplate {
    /// Its name.
    name: String,
    /// Which version of it; the newest that is not deprecated without it.
    version: Option<String>,
    /// Its parameters. Numbers and truth values may be written as text.
    #[serde(default)]
    parameters: Map<String, Value>,
}

pub(super) fn describe_create(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Make a hosted cluster")
        .description("From a `template`, or from scratch with a `version`.")
        .tag("clusters")
        .response::<201, Json<ClusterNamed>>()
}

/// Makes a control plane in the tenant's namespace.
pub(super) async fn create(
    caller: Caller,
    Sent(asked): Sent<NewCluster>,
) -> Result<(StatusCode, Json<ClusterNamed>), Problem> {
    let place = Place::Tenant(&asked.tenant);
    caller.require(&Ask { verb: "create", resource: "clusters", name: &asked.name, place }).await?;
    check_name(&asked.name)?;
    own_labels(asked.labels.keys())?;
    let (spec, labels) = match &asked.template {
        Some(chosen) => by_template(&caller, &asked, chosen).await?,
        None => (from_scratch(&caller, &asked)?, asked.labels),
    };
    let mut object = TenantControlPlane::new(&asked.name, spec);
    object.metadata.labels = Some(labels);
    let namespace = namespace(&caller.hub, &asked.tenant).await?;
    let control_planes: Api<TenantControlPlane> = Api::namespaced(caller.hub.client.clone(), &namespace);
    let made = control_planes.create(&PostParams::default(), &object).await?;
    Ok((StatusCode::CREATED, Json(ClusterNamed { id: hosted_id(&made).to_string() })))
}

/// The tenant's namespace. One that was just made has none for a moment, which is waited for.
async fn namespace(hub: &Hub, tenant: &str) -> Result<String, Problem> {
    let mut changes = hub.index.changes();
    let comes = async {
        loop {
            let snapshot = hub.index.now();
            let found = snapshot.namespaces.iter().find(|(_, own)| *own == tenant);
            if let Some((namespace, _)) = found {
                return Some(namespace.clone());
            }
            changes.changed().await.ok()?;
        }
    };
    let is_there = hub.caches.tenants.get(&ObjectRef::new(tenant)).is_some();
    let patience = if is_there { NAMESPACE_COMES } else { Duration::ZERO };
    tokio::time::timeout(patience, comes).await.ok().flatten().ok_or_else(|| {
        Problem::invalid(format!(
            "tenant: `{tenant}` has no namespace yet; its conditions say why, if it does not come by itself"
        ))
    })
}

async fn by_template(
    caller: &Caller,
    asked: &NewCluster,
    chosen: &ChosenTemplate,
) -> Result<(TenantControlPlaneSpec, BTreeMap<String, String>), Problem> {
    let beside = from_scratch_fields(asked);
    if !beside.is_empty() {
        return Err(Problem::invalid(format!(
            "template: it says what the cluster has; leave out {}, or say it by its parameters",
            beside.join(", ")
        )));
    }
    let template = readable::<Template>(caller, &chosen.name).await?;
    if !from_template::is_for(&template, &asked.tenant, caller.snapshot.policy.tree()) {
        return Err(Problem::invalid(format!(
            "template: `{}` is not for tenant `{}`; name one of its own, or one that is shared with it from above",
            chosen.name, asked.tenant
        )));
    }
    let made = from_template::make(&template, chosen.version.as_deref(), &chosen.parameters)
        .map_err(|faults| Problem::faults(&faults.into_iter().map(of_template).collect::<Vec<_>>()))?;
    let mut labels = asked.labels.clone();
    for (name, value) in made.labels {
        if labels.get(&name).is_some_and(|said| *said != value) {
            return Err(Problem::invalid(format!(
                "labels: the template says that `{name}` is `{value}`; leave it out"
            )));
        }
        labels.insert(name, value);
    }
    Ok((made.spec, labels))
}

fn from_scratch_fields(asked: &NewCluster) -> Vec<&'static str> {
    let said = [
        ("`version`", asked.version.is_some()),
        ("`replicas`", asked.replicas.is_some()),
        ("`serviceType`", asked.service_type.is_some()),
        ("`dataStore`", asked.data_store.is_some()),
        ("`spec`", asked.spec.is_some()),
    ];
    said.into_iter().filter_map(|(field, is_said)| is_said.then_some(field)).collect()
}

/// The path of what is said of a template, in the request.
fn of_template(fault: Fault) -> Fault {
    let is_said = fault.path == "version" || fault.path.starts_with("parameters.");
    if is_said { Fault { path: format!("template.{}", fault.path), ..fault } } else { fault }
}

fn from_scratch(caller: &Caller, asked: &NewCluster) -> Result<TenantControlPlaneSpec, Problem> {
    let said = said(asked).map_err(|fault| Problem::faults(&[fault]))?;
    if said.get("kubernetes").is_none_or(|kubernetes| kubernetes["version"].is_null()) {
        return Err(Problem::invalid(
            "version: say one, such as `v1.36.3`, or make the cluster from a `template`",
        ));
    }
    let anywhere = Ask { verb: "create", resource: "clusters", name: &asked.name, place: Place::Platform };
    if !caller.may(&anywhere) {
        let beyond = platform_fields(&said);
        if !beyond.is_empty() {
            return Err(Problem::faults(&beyond));
        }
    }
    compose(&said).map_err(|faults| Problem::faults(&faults))
}

/// All that is said of the spec.
fn said(asked: &NewCluster) -> Result<Map<String, Value>, Fault> {
    let mut spec = asked.spec.clone().unwrap_or_default();
    let fields: [(&str, &[&str], Option<Value>); 4] = [
        ("version", &["kubernetes", "version"], asked.version.as_deref().map(Value::from)),
        ("replicas", &["controlPlane", "deployment", "replicas"], asked.replicas.map(Value::from)),
        (
            "serviceType",
            &["controlPlane", "service", "serviceType"],
            asked.service_type.as_deref().map(Value::from),
        ),
        ("dataStore", &["dataStore"], asked.data_store.as_deref().map(Value::from)),
    ];
    for (field, path, value) in fields {
        let Some(value) = value else { continue };
        let contradicted = put(&mut spec, path, &value);
        contradicted.map_err(|other| {
            let message = format!("contradicts `{field}`, which is {value}; say it once");
            Fault::new(format!("spec.{}", path.join(".")), other, message)
        })?;
    }
    Ok(spec)
}

/// Puts a value where nothing else stands; else tells what does.
fn put(spec: &mut Map<String, Value>, path: &[&str], value: &Value) -> Result<(), Value> {
    match path {
        [] => Ok(()),
        [last] => match spec.get(*last) {
            Some(other) if other != value => Err(other.clone()),
            _ => {
                spec.insert((*last).to_owned(), value.clone());
                Ok(())
            }
        },
        [first, rest @ ..] => match spec.entry(*first).or_insert_with(|| Map::new().into()) {
            Value::Object(inner) => put(inner, rest, value),
            other => Err(other.clone()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{NewCluster, said};

    fn read(fields: Value) -> Result<Value, String> {
        let mut body = json!({ "name": "prod", "tenant": "acme" });
        let fields: Map<String, Value> = serde_json::from_value(fields).unwrap();
        body.as_object_mut().unwrap().extend(fields);
        let asked: NewCluster = serde_json::from_value(body).unwrap();
        said(&asked).map(Value::Object).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_said_twice_is_said_alike() {
        let spec =
            json!({ "controlPlane": { "deployment": { "replicas": 1 } }, "addons": { "kubeProxy": null } });
        let read_so = read(json!({ "version": "v1.36.3", "replicas": 1, "spec": spec }));
        assert_eq!(
            read_so.unwrap(),
            json!({
                "controlPlane": { "deployment": { "replicas": 1 } },
                "addons": { "kubeProxy": null },
                "kubernetes": { "version": "v1.36.3" },
            })
        );
        assert_eq!(
            read(json!({ "replicas": 3, "spec": spec })).unwrap_err(),
            "spec.controlPlane.deployment.replicas: `1` contradicts `replicas`, which is 3; say it once"
        );
        let refused = read(json!({ "version": "v1.36.3", "spec": { "kubernetes": "v1.35.0" } })).unwrap_err();
        assert!(refused.starts_with("spec.kubernetes.version: `\"v1.35.0\"` contradicts"), "{refused}");
    }
}
