//! Rules for source files: first line, length, open ends, paths of somebody's machine.

use std::fs;
use std::path::{Path, PathBuf};

use super::has_extension;
use crate::workspace::Workspace;

/// Lines that a Rust file may have.
const LONGEST_FILE: usize = 500;

/// Words for unfinished work; each needs an issue number right behind it: `WORD(#12)`.
const OPEN_ENDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Starts of paths that exist only on one machine.
const PRIVATE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/tmp/", "plan")];

/// Checks every text file of the project.
pub(super) fn check(workspace: &Workspace, files: &[PathBuf]) -> Vec<String> {
    let mut faults = Vec::new();
    for path in files {
        // Files that are no text have no lines to judge.
        let Ok(text) = fs::read_to_string(path) else { continue };
        let name = workspace.relative(path).display();
        faults.extend(check_text(path, &text).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    faults
}

fn check_text(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if has_extension(path, "rs") {
        if !text.starts_with("//! ") {
            faults.push("does not begin with a `//!` line that says what lives there".to_owned());
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            faults.push(format!("{lines} lines; split it, {LONGEST_FILE} is the limit"));
        }
    }
    for (number, line) in (1..).zip(text.lines()) {
        if OPEN_ENDS.iter().any(|word| has_open_end(line, word)) {
            faults.push(format!("line {number}: unfinished work without an issue number"));
        }
        if PRIVATE_PATHS.iter().any(|start| line.contains(start)) {
            faults.push(format!("line {number}: path of one particular machine"));
        }
    }
    faults
}

fn has_open_end(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_word_start = !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let rest = &line[at + word.len()..];
        is_word_start && !rest.starts_with(char::is_alphanumeric) && !rest.starts_with("(#")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_file_needs_its_first_line_and_a_bounded_length() {
        let path = Path::new("a.rs");
        assert!(check_text(path, "//! Says it.\nfn a() {}\n").is_empty());
        assert_eq!(check_text(path, "fn a() {}\n").len(), 1);
        let long = format!("//! Long.\n{}", "\n".repeat(LONGEST_FILE));
        assert_eq!(check_text(path, &long).len(), 1);
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        let word = OPEN_ENDS[0];
        assert!(has_open_end(&format!("// {word}: later"), word));
        assert!(!has_open_end(&format!("// {word}(#12): later"), word));
        assert!(!has_open_end(&format!("let {word}S = 1;"), word));
    }

    #[test]
    fn private_path_is_a_fault_in_any_text() {
        let line = format!("see {}notes.md", PRIVATE_PATHS[0]);
        assert_eq!(check_text(Path::new("README.md"), &line).len(), 1);
    }
}
