//! Sends specs and looks at what comes of them, of the operator, and of a control plane beside them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::Status;
use serde_json::{Value, json};
use stage::{Operator, Options, Stage, eventually, manifest};

use crate::OPERATOR;

/// A control plane that nobody is told of for longer has stalled.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many are under way at the same time.
const AT_ONCE: usize = 12;
/// Where the specs go.
const NAMESPACE: &str = "hostile";
/// Where the one lives that must not notice.
const BESIDE: &str = "beside";

/// A stage, an operator, and a control plane beside the hostile ones.
pub(crate) struct Trial {
    stage: Stage,
    operator: Operator,
    beside: BTreeMap<String, String>,
}

/// How many specs got through.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
}

impl Trial {
    pub(crate) async fn begin(options: Options) -> Self {
        let stage = Stage::set(options).await.unwrap();
        let operator = stage.operator(OPERATOR.as_ref(), &["--start-slots=32"]).await.unwrap();
        for namespace in [NAMESPACE, BESIDE] {
            stage.create_namespace(namespace).await.unwrap();
        }
        let mut trial = Self { stage, operator, beside: BTreeMap::new() };
        trial.create_ready(BESIDE, "bystander").await;
        trial.beside = trial.versions().await;
        trial
    }

    /// Sends all specs, waits until each is told of, and takes them away again.
    pub(crate) async fn run(&self, specs: Vec<Value>) -> Outcome {
        let mut outcome = Outcome::default();
        for batch in specs.chunks(AT_ONCE) {
            let sent = batch.iter().enumerate().map(|(number, spec)| self.send(number, spec));
            let sent: Vec<Result<bool>> = join_all(sent).await;
            for (sent, spec) in sent.into_iter().zip(batch) {
                match sent {
                    Ok(true) => outcome.accepted += 1,
                    Ok(false) => outcome.refused += 1,
                    Err(error) => self.fail(&error, spec),
                }
            }
        }
        outcome
    }

    /// Has a running control plane go through the specs as updates, back to a good one each time.
    pub(crate) async fn update(&self, specs: Vec<Value>) {
        self.create_ready(NAMESPACE, "target").await;
        let api = self.untyped();
        let good = api.get("target").await.unwrap().data["spec"].clone();
        for spec in specs {
            for wished in [&spec, &good] {
                let live = api.get("target").await.unwrap();
                let mut changed = live.clone();
                changed.data["spec"] = wished.clone();
                match api.replace("target", &PostParams::default(), &changed).await {
                    Ok(_) => {
                        if let Err(error) = self.is_told("target").await {
                            self.fail(&error, &spec);
                        }
                    }
                    Err(kube::Error::Api(refusal)) => {
                        // The way back may be barred too, as a downgrade is.
                        if let Err(error) = is_helpful(&refusal) {
                            self.fail(&error, &spec);
                        }
                    }
                    Err(error) => self.fail(&error.into(), &spec),
                }
            }
        }
    }

    /// Fails if the operator broke, or the one beside was touched or is no longer looked after.
    pub(crate) async fn end(mut self) {
        assert!(self.operator.is_running(), "the operator ended: {}", self.operator.last_words());
        let log = std::fs::read_to_string(self.operator.log()).unwrap();
        assert!(!log.contains("panicked"), "{}", self.operator.last_words());
        assert_eq!(self.versions().await, self.beside, "the control plane beside was touched");
        let scaled = Patch::Merge(json!({"spec": {"controlPlane": {"deployment": {"replicas": 2}}}}));
        self.stage.tenants(BESIDE).patch("bystander", &PatchParams::default(), &scaled).await.unwrap();
        eventually("the control plane beside is looked after", PATIENCE, || async {
            let live = self.stage.objects::<Deployment>(BESIDE).get("bystander").await?;
            ensure!(live.spec.and_then(|spec| spec.replicas) == Some(2), "it was not scaled");
            Ok(())
        })
        .await
        .unwrap();
        self.create_ready(BESIDE, "newcomer").await;
    }

    /// Creates one, and if it is accepted waits until it is told of and takes it away.
    async fn send(&self, number: usize, spec: &Value) -> Result<bool> {
        let name = format!("hostile-{number}");
        let api = self.untyped();
        let mut object = DynamicObject::new(&name, &resource());
        object.data = json!({"spec": spec});
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => {}
            Err(kube::Error::Api(refusal)) => return is_helpful(&refusal).map(|()| false),
            Err(error) => return Err(error.into()),
        }
        self.is_told(&name).await?;
        api.delete(&name, &DeleteParams::default()).await?;
        eventually(&format!("{name} is gone"), PATIENCE, || async {
            let left = api.get_opt(&name).await?;
            ensure!(left.is_none(), "{:?}", left.and_then(|left| left.metadata.finalizers));
            Ok(())
        })
        .await?;
        Ok(true)
    }

    /// Waits until the newest spec has been looked at, and whatever is wrong with it is said helpfully.
    async fn is_told(&self, name: &str) -> Result<()> {
        let api = self.untyped();
        eventually(&format!("{name} is told of"), PATIENCE, || async {
            let live = api.get(name).await?;
            let conditions = live.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let accepted = conditions.iter().find(|condition| condition["type"] == "Accepted");
            let accepted = accepted.ok_or_else(|| anyhow::anyhow!("no condition: {conditions:?}"))?;
            let generation = live.metadata.generation;
            ensure!(accepted["observedGeneration"].as_i64() == generation, "an older spec: {accepted}");
            let message = accepted["message"].as_str().unwrap_or_default();
            ensure!(accepted["status"] == "True" || names_all(message), "what is wrong? {message}");
            Ok(())
        })
        .await
    }

    async fn create_ready(&self, namespace: &str, name: &str) {
        let api = self.stage.tenants(namespace);
        api.create(&PostParams::default(), &manifest(name, json!({})).unwrap()).await.unwrap();
        eventually(&format!("{name} is ready"), PATIENCE, || async {
            let status = api.get(name).await?.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
            ensure!(ready.is_some_and(|ready| ready.status == "True"), "{ready:?}");
            Ok(())
        })
        .await
        .unwrap();
    }

    /// Versions of everything that belongs to the one beside.
    async fn versions(&self) -> BTreeMap<String, String> {
        let own = ListParams::default().labels("kamaji.clastix.io/name=bystander");
        let mut found = BTreeMap::new();
        let mut note = |kind: &str, object: &dyn Fn() -> (String, Option<String>)| {
            let (name, version) = object();
            found.insert(format!("{kind}/{name}"), version.unwrap_or_default());
        };
        for object in self.stage.objects::<Secret>(BESIDE).list(&own).await.unwrap() {
            note("Secret", &|| (object.name_any(), object.resource_version()));
        }
        for object in self.stage.objects::<Service>(BESIDE).list(&own).await.unwrap() {
            note("Service", &|| (object.name_any(), object.resource_version()));
        }
        for object in self.stage.objects::<ConfigMap>(BESIDE).list(&own).await.unwrap() {
            note("ConfigMap", &|| (object.name_any(), object.resource_version()));
        }
        for object in self.stage.objects::<Deployment>(BESIDE).list(&own).await.unwrap() {
            note("Deployment", &|| (object.name_any(), object.resource_version()));
        }
        let tenant = self.stage.tenants(BESIDE).get("bystander").await.unwrap();
        note("TenantControlPlane", &|| (tenant.name_any(), tenant.resource_version()));
        found
    }

    fn untyped(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.stage.client(), NAMESPACE, &resource())
    }

    #[expect(clippy::panic, reason = "a test fails by panicking")]
    fn fail(&self, error: &anyhow::Error, spec: &Value) -> ! {
        panic!("{error:#}\nspec: {spec}\noperator: {}", self.operator.last_words())
    }
}

fn resource() -> ApiResource {
    ApiResource::erase::<api::TenantControlPlane>(&())
}

/// A refusal of the client's fault, that names the field and what is wrong with it.
fn is_helpful(refusal: &Status) -> Result<()> {
    let message = &refusal.message;
    ensure!((400..500).contains(&refusal.code), "code {}: {message}", refusal.code);
    if let Some((_, words)) = message.split_once("denied the request: ") {
        ensure!(names_all(words), "a refusal that does not help: {message}");
    } else if ["spec.", "spec:", "unable to decode"].iter().all(|name| !message.contains(name)) {
        bail!("a refusal that names no field: {message}");
    }
    Ok(())
}

/// Whether each sentence reads: field, value, what is allowed.
fn names_all(message: &str) -> bool {
    message.split("; spec.").all(|fault| {
        let Some((path, rest)) = fault.split_once(": `") else { return false };
        let Some((_, words)) = rest.split_once("` ") else { return false };
        !path.is_empty() && !path.contains(' ') && words.split_whitespace().count() >= 3
    })
}
