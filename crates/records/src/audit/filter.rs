//! Which entries are asked for, and the statement that finds them without looking at all.
//!
//! Each index ends with the id, so that a page is read off one index in order, as soon as the database uses the right
//! one. Which that is, is said here and not left to its guess: the column of the index stands bare in the condition, the
//! others behind an empty text, which no index has.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::entry::{COLUMNS, Decision};
use super::id;
use crate::address::Dialect;
use crate::statement::Statement;
use crate::text::storable;

/// So many tenants are looked up one by one in the index and merged; of more, the log is read in order and others'
/// entries are left out. `SQLite` merges 500 at most.
const TENANTS_ONE_BY_ONE: usize = 200;

/// What entries must have; `None` is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Who did it.
    pub actor: Option<String>,
    /// What the asker may see. An empty list is nothing.
    pub tenants: Option<Vec<String>>,
    /// In which cluster.
    pub cluster: Option<String>,
    /// What was done.
    pub verb: Option<String>,
    /// To what resource.
    pub resource: Option<String>,
    /// Of what name.
    pub name: Option<String>,
    /// What became of it.
    pub decision: Option<Decision>,
}

/// Which entries come first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    const fn clause(self) -> &'static str {
        match self {
            Self::NewestFirst => " ORDER BY id DESC",
            Self::OldestFirst => " ORDER BY id",
        }
    }

    const fn after(self) -> &'static str {
        match self {
            Self::NewestFirst => "id < ",
            Self::OldestFirst => "id > ",
        }
    }
}

/// The statement that finds at most `limit` entries after one; nothing if there can be none.
pub(super) fn select(
    filter: &AuditFilter,
    dialect: Dialect,
    order: Order,
    after: Option<Uuid>,
    limit: u32,
) -> Option<sqlx::Result<Statement>> {
    let tenants = filter.tenants.as_ref().map(|tenants| tenants.iter().collect::<BTreeSet<_>>());
    if tenants.as_ref().is_some_and(BTreeSet::is_empty) {
        return None;
    }
    Some(compose(filter, dialect, order, after, limit, tenants.as_ref()))
}

fn compose(
    filter: &AuditFilter,
    dialect: Dialect,
    order: Order,
    after: Option<Uuid>,
    limit: u32,
    tenants: Option<&BTreeSet<&String>>,
) -> sqlx::Result<Statement> {
    let mut statement = Statement::new("");
    let mut conditions = Vec::new();
    if let Some(id) = after {
        conditions.push(format!("{}{}", order.after(), statement.value(id::text(id))?));
    }
    if let Some(from) = filter.from {
        conditions.push(format!("id >= {}", statement.value(id::text(id::first(from)))?));
    }
    if let Some(until) = filter.until {
        conditions.push(format!("id < {}", statement.value(id::text(id::first(until)))?));
    }
    // By how much they leave, the least first.
    let few = [("name", &filter.name), ("actor", &filter.actor), ("cluster", &filter.cluster)];
    let many = [("resource", &filter.resource), ("verb", &filter.verb)];
    let mut has_index = false;
    equal(&mut statement, &mut conditions, &few, &mut has_index)?;
    let one_by_one = tenants.filter(|tenants| !has_index && tenants.len() <= TENANTS_ONE_BY_ONE);
    if let (Some(tenants), None) = (tenants, one_by_one) {
        let list: Vec<String> = tenants.iter().map(|tenant| (*tenant).clone()).collect();
        conditions.push(statement.among(dialect, "(tenant || '')", &list)?);
    }
    has_index |= one_by_one.is_some();
    // Few entries are not allowed, and those have an index of their own.
    if let Some(decision) = filter.decision {
        let word = decision.word();
        conditions.push(match decision {
            Decision::Denied | Decision::Failed if !has_index => {
                has_index = true;
                format!("decision <> 'allowed' AND decision = '{word}'")
            }
            _ => format!("(decision || '') = '{word}'"),
        });
    }
    equal(&mut statement, &mut conditions, &many, &mut has_index)?;
    let limit = statement.value(i64::from(limit))?;
    let tail = format!("{} LIMIT {limit}", order.clause());
    let branches = match one_by_one {
        None => vec![branch(&conditions, None, &tail)],
        Some(tenants) => {
            let values = tenants.iter().map(|tenant| statement.value(storable(tenant).into_owned()));
            let names = values.collect::<sqlx::Result<Vec<_>>>()?;
            names.iter().map(|name| branch(&conditions, Some(name), &tail)).collect()
        }
    };
    if let [only] = branches.as_slice() {
        statement.push(only);
    } else {
        let parts: Vec<String> =
            branches.iter().map(|branch| format!("SELECT * FROM ({branch}) AS part")).collect();
        statement.push(&parts.join(" UNION ALL ")).push(&tail);
    }
    Ok(statement)
}

/// Adds conditions on columns. The first of all leaves its column bare, so that its index is used.
fn equal(
    statement: &mut Statement,
    conditions: &mut Vec<String>,
    wanted: &[(&str, &Option<String>)],
    has_index: &mut bool,
) -> sqlx::Result<()> {
    for (column, value) in wanted {
        let Some(value) = value else { continue };
        let value = statement.value(storable(value).into_owned())?;
        let is_first = !std::mem::replace(has_index, true);
        conditions.push(if is_first {
            format!("{column} = {value}")
        } else {
            format!("({column} || '') = {value}")
        });
    }
    Ok(())
}

fn branch(conditions: &[String], tenant: Option<&String>, tail: &str) -> String {
    let all: Vec<String> =
        conditions.iter().cloned().chain(tenant.map(|tenant| format!("tenant = {tenant}"))).collect();
    let clause = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
    format!("SELECT {COLUMNS} FROM audit{clause}{tail}")
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;
    use tempfile::TempDir;

    use super::{AuditFilter, Decision, Order, select};
    use crate::Records;

    async fn plan(records: &Records, filter: &AuditFilter) -> String {
        let cursor = Some(uuid::Uuid::nil());
        let dialect = records.store.dialect();
        let statement = select(filter, dialect, Order::NewestFirst, cursor, 51).unwrap().unwrap();
        let rows = statement.explained().fetch(records.store.readers()).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
    }

    #[tokio::test]
    async fn a_page_is_read_off_one_index_without_sorting() {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}/records.db?mode=rwc", directory.path().display());
        let records = Records::open(&url).await.unwrap();
        let some = || Some("x".to_owned());
        let any = AuditFilter::default;
        let tenants = |count| Some((0..count).map(|number| format!("tenant-{number}")).collect::<Vec<_>>());
        let cases = [
            (any(), "sqlite_autoindex_audit_1"),
            (AuditFilter { tenants: tenants(300), ..any() }, "sqlite_autoindex_audit_1"),
            (AuditFilter { decision: Some(Decision::Allowed), ..any() }, "sqlite_autoindex_audit_1"),
            (AuditFilter { decision: Some(Decision::Denied), verb: some(), ..any() }, "audit_by_decision"),
            (AuditFilter { verb: some(), ..any() }, "audit_by_verb"),
            (AuditFilter { verb: some(), resource: some(), ..any() }, "audit_by_resource"),
            (AuditFilter { cluster: some(), verb: some(), tenants: tenants(3), ..any() }, "audit_by_cluster"),
            (AuditFilter { actor: some(), cluster: some(), ..any() }, "audit_by_actor"),
            (
                AuditFilter { actor: some(), name: some(), decision: Some(Decision::Failed), ..any() },
                "audit_by_name",
            ),
            (AuditFilter { tenants: tenants(1), verb: some(), ..any() }, "audit_by_tenant"),
        ];
        for (filter, index) in cases {
            let plan = plan(&records, &filter).await;
            assert!(plan.contains(&format!("SEARCH audit USING INDEX {index} ")), "{filter:?}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        }
        // Each branch comes in order; what is merged is at most a page of each.
        let merged = plan(&records, &AuditFilter { tenants: tenants(3), ..any() }).await;
        assert_eq!(
            merged.matches("SEARCH audit USING INDEX audit_by_tenant (tenant=? AND id<?)").count(),
            3,
            "{merged}"
        );
    }
}
