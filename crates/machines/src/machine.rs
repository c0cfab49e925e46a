//! One machine: switched on and off, unplugged, and worked at as root.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::commands::{Told, ip, run};
use crate::{Site, images, pod_network};

const BOOT: &str = include_str!("boot.sh");
/// A machine of a busy host may take this long to start.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A machine on a site's LAN.
#[derive(Debug, Clone)]
pub struct Machine {
    site: Site,
    index: u8,
    hostname: String,
}

impl Machine {
    pub(crate) fn new(site: Site, index: u8, hostname: &str) -> Self {
        Self { site, index, hostname: hostname.to_owned() }
    }

    /// Its host name.
    #[must_use]
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// Its address on the LAN.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.site.address(self.index)
    }

    /// Switches it on and waits until it can be worked at. Its files are those of last time.
    pub fn start(&self) -> Result<()> {
        let directory = self.directory();
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("boot.sh"), BOOT)?;
        let scope = self.site.scope(self.index);
        for hierarchy in local::cgroup_hierarchies() {
            fs::create_dir_all(hierarchy.join(&scope))?;
            inherit_cpus(&hierarchy, &scope)?;
        }
        let console = fs::File::create(directory.join("console.log"))?;
        // `sh` enters the cgroups before the namespaces are made: theirs begin where it stands then.
        let enter = format!(
            "for procs in /sys/fs/cgroup/*/{scope}/cgroup.procs /sys/fs/cgroup/{scope}/cgroup.procs; do \
             if [ -e $procs ]; then echo $$ > $procs; fi; done; \
             exec nsenter --net=/run/netns/{scope} unshare --cgroup --mount --uts --ipc --pid --fork \
             --kill-child setsid sh \"$1/boot.sh\" \"$@\""
        );
        Command::new("sh")
            .args(["-c", &enter, "sh"])
            .arg(&directory)
            .args([&self.hostname, &self.address().to_string(), &self.site.address(0).to_string()])
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .context("start a machine")?;
        self.wait_until("systemd answers", || self.is_booted())
    }

    fn is_booted(&self) -> Result<bool> {
        let state = self.run(&["systemctl", "is-system-running"])?.out;
        Ok(["running", "degraded"].contains(&state.trim()))
    }

    /// Pulls the plug: everything on it ends at once.
    pub fn stop(&self) -> Result<()> {
        self.wait_until("it is off", || {
            let processes = self.processes()?;
            for process in &processes {
                // One that has ended meanwhile is no error.
                let _ = kill(Pid::from_raw(*process), Signal::SIGKILL);
            }
            for hierarchy in local::cgroup_hierarchies() {
                local::thaw_tree(&hierarchy.join(self.site.scope(self.index)));
            }
            Ok(processes.is_empty())
        })
    }

    /// Takes its cable out of the LAN, or puts it back.
    pub fn set_plugged(&self, is_plugged: bool) -> Result<()> {
        let state = if is_plugged { "up" } else { "down" };
        ip(Some(&self.site.scope(0)), &format!("link set {} {state}\n", Site::plug(self.index)))
    }

    /// Gives its pods addresses of `range`, and connects them with those of `others` on the same LAN.
    pub fn connect_pods(&self, range: &str, others: &[(&Self, String)]) -> Result<()> {
        let routes =
            others.iter().map(|(other, range)| format!("route replace {range} via {}\n", other.address()));
        ip(Some(&self.site.scope(self.index)), &routes.collect::<String>())?;
        self.run_with_input(&["nft", "-f", "-"], pod_network::RULES)?.success()?;
        self.write(pod_network::FILE, &pod_network::render(range))
    }

    /// Runs a program on it as root.
    pub fn run(&self, command: &[&str]) -> Result<Told> {
        self.run_with_input(command, "")
    }

    /// Runs a program on it with `input` on its standard input.
    pub fn run_with_input(&self, command: &[&str], input: &str) -> Result<Told> {
        let Some(init) = self.init()? else {
            bail!("{} is off; its console says: {}", self.hostname, self.console())
        };
        let target = init.to_string();
        let enter = ["-t", &target, "-m", "-u", "-i", "-n", "-p", "-C", "--", "/usr/bin/env", "-i"];
        let environment =
            ["HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8"];
        run("nsenter", &[&enter[..], &environment, command].concat(), input)
    }

    /// Writes a file on it.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let script = format!("mkdir -p \"$(dirname '{path}')\" && cat > '{path}'");
        self.run_with_input(&["sh", "-ec", &script], text)?.success().map(drop)
    }

    /// Puts images of the local cluster's first node into its containerd.
    pub fn load_images(&self, references: &[&str]) -> Result<()> {
        images::copy(&self.site, self, references)
    }

    /// Makes a program of the host available on it under `/usr/local/bin`.
    pub fn install(&self, program: &Path, name: &str) -> Result<()> {
        let target = self.directory().join("usr/local/bin").join(name);
        fs::copy(program, &target).map(drop).with_context(|| format!("install {}", target.display()))
    }

    /// Files of the machine, as the host sees them.
    fn directory(&self) -> PathBuf {
        self.site.directory(self.index)
    }

    fn console(&self) -> String {
        fs::read_to_string(self.directory().join("console.log")).unwrap_or_default()
    }

    /// The process number of its first process, as the host counts.
    pub(crate) fn init(&self) -> Result<Option<i32>> {
        for process in self.processes()? {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            let numbers: Vec<&str> = inner.unwrap_or_default().split_whitespace().collect();
            if numbers.len() == 2 && numbers[1] == "1" {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    /// Everything in its cgroups. What has ended and waits for its parent to hear of it does not count.
    fn processes(&self) -> Result<Vec<i32>> {
        let scope = format!("/{}", self.site.scope(self.index));
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Ok(process) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let cgroups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
            let is_inside = |line: &str| {
                let path = line.splitn(3, ':').nth(2).unwrap_or_default();
                path.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            if cgroups.lines().any(is_inside) && !status.contains("State:\tZ") {
                found.push(process);
            }
        }
        Ok(found)
    }

    fn wait_until(&self, what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        loop {
            match holds() {
                Ok(true) => return Ok(()),
                last if began.elapsed() > PATIENCE => {
                    bail!("{}: not within {PATIENCE:?}: {what} ({last:?})", self.hostname)
                }
                _ => std::thread::sleep(LOOK_EVERY),
            }
        }
    }
}

/// A new cpuset of version 1 holds no CPU and takes no process.
fn inherit_cpus(hierarchy: &Path, scope: &str) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let (from, to) = (hierarchy.join(file), hierarchy.join(scope).join(file));
        if from.exists() && to.exists() {
            fs::write(to, fs::read(from)?)?;
        }
    }
    Ok(())
}
