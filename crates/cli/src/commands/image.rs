//! `flotilla image`.

use super::layout;
use crate::Error;
use crate::args::ImageCommand;

pub(super) fn run(command: &ImageCommand) -> Result<(), Error> {
    let ImageCommand::Load(args) = command;
    let layout = layout(&args.target)?;
    super::record(&layout)?;
    if !args.file.is_file() {
        return Err(Error::NoArchive { path: args.file.clone() });
    }
    local::load_archive(&layout, &args.file)?;
    eprintln!("{} is on all nodes of `{}`", args.file.display(), layout.name());
    Ok(())
}
