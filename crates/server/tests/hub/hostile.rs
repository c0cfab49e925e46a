//! Requests that try to get past the hub: read in two ways, for somebody else, too large, too many. Each is refused, and
//! the API server behind it sees nothing of it.

use authn::{Kind, Minted};
use base::{Clock as _, SystemClock};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use jiff::SignedDuration;
use records::NewSession;
use serde_json::{Value, json};

use crate::support::{Hosted, World, eventually, raw};

/// Stands in what must not reach the API server.
const MARK: &str = "hostile";
/// Streams that are begun on one connection and reset at once.
const STORM: usize = 100_000;
const CLUSTER: &str = "/k8s/clusters/acme.prod";

/// A hub, a cluster of tenant `acme` with its owner and one who may only read, and one of another tenant.
struct Scene {
    world: World,
    cluster: Hosted,
    admin: String,
    owner: String,
    reader: String,
    foreigner: String,
}

impl Scene {
    async fn set() -> Self {
        let world = World::new().await;
        let admin = world.sign_in("admin", &world.first_password().await).await;
        world.tenant(&admin, "acme", None).await;
        world.tenant(&admin, "globex", None).await;
        let owner = world.member(&admin, "olga", "tenant-owner", "acme").await;
        let reader = world.member(&admin, "rita", "read-only", "acme").await;
        let foreigner = world.member(&admin, "gus", "tenant-owner", "globex").await;
        let cluster = Box::pin(world.hosted("acme", "prod")).await;
        cluster.binding("tenant-owner", "cluster-admin").await;
        cluster.binding("read-only", "system:aggregate-to-view").await;
        let scene = Self { world, cluster, admin, owner, reader, foreigner };
        eventually("the cluster takes the hub's identities", || async {
            let path = format!("{CLUSTER}/api/v1/namespaces/default");
            scene.world.ask(&scene.owner, Method::GET, &path, None).await.status == 200
        })
        .await;
        scene
    }

    /// The API server has seen nothing of what was marked, and would have: it sees what is asked as it should be.
    async fn is_unseen(&self) {
        assert_eq!(self.cluster.saw(MARK), Vec::<Value>::new());
        let path = format!("{CLUSTER}/api/v1/namespaces/honest");
        assert_eq!(self.world.ask(&self.owner, Method::GET, &path, None).await.status, 404);
        assert!(!self.cluster.saw("honest").is_empty());
    }
}

/// A request as bytes.
fn request(line: &str, headers: &[&str]) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: hub\r\n{}\r\n\r\n", headers.join("\r\n")).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_in_two_ways_is_refused() {
    let scene = Scene::set().await;
    let own = format!("Authorization: Bearer {}", scene.owner);
    let inside = |rest: &str| format!("GET {CLUSTER}/api/v1/namespaces/{rest}");
    let marked = inside(MARK);
    let long = format!("x-long: {}", "a".repeat(1024 * 1024));
    let forged = format!("Authorization: Bearer {}x", scene.owner);
    for (line, headers, allowed) in [
        // Who it is from.
        (marked.clone(), vec![own.as_str(), own.as_str()], &[401][..]),
        (marked.clone(), vec![own.as_str(), forged.as_str()], &[401]),
        (marked.clone(), vec![forged.as_str(), own.as_str()], &[401]),
        (marked.clone(), vec!["Authorization: Basic YWRtaW46YWRtaW4="], &[401]),
        (marked.clone(), vec!["Cookie: __Host-flotilla=a; __Host-flotilla=b"], &[401]),
        // Where it goes.
        (inside("hostile/../../secrets"), vec![&own], &[400]),
        (inside("%2e%2e/hostile"), vec![&own], &[400]),
        (inside("hostile%2fsecrets"), vec![&own], &[400]),
        (inside("hostile%5csecrets"), vec![&own], &[400]),
        (inside("hostile%252fsecrets"), vec![&own], &[400]),
        (inside("/hostile"), vec![&own], &[400]),
        (inside("hostile%00"), vec![&own], &[400]),
        (inside("default/pods?watch=false;watch=true&x=hostile"), vec![&own], &[400]),
        ("GET /k8s/clusters/../clusters/acme.prod/api/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        ("GET /k8s//clusters/acme.prod/api/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        ("GET /%6b8s/clusters/acme.prod/api/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        ("GET /k8s/clusters/acme.prod%2fapi/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        ("GET /k8s/clusters/acme%2eprod/api/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        ("GET /k8s/clusters/x@acme.prod/api/v1/namespaces/hostile".to_owned(), vec![&own], &[404]),
        // Through a proxy, which the hub is not.
        (format!("GET https://evil.example.com{CLUSTER}/api/v1/namespaces/hostile"), vec![&own], &[422]),
        (format!("GET {}{CLUSTER}/api/v1/namespaces/hostile", scene.world.url), vec![&own], &[422]),
        ("CONNECT hostile.example.com:443".to_owned(), vec![&own], &[422]),
        (format!("TRACE {CLUSTER}/api/v1/namespaces/hostile"), vec![&own], &[400]),
        (format!("CONNECT {CLUSTER}/api/v1/namespaces/hostile"), vec![&own], &[400]),
        ("TRACE /api/v1/session".to_owned(), vec![&own], &[405]),
        // How long it is.
        (marked.clone(), vec![&own, "Content-Length: 5", "Content-Length: 6"], &[400]),
        (marked.clone(), vec![&own, "Content-Length: -1"], &[400]),
        (marked.clone(), vec![&own, "Transfer-Encoding: gzip"], &[400]),
        (marked.clone(), vec![&own, "Transfer-Encoding : chunked"], &[400]),
        (marked.clone(), vec![&own, "x-folded: a\r\n b"], &[400]),
        (marked.clone(), vec![&own, "x-nul: a\0b"], &[400]),
        (marked.clone(), vec![&own, &long], &[431]),
    ] {
        let mut stream = raw::connect(&scene.world, "http/1.1").await;
        let status = raw::status(&mut stream, &request(&line, &headers)).await;
        let head: Vec<&str> = headers.iter().map(|header| &header[..header.len().min(40)]).collect();
        // Of what is too large the hub may end the connection before it is sent.
        let is_ended = status.is_none() && allowed == [431];
        assert!(
            is_ended || status.is_some_and(|status| allowed.contains(&status)),
            "{line} {head:?}: {status:?}"
        );
    }
    scene.is_unseen().await;
}

/// What one reader takes for a body, the other for a request of somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_hides_in_the_body_of_another() {
    let scene = Scene::set().await;
    let own = format!("Authorization: Bearer {}", scene.owner);
    let hidden =
        format!("GET {CLUSTER}/api/v1/namespaces/{MARK} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
    let chunked = format!("0\r\n\r\n{hidden}");
    let length = format!("Content-Length: {}", chunked.len());
    let (post, json) =
        (format!("POST {CLUSTER}/api/v1/namespaces/default/configmaps"), "Content-Type: application/json");
    for framing in
        [[length.as_str(), "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", length.as_str()]]
    {
        let mut bytes = request(&post, &[&own, json, framing[0], framing[1]]);
        bytes.extend_from_slice(chunked.as_bytes());
        let answers = raw::whole(&scene.world, &bytes).await;
        let statuses: Vec<&str> =
            answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
        assert!(!statuses.is_empty() && statuses.iter().all(|status| status.starts_with('4')), "{answers}");
        assert!(statuses.get(1).is_none_or(|status| *status == "401"), "{answers}");
    }
    scene.is_unseen().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_is_who_is_signed_in_whatever_headers_and_trailers_say() {
    let scene = Scene::set().await;
    let own = format!("Authorization: Bearer {}", scene.reader);
    let line = format!("GET {CLUSTER}/api/v1/namespaces/default/secrets");
    for header in [
        "Impersonate-User: system:admin",
        "Impersonate-Group: system:masters",
        "Impersonate-Uid: 0",
        "Impersonate-Extra-Scopes: all",
        "X-Remote-User: system:admin",
        "X-Remote-Group: system:masters",
        "X-Remote-Extra-Scopes: all",
        "X-Forwarded-User: system:admin",
        "X-Forwarded-For: 203.0.113.7",
        "X-Forwarded-Host: evil.example.com",
        "X-Real-Ip: 203.0.113.7",
        "Forwarded: for=203.0.113.7",
        "Proxy-Authorization: Basic YWRtaW46YWRtaW4=",
        "Connection: authorization",
        "Connection: close, authorization, impersonate-user\r\nImpersonate-User: system:admin",
        "Connection: upgrade, authorization\r\nUpgrade: h2c",
        "X-Http-Method-Override: DELETE",
        "X-Original-Url: /api/v1/nodes",
    ] {
        let mut stream = raw::connect(&scene.world, "http/1.1").await;
        let status = raw::status(&mut stream, &request(&line, &[&own, header])).await;
        assert_eq!(status, Some(403), "{header}");
    }
    let mut stream = raw::connect(&scene.world, "http/1.1").await;
    let post = format!("POST {CLUSTER}/api/v1/namespaces/default/secrets");
    let mut bytes = request(
        &post,
        &[&own, "Content-Type: application/json", "Transfer-Encoding: chunked", "Trailer: Impersonate-User"],
    );
    bytes.extend_from_slice(
        b"2\r\n{}\r\n0\r\nImpersonate-User: system:admin\r\nAuthorization: Bearer x\r\n\r\n",
    );
    assert_eq!(raw::status(&mut stream, &bytes).await, Some(403));

    let seen = scene.cluster.saw("/namespaces/default/secrets");
    assert!(!seen.is_empty());
    for event in seen {
        assert_eq!(event["user"]["username"], "flotilla:user:rita", "{event}");
        assert!(event["impersonatedUser"].is_null(), "{event}");
        assert!(!event.to_string().contains("203.0.113.7"), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_of_others_are_not_there_and_too_much_is_too_much() {
    let scene = Scene::set().await;
    for (token, id) in [
        (&scene.foreigner, "acme.prod"),
        (&scene.owner, "globex.prod"),
        (&scene.owner, "kube-system.prod"),
        (&scene.owner, "nowhere"),
        (&scene.owner, "acme.prod."),
        (&scene.owner, ".prod"),
    ] {
        let path = format!("/k8s/clusters/{id}/api/v1/namespaces/{MARK}");
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = scene.world.ask(token, method.clone(), &path, None).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["reason"]),
                (404, &json!("NotFound")),
                "{method} {id}"
            );
        }
    }
    let large = json!({ "name": "large", "spec": { "displayName": "a".repeat(2 * 1024 * 1024) } });
    let bearer = format!("Bearer {}", scene.admin);
    let sent = |headers: &'static [(&str, &str)]| {
        let all: Vec<(&str, &str)> =
            [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        let (world, large) = (&scene.world, large.clone());
        async move { world.send(Method::POST, "/api/v1/tenants", &all, Some(large)).await }
    };
    for headers in [&[][..], &[("idempotency-key", "once")]] {
        let answer = sent(headers).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (413, &json!("too-large")), "{headers:?}");
    }
    scene.is_unseen().await;
}

/// A token of JWT's form without a signature.
fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
}

/// A session of the database that ended a second ago.
async fn ended_session(world: &World) -> String {
    let minted = |kind| Minted::new(kind).unwrap();
    let (token, csrf) = (minted(Kind::Session), minted(Kind::Csrf));
    let now = SystemClock.now();
    let session = NewSession {
        id: token.id.clone(),
        digest: records::Digest(token.digest.0),
        csrf: records::Digest(csrf.digest.0),
        user: "olga".to_owned(),
        provider: "local".to_owned(),
        groups: Vec::new(),
        voucher: String::new(),
        expires: now - SignedDuration::from_secs(1),
        address: String::new(),
        agent: String::new(),
    };
    world.records().await.sessions().open(&session, now - SignedDuration::from_hours(1)).await.unwrap();
    token.text.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_of_now_and_for_the_hub_are_refused() {
    let scene = Scene::set().await;
    let (world, owner) = (&scene.world, &scene.owner);
    let issued = world.ask(owner, Method::POST, "/api/v1/clusters/acme.prod/credential", None).await.body;
    let of_cluster = issued["token"].as_str().unwrap().to_owned();
    let key = json!({ "name": "ci", "days": 1 });
    let key = world.ask(owner, Method::POST, "/api/v1/keys", Some(key)).await.body;
    let path = format!("/api/v1/keys/{}", key["id"].as_str().unwrap());
    let key = key["key"].as_str().unwrap().to_owned();
    assert_eq!(world.ask(owner, Method::DELETE, &path, None).await.status, 204);
    let replayed = world.sign_in("olga", "correct horse olga").await;
    assert_eq!(world.ask(&replayed, Method::DELETE, "/api/v1/session", None).await.status, 204);
    let claims = json!({
        "iss": format!("{}/issuer", world.url), "sub": "olga", "aud": "acme.prod", "exp": 4_102_444_800_i64,
        "groups": ["flotilla:cluster:platform-admin"],
    });
    let (head, secret) = owner.rsplit_once('_').unwrap();
    let (_, other) = scene.foreigner.rsplit_once('_').unwrap();
    for (what, token) in [
        ("of another session", format!("{head}_{other}")),
        ("cut", format!("{head}_{}", &secret[1..])),
        ("of another kind", owner.replace("_session_", "_agent_")),
        ("unsigned", unsigned(&claims)),
        ("for a cluster", of_cluster.clone()),
        ("for a cluster, without its signature", of_cluster.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("expired", ended_session(world).await),
        ("replayed after signing out", replayed),
        ("of a key that was deleted", key),
        ("nothing", String::new()),
    ] {
        let inside = format!("{CLUSTER}/api/v1/namespaces/{MARK}");
        let answer = world.ask(&token, Method::GET, &inside, None).await;
        assert_eq!((answer.status.as_u16(), &answer.body["reason"]), (401, &json!("Unauthorized")), "{what}");
        let answer = world.ask(&token, Method::GET, "/api/v1/session", None).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (401, &json!("unauthenticated")),
            "{what}"
        );
    }
    let log =
        world.ask(&scene.admin, Method::GET, "/api/v1/audit?decision=denied&limit=1000", None).await.body;
    let refused = log["items"].as_array().unwrap().iter().filter(|entry| entry["actorKind"] == "unknown");
    assert!(refused.count() >= 20, "{log}");
    scene.is_unseen().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_reset_at_once_and_too_many_of_them_cost_one_connection() {
    let scene = Scene::set().await;
    let authority = scene.world.url.trim_start_matches("https://").to_owned();
    let ask = |path: &str, token: &str| {
        http::Request::get(format!("https://{authority}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(())
            .unwrap()
    };
    let wire = raw::connect(&scene.world, "h2").await;
    let (mut sender, connection) = h2::client::handshake(wire).await.unwrap();
    let driver = tokio::spawn(connection);
    let inside = format!("{CLUSTER}/api/v1/namespaces/{MARK}");
    let mut asked = 0;
    let storm = async {
        while asked < STORM {
            asked += 1;
            let Ok((_, mut stream)) = sender.send_request(ask(&inside, "forged"), false) else { break };
            stream.send_reset(h2::Reason::CANCEL);
            if asked % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        driver.await
    };
    let ended = tokio::time::timeout(std::time::Duration::from_mins(1), storm).await;
    let why = ended.unwrap().unwrap().unwrap_err();
    // What it says may get lost among what was still sent.
    assert!(why.is_io() || why.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM), "{why}");
    assert!(asked < STORM, "it was not ended");

    // Streams that stay: so many on a connection, the next ones wait or are refused, and nobody else does.
    let wire = raw::connect(&scene.world, "h2").await;
    let (sender, connection) = h2::client::handshake(wire).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let (first, _) = sender.send_request(ask("/api/v1/clusters/watch", &scene.owner), true).unwrap();
    let _first = first.await.unwrap();
    assert!(sender.current_max_send_streams() <= 256, "{}", sender.current_max_send_streams());

    let answer = scene.world.ask(&scene.owner, Method::GET, "/api/v1/session", None).await;
    assert_eq!(answer.status, 200);
    scene.is_unseen().await;
}
