//! Backups: the Jobs that take and restore them, when they are due, and which are kept.

mod job;
mod retention;
mod schedule;
mod twin;

pub use job::{JobInputs, TaskKind, job, job_name};
pub use retention::kept;
pub use schedule::{Due, due};
pub use twin::twin;

use api::{BackupEncryption, TenantBackup};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Name of the Secret with the key of archives.
#[must_use]
pub fn key_secret_name(tenant: &str, encryption: &BackupEncryption) -> String {
    encryption.secret_name.clone().unwrap_or_else(|| format!("{tenant}-backup-key"))
}

/// Name of a backup's archive in its target: it tells whose it is, and is never used twice.
#[must_use]
pub fn archive_name(backup: &TenantBackup) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let metadata = &backup.metadata;
    let uid: String = text(&metadata.uid).chars().take(8).collect();
    let tenant = &backup.spec.tenant_control_plane;
    format!("{}/{tenant}/{}-{uid}.flotilla", text(&metadata.namespace), text(&metadata.name))
}

/// A condition of a backup, restore or schedule.
#[must_use]
pub fn condition(
    kind: &str,
    holds: Option<bool>,
    reason: &str,
    message: impl Into<String>,
    generation: Option<i64>,
    now: jiff::Timestamp,
) -> Condition {
    let status = match holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    };
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.into(),
        observed_generation: generation,
        last_transition_time: Time(api::condition::whole_seconds(now)),
    }
}

#[cfg(test)]
mod tests {
    use api::TenantBackup;

    #[test]
    fn archives_of_equally_named_backups_differ() {
        let mut backup = TenantBackup::default();
        backup.metadata.namespace = Some("team".to_owned());
        backup.metadata.name = Some("nightly".to_owned());
        backup.metadata.uid = Some("0123456789".to_owned());
        backup.spec.tenant_control_plane = "shop".to_owned();
        assert_eq!(super::archive_name(&backup), "team/shop/nightly-01234567.flotilla");
    }
}
