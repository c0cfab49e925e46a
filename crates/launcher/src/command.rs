//! What to run: program, arguments, namespaces, cgroup and log file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::Error;

/// The specification of one child process.
#[derive(Debug, Clone)]
pub struct CommandSpec {
    /// Name of the component, for messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// Network namespace: a file such as `/run/netns/NAME`.
    pub network_namespace: Option<PathBuf>,
    /// Mount namespace: a file that `unshare --mount=FILE` has made.
    pub mount_namespace: Option<PathBuf>,
    /// `cgroup.procs` files that the process is entered into before the program starts.
    pub cgroups: Vec<PathBuf>,
    /// File that output is appended to.
    pub log: PathBuf,
    /// Whether the process leads a group of its own. Without, it gets the signals of the terminal
    /// and of a test runner that ends its group.
    pub own_group: bool,
}

impl CommandSpec {
    /// A program without arguments, in the namespaces and the process group of the caller.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            network_namespace: None,
            mount_namespace: None,
            cgroups: Vec::new(),
            log: log.into(),
            own_group: false,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The whole command line: entering cgroups, then namespaces, then the program. Each step
    /// replaces the one before (`exec`), so that the process id is the program's.
    #[must_use]
    pub fn command_line(&self) -> Vec<OsString> {
        let mut line = Vec::new();
        if !self.cgroups.is_empty() {
            let entries: Vec<String> =
                self.cgroups.iter().map(|file| format!("echo $$ > {}", quoted(file))).collect();
            let script = format!("{}; exec \"$@\"", entries.join("; "));
            line.extend(["/bin/sh", "-c", &script, "sh"].map(OsString::from));
        }
        // Not `ip netns exec`: that mounts a new /sys, which hides the cgroups.
        if self.network_namespace.is_some() || self.mount_namespace.is_some() {
            line.push("nsenter".into());
            line.extend(self.network_namespace.as_deref().map(|file| joined("--net=", file)));
            line.extend(self.mount_namespace.as_deref().map(|file| joined("--mount=", file)));
            line.push("--".into());
        }
        line.push(self.program.clone().into());
        line.extend(self.args.iter().cloned());
        line
    }

    pub(crate) fn command(&self) -> Result<Command, Error> {
        let mut line = self.command_line().into_iter();
        let mut command = Command::new(line.next().unwrap_or_default());
        command.args(line).envs(self.env.iter().map(|(name, value)| (name, value)));
        let log = open_log(&self.log)?;
        let errors = log.try_clone().map_err(Error::file("open", &self.log))?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        if self.own_group {
            command.process_group(0);
        }
        Ok(command)
    }
}

fn joined(flag: &str, file: &Path) -> OsString {
    let mut argument = OsString::from(flag);
    argument.push(file);
    argument
}

fn quoted(file: &Path) -> String {
    format!("'{}'", file.display().to_string().replace('\'', r"'\''"))
}

fn open_log(path: &Path) -> Result<std::fs::File, Error> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(Error::file("open", path))
}

#[cfg(test)]
mod tests {
    use super::CommandSpec;

    #[test]
    fn a_plain_command_is_the_program_itself() {
        let spec = CommandSpec::new("etcd", "/bin/etcd", "/tmp/log").args(["--name", "a"]);
        assert_eq!(spec.command_line(), ["/bin/etcd", "--name", "a"]);
    }

    #[test]
    fn namespaces_and_cgroups_are_entered_before_the_program() {
        let mut spec = CommandSpec::new("kubelet", "/bin/kubelet", "/tmp/log");
        spec.network_namespace = Some("/run/netns/n".into());
        spec.mount_namespace = Some("/run/m".into());
        spec.cgroups = vec!["/sys/fs/cgroup/pids/it's/cgroup.procs".into()];
        assert_eq!(
            spec.command_line(),
            [
                "/bin/sh",
                "-c",
                r#"echo $$ > '/sys/fs/cgroup/pids/it'\''s/cgroup.procs'; exec "$@""#,
                "sh",
                "nsenter",
                "--net=/run/netns/n",
                "--mount=/run/m",
                "--",
                "/bin/kubelet"
            ]
        );
    }
}
