//! The web console: its packages, checks and build. Each is skipped while nothing that it depends on has changed.

mod stamps;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;
use stamps::{Stamps, sources};

/// What is made in `console/` and no source.
const MADE: [&str; 3] = ["node_modules", "build", "dist"];

/// The scripts of package.json that check it, cheap ones first.
const CHECKS: [&str; 6] = ["types:check", "lint", "typecheck", "test", "size", "browser"];

/// The oldest Node in which npm takes all packages; an older one leaves out those that do not name it.
const OLDEST_NODE: (u32, u32) = (20, 19);

const INSTALL: [&str; 2] = ["ci", "--loglevel=error"];

/// Checks and tests the console, and builds it.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let console = Console::new(workspace);
    build(workspace)?;
    console.stamps.unless_done("checked", &console.sources()?, "console: checks", || {
        for script in CHECKS {
            process::run_step(&format!("console: {script}"), &mut console.script(script))?;
        }
        Ok(())
    })
}

/// Builds the console into `console/dist`, from where the server embeds it.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let console = Console::new(workspace);
    console.install()?;
    if !console.directory.join("dist/index.html").is_file() {
        console.stamps.forget("built")?;
    }
    console.stamps.unless_done("built", &console.sources()?, "console", || {
        process::run_step("build the console", &mut console.script("build"))
    })
}

/// Installs the console's packages, for whatever runs in its Node.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    Console::new(workspace).install()
}

/// Writes the console's types of the API from the description.
pub(crate) fn write_types(workspace: &Workspace) -> Result<()> {
    let console = Console::new(workspace);
    console.install()?;
    process::run_step("write the console's types", &mut console.script("types"))
}

/// Measures the console in a browser.
pub(crate) fn measure(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    process::run_open(&mut Console::new(workspace).script("measure"))
}

/// Serves the console for whoever works on it, until it is stopped.
pub(crate) fn serve(workspace: &Workspace) -> Result<()> {
    let console = Console::new(workspace);
    console.install()?;
    process::run_open(&mut console.script("dev"))
}

struct Console {
    directory: PathBuf,
    description: PathBuf,
    stamps: Stamps,
}

impl Console {
    fn new(workspace: &Workspace) -> Self {
        Self {
            directory: workspace.root().join("console"),
            description: workspace.root().join("generated/openapi.json"),
            stamps: Stamps { directory: workspace.target().join("console") },
        }
    }

    fn sources(&self) -> Result<Vec<PathBuf>> {
        let mut files = sources(&self.directory, &MADE)?;
        files.push(self.description.clone());
        Ok(files)
    }

    fn npm(&self) -> Command {
        let mut command = Command::new("npm");
        command.current_dir(&self.directory);
        command
    }

    /// A script of package.json. It runs in the Node that is locked there, whatever Node runs npm.
    fn script(&self, name: &str) -> Command {
        let mut command = self.npm();
        command.args(["run", "--silent", name]);
        if let Some(path) = self.path() {
            command.env("PATH", path);
        }
        command
    }

    /// Older versions of npm do not put that Node on PATH by themselves.
    fn path(&self) -> Option<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::join_paths([self.node()?].into_iter().chain(env::split_paths(&path))).ok()
    }

    /// The directory of the Node that is among the packages.
    fn node(&self) -> Option<PathBuf> {
        let platform = match env::consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            _ => return None,
        };
        Some(self.directory.join(format!("node_modules/node-linux-{platform}/bin")))
    }

    fn install(&self) -> Result<()> {
        let files = ["package-lock.json", "package.json", ".npmrc"].map(|name| self.directory.join(name));
        if !self.directory.join("node_modules").is_dir() {
            self.stamps.forget("installed")?;
        }
        self.stamps.unless_done("installed", &files, "packages of the console", || {
            process::run_step("install packages of the console", self.npm().args(INSTALL))?;
            let version = process::read(Command::new("node").arg("--version"))?;
            if parse_version(&version).is_some_and(|found| found >= OLDEST_NODE) {
                return Ok(());
            }
            self.install_by_its_own_node()
        })
    }

    /// What is installed has the Node that is needed to install the rest. A copy of it does, since the packages are
    /// removed first.
    fn install_by_its_own_node(&self) -> Result<()> {
        let packaged = self.node().context("the console's packages have no Node for this processor")?;
        let node = self.stamps.directory.join("node");
        fs::create_dir_all(&self.stamps.directory).context("create a directory for Node")?;
        fs::copy(packaged.join("node"), &node).context("copy Node")?;
        let npm = env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|directory| directory.join("npm"))
            .find_map(|path| fs::canonicalize(path).ok())
            .context("find npm on PATH")?;
        let mut command = Command::new(node);
        command.current_dir(&self.directory).arg(npm).args(INSTALL);
        process::run_step("install packages for a newer Node", &mut command)
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST_NODE, parse_version};

    #[test]
    fn versions_of_node_are_compared_by_number() {
        assert!(parse_version("v18.20.4\n").is_some_and(|found| found < OLDEST_NODE));
        assert!(parse_version("v20.19.0\n").is_some_and(|found| found >= OLDEST_NODE));
        assert!(parse_version("v100.0.0").is_some_and(|found| found >= OLDEST_NODE));
    }
}
