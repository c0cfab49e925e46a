//! Removes everything that belongs to a cluster's name, whatever state it is in.

use std::path::Path;
use std::time::Duration;

use super::{cgroups, files, namespaces, network, processes};
use crate::state::State;
use crate::{Error, Layout};

/// The supervisor ends its processes in order; that takes at most this long.
const SUPERVISOR_GRACE: Duration = Duration::from_secs(30);

/// Ends the supervisor and all processes, then removes mounts, namespaces, links, routes and cgroups.
/// The order matters: a process keeps its namespaces, a namespace its mounts and links.
pub(crate) fn sweep(layout: &Layout) -> Result<(), Error> {
    if let Some(supervisor) = State::read(layout)?.supervisor {
        processes::end(supervisor, SUPERVISOR_GRACE);
    }
    processes::kill_all(layout)?;
    namespaces::remove(layout)?;
    network::remove(layout.name())?;
    cgroups::remove(layout.name())?;
    files::remove_tree(&layout.run())?;
    namespaces::remove_mount_points()
}

/// Whether anything of the cluster is left on the machine.
pub(crate) fn is_clean(layout: &Layout) -> bool {
    !layout.run().exists()
        && network::namespaces(layout.name()).is_empty()
        && !Path::new("/sys/class/net").join(layout.name().bridge()).exists()
        && processes::of_cluster(layout).is_empty()
}
