//! Backups and restores as they are shown.

use api::names::labels;
use api::{ArchivePolicy, BackupTarget, TenantBackup, TenantRestore};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::ResourceExt;
use schemars::JsonSchema;
use serde::Serialize;

use super::pages::Aged;

/// How far a backup or a restore is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) enum Progress {
    /// It has not begun, or cannot go on; its message says what it waits for.
    Waiting,
    /// It is at work.
    Running,
    /// It has ended well.
    Completed,
    /// It has ended badly; its message says why.
    Failed,
    /// It is being deleted.
    Deleting,
}

/// Reasons of conditions by which the operator says that it is at work.
const AT_WORK: [&str; 5] = ["Running", "Stopping", "Verifying", "Restoring", "Cloning"];

/// A backup of a cluster.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackupRow {
    /// Its name.
    pub(super) name: String,
    /// How far it is.
    pub(super) state: Progress,
    /// What it does now, or why it ended as it did, in one word.
    reason: String,
    /// The same for people.
    message: String,
    /// Whether the archive was read back and is whole.
    verified: bool,
    /// When it was asked for.
    created: Option<Timestamp>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// When it ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    /// The moment that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_at: Option<Timestamp>,
    /// Objects in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<i64>,
    /// Bytes of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    /// Version of Kubernetes that wrote the objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes_version: Option<String>,
    /// Where its archive is kept.
    target: BackupTarget,
    /// Name of the archive there.
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
    /// What becomes of the archive when the backup is deleted.
    archive_policy: ArchivePolicy,
    /// The schedule that it was taken by.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
}

/// A restore of a cluster.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RestoreRow {
    /// Its name.
    pub(super) name: String,
    /// How far it is.
    pub(super) state: Progress,
    /// What it does now, or why it ended as it did, in one word: `Verifying`, `Stopping`, `Restoring`, …
    reason: String,
    /// The same for people.
    message: String,
    /// The backup that is brought back, if it is one of those that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<String>,
    /// When it was asked for.
    created: Option<Timestamp>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    /// When it ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    /// Objects that the backup held.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<i64>,
}

impl BackupRow {
    pub(super) fn of(backup: &TenantBackup) -> Self {
        let status = backup.status.clone().unwrap_or_default();
        let is_going = backup.metadata.deletion_timestamp.is_some();
        let (state, reason, message) = told(&status.conditions, status.completed_at.is_some(), is_going);
        let verified = status.conditions.iter().any(|said| said.type_ == "Verified" && said.status == "True");
        Self {
            name: backup.name_any(),
            state,
            reason,
            message,
            verified,
            created: backup.creation_timestamp().map(|time| time.0),
            started_at: at(status.started_at),
            completed_at: at(status.completed_at),
            taken_at: at(status.taken_at),
            objects: status.objects,
            size: status.size,
            kubernetes_version: status.kubernetes_version,
            target: backup.spec.target.clone(),
            archive: status.archive,
            archive_policy: backup.spec.archive_policy,
            schedule: backup.labels().get(labels::BACKUP_SCHEDULE).cloned(),
        }
    }
}

impl RestoreRow {
    pub(super) fn of(restore: &TenantRestore) -> Self {
        let status = restore.status.clone().unwrap_or_default();
        let is_going = restore.metadata.deletion_timestamp.is_some();
        let (state, reason, message) = told(&status.conditions, status.completed_at.is_some(), is_going);
        Self {
            name: restore.name_any(),
            state,
            reason,
            message,
            backup: restore.spec.backup.clone(),
            created: restore.creation_timestamp().map(|time| time.0),
            started_at: at(status.started_at),
            completed_at: at(status.completed_at),
            objects: status.objects,
        }
    }
}

impl Aged for BackupRow {
    fn name(&self) -> &str {
        &self.name
    }

    fn created(&self) -> Option<Timestamp> {
        self.created
    }
}

impl Aged for RestoreRow {
    fn name(&self) -> &str {
        &self.name
    }

    fn created(&self) -> Option<Timestamp> {
        self.created
    }
}

fn at(time: Option<Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

/// State, reason and message of something whose condition `Completed` tells how it stands.
fn told(conditions: &[Condition], is_ended: bool, is_going: bool) -> (Progress, String, String) {
    let said = conditions.iter().find(|known| known.type_ == "Completed");
    let (reason, message) = said.map(|said| (said.reason.clone(), said.message.clone())).unwrap_or_default();
    let state = match said {
        _ if is_going => Progress::Deleting,
        Some(said) if said.status == "True" => Progress::Completed,
        _ if is_ended => Progress::Failed,
        Some(said) if AT_WORK.contains(&said.reason.as_str()) => Progress::Running,
        _ => Progress::Waiting,
    };
    (state, reason, message)
}

#[cfg(test)]
mod tests {
    use api::{TenantBackup, TenantBackupSpec};
    use serde_json::json;

    use super::{BackupRow, Progress};

    #[test]
    fn a_backup_says_in_one_word_how_far_it_is() {
        let state = |said: Option<(&str, &str)>, is_ended: bool| {
            let mut backup = TenantBackup::new("b", TenantBackupSpec::default());
            let conditions: Vec<_> = said
                .iter()
                .map(|(status, reason)| {
                    json!({
                        "type": "Completed", "status": status, "reason": reason, "message": "so",
                        "lastTransitionTime": "2026-11-30T12:00:00Z",
                    })
                })
                .collect();
            let ended = is_ended.then_some("2026-11-30T12:00:00Z");
            let status = json!({ "conditions": conditions, "completedAt": ended });
            backup.status = Some(serde_json::from_value(status).unwrap());
            BackupRow::of(&backup).state
        };
        assert_eq!(state(None, false), Progress::Waiting);
        assert_eq!(state(Some(("False", "SecretMissing")), false), Progress::Waiting);
        assert_eq!(state(Some(("False", "Running")), false), Progress::Running);
        assert_eq!(state(Some(("False", "Failed")), true), Progress::Failed);
        assert_eq!(state(Some(("True", "Completed")), true), Progress::Completed);
    }
}
