//! Starting and ending a local cluster from the outside: what `flotilla up` and `flotilla down` do.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::KubernetesVersion;
use kube::Client;
use launcher::Distribution;
use nix::fcntl::{Flock, FlockArg};

use crate::host::{files, network, processes, sweep};
use crate::{AddressPlan, ClusterName, Error, Layout, Record, State, images, requirements};

const MOST_NODES: u8 = 16;
const INTERVAL: Duration = Duration::from_millis(50);
/// The supervisor gives up by itself earlier; this is for a supervisor that hangs.
const PATIENCE: Duration = Duration::from_mins(15);

/// What the user wants; what is left out stays as it is, or is chosen for a new cluster.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Name of the cluster.
    pub name: ClusterName,
    /// Its data directory, [`Layout::default_data`] by default.
    pub directory: Option<PathBuf>,
    /// How many nodes, 1 by default.
    pub nodes: Option<u8>,
    /// Kubernetes version, the newest built one by default.
    pub kubernetes: Option<KubernetesVersion>,
    /// The distribution directory.
    pub distribution: Option<PathBuf>,
}

impl Wishes {
    /// The paths of the cluster.
    pub fn layout(&self) -> Result<Layout, Error> {
        let directory = self.directory.clone().unwrap_or_else(|| Layout::default_data(&self.name));
        let directory = std::path::absolute(&directory).map_err(Error::file("resolve", directory))?;
        Ok(Layout::new(self.name.clone(), directory))
    }
}

/// A cluster that runs.
#[derive(Debug)]
pub struct Cluster {
    /// Its paths.
    pub layout: Layout,
    /// What it consists of.
    pub record: Record,
    /// Whether it ran before.
    pub started: Started,
}

/// Whether the cluster was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It was.
    Now,
    /// It ran already; these images were missing and were loaded.
    Before(Vec<String>),
}

/// Whether the data goes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// It stays, so that the cluster can be started again.
    KeepData,
    /// It is deleted.
    DeleteData,
}

/// Makes the cluster run as wished and returns when it is usable. `supervisor` is the command line
/// of the supervisor without the arguments `--name` and `--dir`; `progress` sees every snapshot.
pub fn up(
    wishes: &Wishes,
    supervisor: &[PathBuf],
    progress: &mut dyn FnMut(&State),
) -> Result<Cluster, Error> {
    let layout = wishes.layout()?;
    requirements::check(layout.data())?;
    let distribution = Distribution::find(wishes.distribution.as_deref())?;
    let recorded = Record::read(&layout)?;
    refuse_foreign_data(&layout, recorded.as_ref())?;
    refuse_other_directory(&layout)?;
    let (version, nodes) = choose(wishes, &layout, recorded.as_ref(), &distribution)?;
    let _lock = lock(&layout)?;
    if let Some(record) = &recorded
        && State::read(&layout)?.is_supervised()
        && record.nodes == nodes
        && record.kubernetes == version.to_string()
        // A supervisor that ends just now is no reason to fail: the cluster is started again.
        && follow(&layout, None, progress).is_ok()
    {
        let mut loaded = Vec::new();
        for node in 0..nodes {
            loaded.extend(images::load_missing(&layout, &distribution, node, || ())?);
        }
        return Ok(Cluster { layout, record: record.clone(), started: Started::Before(loaded) });
    }
    sweep::sweep(&layout)?;
    let addresses = addresses(&layout, recorded.as_ref())?;
    let record = Record::new(&layout, &version, nodes, addresses, distribution.directory());
    record.write(&layout)?;
    files::write(&layout.owner(), &layout.data().display().to_string())?;
    start(&layout, supervisor, progress)?;
    Ok(Cluster { layout, record, started: Started::Now })
}

/// Ends the cluster and removes all that it made on the machine. True if there was something.
pub fn down(layout: &Layout, purge: Purge) -> Result<bool, Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotRoot);
    }
    refuse_other_directory(layout)?;
    let has_data = layout.record().exists();
    let was_there = has_data || !sweep::is_clean(layout);
    let lock = if layout.data().exists() { Some(lock(layout)?) } else { None };
    sweep::sweep(layout)?;
    if purge == Purge::DeleteData && has_data {
        files::remove_tree(layout.data())?;
    }
    drop(lock);
    Ok(was_there)
}

/// A client with the identity of a kubeconfig.
pub async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let text = std::fs::read_to_string(kubeconfig).map_err(Error::file("read", kubeconfig))?;
    kubekit::client_for_kubeconfig(&text, None, None)
        .await
        .map_err(|error| Error::Client { kubeconfig: kubeconfig.to_owned(), reason: error.to_string() })
}

/// `--purge` deletes the whole directory, so a cluster never moves into one that holds other files.
fn refuse_foreign_data(layout: &Layout, recorded: Option<&Record>) -> Result<(), Error> {
    // A lock and logs are what a start leaves that failed before it wrote its record.
    let is_own = |entry: &String| entry == "lock" || entry == "logs";
    match files::entries(layout.data()).iter().find(|entry| recorded.is_none() && !is_own(entry)) {
        None => Ok(()),
        Some(entry) => {
            Err(Error::ForeignDirectory { directory: layout.data().to_owned(), entry: entry.clone() })
        }
    }
}

fn refuse_other_directory(layout: &Layout) -> Result<(), Error> {
    let Some(owner) = files::read_if_exists(&layout.owner())? else { return Ok(()) };
    let other = Layout::new(layout.name().clone(), PathBuf::from(owner.trim()));
    if other.data() == layout.data() || !State::read(&other)?.is_supervised() {
        return Ok(());
    }
    Err(Error::OtherDirectory { name: layout.name().to_string(), directory: other.data().to_owned() })
}

fn choose(
    wishes: &Wishes,
    layout: &Layout,
    recorded: Option<&Record>,
    distribution: &Distribution,
) -> Result<(KubernetesVersion, u8), Error> {
    let before = recorded.map(Record::version).transpose()?;
    let version = distribution.pick(wishes.kubernetes.as_ref().or(before.as_ref()))?;
    if let Some(before) = before.filter(|before| version.minor() < before.minor()) {
        return Err(Error::IncompatibleData {
            directory: layout.data().to_owned(),
            reason: format!("Kubernetes {before} wrote it, which {version} cannot read"),
            name: layout.name().to_string(),
        });
    }
    let nodes = wishes.nodes.or(recorded.map(|record| record.nodes)).unwrap_or(1);
    if (1..=MOST_NODES).contains(&nodes) {
        Ok((version, nodes))
    } else {
        Err(Error::Nodes { nodes, most: MOST_NODES })
    }
}

/// The recorded addresses, or free ones for a new cluster. Nothing of the cluster itself may be on
/// the machine any more.
fn addresses(layout: &Layout, recorded: Option<&Record>) -> Result<AddressPlan, Error> {
    let occupied = network::occupied()?;
    let Some(record) = recorded else {
        let networks: Vec<_> = occupied.into_iter().map(|(network, _)| network).collect();
        return AddressPlan::first_free(&networks).ok_or(Error::NoFreeNetwork);
    };
    match occupied.into_iter().find(|(network, _)| !record.addresses.is_free(&[*network])) {
        None => Ok(record.addresses),
        Some((_, used_by)) => Err(Error::NetworkInUse {
            network: record.addresses.network().to_string(),
            name: layout.name().to_string(),
            used_by,
        }),
    }
}

fn lock(layout: &Layout) -> Result<Flock<File>, Error> {
    let path = layout.data().join("lock");
    files::create_directory(layout.data())?;
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| Error::Busy { name: layout.name().to_string() })
}

fn start(layout: &Layout, supervisor: &[PathBuf], progress: &mut dyn FnMut(&State)) -> Result<(), Error> {
    let _ = std::fs::remove_file(layout.state());
    let log_path = layout.supervisor_log();
    files::create_directory(&layout.logs())?;
    let log =
        File::options().create(true).append(true).open(&log_path).map_err(Error::file("open", &log_path))?;
    let errors = log.try_clone().map_err(Error::file("open", &log_path))?;
    let (program, args) = supervisor.split_first().map_or((Path::new("flotilla"), &[][..]), |(p, a)| (p, a));
    let child = Command::new(program)
        .args(args)
        .args(["--name", layout.name().as_str(), "--dir"])
        .arg(layout.data())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|source| launcher::Error::Spawn { program: "the supervisor".to_owned(), source })?;
    // The supervisor will write this too; until then a sweep must already know it.
    let supervisor = processes::identify(child.id());
    files::write_json(&layout.state(), &State { supervisor, ..State::default() })?;
    let followed = follow(layout, Some(child), progress);
    if followed.is_err() {
        // Nothing half-made is left; the logs stay.
        sweep::sweep(layout)?;
    }
    followed
}

/// Shows the snapshots until the cluster is usable.
fn follow(layout: &Layout, mut child: Option<Child>, progress: &mut dyn FnMut(&State)) -> Result<(), Error> {
    let failed = |step: &str, reason: &str| Error::Start {
        step: step.to_owned(),
        reason: reason.to_owned(),
        log: layout.supervisor_log(),
    };
    let start = Instant::now();
    loop {
        let status = child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        let ended = status.is_some() || (child.is_none() && !State::read(layout)?.is_supervised());
        // Read after the look at the process, so that its last words are not missed.
        let state = State::read(layout)?;
        let is_done = state.usable && !ended;
        // The steps of a start that was over before are nobody's news.
        if child.is_some() || !is_done {
            progress(&state);
        }
        if is_done {
            return Ok(());
        }
        if let Some(step) = state.failure() {
            return Err(failed(&step.name, step.error.as_deref().unwrap_or_default()));
        }
        if ended {
            let how = status.map_or_else(String::new, |status| format!(" ({status})"));
            return Err(failed("start the cluster", &format!("the supervisor has ended{how}")));
        }
        if start.elapsed() > PATIENCE {
            return Err(failed("start the cluster", "the supervisor makes no progress"));
        }
        std::thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::{Wishes, choose, refuse_foreign_data};
    use crate::{AddressPlan, Layout, Record};

    fn wishes(kubernetes: Option<&str>, nodes: Option<u8>) -> Wishes {
        Wishes {
            name: "dev".parse().unwrap(),
            directory: None,
            nodes,
            kubernetes: kubernetes.map(|version| version.parse().unwrap()),
            distribution: None,
        }
    }

    fn distribution(directory: &tempfile::TempDir) -> launcher::Distribution {
        for version in ["v1.35.4", "v1.36.3"] {
            let path = directory.path().join("kubernetes").join(version);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("flotilla-kubernetes"), "").unwrap();
        }
        launcher::Distribution::find(Some(directory.path())).unwrap()
    }

    fn record(version: &str, nodes: u8) -> Record {
        let plan = AddressPlan::first_free(&[]).unwrap();
        let layout = wishes(None, None).layout().unwrap();
        Record::new(&layout, &version.parse().unwrap(), nodes, plan, "/dist".as_ref())
    }

    #[test]
    fn a_new_cluster_has_one_node_of_the_newest_version() {
        let directory = tempfile::tempdir().unwrap();
        let wishes = wishes(None, None);
        let (version, nodes) =
            choose(&wishes, &wishes.layout().unwrap(), None, &distribution(&directory)).unwrap();
        assert_eq!((version.to_string().as_str(), nodes), ("v1.36.3", 1));
    }

    #[test]
    fn a_cluster_keeps_what_is_not_wished_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let (distribution, recorded) = (distribution(&directory), record("v1.35.4", 2));
        let unchanged = wishes(None, None);
        let layout = unchanged.layout().unwrap();
        let (version, nodes) = choose(&unchanged, &layout, Some(&recorded), &distribution).unwrap();
        assert_eq!((version.to_string().as_str(), nodes), ("v1.35.4", 2));
        let changed = wishes(Some("1.36.3"), Some(1));
        let (version, nodes) = choose(&changed, &layout, Some(&recorded), &distribution).unwrap();
        assert_eq!((version.to_string().as_str(), nodes), ("v1.36.3", 1));
    }

    #[test]
    fn going_back_a_minor_version_and_senseless_numbers_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (distribution, recorded) = (distribution(&directory), record("v1.36.3", 1));
        for (wishes, word) in [
            (wishes(Some("1.35.4"), None), "cannot read"),
            (wishes(None, Some(0)), "1 to 16"),
            (wishes(None, Some(17)), "1 to 16"),
            (wishes(Some("1.30.0"), None), "not in"),
        ] {
            let layout = wishes.layout().unwrap();
            let error = choose(&wishes, &layout, Some(&recorded), &distribution).unwrap_err();
            assert!(error.is_users() && error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn a_directory_with_other_files_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new("dev".parse().unwrap(), directory.path().to_owned());
        refuse_foreign_data(&layout, None).unwrap();
        std::fs::write(directory.path().join("thesis.tex"), "").unwrap();
        let error = refuse_foreign_data(&layout, None).unwrap_err().to_string();
        assert!(error.contains("thesis.tex"), "{error}");
    }
}
