//! What the API's description says of all endpoints alike: who may ask, tags, and what every request may say.

use aide::openapi::{
    MediaType, OpenApi, Operation, Parameter, PathItem, ReferenceOr, SecurityRequirement, SecurityScheme, Tag,
};
use aide::transform::TransformOperation;
use serde_json::{Value, json};

use crate::idempotency::is_kept;

/// Tags and what they are about.
const TAGS: [(&str, &str); 19] = [
    ("session", "Signing in and out"),
    ("sessions", "Where one is signed in"),
    ("devices", "Programs that a person lets in"),
    ("me", "One's own second factor and passkeys"),
    ("providers", "Who else vouches for people"),
    ("keys", "Keys for programs"),
    ("tenants", "Who clusters and people belong to"),
    ("projects", "Namespaces of several clusters, for a group of people"),
    ("roles", "What may be done"),
    ("grants", "Who has which role where"),
    ("users", "People and machines"),
    ("templates", "What clusters are made from"),
    ("imports", "Clusters that run elsewhere"),
    ("clusters", "The inventory, and what is done with hosted clusters"),
    ("datastores", "Where hosted clusters keep their objects"),
    ("access", "What somebody may do, and why"),
    ("audit", "Who changed what, and what was denied"),
    ("metering", "What tenants use"),
    ("settings", "What holds for the hub as a whole"),
];

/// Endpoints for which nobody is signed in yet.
const OPEN: [(&str, &str); 9] = [
    ("/api/v1/session", "post"),
    ("/api/v1/session/providers", "get"),
    ("/api/v1/session/oidc/{name}", "get"),
    ("/api/v1/session/oidc/{name}/callback", "get"),
    ("/api/v1/session/passkey/begin", "post"),
    ("/api/v1/session/passkey/finish", "post"),
    ("/api/v1/device", "post"),
    ("/api/v1/device/token", "post"),
    ("/api/v1/branding", "get"),
];

/// Adds it to a description that has all paths.
pub(crate) fn complete(description: &mut OpenApi) {
    let tag = |(name, about): (&str, &str)| Tag {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        ..Tag::default()
    };
    description.tags = TAGS.into_iter().map(tag).collect();
    let components = description.components.get_or_insert_default();
    for (name, scheme) in schemes() {
        if let Ok(scheme) = serde_json::from_value::<SecurityScheme>(scheme) {
            components.security_schemes.insert(name.to_owned(), ReferenceOr::Item(scheme));
        }
    }
    description.security = ["bearer", "session"]
        .map(|name| SecurityRequirement::from_iter([(name.to_owned(), Vec::new())]))
        .into();
    let Some(paths) = &mut description.paths else { return };
    for (path, item) in &mut paths.paths {
        let ReferenceOr::Item(item) = item else { continue };
        let PathItem { get, put, post, patch, delete, .. } = item;
        let operations = [("get", get), ("put", put), ("post", post), ("patch", patch), ("delete", delete)];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            if OPEN.contains(&(path.as_str(), method)) {
                // An empty requirement: nothing is needed.
                operation.security = vec![SecurityRequirement::new()];
            }
            if let Some(parameter) = parameter(path, method) {
                add(operation, parameter);
            }
        }
    }
}

/// Describes a success that is no JSON.
pub(crate) fn answers<'t>(operation: TransformOperation<'t>, media_type: &str) -> TransformOperation<'t> {
    operation.response_with::<200, (), _>(|mut response| {
        response.inner().content.insert(media_type.to_owned(), MediaType::default());
        response
    })
}

fn schemes() -> [(&'static str, Value); 2] {
    [
        (
            "bearer",
            json!({ "type": "http", "scheme": "bearer", "description": "A session's token, or a key." }),
        ),
        (
            "session",
            json!({
                "type": "apiKey", "in": "cookie", "name": "__Host-flotilla",
                "description": "A browser's session. What changes something needs the header `X-Flotilla-Csrf` too.",
            }),
        ),
    ]
}

/// What every request of a kind may say beside its own parameters.
fn parameter(path: &str, method: &str) -> Option<Value> {
    match method {
        "get" => Some(json!({
            "in": "query", "name": "fields", "schema": { "type": "string" }, "style": "form",
            "description": "Fields to answer with, separated by commas, such as `name,spec.tenant`; all without it. What is not there is left out, and what is not named, though it is required otherwise.",
        })),
        _ if is_kept(path) => Some(json!({
            "in": "header", "name": "Idempotency-Key", "schema": { "type": "string", "maxLength": 255 }, "style": "simple",
            "description": "What is asked again with the same key within a day is done once, and answered as before.",
        })),
        _ => None,
    }
}

fn add(operation: &mut Operation, parameter: Value) {
    if let Ok(parameter) = serde_json::from_value::<Parameter>(parameter) {
        operation.parameters.push(ReferenceOr::Item(parameter));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn the_description_says_who_may_ask_and_what_every_request_may_say() {
        let described = serde_json::to_value(crate::description()).unwrap();
        assert_eq!(described["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
        assert_eq!(described["security"], json!([{ "bearer": [] }, { "session": [] }]));
        let parameters =
            |path: &str, method: &str| described["paths"][path][method]["parameters"].to_string();
        assert!(parameters("/api/v1/tenants", "get").contains("\"fields\""));
        assert!(parameters("/api/v1/tenants", "post").contains("Idempotency-Key"));
        assert!(!parameters("/api/v1/keys", "post").contains("Idempotency-Key"));
        for (path, method) in super::OPEN {
            assert_eq!(described["paths"][path][method]["security"], json!([{}]), "{method} {path}");
        }
        let told: Vec<&str> =
            described["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
        for operation in described["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values())
        {
            assert!(told.contains(&operation["tags"][0].as_str().unwrap()), "{operation}");
        }
    }
}
