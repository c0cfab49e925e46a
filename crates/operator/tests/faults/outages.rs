//! What the operator depends on is away for a while: the management cluster's API server, the store.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use stage::{Operator, Options, Stage, eventually};

use crate::OPERATOR;
use crate::life::{Life, NAME, PHASES, Phase};
use crate::store_view::StoreView;
use crate::undisturbed::{Undisturbed, undisturbed};

/// How soon a user is told. The operator's requests to a store give up after five seconds.
const SOON: Duration = Duration::from_secs(20);
/// Lives that go on while the API server restarts.
const LIVES: usize = 4;

async fn set(options: Options) -> (Stage, Operator, Undisturbed) {
    let stage = Stage::set(options).await.unwrap();
    let operator = stage.operator_directly(OPERATOR.as_ref(), &[]).await.unwrap();
    let expected = undisturbed(&stage, &operator).await.unwrap();
    (stage, operator, expected)
}

/// Waits until a condition is false for a reason; returns its message.
async fn told(life: &Life<'_>, kind: &str, reason: &str) -> Result<String> {
    eventually(&format!("{}: {kind} is False ({reason})", life.namespace), SOON, || async {
        let status = life.stage.tenants(&life.namespace).get(NAME).await?.status.unwrap_or_default();
        let found = status.conditions.iter().find(|condition| condition.type_ == kind).cloned();
        let found = found.ok_or_else(|| anyhow::anyhow!("there is no condition {kind}"))?;
        ensure!((&*found.status, &*found.reason) == ("False", reason), "{found:?}");
        Ok(found.message)
    })
    .await
}

fn lives(stage: &Stage) -> impl Iterator<Item = Life<'_>> {
    (0..LIVES).map(move |number| Life { stage, namespace: format!("life-{number}") })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_management_api_server_changes_nothing_that_is_reached() {
    let (mut stage, mut operator, expected) = set(Options { own: true, ..Options::default() }).await;
    for life in lives(&stage) {
        stage.create_namespace(&life.namespace).await.unwrap();
    }
    for phase in PHASES {
        for life in lives(&stage) {
            life.begin(phase).await.unwrap();
        }
        // The work is under way now: it was asked for, and nothing waited for its end.
        stage.control_plane().restart_api_server().await.unwrap();
        for life in lives(&stage) {
            life.reaches(&expected.states[&phase]).await.with_context(|| operator.last_words()).unwrap();
            life.settles(phase).await.unwrap();
        }
    }
    assert!(operator.is_running(), "the operator ended: {}", operator.last_words());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_of_and_everything_goes_on_when_it_is_back() {
    let (mut stage, _operator, expected) = set(Options::default()).await;
    for namespace in ["life-running", "life-new"] {
        stage.create_namespace(namespace).await.unwrap();
    }
    life(&stage, "life-running").begin(Phase::Create).await.unwrap();
    life(&stage, "life-running").settles(Phase::Create).await.unwrap();

    stage.store().stop().await;
    life(&stage, "life-new").begin(Phase::Create).await.unwrap();
    let message = told(&life(&stage, "life-new"), "DataStoreReady", "DataStoreUnreachable").await.unwrap();
    assert!(message.contains("`store`") && message.contains("check its endpoints"), "{message}");
    // What runs goes on to be looked after.
    life(&stage, "life-running").begin(Phase::Upgrade).await.unwrap();
    told(&life(&stage, "life-running"), "DataStoreReady", "DataStoreUnreachable").await.unwrap();
    let template = upgraded_template(&stage).await;
    template.unwrap();

    stage.store().resume().await.unwrap();
    life(&stage, "life-running").reaches(&expected.states[&Phase::Upgrade]).await.unwrap();
    life(&stage, "life-new").reaches(&expected.states[&Phase::Create]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_waits_for_the_store_and_then_leaves_nothing_in_it() {
    let (mut stage, _operator, _) = set(Options::default()).await;
    let mut view = StoreView::open(&mut stage).await.unwrap();
    stage.create_namespace("life-leaving").await.unwrap();
    life(&stage, "life-leaving").begin(Phase::Create).await.unwrap();
    life(&stage, "life-leaving").settles(Phase::Create).await.unwrap();
    let place = life(&stage, "life-leaving").place().await.unwrap();
    view.fill(&place.0).await.unwrap();

    stage.store().stop().await;
    life(&stage, "life-leaving").begin(Phase::Delete).await.unwrap();
    let events = stage.objects::<k8s_openapi::api::core::v1::Event>("life-leaving");
    eventually("an event says why it stays", SOON, || async {
        let found = events.list(&ListParams::default()).await?;
        let notes: Vec<_> = found.iter().filter_map(|event| event.message.clone()).collect();
        let is_told = notes.iter().any(|note| note.contains("force-delete"));
        ensure!(is_told, "{notes:?}");
        Ok(())
    })
    .await
    .unwrap();

    stage.store().resume().await.unwrap();
    life(&stage, "life-leaving").settles(Phase::Delete).await.unwrap();
    let mut view = StoreView::open(&mut stage).await.unwrap();
    view.holds_nothing(&place).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_a_control_plane_goes_with_everything_in_it() {
    let (stage, _operator, _) = set(Options::default()).await;
    stage.create_namespace("life-leaving").await.unwrap();
    life(&stage, "life-leaving").begin(Phase::Create).await.unwrap();
    life(&stage, "life-leaving").settles(Phase::Create).await.unwrap();
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(stage.client());
    namespaces.delete("life-leaving", &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone", SOON, || async {
        let left = namespaces.get_opt("life-leaving").await?;
        ensure!(left.is_none(), "{:?}", left.and_then(|left| left.status));
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(life(&stage, "life-leaving").state().await.unwrap(), json!({}));
}

fn life<'a>(stage: &'a Stage, namespace: &str) -> Life<'a> {
    Life { stage, namespace: namespace.to_owned() }
}

/// Waits until the pods of `running` are asked to run the newer version.
async fn upgraded_template(stage: &Stage) -> Result<()> {
    let deployments = stage.objects::<k8s_openapi::api::apps::v1::Deployment>("life-running");
    eventually("the roll-out begins without the store", SOON, || async {
        let template = deployments.get(NAME).await?.spec.map(|spec| spec.template);
        let containers = template.and_then(|template| template.spec).map(|spec| spec.containers);
        let images: Vec<_> = containers.iter().flatten().filter_map(|one| one.image.clone()).collect();
        ensure!(images.iter().any(|image| image.contains("v1.36.3")), "{images:?}");
        Ok(())
    })
    .await
}
