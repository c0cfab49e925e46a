//! Authorities that were there before their control plane.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::PostParams;
use pki::{CertificateAuthority, KeyAlgorithm, TEN_YEARS, inspect};
use serde_json::json;

use crate::{NAMESPACE, create, ready, set, spec};

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_a_user_brings_is_kept_and_signs() {
    let (stage, _operator) = set().await;
    let now = base::Clock::now(&base::SystemClock);
    let ca = CertificateAuthority::generate_with(KeyAlgorithm::Rsa2048, "corporate", TEN_YEARS, now).unwrap();
    let brought: Secret = serde_json::from_value(json!({
        "metadata": {"name": "own-ca"},
        "stringData": {"ca.crt": ca.pair().certificate, "ca.key": ca.pair().private_key.expose_pem()},
    }))
    .unwrap();
    stage.objects(NAMESPACE).create(&PostParams::default(), &brought).await.unwrap();

    create(&stage, "own", spec()).await;
    ready(&stage, "own").await;
    let secret = |name: &'static str| {
        let api = stage.objects::<Secret>(NAMESPACE);
        async move { api.get(name).await.unwrap() }
    };
    let text =
        |secret: &Secret, key: &str| String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap();
    let kept = secret("own-ca").await;
    assert_eq!(text(&kept, "ca.crt"), ca.pair().certificate);
    assert_eq!(text(&kept, "ca.key"), ca.pair().private_key.expose_pem());
    assert_eq!(text(&kept, "tls.crt"), ca.pair().certificate, "Cluster API reads it under this name");
    assert_eq!(kept.labels()["kamaji.clastix.io/component"], "ca");
    let certificate = text(&secret("own-api-server-certificate").await, "apiserver.crt");
    assert!(inspect(&certificate).unwrap().is_signed_by(&ca.pair().certificate));
}
