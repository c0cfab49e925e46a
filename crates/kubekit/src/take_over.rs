//! Takes over what another program's field manager owns of an object.
//!
//! Server-side apply removes a field only when its last owner no longer wants it. What a predecessor
//! wrote would thus stay for ever, as it never comes back to say so.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::Value;

/// The entries with those of `predecessors` merged into the one that `successor` applies by; none if no
/// predecessor owns anything.
pub(crate) fn taken_over(
    entries: &[ManagedFieldsEntry],
    predecessors: &[&str],
    successor: &str,
) -> Option<Vec<ManagedFieldsEntry>> {
    let (theirs, mut kept): (Vec<_>, Vec<_>) =
        entries.iter().cloned().partition(|entry| is_of(entry, predecessors));
    let first = theirs.first()?;
    let own = |entry: &ManagedFieldsEntry| {
        is_of(entry, &[successor]) && entry.operation.as_deref() == Some("Apply")
    };
    let place = kept.iter().position(own).unwrap_or_else(|| {
        kept.push(ManagedFieldsEntry {
            manager: Some(successor.to_owned()),
            operation: Some("Apply".to_owned()),
            fields_v1: None,
            ..first.clone()
        });
        kept.len() - 1
    });
    for entry in theirs {
        let fields =
            kept[place].fields_v1.get_or_insert_with(|| FieldsV1(Value::Object(serde_json::Map::new())));
        merge(&mut fields.0, entry.fields_v1.map_or(Value::Null, |fields| fields.0));
    }
    Some(kept)
}

/// Whether the entry says who owns the object's own fields, not those of a subresource such as its status.
fn is_of(entry: &ManagedFieldsEntry, managers: &[&str]) -> bool {
    let is_whole = entry.subresource.as_deref().is_none_or(str::is_empty);
    is_whole && entry.manager.as_deref().is_some_and(|manager| managers.contains(&manager))
}

/// Sets of fields are objects whose keys are the fields; their union is the union of the keys.
fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    for (key, value) in from {
        match into.get_mut(&key) {
            Some(present) => merge(present, value),
            None => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::taken_over;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
    use serde_json::{Value, json};

    fn entry(
        manager: &str,
        operation: &str,
        subresource: Option<&str>,
        fields: &Value,
    ) -> ManagedFieldsEntry {
        serde_json::from_value(json!({
            "manager": manager, "operation": operation, "subresource": subresource,
            "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
        }))
        .unwrap()
    }

    #[test]
    fn a_predecessors_fields_become_the_successors() {
        let entries = [
            entry("old", "Update", None, &json!({"f:spec": {"f:replicas": {}}})),
            entry("old", "Update", Some("status"), &json!({"f:status": {}})),
            entry("other", "Update", None, &json!({"f:metadata": {}})),
        ];
        let taken = taken_over(&entries, &["old"], "new").unwrap();
        let expected = [
            entries[1].clone(),
            entries[2].clone(),
            entry("new", "Apply", None, &json!({"f:spec": {"f:replicas": {}}})),
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn what_the_successor_owned_already_is_kept() {
        let entries = [
            entry("new", "Apply", None, &json!({"f:spec": {"f:paused": {}}})),
            entry("old", "Update", None, &json!({"f:spec": {"f:replicas": {}}})),
            entry("old", "Apply", None, &json!({"f:spec": {"f:selector": {}, "f:paused": {}}})),
        ];
        let taken = taken_over(&entries, &["old"], "new").unwrap();
        let fields = json!({"f:spec": {"f:paused": {}, "f:replicas": {}, "f:selector": {}}});
        assert_eq!(taken, [entry("new", "Apply", None, &fields)]);
    }

    #[test]
    fn without_a_predecessor_nothing_is_taken() {
        let entries = [entry("other", "Update", None, &json!({"f:spec": {}}))];
        assert_eq!(taken_over(&entries, &["old"], "new"), None);
    }
}
