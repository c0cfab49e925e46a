//! The tenant's place in its store.

use super::Fault;
use crate::TenantControlPlaneSpec;

/// Name of etcd's all-powerful user and role.
const ADMINISTRATOR: &str = "root";

pub(super) fn check(spec: &TenantControlPlaneSpec, faults: &mut Vec<Fault>) {
    let places = [
        ("spec.dataStoreSchema", &spec.data_store_schema),
        ("spec.dataStoreUsername", &spec.data_store_username),
    ];
    for (path, value) in places {
        let Some(value) = value.as_deref() else { continue };
        if value == ADMINISTRATOR {
            let message = "belongs to the store's administrator; choose another name or leave the field out";
            faults.push(Fault::new(path, value, message));
        } else if value.contains('/') {
            let message = "must not contain `/`, which would reach into the places of others";
            faults.push(Fault::new(path, value, message));
        }
    }
}
