//! The objects that every local cluster holds: roles, storage class, name server.

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope, pinned_kind};
use kube::{Api, Client};

use super::storage::{PROVISIONER, STORAGE_CLASS};
use crate::images::COREDNS_IMAGE;
use crate::{Error, Record};

const FIELD_MANAGER: &str = "flotilla-local";
const BASE: &str = include_str!("../../manifests/base.yaml");
const NAME_SERVER: &str = include_str!("../../manifests/name-server.yaml");

/// Applies the objects; the name server only if its image is there.
pub(crate) async fn apply(client: &Client, record: &Record, name_server: bool) -> Result<(), Error> {
    for object in base()? {
        apply_object(client, &object).await?;
    }
    if name_server {
        for object in name_server_objects(record)? {
            apply_object(client, &object).await?;
        }
    }
    Ok(())
}

fn base() -> Result<Vec<DynamicObject>, Error> {
    let text = BASE.replace("{{STORAGE_CLASS}}", STORAGE_CLASS).replace("{{PROVISIONER}}", PROVISIONER);
    parse("base.yaml", &text)
}

fn name_server_objects(record: &Record) -> Result<Vec<DynamicObject>, Error> {
    let address = record.addresses.dns_service().to_string();
    parse(
        "name-server.yaml",
        &NAME_SERVER.replace("{{ADDRESS}}", &address).replace("{{IMAGE}}", COREDNS_IMAGE),
    )
}

fn parse(name: &'static str, text: &str) -> Result<Vec<DynamicObject>, Error> {
    serde_saphyr::from_multiple(text).map_err(|error| Error::Manifest { name, reason: error.to_string() })
}

async fn apply_object(client: &Client, object: &DynamicObject) -> Result<(), Error> {
    let types = object.types.clone().unwrap_or_default();
    let name = object.metadata.name.clone().unwrap_or_default();
    let failed = |source| Error::Apply { what: format!("{} `{name}`", types.kind), source: Box::new(source) };
    let (group, version) = types.api_version.split_once('/').unwrap_or(("", &types.api_version));
    let kind = GroupVersionKind::gvk(group, version, &types.kind);
    let (resource, capabilities): (ApiResource, _) = pinned_kind(client, &kind).await.map_err(failed)?;
    let api: Api<DynamicObject> = match (capabilities.scope, &object.metadata.namespace) {
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), namespace, &resource),
        (Scope::Namespaced, None) => Api::default_namespaced_with(client.clone(), &resource),
        (Scope::Cluster, _) => Api::all_with(client.clone(), &resource),
    };
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(&name, &parameters, &Patch::Apply(object)).await.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{base, name_server_objects};
    use crate::{AddressPlan, Layout, Record};

    #[test]
    fn the_manifests_are_complete_after_filling_in() {
        let layout = Layout::new("dev".parse().unwrap(), "/data".into());
        let plan = AddressPlan::first_free(&[]).unwrap();
        let record = Record::new(&layout, &"1.36.3".parse().unwrap(), 1, plan, "/dist".as_ref());
        let objects = [base().unwrap(), name_server_objects(&record).unwrap()].concat();
        for object in &objects {
            assert!(object.types.is_some() && object.metadata.name.is_some(), "{object:?}");
            assert!(!serde_json::to_string(object).unwrap().contains("{{"), "{object:?}");
        }
        let text = serde_json::to_string(&objects).unwrap();
        assert!(text.contains("10.200.64.10") && text.contains("flotilla.dev/local"), "{text}");
    }
}
