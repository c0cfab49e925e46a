//! What requests are, by the same table as the API server's, and paths that are refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test that cannot go on ends"
)]

use http::Method;
use relay::{Attributes, Refusal, Target};

fn read(method: &str, path: &str) -> Result<Target, Refusal> {
    Target::read(&method.parse().unwrap(), path)
}

fn attributes(method: &str, path: &str) -> Attributes {
    read(method, path).unwrap_or_else(|refusal| panic!("{method} {path}: {refusal}")).attributes().clone()
}

/// Method, path, then verb, group, version, namespace, resource with subresource, name.
const RESOURCES: &[(&str, &str, [&str; 6])] = &[
    ("GET", "/api/v1/namespaces", ["list", "", "v1", "", "namespaces", ""]),
    ("GET", "/api/v1/namespaces/", ["list", "", "v1", "", "namespaces", ""]),
    ("POST", "/api/v1/namespaces", ["create", "", "v1", "", "namespaces", ""]),
    ("GET", "/api/v1/namespaces/web", ["get", "", "v1", "web", "namespaces", "web"]),
    ("DELETE", "/api/v1/namespaces/web", ["delete", "", "v1", "web", "namespaces", "web"]),
    ("PUT", "/api/v1/namespaces/web/finalize", ["update", "", "v1", "web", "namespaces/finalize", "web"]),
    ("PATCH", "/api/v1/namespaces/web/status", ["patch", "", "v1", "web", "namespaces/status", "web"]),
    ("GET", "/api/v1/namespaces/web/pods", ["list", "", "v1", "web", "pods", ""]),
    ("HEAD", "/api/v1/namespaces/web/pods", ["list", "", "v1", "web", "pods", ""]),
    ("GET", "/api/v1/namespaces/web/pods/a", ["get", "", "v1", "web", "pods", "a"]),
    ("HEAD", "/api/v1/namespaces/web/pods/a", ["get", "", "v1", "web", "pods", "a"]),
    ("PATCH", "/api/v1/namespaces/web/pods/a", ["patch", "", "v1", "web", "pods", "a"]),
    ("DELETE", "/api/v1/namespaces/web/pods", ["deletecollection", "", "v1", "web", "pods", ""]),
    ("DELETE", "/api/v1/nodes", ["deletecollection", "", "v1", "", "nodes", ""]),
    ("DELETE", "/api/v1/namespaces", ["deletecollection", "", "v1", "", "namespaces", ""]),
    ("GET", "/api/v1/pods", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/namespaces/namespaces/namespaces", ["list", "", "v1", "namespaces", "namespaces", ""]),
    // Subresources.
    ("GET", "/api/v1/namespaces/web/pods/a/log?follow=true", ["get", "", "v1", "web", "pods/log", "a"]),
    ("GET", "/api/v1/namespaces/web/pods/a/exec?command=sh", ["get", "", "v1", "web", "pods/exec", "a"]),
    ("POST", "/api/v1/namespaces/web/pods/a/exec", ["create", "", "v1", "web", "pods/exec", "a"]),
    ("POST", "/api/v1/namespaces/web/pods/a/attach", ["create", "", "v1", "web", "pods/attach", "a"]),
    (
        "POST",
        "/api/v1/namespaces/web/pods/a/portforward",
        ["create", "", "v1", "web", "pods/portforward", "a"],
    ),
    ("GET", "/api/v1/namespaces/web/pods/a/proxy/x/y", ["get", "", "v1", "web", "pods/proxy", "a"]),
    (
        "POST",
        "/api/v1/namespaces/web/services/https:a:443/proxy",
        ["create", "", "v1", "web", "services/proxy", "https:a:443"],
    ),
    ("DELETE", "/api/v1/nodes/n/proxy/containers", ["delete", "", "v1", "", "nodes/proxy", "n"]),
    ("OPTIONS", "/api/v1/nodes/n/proxy/x", ["", "", "v1", "", "nodes/proxy", "n"]),
    (
        "POST",
        "/api/v1/namespaces/web/serviceaccounts/a/token",
        ["create", "", "v1", "web", "serviceaccounts/token", "a"],
    ),
    ("POST", "/api/v1/namespaces/web/bindings", ["create", "", "v1", "web", "bindings", ""]),
    // Groups.
    ("GET", "/apis/apps/v1/deployments", ["list", "apps", "v1", "", "deployments", ""]),
    (
        "PUT",
        "/apis/apps/v1/namespaces/web/deployments/a/scale",
        ["update", "apps", "v1", "web", "deployments/scale", "a"],
    ),
    (
        "POST",
        "/apis/example.com/v1beta3/namespaces/web/things",
        ["create", "example.com", "v1beta3", "web", "things", ""],
    ),
    (
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        ["create", "authorization.k8s.io", "v1", "", "selfsubjectaccessreviews", ""],
    ),
    (
        "GET",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
        ["get", "rbac.authorization.k8s.io", "v1", "", "clusterroles", "system:node"],
    ),
    ("GET", "/%61pi/v1/n%61mespaces/web/%73ecrets", ["list", "", "v1", "web", "secrets", ""]),
    // Watches.
    ("GET", "/api/v1/pods?watch=true", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=1", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=no", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?w%61tch=%74rue", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?a&&watch=true&watch=false", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=false&watch=true", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=0", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?watch=FALSE", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/pods?Watch=true", ["list", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/namespaces/web/pods/a?watch=true", ["get", "", "v1", "web", "pods", "a"]),
    ("POST", "/api/v1/pods?watch=true", ["create", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/watch/pods", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/watch/namespaces/web/pods", ["watch", "", "v1", "web", "pods", ""]),
    ("GET", "/api/v1/watch/namespaces/web/pods/a", ["watch", "", "v1", "web", "pods", "a"]),
    (
        "GET",
        "/apis/apps/v1/watch/deployments?fieldSelector=metadata.name%3Da",
        ["watch", "apps", "v1", "", "deployments", ""],
    ),
    ("DELETE", "/api/v1/watch/pods", ["watch", "", "v1", "", "pods", ""]),
    ("GET", "/api/v1/proxy/namespaces/web/pods/a", ["proxy", "", "v1", "web", "pods", "a"]),
    ("GET", "/api/v1/proxy/namespaces/web/pods/a/x/y", ["proxy", "", "v1", "web", "pods", "a"]),
    // Names by field selectors.
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=a", ["list", "", "v1", "", "secrets", "a"]),
    (
        "GET",
        "/api/v1/secrets?fieldSelector=metadata.name%3D%3Da&watch=1",
        ["watch", "", "v1", "", "secrets", "a"],
    ),
    (
        "GET",
        "/api/v1/secrets?fieldSelector=type%3Dx%2Cmetadata.name%3Da",
        ["list", "", "v1", "", "secrets", "a"],
    ),
    (
        "GET",
        "/api/v1/secrets?fieldSelector=metadata.name=a&fieldSelector=metadata.name=b",
        ["list", "", "v1", "", "secrets", "a"],
    ),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name!=a", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=a,b", ["list", "", "v1", "", "secrets", ""]),
    (
        "GET",
        "/api/v1/secrets?fieldSelector=metadata.name=a,metadata.name=b",
        ["list", "", "v1", "", "secrets", ""],
    ),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=a=b", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=a%5C%2Cb", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=a%2Fb", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=..", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=", ["list", "", "v1", "", "secrets", ""]),
    ("GET", "/api/v1/secrets?labelSelector=metadata.name=a", ["list", "", "v1", "", "secrets", ""]),
    (
        "DELETE",
        "/api/v1/secrets?fieldSelector=metadata.name=a",
        ["deletecollection", "", "v1", "", "secrets", ""],
    ),
    ("OPTIONS", "/api/v1/pods", ["", "", "v1", "", "pods", ""]),
];

#[test]
fn a_resource_request_is_what_the_api_server_takes_it_for() {
    for (method, path, expected) in RESOURCES {
        let found = attributes(method, path);
        assert!(found.is_resource, "{method} {path}");
        let resource = found.resource_path();
        let all = [&*found.verb, &found.group, &found.version, &found.namespace, &resource, &found.name];
        assert_eq!(all, *expected, "{method} {path}");
    }
}

#[test]
fn other_requests_are_for_no_resource() {
    let paths = [
        "/",
        "/api",
        "/apis/",
        "/api/v1",
        "/api/v1/",
        "/apis/apps",
        "/apis/apps/v1",
        "/apis/apps/v1/",
        "/version",
        "/healthz/etcd",
        "/openapi/v3/apis/apps/v1?hash=1A",
        "/API/v1/pods",
        "/other/v1/pods",
        "/.well-known/openid-configuration",
    ];
    for path in paths {
        let found = attributes("POST", path);
        assert_eq!(found, Attributes { verb: "post".to_owned(), ..Attributes::default() }, "{path}");
    }
}

#[test]
fn what_lasts_is_known() {
    let lasts = |method, path| read(method, path).unwrap().is_long_running();
    for path in [
        "/api/v1/pods?watch",
        "/api/v1/watch/pods",
        "/api/v1/namespaces/a/pods/b/log",
        "/api/v1/namespaces/a/pods/b/exec",
        "/api/v1/namespaces/a/pods/b/attach",
        "/api/v1/namespaces/a/pods/b/portforward",
        "/api/v1/namespaces/a/services/b/proxy/x",
        "/debug/pprof/profile",
    ] {
        assert!(lasts("GET", path), "{path}");
    }
    for path in ["/api/v1/pods", "/api/v1/namespaces/a/pods/log", "/version?watch=true", "/debug/pprofx"] {
        assert!(!lasts("GET", path), "{path}");
    }
}

#[test]
fn acts_inside_pods_are_seen_whatever_the_verb() {
    for method in ["GET", "POST"] {
        assert!(attributes(method, "/api/v1/namespaces/a/pods/b/exec").acts_inside_pods());
        assert!(!attributes(method, "/api/v1/namespaces/a/pods/b/log").acts_inside_pods());
    }
}

#[test]
fn paths_that_two_programs_may_read_differently_are_refused() {
    let refused = [
        ("", Refusal::NotAbsolute),
        ("*", Refusal::NotAbsolute),
        ("api/v1/pods", Refusal::NotAbsolute),
        ("https://evil.example.com/api", Refusal::NotAbsolute),
        ("?watch=true", Refusal::NotAbsolute),
        ("//", Refusal::EmptySegment),
        ("//api/v1/pods", Refusal::EmptySegment),
        ("/api//v1/pods", Refusal::EmptySegment),
        ("/api/v1/pods//", Refusal::EmptySegment),
        ("/api/v1//namespaces/a/pods/b/proxy/", Refusal::EmptySegment),
        ("/api/v1/pods/..", Refusal::DotSegment),
        ("/api/v1/pods/../secrets", Refusal::DotSegment),
        ("/api/./v1/pods", Refusal::DotSegment),
        ("/api/v1/pods/%2e%2e/secrets", Refusal::DotSegment),
        ("/api/v1/pods/.%2E/secrets", Refusal::DotSegment),
        ("/api/v1/pods/%2e", Refusal::DotSegment),
        ("/api/v1/namespaces/a%2fsecrets", Refusal::Separator),
        ("/api/v1/namespaces/a%2Fsecrets/pods", Refusal::Separator),
        ("/api/v1/namespaces/..%2fb/pods", Refusal::Separator),
        ("/api/v1/namespaces/a%5c..%5cb/pods", Refusal::Separator),
        ("/api/v1\\pods", Refusal::Separator),
        ("/api/v1/namespaces/a%252fb/pods", Refusal::EncodedPercent),
        ("/api/v1/pods/%252e%252e", Refusal::EncodedPercent),
        ("/api/v1/pods%00", Refusal::Control),
        ("/api/v1/pods%0d%0aHost:%20x", Refusal::Control),
        ("/api/v1/pods\r\nHost: x", Refusal::Control),
        ("/api/v1/pods\0", Refusal::Control),
        ("/api/v1/pods%7f", Refusal::Control),
        ("/api/v1/pods%c2%85", Refusal::Control),
        ("/api/v1/pods HTTP/1.1", Refusal::Unencoded),
        ("/api/v1/pods#x", Refusal::Unencoded),
        ("/api/v1/pods?watch=1#x", Refusal::Unencoded),
        ("/api/v1/pöds", Refusal::Unencoded),
        ("/api/v1/pods<", Refusal::Unencoded),
        ("/api/v1/pods?a=ö", Refusal::Unencoded),
        ("/api/v1/pods?a=b c", Refusal::Unencoded),
        ("/api/v1/pods%", Refusal::Escape),
        ("/api/v1/pods%4", Refusal::Escape),
        ("/api/v1/pods%zz", Refusal::Escape),
        ("/api/v1/pods%u0041", Refusal::Escape),
        ("/api/v1/pods?watch=%", Refusal::Escape),
        ("/api/v1/pods%ff", Refusal::NotUtf8),
        ("/api/v1/pods%c0%af", Refusal::NotUtf8),
        ("/api/v1/pods?a=%ff", Refusal::NotUtf8),
        ("/api/v1/pods?a;watch=true", Refusal::Semicolon),
        ("/api/v1/watch", Refusal::NoResource),
        ("/apis/apps/v1/watch/", Refusal::NoResource),
        ("/api/v1/proxy", Refusal::NoResource),
    ];
    for (path, expected) in refused {
        assert_eq!(read("GET", path).unwrap_err(), expected, "{path:?}");
    }
    assert_eq!(read("GET", &format!("/{}", "a".repeat(40_000))).unwrap_err(), Refusal::TooLong);
    assert_eq!(read("GET", &format!("/api/v1/pods?{}", "&".repeat(2_000))).unwrap_err(), Refusal::TooMany);
}

#[test]
fn methods_that_kubernetes_does_not_know_are_refused() {
    for method in ["CONNECT", "TRACE", "get", "PROPFIND", "GETT"] {
        assert_eq!(read(method, "/api/v1/pods").unwrap_err(), Refusal::Method, "{method}");
    }
}

#[test]
fn behind_a_proxy_subresource_all_passes_that_does_not_climb_out() {
    for place in [
        "/api/v1/namespaces/a/services/b/proxy",
        "/api/v1/namespaces/a/pods/b/proxy",
        "/api/v1/nodes/b/proxy",
    ] {
        for rest in
            ["", "/", "//", "/a//b", "/a%2fb", "/./a", "/a%252e", "/%ff", "/a?b;c=%", "/...", "/a..b", "/%5c"]
        {
            let target = read("GET", &format!("{place}{rest}")).unwrap();
            assert_eq!(target.attributes().subresource, "proxy");
            assert_eq!(target.path_and_query().as_str(), format!("{place}{rest}"));
        }
        for rest in ["/..", "/a/../b", "/%2e%2e", "/a%2f..%2fb", "/..%2f", "/a%5c..%5c", "/.%2e/a"] {
            assert_eq!(read("GET", &format!("{place}{rest}")).unwrap_err(), Refusal::DotSegment, "{rest}");
        }
    }
}

#[test]
fn what_only_looks_like_a_proxy_subresource_is_held_to_the_rules() {
    for path in [
        "/api/v1/namespaces/a/secrets/b/proxy//",
        "/api/v1/namespaces/a%2fservices/services/b/proxy//",
        "/api/v1/namespaces/a/pods/b/log/proxy//",
        "/api/v1/namespaces/a/pods/proxy//",
        "/api/v1/namespaces/a/pods/b/%70roxy//",
        "/apis/apps/v1/namespaces/a/pods/b/proxy//",
        "/api/v1/proxy/nodes/a//",
        "/proxy//",
    ] {
        assert!(read("GET", path).is_err(), "{path}");
    }
}

#[test]
fn what_is_sent_is_what_was_read() {
    for path in ["/api/v1/namespaces/%61/pods/?b=%20&c=+", "/apis/", "/api/v1/pods?"] {
        assert_eq!(Target::read(&Method::GET, path).unwrap().path_and_query().as_str(), path);
    }
}
