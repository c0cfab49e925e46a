//! `flotilla status`.

use std::fmt::Write as _;

use base::{Clock, SystemClock};
use jiff::Timestamp;
use local::{ComponentState, Layout, Phase, State};
use serde_json::{Value, json};

use super::{layout, record, runtime};
use crate::Error;
use crate::args::{Output, Status};
use crate::platform::tenants;
use crate::{output, table};

pub(super) fn run(args: &Status) -> Result<(), Error> {
    let layout = layout(&args.target)?;
    let record = record(&layout)?;
    let state = State::read(&layout)?;
    let tenants = if state.is_supervised() && state.usable { tenants_of(&layout) } else { Vec::new() };
    match args.output {
        Output::Json => {
            let status = json!({
                "cluster": record,
                "running": state.is_supervised(),
                "usable": state.is_supervised() && state.usable,
                "components": state.components,
                "tenants": tenants,
            });
            output::print(&format!("{status:#}"))
        }
        Output::Table => {
            let mut text = format!("{}\n", summary(&layout, &record, &state));
            text.push_str(&components(&state, SystemClock.now()));
            if !tenants.is_empty() {
                let _ = write!(text, "\n{}", tenants::table(&tenants));
            }
            output::print(&text)
        }
    }
}

/// The tenants, or none where the platform is not installed or the API server does not answer: what
/// the components do is shown all the same.
fn tenants_of(layout: &Layout) -> Vec<Value> {
    let list = async {
        let client = local::client(&layout.admin_kubeconfig()).await.ok()?;
        tenants::list(&client).await.ok()
    };
    runtime().ok().and_then(|runtime| runtime.block_on(list)).unwrap_or_default()
}

fn summary(layout: &Layout, record: &local::Record, state: &State) -> String {
    let condition = match (state.is_supervised(), state.usable) {
        (true, true) => "runs",
        (true, false) => "is starting",
        (false, _) => "does not run",
    };
    format!(
        "cluster `{}` {condition}: Kubernetes {}, {} node(s), {}, kubeconfig {}",
        record.name,
        record.kubernetes,
        record.nodes,
        record.addresses.network(),
        layout.admin_kubeconfig().display()
    )
}

fn components(state: &State, now: Timestamp) -> String {
    let supervised = state.is_supervised();
    let rows: Vec<Vec<String>> =
        state.components.iter().map(|component| row(component, supervised, now)).collect();
    table::render(&["COMPONENT", "NODE", "STATE", "PID", "UPTIME", "RESTARTS", "LAST EXIT"], &rows)
}

fn row(component: &ComponentState, supervised: bool, now: Timestamp) -> Vec<String> {
    let phase = match (supervised, component.phase) {
        (false, _) | (true, Phase::Stopped) => "stopped",
        (true, Phase::Waiting) => "waiting",
        (true, Phase::Running) => "running",
        (true, Phase::BackOff) => "back-off",
    };
    let dash = || "-".to_owned();
    let process = component.process.filter(|_| supervised);
    let uptime = process.map(|_| table::duration(now.duration_since(component.since).as_secs()));
    vec![
        component.component.clone(),
        component.node.to_string(),
        phase.to_owned(),
        process.map_or_else(dash, |process| process.pid.to_string()),
        uptime.unwrap_or_else(dash),
        component.restarts.to_string(),
        component.last_exit.clone().unwrap_or_else(dash),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use local::{ComponentState, Phase};

    use super::row;

    #[test]
    fn a_component_of_a_dead_supervisor_is_stopped_whatever_the_file_says() {
        let component = ComponentState {
            component: "etcd".to_owned(),
            node: 0,
            phase: Phase::Running,
            since: Timestamp::UNIX_EPOCH,
            process: None,
            restarts: 3,
            last_exit: Some("signal SIGKILL".to_owned()),
        };
        let shown = row(&component, false, Timestamp::UNIX_EPOCH);
        assert_eq!(shown, ["etcd", "0", "stopped", "-", "-", "3", "signal SIGKILL"]);
    }
}
