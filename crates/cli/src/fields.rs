//! Fields of a spec as they are written on the command line.

use serde_json::{Map, Value};

use crate::Error;

/// Puts `a.b=value` into a spec. Values are JSON, or else text; without a value the field is taken away.
pub(crate) fn put(spec: &mut Value, fields: &[String]) -> Result<(), Error> {
    for field in fields {
        let wrong = || Error::Field { field: field.clone() };
        let (path, value) = field.split_once('=').ok_or_else(wrong)?;
        let (parents, last) = match path.rsplit_once('.') {
            Some((parents, last)) => (Some(parents), last),
            None => (None, path),
        };
        let mut place = &mut *spec;
        for name in parents.into_iter().flat_map(|parents| parents.split('.')).filter(|name| !name.is_empty())
        {
            place = object(place).ok_or_else(wrong)?.entry(name).or_insert(Value::Null);
        }
        let map = object(place).filter(|_| !last.is_empty()).ok_or_else(wrong)?;
        if value.is_empty() {
            map.remove(last);
        } else {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            map.insert(last.to_owned(), value);
        }
    }
    Ok(())
}

/// What is not there yet becomes an object.
fn object(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;

    fn written(mut spec: serde_json::Value, fields: &[&str]) -> Option<serde_json::Value> {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        put(&mut spec, &fields).ok().map(|()| spec)
    }

    #[test]
    fn fields_are_json_or_text_and_go_away_without_a_value() {
        let made = written(json!({}), &["tenant=acme", "quota.clusters=5", "disabled=true", "name=\"5\""]);
        let expected = json!({ "tenant": "acme", "quota": { "clusters": 5 }, "disabled": true, "name": "5" });
        assert_eq!(made, Some(expected.clone()));
        let changed = written(expected, &["quota.clusters=", "email=a@b=c"]).unwrap();
        assert_eq!((&changed["quota"], &changed["email"]), (&json!({}), &json!("a@b=c")));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for wrong in ["tenant", "=x", "a.=x", "tenant.name=x"] {
            assert_eq!(written(json!({ "tenant": "acme" }), &[wrong]), None, "{wrong}");
        }
    }
}
