//! Program `flotilla`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
