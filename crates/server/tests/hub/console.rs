//! The console's page at paths that are a browser's, and nothing but problems at those of the API.

use http::{Method, StatusCode};

use crate::support::World;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_the_page_and_programs_a_problem() {
    let world = World::new().await;
    for path in ["/", "/clusters/acme.one", "/device?code=BCDF-GHJK"] {
        let page = world.send(Method::GET, path, &[BROWSER], None).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let told = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        assert!(told("content-type").starts_with("text/html"), "{path}");
        assert_eq!(told("cache-control"), "no-store");
        assert!(told("content-security-policy").starts_with("default-src 'self'"));
        assert_eq!(told("x-content-type-options"), "nosniff");
        let program = world.send(Method::GET, path, &[("accept", "*/*")], None).await;
        assert_eq!(
            (program.status, &program.body["code"]),
            (StatusCode::NOT_FOUND, &"not-found".into()),
            "{path}"
        );
    }
    for path in ["/api/v1/nothing", "/issuer/nothing", "/agent/nothing", "/assets/nothing.js"] {
        let answer = world.send(Method::GET, path, &[BROWSER], None).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::NOT_FOUND, &"not-found".into()),
            "{path}"
        );
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
    }
    let posted = world.send(Method::POST, "/clusters", &[BROWSER], None).await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
}
