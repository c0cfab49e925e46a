//! People of identity providers: a real `OpenLDAP`, and a real Dex in front of it.

mod browser;

use http::Method;
use launcher::{Dex, OpenLdap};
use serde_json::{Value, json};

use crate::support::{World, eventually};
use browser::Browser;

const PEOPLE: [&str; 3] = ["olga", "rita", "eve"];
const GROUPS: [(&str, &[&str]); 2] = [("dev", &["olga", "rita"]), ("ops", &["rita"])];

async fn directory() -> OpenLdap {
    OpenLdap::start(&PEOPLE, &GROUPS).await.unwrap()
}

fn ldap(directory: &OpenLdap, tenant: Option<&str>, create_users: bool) -> Value {
    json!({
        "tenant": tenant, "createUsers": create_users,
        "ldap": {
            "url": directory.url(), "caBundle": directory.authority().unwrap().certificate,
            "bindDn": OpenLdap::ADMINISTRATOR,
            "userBase": format!("ou=people,{}", OpenLdap::SUFFIX), "userFilter": "(uid={user})",
            "groupBase": format!("ou=groups,{}", OpenLdap::SUFFIX),
        },
    })
}

fn oidc(dex: &Dex) -> Value {
    json!({ "displayName": "Corporate", "createUsers": true, "oidc": {
        "issuer": dex.issuer(), "clientId": Dex::CLIENT, "caBundle": dex.authority().unwrap().certificate,
    }})
}

impl World {
    async fn provider(&self, by: &str, name: &str, spec: Value, secret: &str) {
        let body = json!({ "name": name, "spec": spec });
        let made = self.ask(by, Method::POST, "/api/v1/providers", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let path = format!("/api/v1/providers/{name}/secret");
        let set = self.ask(by, Method::PUT, &path, Some(json!({ "secret": secret }))).await;
        assert_eq!(set.status, 204, "{}", set.body);
    }

    async fn grant(&self, by: &str, name: &str, group: &str, role: &str, scope: Value) {
        let spec = json!({ "group": group, "role": role, "scope": scope });
        let given =
            self.ask(by, Method::POST, "/api/v1/grants", Some(json!({ "name": name, "spec": spec }))).await;
        assert_eq!(given.status, 201, "{}", given.body);
    }

    async fn sign_in_at(&self, provider: &str, user: &str, password: &str) -> (u16, Value) {
        let body = json!({ "provider": provider, "user": user, "password": password, "carrier": "token" });
        let answer = self.send(Method::POST, "/api/v1/session", &[], Some(body)).await;
        (answer.status.as_u16(), answer.body)
    }

    async fn token_at(&self, provider: &str, user: &str) -> String {
        let (status, body) = self.sign_in_at(provider, user, &format!("{user}-password")).await;
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }

    async fn status(&self, token: &str, path: &str) -> u16 {
        self.ask(token, Method::GET, path, None).await.status.as_u16()
    }

    fn callback(&self, provider: &str) -> String {
        format!("{}/api/v1/session/oidc/{provider}/callback", self.url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directorys_people_sign_in_and_lose_what_they_lose_there() {
    let (world, directory) = (World::new().await, directory().await);
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.provider(&admin, "corp", ldap(&directory, None, true), OpenLdap::PASSWORD).await;
    world.grant(&admin, "dev", "corp:dev", "tenant-owner", json!({ "tenant": "acme" })).await;
    let read = world.ask(&admin, Method::GET, "/api/v1/providers/corp", None).await.body;
    assert!(!read.to_string().contains(OpenLdap::PASSWORD), "{read}");
    let mut elsewhere = ldap(&directory, None, true);
    elsewhere["ldap"]["url"] = json!("ldaps://thief.example.com");
    let body = json!({ "name": "corp", "spec": elsewhere });
    let moved = world.ask(&admin, Method::PUT, "/api/v1/providers/corp", Some(body)).await;
    assert!(moved.status == 422 && moved.body.to_string().contains("bind password"), "{}", moved.body);
    let listed = world.send(Method::GET, "/api/v1/session/providers", &[], None).await.body;
    assert_eq!(listed, json!([{ "name": "corp", "kind": "ldap" }]));

    let refused = world.sign_in_at("corp", "olga", "no such password").await;
    assert_eq!(refused.0, 401);
    for (user, password) in [
        ("nobody", "nobody-password"),
        ("*", "olga-password"),
        ("*)(uid=*", "olga-password"),
        ("olga)(uid=olga", "olga-password"),
        ("olga", ""),
        ("", ""),
    ] {
        assert_eq!(world.sign_in_at("corp", user, password).await, refused, "{user} {password}");
    }
    assert_eq!(world.sign_in_at("nowhere", "olga", "olga-password").await, refused);

    let olga = world.token_at("corp", "olga").await;
    let me = world.ask(&olga, Method::GET, "/api/v1/session", None).await.body;
    assert!(me["user"].as_str().unwrap().starts_with("corp-olga-"), "{me}");
    assert_eq!(me["groups"], json!(["corp:dev"]));
    assert_eq!(world.status(&olga, "/api/v1/tenants/acme").await, 200);
    let eve = world.token_at("corp", "eve").await;
    assert_eq!(world.status(&eve, "/api/v1/tenants/acme").await, 404);

    directory.remove_member("dev", "olga").await.unwrap();
    eventually("the right is lost", || async { world.status(&olga, "/api/v1/tenants/acme").await == 404 })
        .await;
    assert_eq!(world.status(&olga, "/api/v1/session").await, 200);
    directory.remove_person("olga").await.unwrap();
    eventually("the session has ended", || async { world.status(&olga, "/api/v1/session").await == 401 })
        .await;
    assert_eq!(world.sign_in_at("corp", "olga", "olga-password").await, refused);

    let log = world.ask(&admin, Method::GET, "/api/v1/audit?resource=sessions&limit=1000", None).await.body;
    assert!(!log.to_string().contains("-password"), "{log}");
    let denied = log["items"].as_array().unwrap().iter().filter(|entry| entry["decision"] == "denied");
    assert!(denied.count() >= 8, "{log}");

    // Without its provider a session is worth nothing.
    assert_eq!(world.ask(&admin, Method::DELETE, "/api/v1/providers/corp", None).await.status, 204);
    assert_eq!(world.status(&eve, "/api/v1/session").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_asked_for_tls_and_believed_only_with_it() {
    let (world, directory) = (World::new().await, directory().await);
    let admin = world.sign_in("admin", &world.first_password().await).await;
    let mut spec = ldap(&directory, None, true);
    spec["ldap"]["url"] = json!(directory.url_of_start_tls());
    let plain = json!({ "name": "corp", "spec": spec });
    let refused = world.ask(&admin, Method::POST, "/api/v1/providers", Some(plain)).await;
    assert!(refused.status == 422 && refused.body.to_string().contains("startTls"), "{}", refused.body);
    spec["ldap"]["startTls"] = json!(true);
    world.provider(&admin, "corp", spec.clone(), OpenLdap::PASSWORD).await;
    world.token_at("corp", "olga").await;
    // By an authority that did not sign its certificate.
    let stranger = OpenLdap::start(&[], &[]).await.unwrap();
    spec["ldap"]["caBundle"] = json!(stranger.authority().unwrap().certificate);
    world.provider(&admin, "other", spec, OpenLdap::PASSWORD).await;
    let (status, body) = world.sign_in_at("other", "olga", "olga-password").await;
    assert!(status != 200 && !body.to_string().contains("token"), "{status} {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_linked_by_its_owner_only() {
    let (world, directory) = (World::new().await, directory().await);
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.provider(&admin, "corp", ldap(&directory, None, false), OpenLdap::PASSWORD).await;
    let olga = world.member(&admin, "olga", "tenant-owner", "acme").await;
    let eve = world.member(&admin, "eve", "read-only", "acme").await;
    let (unlinked, _) = world.sign_in_at("corp", "olga", "olga-password").await;
    assert_eq!(unlinked, 401, "nobody becomes a local user by having its name elsewhere");

    let links = "/api/v1/session/links";
    let identity = |password: &str| json!({ "provider": "corp", "user": "olga", "password": password });
    let wrong = world.ask(&olga, Method::POST, links, Some(identity("wrong"))).await;
    assert_eq!(wrong.status, 403, "{}", wrong.body);
    let linked = world.ask(&olga, Method::POST, links, Some(identity("olga-password"))).await;
    assert_eq!(linked.status, 204, "{}", linked.body);
    let taken = world.ask(&eve, Method::POST, links, Some(identity("olga-password"))).await;
    assert_eq!(taken.status, 409, "{}", taken.body);

    let through = world.token_at("corp", "olga").await;
    let me = world.ask(&through, Method::GET, "/api/v1/session", None).await.body;
    assert_eq!((&me["user"], &me["groups"]), (&json!("olga"), &json!(["corp:dev"])));
    let shown = world.ask(&olga, Method::GET, links, None).await.body;
    let subject = shown[0]["subject"].as_str().unwrap();
    let path = format!("{links}?provider=corp&subject={subject}");
    assert_eq!(world.ask(&eve, Method::DELETE, &path, None).await.status, 404);
    assert_eq!(world.ask(&olga, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.status(&through, "/api/v1/session").await, 401);
    assert_eq!(world.sign_in_at("corp", "olga", "olga-password").await.0, 401);
    assert_eq!(world.status(&olga, "/api/v1/session").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_provider_leads_no_further_than_its_tenant() {
    let (world, directory) = (World::new().await, directory().await);
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for tenant in ["acme", "globex"] {
        world.tenant(&admin, tenant, None).await;
    }
    let owner = world.member(&admin, "owner", "tenant-owner", "acme").await;
    let reader = world.member(&admin, "reader", "read-only", "acme").await;
    let gus = world.member(&admin, "gus", "tenant-owner", "globex").await;
    let body = |tenant: Option<&str>| json!({ "name": "mine", "spec": ldap(&directory, tenant, true) });
    for (who, tenant, status) in
        [(&owner, None, 403), (&owner, Some("globex"), 404), (&reader, Some("acme"), 403)]
    {
        let answer = world.ask(who, Method::POST, "/api/v1/providers", Some(body(tenant))).await;
        assert_eq!(answer.status.as_u16(), status, "{tenant:?} {}", answer.body);
    }
    world.provider(&owner, "acme-people", ldap(&directory, Some("acme"), true), OpenLdap::PASSWORD).await;
    assert_eq!(world.status(&gus, "/api/v1/providers/acme-people").await, 404);
    let listed = |query: &'static str| {
        let path = format!("/api/v1/session/providers{query}");
        async { world.send(Method::GET, &{ path }, &[], None).await.body }
    };
    assert_eq!(listed("").await, json!([]));
    assert_eq!(listed("?tenant=acme").await[0]["name"], "acme-people");

    let identity = json!({ "provider": "acme-people", "user": "eve", "password": "eve-password" });
    for who in [&gus, &admin] {
        let answer = world.ask(who, Method::POST, "/api/v1/session/links", Some(identity.clone())).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
    }

    // Somebody gives its group everything, everywhere.
    world.grant(&admin, "all", "acme-people:dev", "platform-admin", json!({ "platform": true })).await;
    let olga = world.token_at("acme-people", "olga").await;
    let me = world.ask(&olga, Method::GET, "/api/v1/session", None).await.body;
    let user = me["user"].as_str().unwrap().to_owned();
    let made = world.ask(&admin, Method::GET, &format!("/api/v1/users/{user}"), None).await.body;
    assert_eq!(made["spec"]["tenant"], "acme", "{made}");
    assert_eq!(world.status(&olga, "/api/v1/tenants/acme").await, 200);
    assert_eq!(world.status(&olga, "/api/v1/tenants/globex").await, 404);
    let seen = world.ask(&olga, Method::GET, "/api/v1/users", None).await.body;
    assert!(!seen.to_string().contains("gus") && !seen.to_string().contains("\"admin\""), "{seen}");
    let given = world
        .ask(
            &admin,
            Method::POST,
            "/api/v1/grants",
            Some(json!({ "name": "g", "spec": {
                "user": user, "role": "platform-admin", "scope": { "platform": true },
            }})),
        )
        .await;
    assert_eq!(given.status, 201, "{}", given.body);
    let key = json!({ "name": "out", "days": 1 });
    let made = world.ask(&olga, Method::POST, "/api/v1/keys", Some(key)).await;
    let key = made.body["key"].as_str().unwrap();
    assert_eq!(world.status(key, "/api/v1/tenants/acme").await, 200);
    assert_ne!(world.status(key, "/api/v1/tenants/globex").await, 200);
    let wide = json!({ "name": "wide", "days": 1, "scope": { "tenants": ["globex"] } });
    assert_eq!(world.ask(&olga, Method::POST, "/api/v1/keys", Some(wide)).await.status, 403);

    // Whoever changes the provider could be anybody of it, and lacks what was given to its group.
    let path = "/api/v1/providers/acme-people/secret";
    let set = world.ask(&owner, Method::PUT, path, Some(json!({ "secret": "another" }))).await;
    assert_eq!(set.status, 403, "{}", set.body);

    // A user who is moved out of the tenant is out of the provider's reach.
    let moved = json!({ "name": user, "spec": { "tenant": "globex" } });
    let answer = world.ask(&admin, Method::PUT, &format!("/api/v1/users/{user}"), Some(moved)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(world.status(&olga, "/api/v1/session").await, 401);
    assert_eq!(world.sign_in_at("acme-people", "olga", "olga-password").await.0, 401);
}

/// The token of a program that somebody lets in.
async fn let_in(world: &World, person: &[(&str, &str)]) -> String {
    let begun = world.send(Method::POST, "/api/v1/device", &[], None).await.body;
    let path = format!("/api/v1/device/{}", begun["userCode"].as_str().unwrap());
    let decided = world.send(Method::POST, &path, person, Some(json!({ "approve": true }))).await;
    assert_eq!(decided.status, 204, "{}", decided.body);
    let body = json!({ "deviceCode": begun["deviceCode"] });
    let opened = world.send(Method::POST, "/api/v1/device/token", &[], Some(body)).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    opened.body["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_at_an_openid_provider_and_lose_what_they_lose_there() {
    let (world, directory) = (World::new().await, directory().await);
    let callback = world.callback("corp");
    let dex = Dex::start(&directory, std::slice::from_ref(&callback)).await.unwrap();
    let admin = world.sign_in("admin", &world.first_password().await).await;
    world.tenant(&admin, "acme", None).await;
    world.provider(&admin, "corp", oidc(&dex), Dex::SECRET).await;
    world.grant(&admin, "dev", "corp:dev", "tenant-owner", json!({ "tenant": "acme" })).await;

    let mut browser = Browser::new(&world.url, &[&world.authority, &dex.authority().unwrap().certificate]);
    let begin = format!("{}/api/v1/session/oidc/corp?return=/clusters", world.url);
    let page = browser.open(&begin).await;
    assert_eq!(page.status, 303, "{}", page.body);
    let back = browser.sign_in(&page.location.unwrap(), "olga", &callback).await;
    let arrived = browser.open(&back).await;
    assert_eq!(
        (arrived.status.as_u16(), arrived.location.as_deref()),
        (303, Some("/clusters")),
        "{}",
        arrived.body
    );
    let host = world.url.trim_start_matches("https://");
    let own = &browser.cookies[host];
    assert!(!own.contains_key("__Host-flotilla-flow"));
    let cookie = format!("__Host-flotilla={}", own["__Host-flotilla"]);
    let headers = [("cookie", cookie.as_str()), ("x-flotilla-csrf", own["__Host-flotilla-csrf"].as_str())];
    let me = world.send(Method::GET, "/api/v1/session", &headers, None).await.body;
    assert!(me["user"].as_str().unwrap().starts_with("corp-olga-"), "{me}");
    assert_eq!(me["groups"], json!(["corp:dev"]));
    let key = json!({ "name": "ci", "days": 1 });
    assert_eq!(world.send(Method::POST, "/api/v1/keys", &headers, Some(key)).await.status, 201);
    let acme = async || world.send(Method::GET, "/api/v1/tenants/acme", &headers, None).await.status.as_u16();
    assert_eq!(acme().await, 200);

    // A program that she lets in has the rights of her groups too, and keeps them when she signs out elsewhere.
    let (kept, short) = (let_in(&world, &headers).await, let_in(&world, &headers).await);
    let ended = world.ask(&short, Method::DELETE, "/api/v1/session", None).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    assert_eq!((world.status(&kept, "/api/v1/tenants/acme").await, acme().await), (200, 200));

    directory.remove_member("dev", "olga").await.unwrap();
    eventually("the right is lost", || async { acme().await == 404 }).await;
    assert_eq!(world.status(&kept, "/api/v1/tenants/acme").await, 404, "the program has lost it with her");
    assert_eq!(world.send(Method::GET, "/api/v1/session", &headers, None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_return_from_a_provider_is_refused_and_recorded() {
    let (world, directory) = (World::new().await, directory().await);
    let callback = world.callback("corp");
    let dex = Dex::start(&directory, &[callback.clone(), world.callback("other")]).await.unwrap();
    let admin = world.sign_in("admin", &world.first_password().await).await;
    for name in ["corp", "other"] {
        world.provider(&admin, name, oidc(&dex), Dex::SECRET).await;
    }
    let begin = format!("{}/api/v1/session/oidc/corp", world.url);
    let mut browser = Browser::new(&world.url, &[&world.authority, &dex.authority().unwrap().certificate]);
    for evil in ["//evil.example.com", "/%5Cevil.example.com", "https://evil.example.com", "%2F%2Fevil"] {
        assert_eq!(browser.open(&format!("{begin}?return={evil}")).await.status, 422, "{evil}");
    }
    assert_eq!(browser.open(&format!("{}/api/v1/session/oidc/nowhere", world.url)).await.status, 404);

    let host = world.url.trim_start_matches("https://").to_owned();
    let flow = "__Host-flotilla-flow";
    let location = browser.open(&begin).await.location.unwrap();
    let kept = browser.cookies[&host][flow].clone();
    let back = browser.sign_in(&location, "olga", &callback).await;
    let mut thief = Browser::new(&world.url, &[&world.authority, &dex.authority().unwrap().certificate]);
    let of_thief = thief.open(&begin).await.location.unwrap();
    let kept_by_thief = thief.cookies[&host][flow].clone();
    let state_of = |url: &str| {
        let query = url.split_once('?').unwrap().1.to_owned();
        let found = query.split('&').find_map(|pair| pair.strip_prefix("state=").map(str::to_owned));
        found.unwrap()
    };
    let (state, state_of_thief) = (state_of(&back), state_of(&of_thief));
    let mut changed = kept.clone();
    changed.replace_range(20..21, if &kept[20..21] == "A" { "B" } else { "A" });
    let elsewhere = back.replace("/oidc/corp/", "/oidc/other/");
    for (what, cookie, url) in [
        ("no cookie", None, back.clone()),
        ("another browser's", Some(&kept_by_thief), back.clone()),
        ("a changed cookie", Some(&changed), back.clone()),
        ("another state", Some(&kept), back.replace(&state, &state_of_thief)),
        ("no state", Some(&kept), back.replace(&state, "")),
        ("another provider", Some(&kept), elsewhere),
        // Somebody's code with one's own sign-in: the provider compares the verifier.
        ("another's code", Some(&kept_by_thief), back.replace(&state, &state_of_thief)),
    ] {
        let cookies = thief.cookies.entry(host.clone()).or_default();
        cookies.clear();
        cookies.extend(cookie.map(|cookie| (flow.to_owned(), cookie.clone())));
        let page = thief.open(&url).await;
        assert_eq!((page.status.as_u16(), &page.body["code"]), (401, &json!("unauthenticated")), "{what}");
        assert!(
            page.body["detail"].as_str().unwrap().starts_with("signing in at the provider failed"),
            "{what}"
        );
        assert!(!thief.cookies[&host].contains_key("__Host-flotilla"), "{what}");
    }
    // Dex has seen the code with a wrong verifier, and takes it no more: the sign-in that it was of begins anew.
    let location = browser.open(&begin).await.location.unwrap();
    let kept = browser.cookies[&host][flow].clone();
    let back = browser.sign_in(&location, "olga", &callback).await;
    let mixed = browser.open(&format!("{back}&iss=https://evil.example.com")).await;
    assert_eq!(mixed.status, 401);
    browser.cookies.get_mut(&host).unwrap().insert(flow.to_owned(), kept.clone());
    assert_eq!(browser.open(&back).await.status, 401, "a sign-in comes back once");

    let location = browser.open(&begin).await.location.unwrap();
    let kept = browser.cookies[&host][flow].clone();
    let back = browser.sign_in(&location, "olga", &callback).await;
    assert_eq!(browser.open(&back).await.status, 303);
    browser.cookies.get_mut(&host).unwrap().insert(flow.to_owned(), kept);
    assert_eq!(browser.open(&back).await.status, 401, "not even after it has gone well");

    let log = world.ask(&admin, Method::GET, "/api/v1/audit?resource=sessions&limit=1000", None).await.body;
    let reasons = log.to_string();
    for reason in [
        "the browser did not begin a sign-in",
        "the state is of another sign-in",
        "the sign-in's cookie was changed",
        "the sign-in began at another provider",
        "the sign-in has come back before",
        "the provider does not take the code",
        "the answer is of another issuer",
    ] {
        assert!(reasons.contains(reason), "{reason}: {log}");
    }
}
