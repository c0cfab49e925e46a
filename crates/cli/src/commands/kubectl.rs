//! `flotilla kubectl`: kubectl of the cluster's version with the cluster's kubeconfig.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use super::{layout, record};
use crate::Error;
use crate::args::Kubectl;

pub(super) fn run(args: Kubectl) -> Result<ExitCode, Error> {
    let layout = layout(&args.target)?;
    record(&layout)?;
    let mut command = Command::new(layout.bin().join("kubectl"));
    if !names_kubeconfig(&args.args) {
        command.env("KUBECONFIG", layout.admin_kubeconfig());
    }
    // Returns only if the program could not be started.
    Err(Error::system("start kubectl")(command.args(args.args).exec()))
}

fn names_kubeconfig(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg.to_string_lossy().starts_with("--kubeconfig"))
}
