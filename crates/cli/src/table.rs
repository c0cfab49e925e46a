//! Plain tables: columns as wide as their widest cell, two spaces between.

/// Renders rows under a heading; the last column is not padded.
pub(crate) fn render(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all.into_iter().map(line).collect()
}

/// A duration for people: two units at most.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, render};

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["etcd".to_owned(), "1".to_owned()], vec!["a".to_owned(), "23".to_owned()]];
        assert_eq!(render(&["NAME", "N"], &rows), "NAME  N\netcd  1\na     23\n");
    }

    #[test]
    fn durations_are_short() {
        let shown = [0, 61, 3700, 90_000].map(duration);
        assert_eq!(shown, ["0s", "1m1s", "1h1m", "1d1h"]);
    }
}
