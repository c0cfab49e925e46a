//! `flotilla-generate`: the files that follow from types; run through `cargo xtask gen [--check]`.

mod definitions;
mod description;
mod reference;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

/// A file that is made from types.
struct Generated {
    /// Relative to the root of the work tree, where the program runs.
    path: PathBuf,
    text: String,
}

#[derive(Parser)]
#[command(about = "Writes the generated files")]
struct Arguments {
    /// Writes nothing; fails and names the files that differ.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let mut files = definitions::files()?;
    files.extend(reference::files());
    files.push(description::file()?);
    let different: Vec<&Generated> = files
        .iter()
        .filter(|file| fs::read_to_string(&file.path).ok().as_ref() != Some(&file.text))
        .collect();
    if arguments.check && !different.is_empty() {
        let names: Vec<String> = different.iter().map(|file| file.path.display().to_string()).collect();
        bail!("out of date: {}; run `cargo xtask gen` and commit the result", names.join(", "));
    }
    for file in different {
        write(file)?;
    }
    Ok(())
}

fn write(file: &Generated) -> Result<()> {
    if let Some(directory) = file.path.parent() {
        fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    }
    fs::write(&file.path, &file.text).with_context(|| format!("write {}", file.path.display()))?;
    eprintln!("      wrote {}", file.path.display());
    Ok(())
}
