//! All routes, and the description of the API that is made from them.

use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, post_with};
use aide::openapi::{Info, OpenApi, Server};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::endpoints::{
    access, agents, audit, clusters, data_stores, devices, factors, issuer, keys, links, members, metering,
    nouns, passkeys, providers, session, sessions,
};
use crate::fairness::door;
use crate::hub::Hub;
use crate::problem::{Code, Problem};
use crate::{console, fields, idempotency, proxy, request};

/// Largest body of the API. What goes to clusters is as large as they take.
pub(crate) const LARGEST: usize = 1024 * 1024;

/// What browsers are told with every answer of the API.
const HARDENING: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

/// The description of the API (OpenAPI 3.1).
#[must_use]
pub fn description() -> OpenApi {
    let mut description = OpenApi {
        info: Info {
            title: "Flotilla".to_owned(),
            summary: Some("Tenants, people, permissions and every cluster".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        servers: vec![Server { url: "/".to_owned(), ..Server::default() }],
        ..OpenApi::default()
    };
    let _: Router<Hub> = api().finish_api(&mut description);
    crate::description::complete(&mut description);
    description
}

/// The whole server.
pub(crate) fn router(hub: Hub) -> Router {
    let mut described = description();
    let api: Router<Hub> = api().finish_api(&mut OpenApi::default());
    described.servers = vec![Server { url: hub.settings.url.clone(), ..Server::default() }];
    let mut api = api
        .route("/openapi.json", get(move || std::future::ready(Json(&described).into_response())))
        .route("/import/{file}", get(agents::manifest_of))
        .route(uplink::REGISTER_PATH, post(agents::register))
        .route(uplink::CONNECT_PATH, get(agents::connect))
        .route(uplink::RENEW_PATH, post(agents::renew))
        .route("/issuer/.well-known/openid-configuration", get(issuer::discovery))
        .route("/issuer/inside/.well-known/openid-configuration", get(issuer::discovery_inside))
        .route("/issuer/keys", get(issuer::keys))
        .fallback(console::fallback)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(hub.clone(), idempotency::once))
        .layer(middleware::from_fn(fields::select))
        .layer(DefaultBodyLimit::max(LARGEST));
    for (name, value) in HARDENING {
        api = api.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    Router::new()
        .route("/k8s/clusters/{*rest}", any(proxy::pass))
        .merge(api)
        .layer(middleware::from_fn(no_store))
        .layer(middleware::from_fn_with_state(hub.clone(), door::admit))
        .layer(middleware::from_fn_with_state(hub.clone(), request::observe))
        .with_state(hub)
}

/// What the description speaks of.
fn api() -> ApiRouter<Hub> {
    ApiRouter::new()
        .api_route(
            "/api/v1/keys",
            get_with(keys::list, keys::describe_list).post_with(keys::make, keys::describe_make),
        )
        .api_route("/api/v1/keys/{name}", delete_with(keys::delete, keys::describe_delete))
        .api_route("/api/v1/imports/{name}/token", post_with(agents::token, agents::describe_token))
        .api_route("/api/v1/imports/{name}/rotate", post_with(agents::rotate, agents::describe_rotate))
        .api_route("/api/v1/access", get_with(access::review, access::describe))
        .api_route("/api/v1/audit", get_with(audit::list, audit::describe_list))
        .api_route("/api/v1/audit/export", get_with(audit::export, audit::describe_export))
        .api_route("/api/v1/metering", get_with(metering::list, metering::describe_list))
        .api_route("/api/v1/metering/export", get_with(metering::export, metering::describe_export))
        .merge(session::routes())
        .merge(sessions::routes())
        .merge(devices::routes())
        .merge(factors::routes())
        .merge(passkeys::routes())
        .merge(clusters::routes())
        .merge(data_stores::routes())
        .merge(nouns::routes())
        .merge(providers::routes())
        .merge(links::routes())
        .merge(members::routes())
}

async fn no_such_method(request: Request) -> Problem {
    Problem::new(
        Code::Method,
        format!(
            "there is no {} {}; the header `Allow` and /openapi.json say what there is",
            request.method(),
            request.uri().path()
        ),
    )
}

/// Answers are for whoever asked, at that moment.
async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::description;

    #[test]
    fn every_endpoint_is_described() {
        let described = serde_json::to_value(description()).unwrap();
        assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
        let paths = described["paths"].as_object().unwrap();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(operation["responses"]["default"].is_object(), "{method} {path} tells of no failure");
            }
        }
        assert!(paths.contains_key("/api/v1/clusters/{name}"));
    }
}
