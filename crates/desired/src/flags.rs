//! Flags of the components: ours, the user's, and who wins.

use std::collections::{BTreeMap, BTreeSet};

/// Flags by name; each once.
pub(crate) type Flags = BTreeMap<String, String>;

/// Flags from names and values.
pub(crate) fn flags<'a>(entries: impl IntoIterator<Item = (&'a str, String)>) -> Flags {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The API server's flags: managed ones win over the user's, the user's win over defaults. Ours are
/// sorted; the user's follow as they were written, since some may be given more than once.
pub(crate) fn api_server(managed: &Flags, defaults: &Flags, extra: &[String]) -> Vec<String> {
    let extra: Vec<&String> = extra.iter().filter(|flag| !managed.contains_key(name(flag))).collect();
    let given: BTreeSet<&str> = extra.iter().map(|flag| name(flag)).collect();
    let ours: Flags = defaults
        .iter()
        .filter(|(flag, _)| !given.contains(flag.as_str()))
        .chain(managed)
        .map(|(flag, value)| (flag.clone(), value.clone()))
        .collect();
    render(&ours).into_iter().chain(extra.into_iter().cloned()).collect()
}

/// Flags of which the winner's win over the loser's, sorted.
pub(crate) fn merged(loser: Flags, winner: Flags) -> Vec<String> {
    let mut all = loser;
    all.extend(winner);
    render(&all)
}

/// The user's flags by name; of one that is given twice the last counts.
pub(crate) fn parse(extra: &[String]) -> Flags {
    extra
        .iter()
        .map(|flag| flag.split_once('=').unwrap_or((flag, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn render(flags: &Flags) -> Vec<String> {
    let text = |(name, value): (&String, &String)| {
        if value.is_empty() { name.clone() } else { format!("{name}={value}") }
    };
    let mut texts: Vec<String> = flags.iter().map(text).collect();
    texts.sort();
    texts
}

/// Name of a flag that is given with or without a value.
pub(crate) fn name(flag: &str) -> &str {
    flag.split_once('=').map_or(flag, |(name, _)| name)
}

#[cfg(test)]
mod tests;
