//! The configuration that the kubelets of joining workers start with.

use api::validation::Fault;
use api::{CgroupDriver, TenantControlPlaneSpec};
use base::KubernetesVersion;
use serde_json::{Value, json};

use super::join::{BOOTSTRAPPERS, JOINERS, NODES};
use super::object::{Key, Kind, Object, Part, group};
use super::patches::Patches;
use super::{Wished, dns_addresses, yaml};
use crate::Validated;

const CONFIG: Key = Key::system(Kind::ConfigMap, "kubelet-config");
const READERS: &str = "kubeadm:kubelet-config";
const PATCHES: Patches =
    Patches { field: "spec.kubernetes.kubelet.configurationJSONPatches", kind: "KubeletConfiguration" };

pub(super) fn add(wished: &mut Wished, control_plane: &Validated) {
    let kubelet = &control_plane.spec().kubernetes.kubelet;
    let mut configuration = defaults(control_plane.version());
    configuration["clusterDNS"] = dns_addresses(control_plane).into();
    configuration["clusterDomain"] = control_plane.network().cluster_domain.as_str().into();
    match kubelet.cgroupfs {
        Some(CgroupDriver::Systemd) => configuration["cgroupDriver"] = "systemd".into(),
        Some(CgroupDriver::Cgroupfs) => configuration["cgroupDriver"] = "cgroupfs".into(),
        // Left to the kubelet, which asks the container runtime.
        None => {}
    }
    match PATCHES.apply(&mut configuration, &kubelet.configuration_json_patches) {
        Ok(()) => {
            let data = json!({ "data": { "kubelet": yaml(&configuration) } });
            wished.objects.push(Object::new(Part::Join, CONFIG, data));
        }
        Err(fault) => wished.faults.push((Part::Join, fault.to_string())),
    }
    let readers = [group(NODES), group(BOOTSTRAPPERS), group(JOINERS)];
    wished.objects.extend([
        Object::reader(Part::Join, Key::system(Kind::Role, READERS), &CONFIG.name),
        Object::binding(Part::Join, Key::system(Kind::RoleBinding, READERS), READERS, &readers),
    ]);
}

/// The first patch of a spec that does not apply, if the version can be read.
pub(super) fn patch_fault(spec: &TenantControlPlaneSpec) -> Option<Fault> {
    let version = spec.kubernetes.version.parse().ok()?;
    let mut configuration = defaults(&version);
    configuration["clusterDNS"] = json!([]);
    configuration["clusterDomain"] = "".into();
    PATCHES.apply(&mut configuration, &spec.kubernetes.kubelet.configuration_json_patches).err()
}

/// What a kubelet of this version would take by itself, written out so that patches find it, and what
/// kubeadm sets on workers. Fields that an older kubelet does not know are left out.
fn defaults(version: &KubernetesVersion) -> Value {
    let mut configuration = always();
    let minor = version.minor();
    if minor >= 31 {
        configuration["failCgroupV1"] = (minor >= 35).into();
    }
    if minor >= 33 {
        configuration["mergeDefaultEvictionSettings"] = false.into();
    }
    if minor >= 35 {
        configuration["crashLoopBackOff"] = json!({ "maxContainerRestartPeriod": "5m0s" });
        configuration["imagePullCredentialsVerificationPolicy"] = "NeverVerifyPreloadedImages".into();
    }
    if minor >= 36 {
        configuration["memoryReservationPolicy"] = "None".into();
    }
    configuration
}

fn always() -> Value {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "cacheTTL": "2m0s", "enabled": true },
            "x509": { "clientCAFile": "/etc/kubernetes/pki/ca.crt" },
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": { "cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s" },
        },
        "rotateCertificates": true,
        "staticPodPath": "/etc/kubernetes/manifests",
    });
    for part in [server(), images_and_logs(), node(), resources()] {
        if let (Value::Object(configuration), Value::Object(part)) = (&mut configuration, part) {
            configuration.extend(part);
        }
    }
    configuration
}

fn server() -> Value {
    json!({
        "address": "0.0.0.0",
        "contentType": "application/vnd.kubernetes.protobuf",
        "enableDebugFlagsHandler": true,
        "enableDebuggingHandlers": true,
        "enableProfilingHandler": true,
        "enableServer": true,
        "enableSystemLogHandler": true,
        "eventBurst": 100,
        "eventRecordQPS": 50,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": 10248,
        "kubeAPIBurst": 100,
        "kubeAPIQPS": 50,
        "port": 10250,
        "registryBurst": 10,
        "registryPullQPS": 5,
        "runtimeRequestTimeout": "2m0s",
        "streamingConnectionIdleTimeout": "4h0m0s",
    })
}

fn images_and_logs() -> Value {
    json!({
        "containerLogMaxFiles": 5,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxWorkers": 1,
        "containerLogMonitorInterval": "10s",
        "imageGCHighThresholdPercent": 85,
        "imageGCLowThresholdPercent": 80,
        "imageMaximumGCAge": "0s",
        "imageMinimumGCAge": "2m0s",
        "logging": {
            "flushFrequency": "5s",
            "format": "text",
            "options": { "json": { "infoBufferSize": "0" }, "text": { "infoBufferSize": "0" } },
            "verbosity": 0,
        },
        "podLogsDir": "/var/log/pods",
        "serializeImagePulls": true,
    })
}

fn node() -> Value {
    json!({
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "enableControllerAttachDetach": true,
        "fileCheckFrequency": "20s",
        "hairpinMode": "promiscuous-bridge",
        "httpCheckFrequency": "20s",
        "iptablesDropBit": 15,
        "iptablesMasqueradeBit": 14,
        "makeIPTablesUtilChains": true,
        "nodeLeaseDurationSeconds": 40,
        "nodeStatusMaxImages": 50,
        "nodeStatusReportFrequency": "5m0s",
        "nodeStatusUpdateFrequency": "10s",
        "registerNode": true,
        "shutdownGracePeriod": "0s",
        "shutdownGracePeriodCriticalPods": "0s",
        "syncFrequency": "1m0s",
        "volumePluginDir": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
        "volumeStatsAggPeriod": "1m0s",
    })
}

fn resources() -> Value {
    json!({
        "cgroupsPerQOS": true,
        "cpuCFSQuota": true,
        "cpuCFSQuotaPeriod": "100ms",
        "cpuManagerPolicy": "none",
        "cpuManagerReconcilePeriod": "10s",
        "enforceNodeAllocatable": ["pods"],
        "evictionPressureTransitionPeriod": "5m0s",
        "failSwapOn": true,
        "localStorageCapacityIsolation": true,
        "maxOpenFiles": 1_000_000,
        "maxPods": 110,
        "memoryManagerPolicy": "None",
        "memorySwap": {},
        "memoryThrottlingFactor": 0.9,
        "oomScoreAdj": -999,
        "podPidsLimit": -1,
        "seccompDefault": false,
        "topologyManagerPolicy": "none",
        "topologyManagerScope": "container",
    })
}
