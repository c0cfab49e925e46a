//! Data stores: where hosted clusters keep their objects, how each store is, and who is on it. Credentials of stores are
//! never read: only what is named here is taken out of what the management cluster answers.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::transform::TransformOperation;
use api::{DataStore, DataStoreSpec, DataStoreStatus, Driver};
use authz::Place;
use axum::Json;
use jiff::Timestamp;
use kube::api::{ApiResource, ListParams};
use kube::core::Object;
use kube::{Api, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::caller::{Ask, Caller};
use crate::cluster_id::{ClusterId, is_label};
use crate::extract::Named;
use crate::hub::Hub;
use crate::inventory::{RowCondition, conditions};
use crate::problem::Problem;

const RESOURCE: &str = "datastores";

/// What is read of a store's spec.
#[derive(Clone, Debug, Deserialize)]
struct Narrow {
    driver: Driver,
    endpoints: Vec<String>,
}

type Read = Object<Narrow, DataStoreStatus>;

/// A data store.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DataStoreRow {
    /// Its name.
    name: String,
    /// `etcd`, `PostgreSQL`, `MySQL` or `NATS`.
    driver: String,
    /// Its addresses.
    endpoints: Vec<String>,
    /// Whether it can be used.
    ready: bool,
    /// What holds of it, with cause and next step.
    conditions: Vec<RowCondition>,
    /// How many control planes keep their objects there.
    control_planes: usize,
    /// How many it takes; as many as come without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<usize>,
    /// When it was made known.
    created: Option<Timestamp>,
}

/// Data stores, by name.
#[derive(Serialize, JsonSchema)]
struct DataStorePage {
    /// All of them.
    items: Vec<DataStoreRow>,
    /// How many there are.
    total: usize,
}

/// A data store, and who is on it.
#[derive(Serialize, JsonSchema)]
struct DataStoreShown {
    #[serde(flatten)]
    row: DataStoreRow,
    /// The clusters that keep their objects there.
    clusters: Vec<StoredCluster>,
}

/// A cluster that keeps its objects in a store.
#[derive(Serialize, JsonSchema)]
struct StoredCluster {
    /// Its id.
    id: String,
    /// Its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// Its state in one word, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// The routes of data stores.
pub(crate) fn routes() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route("/api/v1/datastores", get_with(list, describe_list))
        .api_route("/api/v1/datastores/{name}", get_with(show, describe_show))
}

fn describe_list(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("List data stores")
        .description("For those who may list them at the platform. Credentials are not among what is shown.")
        .tag(RESOURCE)
}

async fn list(caller: Caller) -> Result<Json<DataStorePage>, Problem> {
    require(&caller, "list", "").await?;
    let mut found = stores(&caller).list(&ListParams::default()).await?.items;
    found.sort_by_key(ResourceExt::name_any);
    let items: Vec<DataStoreRow> = found.into_iter().map(row).collect();
    Ok(Json(DataStorePage { total: items.len(), items }))
}

fn describe_show(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Read a data store, and which clusters are on it")
        .description("For those who may get it at the platform. Credentials are not among what is shown.")
        .tag(RESOURCE)
}

async fn show(caller: Caller, Named(name): Named) -> Result<Json<DataStoreShown>, Problem> {
    require(&caller, "get", &name).await?;
    // What is no name could lead elsewhere.
    let found = if name.split('.').all(is_label) { stores(&caller).get_opt(&name).await? } else { None };
    let found = found.ok_or_else(|| Problem::not_found(RESOURCE, &name))?;
    let used_by = found.status.as_ref().map(|status| status.used_by.clone()).unwrap_or_default();
    let clusters = used_by.iter().filter_map(|path| stored(&caller, path)).collect();
    Ok(Json(DataStoreShown { row: row(found), clusters }))
}

async fn require(caller: &Caller, verb: &str, name: &str) -> Result<(), Problem> {
    caller.require(&Ask { verb, resource: RESOURCE, name, place: Place::Platform }).await
}

fn stores(caller: &Caller) -> Api<Read> {
    Api::all_with(caller.hub.client.clone(), &ApiResource::erase::<DataStore>(&()))
}

/// A cluster by what stores call it, `namespace/name`.
fn stored(caller: &Caller, path: &str) -> Option<StoredCluster> {
    let (namespace, name) = path.split_once('/')?;
    let id = ClusterId::Hosted { namespace: namespace.to_owned(), name: name.to_owned() }.to_string();
    let known = caller.hub.inventory.row(&id);
    let (tenant, state) = known.map(|row| (row.tenant.clone(), row.state.clone())).unzip();
    Some(StoredCluster { id, tenant: tenant.flatten(), state })
}

fn row(store: Read) -> DataStoreRow {
    let spec = DataStoreSpec {
        driver: store.spec.driver,
        endpoints: store.spec.endpoints,
        ..DataStoreSpec::default()
    };
    let store = DataStore { metadata: store.metadata, spec, status: store.status };
    let status = store.status.clone().unwrap_or_default();
    DataStoreRow {
        name: store.name_any(),
        driver: store.spec.driver.to_string(),
        ready: status.ready,
        conditions: conditions(&status.conditions),
        control_planes: status.used_by.len(),
        // A number that cannot be read limits nobody here; the operator says so where it counts.
        capacity: desired::placement::capacity(&store).ok().flatten(),
        created: store.creation_timestamp().map(|time| time.0),
        endpoints: store.spec.endpoints,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Read, row};

    #[test]
    fn nothing_secret_of_a_store_is_shown() {
        let secret = json!({ "content": "aHVudGVyMg==" });
        let store: Read = serde_json::from_value(json!({
            "metadata": {
                "name": "gold",
                "annotations": {
                    "flotilla.dev/capacity": "40",
                    "kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg==",
                },
            },
            "spec": {
                "driver": "PostgreSQL", "endpoints": ["db:5432"],
                "basicAuth": { "username": secret, "password": secret },
            },
            "status": { "ready": true, "usedBy": ["acme/prod", "acme/test"] },
        }))
        .unwrap();
        let shown = serde_json::to_value(row(store)).unwrap();
        assert!(!shown.to_string().contains("aHVudGVyMg=="), "{shown}");
        assert_eq!((&shown["driver"], &shown["capacity"]), (&json!("PostgreSQL"), &json!(40)));
        assert_eq!(shown["controlPlanes"], 2);
    }
}
