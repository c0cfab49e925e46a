//! Journeys through the web console: programs of `console/journeys`, which drive Chromium as the hub's people do.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::{Cluster, Hub, Told};

const CHROMIUM: &str = "/usr/bin/chromium";
/// A journey ends by itself before, and says in which step it was.
const LONGEST: Duration = Duration::from_mins(14);

/// A journey that is about to begin.
pub struct Journey {
    name: String,
    node: PathBuf,
    console: PathBuf,
    directory: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl Journey {
    /// The journey of a name, by the first user of the cluster's hub.
    pub async fn prepare(cluster: &Cluster, hub: &Hub, name: &str) -> Result<Self> {
        Self::elsewhere(cluster.root(), hub, &Hub::first_password(cluster).await?, name)
    }

    /// The journey of a name, by the first user of any hub, who has this password.
    pub fn elsewhere(root: &Path, hub: &Hub, password: &str, name: &str) -> Result<Self> {
        let console = root.join("console");
        let node = node(&console)?;
        ensure!(
            Path::new(CHROMIUM).exists(),
            "{CHROMIUM} is missing; install it with `cargo xtask setup`, or as the package chromium"
        );
        let directory = root.join("target/journeys").join(name);
        if directory.exists() {
            std::fs::remove_dir_all(&directory)?;
        }
        std::fs::create_dir_all(&directory)?;
        let authority = directory.join("hub-ca.crt");
        std::fs::write(&authority, &hub.authority)?;
        let environment = vec![
            ("FLOTILLA_HUB", OsString::from(&hub.url)),
            ("FLOTILLA_HUB_CA", authority.into()),
            ("FLOTILLA_USER", Hub::FIRST_USER.into()),
            ("FLOTILLA_PASSWORD", password.into()),
            ("FLOTILLA_JOURNEY", directory.clone().into()),
        ];
        Ok(Self { name: name.to_owned(), node, console, directory, environment })
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// Has the browser trust the key of another site, whose authority this is, PEM.
    pub fn trusting(self, url: &str, authority: &str) -> Result<Self> {
        let file = self.directory.join("provider-ca.crt");
        std::fs::write(&file, authority)?;
        Ok(self.with("FLOTILLA_PROVIDER", url).with("FLOTILLA_PROVIDER_CA", file))
    }

    /// Makes it, and returns the directory of what it brought home.
    pub async fn run(self) -> Result<PathBuf> {
        let child = Command::new(&self.node)
            .arg(format!("journeys/{}.ts", self.name))
            .current_dir(&self.console)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("run {}", self.node.display()))?;
        let Ok(output) = tokio::time::timeout(LONGEST, child.wait_with_output()).await else {
            bail!("the journey {} did not end within {} s", self.name, LONGEST.as_secs());
        };
        Told::from(output?).success().with_context(|| format!("the journey {}", self.name))?;
        Ok(self.directory)
    }
}

/// The Node among the packages of the console.
fn node(console: &Path) -> Result<PathBuf> {
    let platform = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("the console's packages have no Node for {other}"),
    };
    let node = console.join(format!("node_modules/node-linux-{platform}/bin/node"));
    ensure!(
        node.is_file() && console.join("node_modules/playwright-core").is_dir(),
        "the console's packages are missing in {}; `cargo xtask build` installs them",
        console.display()
    );
    Ok(node)
}
