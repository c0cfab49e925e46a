//! Usage as CSV (RFC 4180). Pure.

use records::{Amounts, UsageGroup};

/// What stands before the amounts.
const NAMES: [&str; 3] = ["day", "tenant", "cluster"];

/// The first line.
pub(super) fn heading() -> String {
    let columns: Vec<&str> = NAMES.into_iter().chain(Amounts::COLUMNS).collect();
    format!("{}\r\n", columns.join(","))
}

/// A line of CSV (RFC 4180).
pub(super) fn line(group: &UsageGroup) -> String {
    let day = group.day.map(|day| day.to_string()).unwrap_or_default();
    let names = [&group.tenant, &group.cluster].map(|name| text(name.as_deref().unwrap_or_default()));
    let numbers = group.amounts.values().map(|amount| amount.to_string());
    let fields: Vec<String> = [day].into_iter().chain(names).chain(numbers).collect();
    format!("{}\r\n", fields.join(","))
}

/// A field of CSV that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use records::{Amounts, UsageGroup};

    use super::{heading, text};

    #[test]
    fn a_line_has_a_field_for_each_column_and_no_formula() {
        let group = UsageGroup {
            day: Some(date(2026, 11, 29)),
            tenant: Some("=cmd()".to_owned()),
            amounts: Amounts { control_plane_seconds: 1, requests: 8, ..Amounts::default() },
            ..UsageGroup::default()
        };
        let line = super::line(&group);
        assert_eq!(line, "2026-11-29,'=cmd(),,1,0,0,0,0,0,0,8\r\n");
        assert_eq!(
            heading(),
            "day,tenant,cluster,control_plane_seconds,replica_seconds,cpu_millicore_seconds,memory_mebibyte_seconds,\
             node_seconds,node_cpu_millicore_seconds,node_memory_mebibyte_seconds,requests\r\n"
        );
        assert_eq!(line.split(',').count(), heading().split(',').count());
        assert_eq!(text("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    }
}
