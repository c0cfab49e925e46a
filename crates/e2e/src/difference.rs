//! What differs between two states of an object.

use std::collections::BTreeSet;

use serde_json::Value;

/// JSON pointers of the places where two values differ, each with what stood there and what stands there
/// now. Elements of lists are named by their `name`, `type` or `mountPath` if all of them have one, else
/// by their value if they are texts, else by their place. What is empty and what is absent are the same.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(place: String, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(format!("{place}/{}", key.replace('/', "~1")), &side(left), &side(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) => compare(place, &named(left), &named(right), found),
        (Value::Null, Value::Object(_) | Value::Array(_)) => compare(place, &empty(after), after, found),
        (Value::Object(_) | Value::Array(_), Value::Null) => compare(place, before, &empty(before), found),
        (left, right) if left != right => found.push(format!("{place}: {left} -> {right}")),
        _ => {}
    }
}

fn empty(like: &Value) -> Value {
    if like.is_array() { Value::Array(Vec::new()) } else { Value::Object(serde_json::Map::new()) }
}

/// A list as an object, by what names its elements.
fn named(items: &[Value]) -> Value {
    let key =
        ["name", "type", "mountPath"].into_iter().find(|key| items.iter().all(|item| item[*key].is_string()));
    let name = |(place, item): (usize, &Value)| match (key, item) {
        (Some(key), item) => item[key].as_str().unwrap_or_default().to_owned(),
        (None, Value::String(text)) => text.clone(),
        _ => place.to_string(),
    };
    Value::Object(items.iter().enumerate().map(|entry| (name(entry), entry.1.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::differences;
    use serde_json::json;

    #[test]
    fn places_are_named_by_what_stands_there() {
        let before = json!({"a": [{"name": "x", "v": 1}], "b": ["--one", "--two"], "c": 1});
        let after = json!({"a": [{"name": "y"}, {"name": "x", "v": 2}], "b": ["--two"], "c": 1});
        let expected = ["/a/x/v: 1 -> 2", r#"/a/y/name: null -> "y""#, r#"/b/--one: "--one" -> null"#];
        assert_eq!(differences(&before, &after), expected);
        assert!(differences(&after, &after).is_empty());
        assert!(differences(&json!({"a": {}, "b": []}), &json!({})).is_empty());
    }
}
