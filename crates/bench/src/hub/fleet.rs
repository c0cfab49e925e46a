//! A fleet of agents at one hub: what each costs, how fast all come back, and how soon one is missed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base::{Clock as _, SystemClock};
use fleet::{Clusters, Site};
use jiff::Timestamp;

use super::world::{UNLIMITED, World};
use crate::figures::{Figure, Figures};
use crate::memory::Memory;

/// Agents that are killed, and as many that freeze.
const LOST: usize = 10;
/// Rest before memory is read.
const SETTLES: Duration = Duration::from_secs(20);

pub(super) async fn measure(world: &mut World, agents: usize, figures: &mut Figures) -> Result<()> {
    ensure!(agents > 2 * LOST, "there must be more than {} agents", 2 * LOST);
    eprintln!("connecting {agents} agents");
    let (clusters, directory) = (Clusters::start().await?, tempfile::tempdir()?);
    world.hub.restart(&[UNLIMITED]).await?;
    let site = Site::new(directory.path(), &world.hub, &clusters);
    site.import(&world.hub, clusters.authority(), agents).await?;
    world.hub.restart(&[]).await?;
    tokio::time::sleep(SETTLES).await;
    let before = world.memory()?;

    let (many, began) = (agents - 2 * LOST, Instant::now());
    let program = std::env::current_exe().context("find this program")?.with_file_name("flotilla-fleet");
    let start = |first, count| site.start(&program, first, count);
    let (all, dying, freezing) = (start(0, many)?, start(many, LOST)?, start(many + LOST, LOST)?);
    world.hub.has_heard(agents, Timestamp::UNIX_EPOCH).await?;
    let name = format!("hub_fleet{agents}");
    figures.insert(format!("{name}_connected_seconds"), seconds(began));

    tokio::time::sleep(SETTLES).await;
    let with = world.memory()?;
    #[expect(clippy::cast_precision_loss, reason = "no fleet has 2^52 agents")]
    let each = |growth: f64, count: usize| Figure::new("MiB", [growth / count as f64]);
    figures.insert(format!("{name}_anonymous_mib"), Figure::new("MiB", [with.anonymous.mib()]));
    let growth = with.anonymous.mib() - before.anonymous.mib();
    figures.insert("hub_mib_per_idle_cluster".to_owned(), each(growth, agents));
    let of_agents = Memory::of(all.pid()).context("the agents are gone")?;
    figures.insert("agent_mib_in_a_fleet".to_owned(), each(of_agents.anonymous.mib(), many));

    world.hub.kill().await;
    let (began, since) = (Instant::now(), SystemClock.now());
    world.hub.spawn(&[])?;
    world.hub.has_heard(agents, since).await?;
    figures.insert(format!("{name}_reconnected_seconds"), seconds(began));

    let began = Instant::now();
    dying.kill();
    world.hub.has_missed(LOST).await?;
    figures.insert("hub_killed_agents_lost_seconds".to_owned(), seconds(began));
    let began = Instant::now();
    freezing.freeze();
    world.hub.has_missed(2 * LOST).await?;
    figures.insert("hub_frozen_agents_lost_seconds".to_owned(), seconds(began));
    Ok(())
}

fn seconds(began: Instant) -> Figure {
    Figure::new("seconds", [began.elapsed().as_secs_f64()])
}
