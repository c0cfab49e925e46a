//! `flotilla down`.

use local::Purge;

use super::layout;
use crate::Error;
use crate::args::Down;
use crate::progress::Progress;

pub(super) fn run(args: &Down) -> Result<(), Error> {
    let layout = layout(&args.target)?;
    let purge = if args.purge { Purge::DeleteData } else { Purge::KeepData };
    let mut progress = Progress::new();
    let name = layout.name();
    let work = async |_: &dyn Fn(&str)| local::down(&layout, purge);
    let was_there = super::runtime()?.block_on(progress.step(&format!("end the cluster `{name}`"), work))?;
    drop(progress);
    match (was_there, purge) {
        (false, _) => eprintln!("there was no cluster `{name}`"),
        (true, Purge::DeleteData) => eprintln!("the cluster `{name}` and its data are gone"),
        (true, Purge::KeepData) => {
            eprintln!("the cluster `{name}` has ended; its data is kept in {}", layout.data().display());
        }
    }
    Ok(())
}
