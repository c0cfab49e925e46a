//! The chart, installed with Helm as a production user would.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::Installation;
use crate::Error;

const RELEASE: &str = "flotilla";
pub(super) const NAMESPACE: &str = "flotilla-system";

/// The chart's directory: the named one, else that of the source tree in which this program was built.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    let path = named.map_or_else(in_source_tree, Path::to_owned);
    if path.join("Chart.yaml").is_file() { Ok(path) } else { Err(Error::NoChart { path }) }
}

/// `<workspace>/charts/flotilla` for a program in `<workspace>/target/<profile>` or `target/dist`.
fn in_source_tree() -> PathBuf {
    const CHART: &str = "charts/flotilla";
    let program = std::env::current_exe().unwrap_or_default();
    let beside = program.ancestors().skip(1).map(|parent| parent.join(CHART)).find(|path| path.is_dir());
    beside.unwrap_or_else(|| PathBuf::from(CHART))
}

/// Installs the chart or updates what is installed, and waits until its workloads are ready.
pub(super) async fn install(installation: &Installation) -> Result<(), Error> {
    let mut command = Command::new(&installation.helm);
    command
        .args(["upgrade", "--install", RELEASE])
        .arg(&installation.chart)
        .args(["--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", "5m"])
        .arg("--kubeconfig")
        .arg(&installation.kubeconfig)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for value in &installation.values {
        command.args(["--set", value]);
    }
    let output = command.output().await.map_err(Error::system("start helm"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Helm { output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn a_directory_without_a_chart_is_refused_with_a_way_out() {
        let error = super::find(Some(Path::new("/nonexistent"))).unwrap_err().to_string();
        assert!(error.contains("--chart"), "{error}");
    }
}
