//! A browser, as far as signing in needs one: cookies by host, redirects that are followed, a form that is sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::ConfigExt;
use serde_json::Value;

use crate::support::pem_to_der;

/// Cookies and authorities of one browser.
pub(super) struct Browser {
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Cookies of each authority, by name.
    pub(super) cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page, or where it leads.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) body: Value,
}

impl Browser {
    pub(super) fn new(url: &str, authorities: &[&str]) -> Self {
        let mut config = kube::Config::new(url.parse().unwrap());
        config.root_cert = Some(authorities.iter().map(|pem| pem_to_der(pem)).collect());
        let connector = config.rustls_https_connector().unwrap();
        let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { client, cookies: BTreeMap::new() }
    }

    /// Opens one page and follows nothing.
    pub(super) async fn open(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, String::new()).await
    }

    /// Follows redirects until a page is shown, or one leads below `until`, which is answered.
    async fn follow(&mut self, page: Page, from: &str, until: &str) -> (String, Page) {
        let (mut url, mut page) = (from.to_owned(), page);
        while let Some(location) = page.location.take() {
            url = absolute(&url, &location);
            if url.starts_with(until) {
                return (url, page);
            }
            page = self.open(&url).await;
        }
        (url, page)
    }

    /// Signs in at Dex, beginning where the hub leads; answers the URL by which it leads back to the hub.
    pub(super) async fn sign_in(&mut self, location: &str, user: &str, until: &str) -> String {
        let page = self.open(location).await;
        let (form, page) = self.follow(page, location, until).await;
        assert_eq!(page.status, 200, "{form} {}", page.body);
        let sent = self.send(Method::POST, &form, format!("login={user}&password={user}-password")).await;
        let (back, page) = self.follow(sent, &form, until).await;
        assert!(back.starts_with(until), "{back} {}", page.body);
        back
    }

    async fn send(&mut self, method: Method, url: &str, form: String) -> Page {
        let authority = url.parse::<Uri>().unwrap().authority().unwrap().to_string();
        let own = self.cookies.entry(authority).or_default();
        let cookies: Vec<String> = own.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("cookie", cookies.join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .unwrap();
        let answer = self.client.request(request).await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                own.remove(name);
            } else {
                own.insert(name.to_owned(), value.to_owned());
            }
        }
        let (status, location) = (answer.status(), answer.headers().get("location").cloned());
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Page { status, location: location.map(|it| it.to_str().unwrap().to_owned()), body }
    }
}

fn absolute(from: &str, location: &str) -> String {
    if location.starts_with("https://") {
        return location.to_owned();
    }
    let from: Uri = from.parse().unwrap();
    format!("https://{}{location}", from.authority().unwrap())
}
