//! Tells stories: those that disturb others one after the other, the rest in lanes side by side.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use e2e::{Cluster, Traces};
use tokio::runtime::Runtime;

/// Stories of a machine of two CPUs mostly wait, and this many modules wait beside one another.
const LANES: usize = 2;

pub(crate) type Telling<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A story: its claim, and how it is told.
pub(crate) struct Story {
    /// Stories of a module are told in order.
    pub(crate) module: &'static str,
    pub(crate) claim: &'static str,
    pub(crate) tell: fn(&Cluster) -> Telling<'_>,
}

impl Story {
    /// Whether it brings a cluster of its own.
    fn is_apart(&self) -> bool {
        ["adoption", "etcd_members"].contains(&self.module)
    }

    /// Whether it claims that no request is lost, which a machine that is busy with much else cannot show.
    fn wants_calm(&self) -> bool {
        self.module == "lifecycle"
    }

    /// Whether it disturbs what others look at: the operator, the nodes, the machine.
    fn is_alone(&self) -> bool {
        ["drivers", "etcd_service", "life", "machine", "operations", "platform"].contains(&self.module)
    }
}

#[derive(Default)]
struct Tally {
    passed: AtomicUsize,
    failed: AtomicUsize,
}

impl Tally {
    fn note(&self, claim: &str, began: Instant, outcome: Result<()>) {
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                self.passed.fetch_add(1, Ordering::Relaxed);
                println!("test {claim} ... ok ({seconds:.1} s)");
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                println!("test {claim} ... FAILED ({seconds:.1} s)\n    {error:#}");
            }
        }
    }
}

/// Runs the stories whose claim holds one of `wanted`, all of them if that is empty. Returns how many failed.
pub(crate) fn run(stories: Vec<&'static Story>, wanted: &[String]) -> Result<usize> {
    let name = std::env::var("FLOTILLA_E2E_CLUSTER").unwrap_or_else(|_| "e2e".to_owned());
    let cluster = Cluster::new(&name);
    let is_kept = std::env::var_os("FLOTILLA_E2E_KEEP").is_some();
    let chosen: Vec<&'static Story> = stories
        .into_iter()
        .filter(|story| wanted.is_empty() || wanted.iter().any(|part| story.claim.contains(part.as_str())))
        .collect();
    let needs_cluster = chosen.iter().any(|story| !story.is_apart());
    if !is_kept {
        cluster.flotilla(&["down"], &["--purge"])?;
    }
    let before = Traces::take()?;
    if needs_cluster {
        let began = Instant::now();
        cluster.flotilla(&["up"], &[])?.success().context("start the local cluster")?;
        println!("cluster is up ({:.1} s)", began.elapsed().as_secs_f64());
    }
    let tally = Tally::default();
    tell_all(&cluster, chosen, &tally)?;
    if !is_kept && needs_cluster {
        let began = Instant::now();
        tally.note("down_leaves_the_machine_as_it_was", began, take_down(&cluster, &before));
    }
    let (passed, failed) = (tally.passed.into_inner(), tally.failed.into_inner());
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

fn tell_all(cluster: &Cluster, stories: Vec<&'static Story>, tally: &Tally) -> Result<()> {
    let (alone, beside): (Vec<_>, Vec<_>) = stories.into_iter().partition(|story| story.is_alone());
    // Those of the machine end clusters and count what is left behind.
    let (last, first): (Vec<_>, Vec<_>) = alone.into_iter().partition(|story| story.module == "machine");
    tell(cluster, &first, &Runtime::new()?, tally);
    let queue = Mutex::new(by_module(beside));
    let lanes: Vec<Result<()>> = std::thread::scope(|scope| {
        let lane = || -> Result<()> {
            let runtime = Runtime::new()?;
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            while let Some(stories) = next() {
                tell(cluster, &stories, &runtime, tally);
            }
            Ok(())
        };
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a story panicked"))))
            .collect()
    });
    lanes.into_iter().collect::<Result<()>>()?;
    tell(cluster, &last, &Runtime::new()?, tally);
    Ok(())
}

fn tell(cluster: &Cluster, stories: &[&'static Story], runtime: &Runtime, tally: &Tally) {
    for story in stories {
        let began = Instant::now();
        tally.note(story.claim, began, runtime.block_on((story.tell)(cluster)));
    }
}

/// Stories in groups of a module, those with the most stories first, those that want calm last.
fn by_module(stories: Vec<&'static Story>) -> VecDeque<Vec<&'static Story>> {
    let mut groups: Vec<Vec<&'static Story>> = Vec::new();
    for story in stories {
        match groups.iter_mut().find(|group| group[0].module == story.module) {
            Some(group) => group.push(story),
            None => groups.push(vec![story]),
        }
    }
    groups.sort_by_key(|group| (group[0].wants_calm(), std::cmp::Reverse(group.len())));
    groups.into()
}

fn take_down(cluster: &Cluster, before: &Traces) -> Result<()> {
    cluster.flotilla(&["down"], &["--purge"])?.success()?;
    let left = Traces::take()?.beyond(before);
    ensure!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    ensure!(!cluster.directory().exists(), "{} is still there", cluster.directory().display());
    Ok(())
}
