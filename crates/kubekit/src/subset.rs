//! Whether a live object already says all that a desired one says.

use serde_json::Value;

/// Whether every field of `desired` stands in `live` with the same value.
///
/// `live` may hold more fields (the API server's defaults, other writers'), but lists must have the
/// same length, so that an element that was taken away is noticed. `null`, an empty object and an
/// absent field mean the same.
#[must_use]
pub fn covers(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(desired)) => desired.iter().all(|(key, wanted)| {
            live.get(key).map_or_else(|| is_empty(wanted), |present| covers(present, wanted))
        }),
        (Value::Array(live), Value::Array(desired)) => {
            live.len() == desired.len()
                && live.iter().zip(desired).all(|(present, wanted)| covers(present, wanted))
        }
        _ => live == desired,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;
    use serde_json::json;

    #[test]
    fn defaults_of_the_server_are_no_difference() {
        let live = json!({"spec": {"replicas": 1, "strategy": {"type": "RollingUpdate"}}});
        assert!(covers(&live, &json!({"spec": {"replicas": 1}})));
        assert!(covers(&live, &json!({"spec": {"replicas": 1, "selector": {}}})));
    }

    #[test]
    fn another_value_is_a_difference() {
        assert!(!covers(&json!({"a": {"b": 1}}), &json!({"a": {"b": 2}})));
        assert!(!covers(&json!({"a": {}}), &json!({"a": {"b": 2}})));
    }

    #[test]
    fn a_list_that_lost_or_gained_an_element_is_a_difference() {
        let live = json!({"containers": [{"name": "a", "x": 1}, {"name": "b"}]});
        assert!(covers(&live, &json!({"containers": [{"name": "a"}, {"name": "b"}]})));
        assert!(!covers(&live, &json!({"containers": [{"name": "a"}]})));
        assert!(!covers(&live, &json!({"containers": [{"name": "b"}, {"name": "a"}]})));
    }
}
