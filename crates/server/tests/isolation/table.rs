//! The table of expected answers.

use http::Method;
use serde_json::Value;

use crate::support::{Answer, World};

/// Roles in the order of the letters in a cell.
pub(crate) const ROLES: [&str; 7] = [
    "platform-admin",
    "auditor",
    "tenant-owner",
    "cluster-owner",
    "project-owner",
    "project-member",
    "read-only",
];

/// A line of the table.
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) target: &'static str,
    body: &'static str,
    statuses: &'static str,
    pub(crate) at_tenant: Option<&'static str>,
    pub(crate) at_cluster: Option<&'static str>,
    pub(crate) foreign: Option<u8>,
}

/// All lines.
pub(crate) fn rows() -> Vec<Row> {
    let lines = include_str!("table.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(read).collect()
}

fn read(line: &'static str) -> Row {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [operation, target, body, statuses, at_tenant, at_cluster, foreign] = columns[..] else {
        panic!("seven columns: {line}");
    };
    let (method, path) = operation.split_once(' ').unwrap();
    let path = path.trim();
    let cells = |cells: &'static str| {
        assert!(cells == "/" || cells.len() == ROLES.len(), "a letter for each role: {line}");
        (cells != "/").then_some(cells)
    };
    Row {
        method: method.parse().unwrap(),
        path,
        target: if target.is_empty() { path } else { target },
        body,
        statuses,
        at_tenant: cells(at_tenant),
        at_cluster: cells(at_cluster),
        foreign: (foreign != "/").then(|| foreign.as_bytes()[0]),
    }
}

impl Row {
    pub(crate) fn operation(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether a status is what a letter stands for.
    pub(crate) fn is_as(&self, letter: u8, status: u16) -> bool {
        match letter {
            b'+' => self.statuses.split('/').any(|own| own == status.to_string()),
            b'-' => status == 403,
            b'.' => status == 404,
            _ => panic!("no such letter"),
        }
    }

    /// Asks about a tenant.
    pub(crate) async fn ask(&self, world: &World, token: &str, tenant: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"0\"")];
        let body: Option<Value> =
            (!self.body.is_empty()).then(|| serde_json::from_str(&self.body.replace("$t", tenant)).unwrap());
        let target = self.target.replace("$t", tenant);
        world.send(self.method.clone(), &target, &headers, body).await
    }
}
