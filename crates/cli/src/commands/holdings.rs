//! `flotilla members`, `metering`.

use serde_json::{Value, json};

use crate::Error;
use crate::args::{Form, Members, Metering, MeteringBy};
use crate::connection::{Connection, query};
use crate::nouns::{CLUSTERS, MEMBERS, METERING, PROJECTS, TENANTS};

/// Amounts of the API and their names in a table, which shows hours.
const HOURS: [(&str, &str); 4] = [
    ("controlPlaneSeconds", "controlPlaneHours"),
    ("replicaSeconds", "replicaHours"),
    ("nodeSeconds", "nodeHours"),
    ("cpuMillicoreSeconds", "cpuHours"),
];

pub(super) fn members(args: &Members) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let place = match (&args.tenant, &args.project, &args.cluster) {
        (Some(tenant), _, _) => TENANTS.one(tenant),
        (_, Some(project), _) => PROJECTS.one(project),
        (_, _, cluster) => CLUSTERS.one(cluster.as_deref().unwrap_or_default()),
    };
    MEMBERS.print_all(args.output, hub.all(&format!("{place}/members"), "")?)
}

pub(super) fn metering(args: &Metering) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let asked = query(&[
        ("from", args.from.as_deref()),
        ("to", args.to.as_deref()),
        ("tenant", args.tenant.as_deref()),
        ("cluster", args.cluster.as_deref()),
        ("groupBy", args.by.map(MeteringBy::word)),
    ]);
    let mut rows = hub.all(&METERING.list(), &asked)?;
    if args.output == Form::Table {
        rows.iter_mut().for_each(in_hours);
    }
    METERING.print_all(args.output, rows)
}

fn in_hours(row: &mut Value) {
    for (seconds, hours) in HOURS {
        let amount = row[seconds].as_f64().unwrap_or_default() / 3600.0;
        let amount = if seconds.contains("Millicore") { amount / 1000.0 } else { amount };
        row[hours] = json!(format!("{amount:.2}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::in_hours;
    use crate::nouns::METERING;

    #[test]
    fn a_table_of_usage_shows_hours() {
        let mut row = json!({
            "day": "2026-05-01", "tenant": "acme", "cluster": "acme.prod", "controlPlaneSeconds": 5400,
            "replicaSeconds": 10800, "cpuMillicoreSeconds": 1_800_000, "nodeSeconds": 0, "requests": 7,
        });
        in_hours(&mut row);
        assert_eq!(METERING.line(&row), "2026-05-01  acme  acme.prod  1.50  3.00  0.50  0.00  7");
    }
}
