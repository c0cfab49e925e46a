//! Runs test programs two at a time: they mostly wait, for servers that start and for clocks.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::spares::Spares;
use crate::{process, progress};

/// How many run beside one another.
const LANES: usize = 2;

/// A built test.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    name: String,
    executable: PathBuf,
    /// Directory of its package, in which tests run.
    package: PathBuf,
}

/// Builds with `build`, a `cargo test` of some targets, and runs what it made. All run, whatever the others came
/// to; the output of each is shown when it ends.
pub(crate) fn run(build: &mut Command, dist: &Path, spares: &Spares) -> Result<()> {
    let told = process::read(build.args(["--no-run", "--message-format=json-render-diagnostics"]))?;
    let programs = programs(&told);
    if programs.is_empty() {
        bail!("cargo built no test");
    }
    let queue = Mutex::new(VecDeque::from(programs));
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some(program) = next() {
                    if let Err(error) = run_one(&program, dist, spares) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("; ")) }
}

fn run_one(program: &Program, dist: &Path, spares: &Spares) -> Result<()> {
    let began = Instant::now();
    let mut command = Command::new(&program.executable);
    command.current_dir(&program.package);
    command.env("FLOTILLA_DIST", dist).env("CARGO_MANIFEST_DIR", &program.package);
    let output = spares
        .lend(&mut command)
        .output()
        .with_context(|| format!("start {}", program.executable.display()))?;
    let told =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    // In one go, so that the output of two programs does not mix.
    println!("==> {} ({})\n{told}", program.name, progress::seconds(began.elapsed()).trim());
    if !output.status.success() {
        bail!("{} ended with {}", program.name, output.status);
    }
    Ok(())
}

/// What cargo says to have built: what takes the longest first, so that no lane is empty while it ends.
fn programs(told: &str) -> Vec<Program> {
    let mut found: Vec<Program> =
        told.lines().filter_map(|line| program(&serde_json::from_str(line).ok()?)).collect();
    found.sort_by_cached_key(|program| (place(&program.name), program.name.clone()));
    found
}

/// Minutes before those that take seconds.
fn place(name: &str) -> usize {
    const LONGEST: [&str; 4] = ["server hub", "operator hostile", "operator faults", "operator "];
    LONGEST.iter().position(|known| name.starts_with(known)).unwrap_or(LONGEST.len())
}

fn program(message: &Value) -> Option<Program> {
    let target = &message["target"];
    let is_test = target["kind"].as_array()?.iter().any(|kind| kind == "test");
    let executable = message["executable"].as_str().filter(|_| is_test)?;
    let package = Path::new(message["manifest_path"].as_str()?).parent()?;
    let names = (package.file_name()?.to_string_lossy(), target["name"].as_str()?);
    Some(Program {
        name: format!("{} {}", names.0, names.1),
        executable: executable.into(),
        package: package.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn tests_that_cargo_built_are_found_the_longest_first() {
        let told = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/pki/Cargo.toml","target":{"kind":["test"],"name":"certificates"},"executable":"/t/certificates-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/operator/Cargo.toml","target":{"kind":["bin"],"name":"flotilla-operator"},"executable":"/t/flotilla-operator"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/operator/Cargo.toml","target":{"kind":["test"],"name":"moves"},"executable":"/t/moves-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/server/Cargo.toml","target":{"kind":["test"],"name":"hub"},"executable":"/t/hub-1"}
{"reason":"build-finished","success":true}
no json"#;
        let names: Vec<String> = programs(told).into_iter().map(|program| program.name).collect();
        assert_eq!(names, ["server hub", "operator moves", "pki certificates"]);
    }
}
