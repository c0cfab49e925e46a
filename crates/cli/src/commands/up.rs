//! `flotilla up`.

use std::path::PathBuf;

use local::{Cluster, Started, Wishes};

use super::runtime;
use crate::args::Up;
use crate::platform::{self, Installation};
use crate::progress::Progress;
use crate::{Error, output};

pub(super) fn run(args: &Up) -> Result<(), Error> {
    let mut progress = Progress::new();
    if let Some(kubeconfig) = &args.kubeconfig {
        let installation = Installation::existing(kubeconfig.clone(), args)?;
        let tenant = runtime()?.block_on(Box::pin(platform::install(&installation, &mut progress)))?;
        output::print(&platform::greeting(&installation, &tenant))?;
        return Ok(());
    }
    let cluster = start(args, &mut progress)?;
    report(&cluster, &progress);
    if args.bare {
        output::print(&platform::bare_greeting(&cluster))?;
        return Ok(());
    }
    let installation = Installation::local(&cluster, args)?;
    let tenant = runtime()?.block_on(Box::pin(platform::install(&installation, &mut progress)))?;
    eprintln!("ready after {:.1} s", progress.elapsed().as_secs_f64());
    output::print(&platform::greeting(&installation, &tenant))?;
    Ok(())
}

fn start(args: &Up, progress: &mut Progress) -> Result<Cluster, Error> {
    let wishes = Wishes {
        name: args.target.name.clone(),
        directory: args.target.dir.clone(),
        nodes: args.nodes,
        kubernetes: args.kubernetes.clone(),
        distribution: args.dist.clone(),
    };
    let program = std::env::current_exe().map_err(Error::system("find the path of this program"))?;
    let supervisor = [program, PathBuf::from("supervise")];
    Ok(local::up(&wishes, &supervisor, &mut |state| progress.follow(state))?)
}

fn report(cluster: &Cluster, progress: &Progress) {
    let name = cluster.layout.name();
    let seconds = progress.elapsed().as_secs_f64();
    match &cluster.started {
        Started::Now => eprintln!("the management cluster `{name}` is usable after {seconds:.1} s"),
        Started::Before(loaded) if loaded.is_empty() => {
            eprintln!("the management cluster `{name}` runs already");
        }
        Started::Before(loaded) => {
            eprintln!("the management cluster `{name}` runs already; loaded {}", loaded.join(", "));
        }
    }
}
