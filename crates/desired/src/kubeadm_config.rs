//! The ConfigMap with the configuration that kubeadm would have had.
//!
//! Kamaji keeps kubeadm's internal structures in it, under their Go names. The text is the same byte for
//! byte, so that its checksum stays when a control plane is taken over.

use std::collections::BTreeMap;

use api::Driver;
use api::names::Component;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::Value;

use crate::data_store::DataStoreMaterial;
use crate::endpoint::{host_port, public};
use crate::konnectivity::config_map;
use crate::{Endpoint, Validated, pod_ranges, service_ranges};

/// The ConfigMap.
#[must_use]
pub fn kubeadm_config(
    control_plane: &Validated,
    endpoint: &Endpoint,
    store: &DataStoreMaterial,
) -> ConfigMap {
    let data = BTreeMap::from([
        ("ClusterConfiguration".to_owned(), cluster_configuration(control_plane, endpoint, store)),
        ("InitConfiguration".to_owned(), init_configuration(endpoint)),
    ]);
    config_map(control_plane, Component::KubeadmConfig, data)
}

fn init_configuration(endpoint: &Endpoint) -> String {
    format!(
        concat!(
            r#"{{"BootstrapTokens":[{{"token":"abcdef.0123456789abcdef","ttl":"24h0m0s","#,
            r#""usages":["signing","authentication"],"#,
            r#""groups":["system:bootstrappers:kubeadm:default-node-token"]}}],"DryRun":false,"#,
            r#""NodeRegistration":{{"Name":"node","CRISocket":"unix:///var/run/containerd/containerd.sock","#,
            r#""Taints":null,"KubeletExtraArgs":null,"IgnorePreflightErrors":null,"#,
            r#""imagePullPolicy":"IfNotPresent","ImagePullSerial":true}},"#,
            r#""LocalAPIEndpoint":{{"AdvertiseAddress":{address},"BindPort":{port}}},"#,
            r#""CertificateKey":"","SkipPhases":null,"Patches":null,"#,
            r#""Timeouts":{{"ControlPlaneComponentHealthCheck":"4m0s","KubeletHealthCheck":"4m0s","#,
            r#""KubernetesAPICall":"1m0s","EtcdAPICall":"2m0s","TLSBootstrap":"5m0s","#,
            r#""Discovery":"5m0s","UpgradeManifests":"5m0s"}}}}"#,
            "\n"
        ),
        address = text(&endpoint.address),
        port = endpoint.port,
    )
}

fn cluster_configuration(
    control_plane: &Validated,
    endpoint: &Endpoint,
    store: &DataStoreMaterial,
) -> String {
    // What stands before the API server decides the name that workers are given.
    let outside = public(control_plane, endpoint);
    format!(
        concat!(
            r#"{{"ComponentConfigs":null,"Etcd":{{"Local":null,"External":{{"Endpoints":{stores},"#,
            r#""HTTPEndpoints":null,"CAFile":"","CertFile":"","KeyFile":""}}}},"#,
            r#""Networking":{{"ServiceSubnet":{services},"PodSubnet":{pods},"DNSDomain":{domain}}},"#,
            r#""KubernetesVersion":{version},"CIKubernetesVersion":"","ControlPlaneEndpoint":{endpoint},"#,
            r#""APIServer":{{"ExtraArgs":[{{"Name":"etcd-compaction-interval","Value":"0s"}},"#,
            r#"{{"Name":"etcd-prefix","Value":{prefix}}}],"ExtraVolumes":null,"ExtraEnvs":null,"#,
            r#""CertSANs":{names},"TimeoutForControlPlane":"0s"}},"#,
            r#""ControllerManager":{{"ExtraArgs":null,"ExtraVolumes":null,"ExtraEnvs":null}},"#,
            r#""Scheduler":{{"ExtraArgs":null,"ExtraVolumes":null,"ExtraEnvs":null}},"#,
            r#""DNS":{{"ImageRepository":"","ImageTag":"","Disabled":false}},"Proxy":{{"Disabled":false}},"#,
            r#""CertificatesDir":"/etc/kubernetes/pki","ImageRepository":"registry.k8s.io","#,
            r#""CIImageRepository":"","FeatureGates":null,"ClusterName":{name},"#,
            r#""EncryptionAlgorithm":"RSA-2048","CertificateValidityPeriod":"8760h0m0s","#,
            r#""CACertificateValidityPeriod":"87600h0m0s"}}"#,
            "\n"
        ),
        stores = Value::from(stores(store)),
        services = text(&join(&service_ranges(control_plane, endpoint))),
        pods = text(&join(&pod_ranges(control_plane, endpoint))),
        domain = text(&control_plane.network().cluster_domain),
        version = text(&control_plane.spec().kubernetes.version),
        endpoint = text(&host_port(&outside.0, outside.1)),
        prefix = text(&format!("/{}", control_plane.name())),
        names = Value::from(names(control_plane, endpoint)),
        name = text(control_plane.name()),
    )
}

pub(crate) fn stores(store: &DataStoreMaterial) -> Vec<String> {
    match store.driver {
        Driver::Etcd => store.endpoints.clone(),
        _ => vec!["127.0.0.1:2379".to_owned()],
    }
}

pub(crate) fn names(control_plane: &Validated, endpoint: &Endpoint) -> Vec<String> {
    let service = control_plane.service_host();
    let mut names = vec![
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        control_plane.name().to_owned(),
        service.clone(),
        format!("{service}.cluster.local"),
        endpoint.address.clone(),
    ];
    names.extend(control_plane.network().profile.cert_sans.iter().cloned());
    let advertised = control_plane.network().advertise_address.map(|address| address.to_string());
    names.extend(advertised.filter(|address| *address != endpoint.address));
    names
}

pub(crate) fn join(ranges: &[ipnet::IpNet]) -> String {
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// JSON of a string.
fn text(text: &str) -> Value {
    Value::from(text)
}
