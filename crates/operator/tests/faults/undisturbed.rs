//! A life in which nothing fails, to compare others with.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;
use stage::{Operator, Stage};

use crate::life::{Life, PHASES, Phase};

/// What an undisturbed life showed.
pub(crate) struct Undisturbed {
    /// State at the end of a phase.
    pub(crate) states: BTreeMap<Phase, Value>,
    /// Writes of the operator in a phase.
    pub(crate) writes: BTreeMap<Phase, usize>,
}

/// Lives one.
pub(crate) async fn undisturbed(stage: &Stage, operator: &Operator) -> Result<Undisturbed> {
    let life = Life { stage, namespace: "undisturbed".to_owned() };
    stage.create_namespace(&life.namespace).await?;
    let mut seen = Undisturbed { states: BTreeMap::new(), writes: BTreeMap::new() };
    for phase in PHASES {
        stage.fuse().clear();
        life.begin(phase).await?;
        life.settles(phase).await.with_context(|| operator.last_words())?;
        seen.states.insert(phase, life.state().await?);
        seen.writes.insert(phase, stage.fuse().reset().len());
    }
    Ok(seen)
}
