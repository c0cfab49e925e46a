//! The operator is killed at chosen writes of a creation, an upgrade and a deletion.

use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use stage::{Moment, Operator, Options, Stage};

use crate::OPERATOR;
use crate::life::{Life, PHASES, Phase};
use crate::store_view::StoreView;
use crate::undisturbed::{Undisturbed, undisturbed};

/// Lives under faults: each seed makes another one, the same in every run.
const SEEDS: u64 = 54;
/// Longest time between a chosen write and a kill that does not hit a write.
const DELAY_MILLIS: std::ops::Range<u64> = 0..60;

/// Where the operator is killed in one phase.
#[derive(Debug, Clone, Copy)]
struct Kill {
    nth: usize,
    moment: Moment,
}

/// The kill of a phase, from a seed's random numbers. One write beyond the last is none: then the kill
/// comes when all is done.
fn kill(random: &mut StdRng, writes: usize) -> Kill {
    let nth = random.random_range(1..=writes + 1);
    let moment = match random.random_range(0..3_u8) {
        0 => Moment::Before,
        1 => Moment::After,
        _ => Moment::Later(Duration::from_millis(random.random_range(DELAY_MILLIS))),
    };
    Kill { nth, moment }
}

async fn disturbed(
    seed: u64,
    stage: &Stage,
    operator: &mut Operator,
    view: &mut StoreView,
    expected: &Undisturbed,
) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let life = Life { stage, namespace: format!("life-{seed}") };
    stage.create_namespace(&life.namespace).await?;
    let mut place = None;
    for phase in PHASES {
        let kill = kill(&mut random, expected.writes[&phase]);
        disturb(&life, phase, kill, operator, &expected.states[&phase])
            .await
            .with_context(|| format!("seed {seed}, {phase:?}, {kill:?}"))?;
        if phase == Phase::Upgrade {
            let found = life.place().await?;
            view.fill(&found.0).await?;
            place = Some(found);
        }
    }
    view.holds_nothing(&place.context("it never had a place in the store")?).await
}

async fn disturb(
    life: &Life<'_>,
    phase: Phase,
    kill: Kill,
    operator: &mut Operator,
    expected: &Value,
) -> Result<()> {
    let fuse = life.stage.fuse();
    fuse.arm(kill.nth, kill.moment);
    life.begin(phase).await?;
    tokio::select! {
        () = fuse.blown() => {}
        settled = life.settles(phase) => settled?,
    }
    operator.kill().await;
    fuse.clear();
    let keys = life.keys().await?;
    operator.restart().await?;
    life.settles(phase).await.with_context(|| operator.last_words())?;
    life.reaches(expected).await?;
    if phase == Phase::Delete { Ok(()) } else { life.keeps(&keys).await }
}

/// One stage tells a share of the lives, so that several can go on at the same time.
async fn lives(share: u64, shares: u64) {
    let mut stage = Stage::set(Options::default()).await.unwrap();
    let mut view = StoreView::open(&mut stage).await.unwrap();
    let mut operator = stage.operator(OPERATOR.as_ref(), &[]).await.unwrap();
    let expected = undisturbed(&stage, &operator).await.unwrap();
    for seed in (0..SEEDS).filter(|seed| seed % shares == share) {
        disturbed(seed, &stage, &mut operator, &mut view, &expected).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_the_state_is_that_of_an_undisturbed_run() {
    Box::pin(lives(0, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_write_the_state_is_that_of_an_undisturbed_run_too() {
    Box::pin(lives(1, 2)).await;
}
