//! One entry of the audit log.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::columns::{Columns as _, damaged};
use crate::statement::Statement;
use crate::text::bounded;

/// Bytes that are kept of each text.
const LONGEST: usize = 1024;

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It was let through.
    #[default]
    Allowed,
    /// It was not.
    Denied,
    /// It was let through and failed, or could not be decided on.
    Failed,
}

impl Decision {
    /// As it stands in the table.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// What happened. A text that does not apply is empty; of one that is longer than 1024 bytes the beginning is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When, to the microsecond.
    pub time: Timestamp,
    /// Who: a user, or what acts by itself.
    pub actor: String,
    /// What kind of actor, such as `person` or `key`.
    pub actor_kind: String,
    /// Id of the session or key that was shown.
    pub credential: String,
    /// From which address.
    pub address: String,
    /// With what program.
    pub agent: String,
    /// Of which tenant.
    pub tenant: String,
    /// In which cluster.
    pub cluster: String,
    /// What was done, such as `create`.
    pub verb: String,
    /// API group of the object.
    pub group: String,
    /// Resource of the object, such as `pods/exec`.
    pub resource: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Path of the request.
    pub path: String,
    /// What became of it.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// HTTP status; 0 if there was none.
    pub status: u16,
    /// How long it took, in microseconds.
    pub duration_microseconds: u64,
    /// Id of the request.
    pub request: String,
}

/// An entry in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordedEntry {
    /// Sorts by time.
    pub id: Uuid,
    /// What happened.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// Columns in the order of [`bind`].
pub(super) const COLUMNS: &str = "id, occurred, actor, actor_kind, credential, address, agent, tenant, cluster, verb, \
    api_group, resource, namespace, name, path, decision, reason, status, duration, request";

/// Binds the values of a row and appends `(…)` with their names.
pub(super) fn bind(statement: &mut Statement, id: Uuid, entry: &AuditEntry) -> sqlx::Result<()> {
    let texts = [
        &entry.actor,
        &entry.actor_kind,
        &entry.credential,
        &entry.address,
        &entry.agent,
        &entry.tenant,
        &entry.cluster,
        &entry.verb,
        &entry.group,
        &entry.resource,
        &entry.namespace,
        &entry.name,
        &entry.path,
    ];
    let mut names =
        vec![statement.value(super::id::text(id))?, statement.value(entry.time.as_microsecond())?];
    for text in texts {
        names.push(statement.value(bounded(text, LONGEST))?);
    }
    names.push(statement.value(entry.decision.word().to_owned())?);
    names.push(statement.value(bounded(&entry.reason, LONGEST))?);
    names.push(statement.value(i64::from(entry.status))?);
    names.push(statement.value(i64::try_from(entry.duration_microseconds).unwrap_or(i64::MAX))?);
    names.push(statement.value(bounded(&entry.request, LONGEST))?);
    statement.push("(").push(&names.join(", ")).push(")");
    Ok(())
}

/// Reads a row.
pub(super) fn read(row: &AnyRow) -> sqlx::Result<RecordedEntry> {
    let decision = match row.text("decision")?.as_str() {
        "allowed" => Decision::Allowed,
        "denied" => Decision::Denied,
        "failed" => Decision::Failed,
        _ => return Err(damaged("decision")),
    };
    let entry = AuditEntry {
        time: row.time("occurred")?,
        actor: row.text("actor")?,
        actor_kind: row.text("actor_kind")?,
        credential: row.text("credential")?,
        address: row.text("address")?,
        agent: row.text("agent")?,
        tenant: row.text("tenant")?,
        cluster: row.text("cluster")?,
        verb: row.text("verb")?,
        group: row.text("api_group")?,
        resource: row.text("resource")?,
        namespace: row.text("namespace")?,
        name: row.text("name")?,
        path: row.text("path")?,
        decision,
        reason: row.text("reason")?,
        status: row.number("status")?,
        duration_microseconds: row.number("duration")?,
        request: row.text("request")?,
    };
    Ok(RecordedEntry { id: Uuid::try_parse(&row.text("id")?).map_err(|_| damaged("id"))?, entry })
}
