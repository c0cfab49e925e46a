//! The web console as it is embedded: its files, and its page for each path that a browser opens.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// Path below `console/dist`, and content; sorted by path.
type Files = [(&'static str, &'static [u8])];

const FILES: &Files = include!(concat!(env!("OUT_DIR"), "/console_files.rs"));

const PAGE: &str = "index.html";

/// In place of the page, where the program was compiled before the console was built.
const NO_PAGE: &str = "<!doctype html><title>Flotilla</title>\
    <p>This hub was compiled without its console: run <code>cargo xtask build</code>. Its API is at \
    <a href=\"/openapi.json\">/openapi.json</a>.</p>";

/// First segments of paths that are never the console's.
const NOT_OURS: [&str; 6] = ["api", "k8s", "issuer", "import", "openapi.json", "agent"];

/// Nothing but what comes from the hub, and no script but in files. Editor and terminal write their styles into the page.
/// The console is tested behind it.
const POLICY: &str = include_str!("../../../console/policy.txt");

/// Names of these have a digest of what they hold.
const HASHED: &str = "assets/";

/// What is answered where the API has no such path.
pub(crate) async fn fallback(request: Request) -> Response {
    let (path, headers) = (request.uri().path(), request.headers());
    match choose(FILES, request.method(), path, accepts(headers, &header::ACCEPT, "text/html")) {
        Chosen::File(name) => file(FILES, name, headers),
        Chosen::Page => page(FILES, headers),
        Chosen::Nothing => Problem::not_found("paths", path).into_response(),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Chosen<'a> {
    File(&'a str),
    Page,
    Nothing,
}

/// A file has its path; any other path that a browser opens has the page, which knows it.
fn choose<'a>(files: &Files, method: &Method, path: &'a str, is_browser: bool) -> Chosen<'a> {
    let name = path.trim_start_matches('/');
    let first = name.split('/').next().unwrap_or_default();
    if !matches!(*method, Method::GET | Method::HEAD) || NOT_OURS.contains(&first) {
        return Chosen::Nothing;
    }
    if name.starts_with(HASHED) {
        // A page of another release may ask for what is not there any more: that is no page.
        return find(files, name).map_or(Chosen::Nothing, |_| Chosen::File(name));
    }
    if is_browser { Chosen::Page } else { Chosen::Nothing }
}

fn find(files: &Files, name: &str) -> Option<&'static [u8]> {
    let position = files.binary_search_by_key(&name, |(found, _)| found).ok()?;
    files.get(position).map(|(_, content)| *content)
}

fn page(files: &Files, headers: &HeaderMap) -> Response {
    let mut response = if find(files, PAGE).is_some() {
        file(files, PAGE, headers)
    } else {
        ([(header::CONTENT_TYPE, media_type(PAGE))], NO_PAGE).into_response()
    };
    let told = response.headers_mut();
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(POLICY.trim_end()) {
        told.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    told.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}

/// A file in the smallest form that the client takes.
fn file(files: &Files, name: &str, headers: &HeaderMap) -> Response {
    let packed = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(encoding, ending)| {
        let is_taken = accepts(headers, &header::ACCEPT_ENCODING, encoding);
        let content = find(files, &format!("{name}{ending}")).filter(|_| is_taken)?;
        Some((Some(encoding), content))
    });
    let (encoding, content) = packed.unwrap_or_else(|| (None, find(files, name).unwrap_or_default()));
    let mut response = content.into_response();
    let told = response.headers_mut();
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        told.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether a header with a list names `wanted`, and does not refuse it by `q=0`.
fn accepts(headers: &HeaderMap, name: &header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|found| found.eq_ignore_ascii_case(wanted));
        let is_nothing = |weight: &str| weight.trim_matches(['0', '.']).is_empty();
        let is_refused = parts.any(|part| part.strip_prefix("q=").is_some_and(is_nothing));
        is_named && !is_refused
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method, header};

    use super::{Chosen, Files, accepts, choose, file, page};

    const FILES: &Files = &[
        ("assets/a.js", b"script"),
        ("assets/a.js.br", b"br"),
        ("assets/a.js.gz", b"gz"),
        ("index.html", b"<!doctype html>"),
    ];

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn paths_of_the_api_are_never_the_page() {
        for path in ["/api/v1/nothing", "/api", "/k8s/nothing", "/issuer/x", "/import", "/openapi.json"] {
            assert_eq!(choose(FILES, &Method::GET, path, true), Chosen::Nothing, "{path}");
        }
    }

    #[test]
    fn browsers_get_the_page_for_whatever_it_may_know() {
        for path in ["/", "/clusters/acme.one", "/device", "/apis", "/index.html"] {
            assert_eq!(choose(FILES, &Method::GET, path, true), Chosen::Page, "{path}");
            assert_eq!(choose(FILES, &Method::GET, path, false), Chosen::Nothing, "{path}");
        }
        assert_eq!(choose(FILES, &Method::POST, "/clusters", true), Chosen::Nothing);
        assert_eq!(choose(FILES, &Method::GET, "/assets/of-another-release.js", true), Chosen::Nothing);
    }

    #[test]
    fn files_are_kept_for_ever_and_come_as_small_as_the_client_takes_them() {
        let sent = |accepted: &str| {
            let response = file(FILES, "assets/a.js", &headers(&[(header::ACCEPT_ENCODING, accepted)]));
            let told = response.headers().clone();
            assert_eq!(told[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert!(told[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
            told.get(header::CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap().to_owned())
        };
        assert_eq!(sent("gzip, deflate, br, zstd").as_deref(), Some("br"));
        assert_eq!(sent("gzip, br;q=0").as_deref(), Some("gzip"));
        assert_eq!(sent("identity"), None);
    }

    #[test]
    fn the_page_is_never_kept_and_runs_only_scripts_of_the_hub() {
        for files in [FILES, &[]] {
            let response = page(files, &HeaderMap::new());
            let told = response.headers();
            assert_eq!(told[header::CACHE_CONTROL], "no-store");
            let policy = told[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("script-src"), "scripts fall under default-src");
        }
    }

    #[test]
    fn a_list_is_read_whatever_its_weights() {
        let browser = headers(&[(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")]);
        assert!(accepts(&browser, &header::ACCEPT, "text/html"));
        assert!(!accepts(&headers(&[(header::ACCEPT, "*/*")]), &header::ACCEPT, "text/html"));
        assert!(!accepts(&headers(&[(header::ACCEPT, "text/html;q=0.0")]), &header::ACCEPT, "text/html"));
    }
}
