//! Whether the administrator's rights hold: an API server reads a binding a moment after it was written, and whoever
//! acts as soon as the control plane is Ready is not to be refused for that.

use std::time::Duration;

use desired::inside::{CLUSTER_ADMINS, Key, Kind};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use kube::api::PostParams;
use kube::{Api, Client};

/// User of the administrator's kubeconfig, as kubeadm names it.
const USER: &str = "kubernetes-admin";
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// The binding that gives the rights.
pub(super) fn binding() -> Key {
    Key::new(Kind::ClusterRoleBinding, "", CLUSTER_ADMINS)
}

/// Waits until the rights hold, for two seconds at most: an API server that is slower than that is no fault.
pub(super) async fn wait(client: &Client) -> Result<(), kube::Error> {
    for _ in 0..TRIES {
        if may_do_anything(client).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Whether the administrator may do everything, by the API server's word.
pub(super) async fn may_do_anything(client: &Client) -> Result<bool, kube::Error> {
    let any = || Some("*".to_owned());
    let attributes = ResourceAttributes { group: any(), resource: any(), verb: any(), ..Default::default() };
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(USER.to_owned()),
            groups: Some(vec![CLUSTER_ADMINS.to_owned()]),
            resource_attributes: Some(attributes),
            ..Default::default()
        },
        ..Default::default()
    };
    let answer =
        Api::<SubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|SubjectAccessReviewStatus { allowed, .. }| allowed))
}
