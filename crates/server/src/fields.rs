//! Field selection: `?fields=name,spec.tenant` on whatever is read leaves out the rest.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::problem::Problem;

const NAME: &str = "fields";
/// Bytes of the largest answer that is cut down.
const LARGEST: usize = 64 * 1024 * 1024;

/// Takes `fields` out of the query, and all but those fields out of the answer.
pub(crate) async fn select(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let Some((fields, rest)) = split(query).filter(|_| request.method() == Method::GET) else {
        return next.run(request).await;
    };
    match without(request.uri(), &rest) {
        Some(uri) => *request.uri_mut() = uri,
        None => return Problem::invalid("the query cannot be read; encode its values").into_response(),
    }
    let response = next.run(request).await;
    // What names nothing leaves nothing out.
    if fields.is_empty() {
        return response;
    }
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !response.status().is_success() || !is_json {
        return response;
    }
    match projected(response, &fields).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn projected(response: Response, fields: &[String]) -> Result<Response, Problem> {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, LARGEST).await.map_err(|error| Problem::internal(&error))?;
    let whole: Value = serde_json::from_slice(&bytes).map_err(|error| Problem::internal(&error))?;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(chosen(whole, fields).to_string())))
}

/// The fields that are asked for, and the query without them.
fn split(query: &str) -> Option<(Vec<String>, String)> {
    let is_ours = |part: &&str| part.split_once('=').is_some_and(|(name, _)| name == NAME);
    let (ours, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_ours);
    if ours.is_empty() {
        return None;
    }
    let values = ours.iter().filter_map(|part| part.split_once('=')).map(|(_, value)| value);
    let fields = values.flat_map(|value| {
        value.replace("%2C", ",").replace("%2c", ",").split(',').map(str::to_owned).collect::<Vec<_>>()
    });
    Some((fields.filter(|field| !field.is_empty()).collect(), rest.join("&")))
}

fn without(uri: &Uri, query: &str) -> Option<Uri> {
    let target = if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// The fields of an object, of each in a list, or of each item of a page. What is not there is left out.
fn chosen(whole: Value, fields: &[String]) -> Value {
    match whole {
        Value::Array(items) => items.into_iter().map(|item| project(&item, fields)).collect(),
        Value::Object(mut page) if page.get("items").is_some_and(Value::is_array) => {
            if let Some(items) = page.get_mut("items") {
                *items = chosen(items.take(), fields);
            }
            Value::Object(page)
        }
        other => project(&other, fields),
    }
}

fn project(object: &Value, fields: &[String]) -> Value {
    let mut picked = Value::Object(Map::new());
    for field in fields {
        let path: Vec<&str> = field.split('.').collect();
        let found = path.iter().try_fold(object, |value, name| value.get(name));
        if let Some(found) = found {
            put(&mut picked, &path, found);
        }
    }
    picked
}

/// Both `spec` and `spec.tenant` may be asked for: the larger one wins.
fn put(picked: &mut Value, path: &[&str], found: &Value) {
    let (Value::Object(map), Some((name, rest))) = (picked, path.split_first()) else { return };
    if rest.is_empty() {
        map.insert((*name).to_owned(), found.clone());
    } else {
        put(map.entry(*name).or_insert_with(|| Value::Object(Map::new())), rest, found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{chosen, split, without};

    fn of(whole: Value, fields: &[&str]) -> Value {
        chosen(whole, &fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn fields_are_chosen_in_objects_lists_and_pages() {
        let object = json!({ "name": "a", "spec": { "tenant": "acme", "x": 1 }, "version": "7" });
        let small = json!({ "name": "a", "spec": { "tenant": "acme" } });
        let fields = ["name", "spec.tenant", "status.none", "name.none"];
        assert_eq!(of(object.clone(), &fields), small);
        assert_eq!(of(json!([object]), &fields), json!([small]));
        assert_eq!(
            of(json!({ "items": [object], "total": 1, "next": "a" }), &fields),
            json!({ "items": [small], "total": 1, "next": "a" })
        );
        let whole = json!({ "spec": { "tenant": "acme", "x": 1 } });
        assert_eq!(of(object.clone(), &["spec", "spec.tenant"]), whole);
        assert_eq!(of(object, &["spec.tenant", "spec"]), whole);
    }

    #[test]
    fn the_rest_of_a_query_stays() {
        let (fields, rest) = split("limit=1&fields=name,spec.tenant%2Cversion&search=x").unwrap();
        assert_eq!(
            (fields.join(" "), rest.as_str()),
            ("name spec.tenant version".to_owned(), "limit=1&search=x")
        );
        assert_eq!(split("limit=1&afields=x"), None);
        assert_eq!(split("fields=&limit=1&fields=%2C"), Some((Vec::new(), "limit=1".to_owned())));
        let uri = "/api/v1/tenants?fields=name".parse().unwrap();
        assert_eq!(without(&uri, "limit=1").unwrap(), "/api/v1/tenants?limit=1");
        assert_eq!(without(&uri, "").unwrap(), "/api/v1/tenants");
    }
}
