//! The Job that works on an archive: it mounts the tenant's own Secrets of the store and no others, and has no
//! token of the management cluster.

use std::collections::BTreeMap;

use api::names::Component;
use api::{BackupTarget, S3Target};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, HostPathVolumeSource, PersistentVolumeClaimVolumeSource, PodSecurityContext,
    PodSpec, PodTemplateSpec, ResourceRequirements, SeccompProfile, SecretVolumeSource, SecurityContext,
    Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

/// Label of the Jobs and their pods: what they work for.
const TASK_LABEL: &str = "flotilla.dev/backup-task";
/// User that the containers run as.
const USER: i64 = 65532;
/// Longest run, in seconds.
const DEADLINE: i64 = 6 * 3600;
/// How long an ended Job is kept for its log, in seconds.
const KEPT: i32 = 3600;
const SECRETS: &str = "/secrets";
const ARCHIVES: &str = "/archives";

/// What a Job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Takes a backup.
    Backup,
    /// Reads an archive and checks it.
    Verify,
    /// Restores an archive.
    Restore,
    /// Removes an archive.
    Remove,
}

impl TaskKind {
    /// The program's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Verify => "verify",
            Self::Restore => "restore",
            Self::Remove => "remove",
        }
    }

    fn needs_store(self) -> bool {
        matches!(self, Self::Backup | Self::Restore)
    }
}

/// What a Job is made of.
#[derive(Clone, Debug)]
pub struct JobInputs<'a> {
    /// What it does.
    pub kind: TaskKind,
    /// Namespace of the control plane and the Job.
    pub namespace: &'a str,
    /// Name of the control plane.
    pub tenant: &'a str,
    /// The object that asks for it.
    pub owner: OwnerReference,
    /// The operator's image.
    pub image: &'a str,
    /// Where the archive is.
    pub target: &'a BackupTarget,
    /// Name of the archive.
    pub archive: &'a str,
    /// Secret with the key.
    pub key_secret: &'a str,
    /// The operator's directory on the nodes.
    pub directory: &'a str,
    /// Kind of the store.
    pub driver: &'a str,
    /// Addresses of the store.
    pub endpoints: &'a [String],
    /// What only a backup says.
    pub further: Vec<String>,
}

/// Name of a Job: one for each task of an object.
#[must_use]
pub fn job_name(kind: TaskKind, uid: &str) -> String {
    format!("{}-{uid}", kind.as_str())
}

/// The Job.
#[must_use]
pub fn job(inputs: &JobInputs<'_>) -> Job {
    let labels: BTreeMap<String, String> = [
        (TASK_LABEL.to_owned(), inputs.kind.as_str().to_owned()),
        ("app.kubernetes.io/managed-by".to_owned(), "flotilla".to_owned()),
    ]
    .into();
    Job {
        metadata: ObjectMeta {
            name: Some(job_name(inputs.kind, &inputs.owner.uid)),
            namespace: Some(inputs.namespace.to_owned()),
            labels: Some(labels.clone()),
            owner_references: Some(vec![inputs.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            // Tried once: what failed is told, and a second pod never works beside a first one.
            backoff_limit: Some(0),
            active_deadline_seconds: Some(DEADLINE),
            ttl_seconds_after_finished: Some(KEPT),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(pod(inputs)),
            },
            ..JobSpec::default()
        }),
        ..Job::default()
    }
}

fn pod(inputs: &JobInputs<'_>) -> PodSpec {
    // A directory of the node belongs to its root; without capabilities, that user is one as any other.
    let user = if inputs.target.directory.is_some() { 0 } else { USER };
    let volumes = volumes(inputs);
    let mounts = volumes.iter().map(|volume| VolumeMount {
        name: volume.name.clone(),
        mount_path: match volume.name.as_str() {
            "archives" => ARCHIVES.to_owned(),
            name => format!("{SECRETS}/{name}"),
        },
        read_only: Some(volume.name != "archives"),
        ..VolumeMount::default()
    });
    let container = Container {
        name: inputs.kind.as_str().to_owned(),
        image: Some(inputs.image.to_owned()),
        args: Some(arguments(inputs)),
        volume_mounts: Some(mounts.collect()),
        resources: Some(resources()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        ..Container::default()
    };
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        containers: vec![container],
        volumes: Some(volumes),
        security_context: Some(PodSecurityContext {
            run_as_user: Some(user),
            run_as_group: Some(user),
            run_as_non_root: Some(user != 0),
            fs_group: Some(user).filter(|user| *user != 0),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

fn resources() -> ResourceRequirements {
    let map = |pairs: &[(&str, &str)]| {
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), Quantity((*value).to_owned()));
        pairs.iter().map(entry).collect()
    };
    ResourceRequirements {
        requests: Some(map(&[("cpu", "50m"), ("memory", "64Mi")])),
        limits: Some(map(&[("memory", "512Mi")])),
        ..ResourceRequirements::default()
    }
}

fn volumes(inputs: &JobInputs<'_>) -> Vec<Volume> {
    let mut volumes = vec![secret("key", inputs.key_secret, false)];
    if inputs.kind.needs_store() {
        let named = |component: Component| component.object_name(inputs.tenant);
        volumes.push(secret("config", &named(Component::DataStoreConfig), false));
        // Without TLS there is none.
        volumes.push(secret("certificate", &named(Component::DataStoreCertificate), true));
    }
    if let Some(bucket) = &inputs.target.s3 {
        volumes.push(secret("bucket", &bucket.secret_name, false));
    }
    if inputs.target.directory.is_some() {
        volumes.push(Volume {
            name: "archives".to_owned(),
            host_path: Some(HostPathVolumeSource {
                path: format!("{}/{}", inputs.directory.trim_end_matches('/'), inputs.namespace),
                type_: Some("DirectoryOrCreate".to_owned()),
            }),
            ..Volume::default()
        });
    }
    if let Some(claim) = &inputs.target.persistent_volume_claim {
        volumes.push(Volume {
            name: "archives".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.claim_name.clone(),
                read_only: None,
            }),
            ..Volume::default()
        });
    }
    volumes
}

fn secret(name: &str, secret: &str, optional: bool) -> Volume {
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            default_mode: Some(0o440),
            optional: optional.then_some(true),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn arguments(inputs: &JobInputs<'_>) -> Vec<String> {
    let mut arguments = vec![inputs.kind.as_str().to_owned(), format!("--archive={}", inputs.archive)];
    match &inputs.target.s3 {
        Some(bucket) => arguments.extend(bucket_arguments(bucket)),
        None => arguments.push(format!("--directory={ARCHIVES}")),
    }
    if inputs.kind.needs_store() {
        arguments.push(format!("--driver={}", inputs.driver));
        arguments.extend(inputs.endpoints.iter().map(|endpoint| format!("--endpoint={endpoint}")));
    }
    arguments.extend(inputs.further.iter().cloned());
    arguments
}

fn bucket_arguments(bucket: &S3Target) -> Vec<String> {
    let optional =
        [("s3-endpoint", &bucket.endpoint), ("s3-region", &bucket.region), ("s3-prefix", &bucket.prefix)];
    let given =
        optional.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?)));
    std::iter::once(format!("--bucket={}", bucket.bucket)).chain(given).collect()
}

#[cfg(test)]
mod tests {
    use api::{BackupTarget, DirectoryTarget, S3Target};
    use k8s_openapi::api::core::v1::PodSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

    use super::{JobInputs, TaskKind, job};

    fn pod(kind: TaskKind, target: &BackupTarget) -> PodSpec {
        let made = job(&JobInputs {
            kind,
            namespace: "team",
            tenant: "shop",
            owner: OwnerReference { uid: "u1".to_owned(), ..OwnerReference::default() },
            image: "operator:1",
            target,
            archive: "team/shop/a.flotilla",
            key_secret: "shop-backup-key",
            directory: "/var/backups/",
            driver: "etcd",
            endpoints: &["etcd:2379".to_owned()],
            further: Vec::new(),
        });
        made.spec.unwrap().template.spec.unwrap()
    }

    fn secrets(pod: &PodSpec) -> Vec<String> {
        let volumes = pod.volumes.clone().unwrap_or_default();
        volumes.into_iter().filter_map(|volume| volume.secret?.secret_name).collect()
    }

    #[test]
    fn a_job_holds_the_tenants_own_secrets_and_no_token() {
        let bucket = S3Target { bucket: "b".into(), secret_name: "s3".into(), ..S3Target::default() };
        let target = BackupTarget { s3: Some(bucket), ..BackupTarget::default() };
        let pod = pod(TaskKind::Backup, &target);
        assert_eq!(pod.automount_service_account_token, Some(false));
        assert_eq!(
            secrets(&pod),
            ["shop-backup-key", "shop-datastore-config", "shop-datastore-certificate", "s3"]
        );
        assert!(pod.security_context.unwrap().run_as_non_root.unwrap());
    }

    #[test]
    fn who_only_reads_an_archive_has_no_credentials_of_the_store() {
        let target = BackupTarget { directory: Some(DirectoryTarget {}), ..BackupTarget::default() };
        let pod = pod(TaskKind::Verify, &target);
        assert_eq!(secrets(&pod), ["shop-backup-key"]);
    }

    #[test]
    fn a_namespace_reaches_only_its_part_of_the_directory() {
        let target = BackupTarget { directory: Some(DirectoryTarget {}), ..BackupTarget::default() };
        let volumes = pod(TaskKind::Backup, &target).volumes.unwrap();
        let path = volumes.into_iter().find_map(|volume| volume.host_path).unwrap().path;
        assert_eq!(path, "/var/backups/team");
    }
}
