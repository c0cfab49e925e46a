//! `flotilla logs`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::Layout;

use super::{layout, record};
use crate::Error;
use crate::args::Logs;

const INTERVAL: Duration = Duration::from_millis(200);

pub(super) fn run(args: &Logs) -> Result<(), Error> {
    let layout = layout(&args.target)?;
    record(&layout)?;
    let path = path(&layout, args.node, &args.component);
    let mut file = File::open(&path).map_err(|_| Error::NoLog {
        component: args.component.clone(),
        node: args.node,
        known: known(&layout, args.node),
    })?;
    loop {
        match copy(&mut file) {
            // Who reads our output has seen enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            other => other.map_err(Error::system(format!("show {}", path.display())))?,
        }
        if !args.follow {
            return Ok(());
        }
        std::thread::sleep(INTERVAL);
    }
}

fn path(layout: &Layout, node: u8, component: &str) -> PathBuf {
    if component == "supervisor" {
        return layout.logs().join("supervisor.log");
    }
    layout.log(node, component)
}

fn copy(file: &mut File) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return output.flush();
        }
        output.write_all(&buffer[..length])?;
    }
}

fn known(layout: &Layout, node: u8) -> Vec<String> {
    let directory = layout.log(node, "any");
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let entries =
        std::fs::read_dir(directory.parent().unwrap_or(Path::new("/"))).into_iter().flatten().flatten();
    let mut known: Vec<String> = entries.filter_map(|entry| stem(entry.path())).collect();
    known.push("supervisor".to_owned());
    known.sort();
    known
}
