//! What is measured, in which order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::arguments::{Arguments, Measurement};
use crate::figures::{Figure, Figures};
use crate::memory::{Kib, Memory};
use crate::tenants::{Tenants, restarts};
use crate::{live, processes, stores};

/// Runs the measurements on the cluster.
pub(crate) async fn all(client: Client, tenants: &Tenants, arguments: &Arguments) -> Result<Figures> {
    let operator = Operator::new(client.clone(), arguments);
    let mut figures = Figures::new();
    if arguments.wants(Measurement::One) {
        one_at_a_time(tenants, arguments, &mut figures).await?;
        idle(tenants, &operator, arguments, &mut figures).await?;
    }
    if arguments.wants(Measurement::Herds) {
        for size in &arguments.herds {
            herd(tenants, &operator, arguments, *size, &mut figures).await?;
        }
    }
    if arguments.wants(Measurement::Upgrades) {
        Box::pin(live::upgrades(tenants, arguments, &mut figures)).await?;
    }
    if arguments.wants(Measurement::Wakes) {
        Box::pin(live::wakes(tenants, arguments, &mut figures)).await?;
    }
    if arguments.wants(Measurement::Stores) {
        Box::pin(stores::all(client, tenants, arguments, &mut figures)).await?;
    }
    Ok(figures)
}

/// create → Ready of one control plane on an otherwise idle cluster. Leaves the last one running.
async fn one_at_a_time(tenants: &Tenants, arguments: &Arguments, figures: &mut Figures) -> Result<()> {
    let mut samples = Vec::new();
    for round in 1..=arguments.samples {
        tenants.remove_control_planes().await?;
        let herd = tenants.create(&format!("one-{round}"), 1, arguments.deadline()).await?;
        let Some(elapsed) = herd.all_ready_after() else {
            bail!("one control plane alone was not Ready within {:?}", arguments.deadline());
        };
        eprintln!("create → Ready {round} of {}: {:.2} s", arguments.samples, elapsed.as_secs_f64());
        samples.push(elapsed.as_secs_f64());
    }
    figures.insert("create_ready_seconds".to_owned(), Figure::new("seconds", samples));
    Ok(())
}

/// Memory of the control plane that runs alone, and the operator's cost while nothing happens.
async fn idle(
    tenants: &Tenants,
    operator: &Operator,
    arguments: &Arguments,
    figures: &mut Figures,
) -> Result<()> {
    eprintln!("letting it rest for {} s", arguments.settle().as_secs());
    let before = operator.cpu_time().await?;
    let started = Instant::now();
    tokio::time::sleep(arguments.settle()).await;
    let used = operator.cpu_time().await?.zip(before).map(|(after, before)| after.saturating_sub(before));
    let window = started.elapsed();
    if let Some(used) = used {
        let millicores = 1000.0 * used.as_secs_f64() / window.as_secs_f64();
        figures.insert("operator_idle_cpu_millicores".to_owned(), Figure::new("millicores", [millicores]));
    }
    if let Some(memory) = operator.memory().await? {
        figures.insert("operator_rss_mib".to_owned(), Figure::new("MiB", [memory.rss.mib()]));
        let anonymous = Figure::new("MiB", [memory.anonymous.mib()]);
        figures.insert("operator_anonymous_mib".to_owned(), anonymous);
    }
    let tenants: Vec<Memory> = tenants.pods().await?.iter().filter_map(memory_of).collect();
    let figure = |read: fn(&Memory) -> Kib| {
        let missing = tenants.is_empty().then(|| "the pods run on another machine".to_owned());
        Figure::new("MiB", tenants.iter().map(|memory| read(memory).mib())).noted(missing)
    };
    figures.insert("tenant_idle_rss_mib".to_owned(), figure(|memory| memory.rss));
    figures.insert("tenant_idle_pss_mib".to_owned(), figure(|memory| memory.pss));
    figures.insert("tenant_idle_anonymous_mib".to_owned(), figure(|memory| memory.anonymous));
    Ok(())
}

/// Many created at once → all Ready, and how often a container was restarted on the way.
async fn herd(
    tenants: &Tenants,
    operator: &Operator,
    arguments: &Arguments,
    size: usize,
    figures: &mut Figures,
) -> Result<()> {
    tenants.remove_control_planes().await?;
    let cpu_before = operator.cpu_time().await?;
    let herd = tenants.create(&format!("herd{size}"), size, arguments.deadline()).await?;
    let elapsed = herd.all_ready_after().map(|elapsed| elapsed.as_secs_f64());
    let note = elapsed
        .is_none()
        .then(|| format!("{} of {size} after {} s", herd.ready_after.len(), arguments.deadline().as_secs()));
    eprintln!("{size} at once: {}", note.clone().unwrap_or(format!("{:.1} s", elapsed.unwrap_or_default())));
    let restarts = restarts(&tenants.pods().await?);
    figures.insert(format!("herd{size}_ready_seconds"), Figure::new("seconds", elapsed).noted(note));
    figures.insert(format!("herd{size}_restarts"), Figure::new("restarts", [f64::from(restarts)]));
    if let Some((after, before)) = operator.cpu_time().await?.zip(cpu_before) {
        let seconds = after.saturating_sub(before).as_secs_f64();
        figures.insert(format!("herd{size}_operator_cpu_seconds"), Figure::new("CPU seconds", [seconds]));
    }
    if let Some(memory) = operator.memory().await? {
        let rss = Figure::new("MiB", [memory.rss.mib()]);
        figures.insert(format!("herd{size}_operator_rss_mib"), rss);
    }
    Ok(())
}

/// Memory of all processes of a pod; nothing when none runs on this machine.
fn memory_of(pod: &Pod) -> Option<Memory> {
    let parts: Vec<Memory> =
        processes::of_pod(pod.metadata.uid.as_deref()?).into_iter().filter_map(Memory::of).collect();
    (!parts.is_empty()).then(|| parts.into_iter().sum())
}

/// The operator under measurement, through its pods.
struct Operator {
    pods: Api<Pod>,
    selector: ListParams,
}

impl Operator {
    fn new(client: Client, arguments: &Arguments) -> Self {
        Self {
            pods: Api::namespaced(client, &arguments.operator_namespace),
            selector: ListParams::default().labels(&arguments.operator_selector),
        }
    }

    /// CPU time of all its processes on this machine.
    async fn cpu_time(&self) -> Result<Option<Duration>> {
        let times: Vec<Duration> = self.pids().await?.into_iter().filter_map(processes::cpu_time).collect();
        Ok((!times.is_empty()).then(|| times.iter().sum()))
    }

    /// Memory of all its processes on this machine.
    async fn memory(&self) -> Result<Option<Memory>> {
        let parts: Vec<Memory> = self.pids().await?.into_iter().filter_map(Memory::of).collect();
        Ok((!parts.is_empty()).then(|| parts.into_iter().sum()))
    }

    async fn pids(&self) -> Result<Vec<u32>> {
        let pods = self.pods.list(&self.selector).await.context("list the operator's pods")?;
        let uids = pods.items.iter().filter_map(|pod| pod.metadata.uid.as_deref());
        Ok(uids.flat_map(processes::of_pod).collect())
    }
}
