//! Reference pages made from the command lines of the programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};

use crate::Generated;

/// The pages of all programs.
pub(crate) fn files() -> Vec<Generated> {
    vec![
        page("docs/reference/cli.md", "The `flotilla` command", cli::command()),
        page(
            "docs/reference/operator-settings.md",
            "Settings of the operator",
            operator::Settings::command(),
        ),
    ]
}

fn page(path: &str, title: &str, mut command: Command) -> Generated {
    command.build();
    let mut text = format!("<!-- Written by `cargo xtask gen`; do not edit. -->\n\n# {title}\n");
    write_command(&mut text, &command, command.get_name());
    Generated { path: PathBuf::from(path), text }
}

/// Writes a command and, below it, each of its subcommands.
fn write_command(text: &mut String, command: &Command, name: &str) {
    let about = command.get_long_about().or_else(|| command.get_about());
    let _ = write!(text, "\n## `{name}`\n");
    if let Some(about) = about {
        let _ = write!(text, "\n{about}\n");
    }
    let arguments: Vec<&Arg> = command.get_arguments().filter(|argument| is_shown(argument)).collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | default | environment | meaning |\n|---|---|---|---|\n");
    }
    for argument in arguments {
        write_argument(text, argument);
    }
    for subcommand in command.get_subcommands().filter(|subcommand| is_listed(subcommand)) {
        write_command(text, subcommand, &format!("{name} {}", subcommand.get_name()));
    }
}

/// Help and version are the same everywhere and say nothing here.
fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
}

fn is_listed(subcommand: &Command) -> bool {
    !subcommand.is_hide_set() && subcommand.get_name() != "help"
}

fn write_argument(text: &mut String, argument: &Arg) {
    let defaults = if takes_values(argument) { argument.get_default_values() } else { &[] };
    let default: Vec<String> = defaults.iter().map(|value| code(&value.to_string_lossy())).collect();
    let environment =
        argument.get_env().map(|variable| code(&variable.to_string_lossy())).unwrap_or_default();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(
        text,
        "| {} | {} | {environment} | {} |",
        code(&spelling(argument)),
        default.join(", "),
        help.replace('|', "\\|").replace('\n', " ")
    );
}

/// An argument as it is typed: `--name NAME`, `COMPONENT`.
fn spelling(argument: &Arg) -> String {
    let values: Vec<&str> =
        argument.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect();
    match (argument.get_long(), takes_values(argument)) {
        (Some(long), true) => format!("--{long} {}", values.join(" ")),
        (Some(long), false) => format!("--{long}"),
        (None, _) => values.join(" "),
    }
}

fn takes_values(argument: &Arg) -> bool {
    argument.get_num_args().is_some_and(|count| count.takes_values())
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_lists_subcommands_with_their_arguments() {
        let command = Command::new("tool").about("Does it.").subcommand(
            Command::new("up")
                .arg(Arg::new("nodes").long("nodes").value_name("N").default_value("1").help("How many.")),
        );
        let text = page("x.md", "Title", command).text;
        assert!(text.contains("## `tool up`"), "{text}");
        assert!(text.contains("| `--nodes N` | `1` |  | How many. |"), "{text}");
        assert!(!text.contains("--help"), "{text}");
    }
}
