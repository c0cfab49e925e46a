//! Starts the Jobs and reads how they went.

use desired::backups::JobInputs;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt};

use super::{Error, failed};
use crate::context::Context;
use crate::tasks::Outcome;

/// How a Job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// There is none.
    Absent,
    /// It runs, or waits for what the text says.
    Running(String),
    /// It has ended.
    Ended(Box<Outcome>),
}

/// Starts a Job; one that is there already is left alone.
pub(super) async fn start(inputs: &JobInputs<'_>, context: &Context) -> Result<(), Error> {
    let jobs: Api<Job> = Api::namespaced(context.client.clone(), inputs.namespace);
    match jobs.create(&PostParams::default(), &desired::backups::job(inputs)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(failed("start the Job")(error)),
    }
}

/// Looks at a Job.
pub(super) async fn look(namespace: &str, name: &str, context: &Context) -> Result<Stand, Error> {
    let jobs: Api<Job> = Api::namespaced(context.client.clone(), namespace);
    let Some(job) = jobs.get_opt(name).await.map_err(failed("read the Job"))? else {
        return Ok(Stand::Absent);
    };
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), namespace);
    let selection = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={name}"));
    let pods = pods.list(&selection).await.map_err(failed("list the Job's pods"))?.items;
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ended = conditions.into_iter().flatten().find(|condition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    });
    let Some(ended) = ended else {
        return Ok(Stand::Running(pods.iter().find_map(waits_for).unwrap_or_default()));
    };
    let told = pods.iter().find_map(message).and_then(|text| serde_json::from_str::<Outcome>(&text).ok());
    let silent = || Outcome {
        error: Some(format!(
            "Job `{name}` ended without saying how: {}; see its pod's log",
            ended.message.clone().or_else(|| ended.reason.clone()).unwrap_or_default()
        )),
        ..Outcome::default()
    };
    Ok(Stand::Ended(Box::new(told.unwrap_or_else(silent))))
}

/// Removes a Job and its pods.
pub(super) async fn remove(namespace: &str, name: &str, context: &Context) -> Result<(), Error> {
    let jobs: Api<Job> = Api::namespaced(context.client.clone(), namespace);
    match jobs.delete(name, &DeleteParams::background()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(failed("remove the Job")(error)),
    }
}

fn message(pod: &Pod) -> Option<String> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers.iter().find_map(|container| container.state.as_ref()?.terminated.as_ref()?.message.clone())
}

/// Why a pod does not run yet.
fn waits_for(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let waiting = status.container_statuses.iter().flatten().find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        let reason = waiting.reason.clone().unwrap_or_default();
        Some(
            waiting.message.as_ref().map_or_else(|| reason.clone(), |message| format!("{reason}: {message}")),
        )
    });
    let unscheduled = || {
        let conditions = status.conditions.iter().flatten();
        let mut unmet = conditions.filter(|found| found.type_ == "PodScheduled" && found.status == "False");
        unmet.next()?.message.clone()
    };
    let cause = waiting.or_else(unscheduled)?;
    Some(format!("pod `{}` waits: {cause}", pod.name_any()))
}
