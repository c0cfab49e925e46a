//! What the user asked for, on standard output.

use std::io::{ErrorKind, Write};

use crate::Error;

/// Writes `text`, ended by a newline. A reader that has seen enough, as `head` does, is no error.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{}", text.trim_end_matches('\n')).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Error::system("write to standard output")),
    }
}
