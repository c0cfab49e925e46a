//! The control plane that other crates' tests stand on, started for real.

use kube::config::{KubeConfigOptions, Kubeconfig};
use launcher::{ControlPlane, Options, Probe};

#[tokio::test]
async fn an_api_server_starts_answers_and_leaves_nothing() {
    let control_plane = ControlPlane::start(&Options { own: true, ..Options::default() }).await.unwrap();
    let kubeconfig = Kubeconfig::read_from(control_plane.kubeconfig_path()).unwrap();
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = kube::Client::try_from(config).unwrap();
    let version = client.apiserver_version().await.unwrap();
    assert_eq!(version.git_version, control_plane.version().to_string());

    let directory = control_plane.directory().to_owned();
    let kubeconfig = control_plane.kubeconfig_path();
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(kubeconfig, copy.path()).unwrap();
    drop(control_plane);
    assert!(!directory.exists(), "{} is left", directory.display());
    assert!(Probe::ApiServer(copy.path().to_owned()).check().await.is_err(), "the API server still answers");
}
