//! A Deployment to be judged and thrown away: what comes of the spec is right, the rest is made up.

use std::collections::{BTreeMap, BTreeSet};

use api::Driver;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;

use super::{DeploymentInputs, Settings, Start, deployment};
use crate::data_store::DataStoreMaterial;
use crate::{Endpoint, Validated};

/// The Deployment as far as the spec alone decides it.
#[must_use]
pub fn preview(control_plane: &Validated) -> Deployment {
    let endpoint = Endpoint { address: "192.0.2.1".to_owned(), port: control_plane.port(), service_ip: None };
    let store = DataStoreMaterial {
        name: "preview".to_owned(),
        driver: Driver::Etcd,
        endpoints: Vec::new(),
        ca_certificate: None,
        ca_private_key: None,
        client_certificate: None,
        basic_auth: None,
    };
    let inputs = DeploymentInputs {
        checksums: &BTreeMap::new(),
        store: &store,
        store_config: "",
        store_certificate: "",
        store_authority: "",
        served_names: "",
        bundles: &BTreeSet::new(),
        overrides: &[],
        settings: &Settings { kine_image: String::new(), go_gc: None },
        start: Start::Held,
        live: None,
        now: Timestamp::UNIX_EPOCH,
    };
    deployment(control_plane, &endpoint, &inputs)
}
