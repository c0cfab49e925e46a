//! The nouns of a hub's API, and how objects of each are printed.

use serde_json::Value;

use crate::args::Form;
use crate::{Error, output, table};

/// A kind of objects.
pub(crate) struct Noun {
    /// Where the API has them, below `/api/v1/`.
    pub(crate) path: &'static str,
    /// The field by which one is known.
    pub(crate) id: &'static str,
    /// Headings of its table, and where in an object the cells are (JSON pointers).
    columns: &'static [(&'static str, &'static str)],
}

pub(crate) const TENANTS: Noun = Noun {
    path: "tenants",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("PARENT", "/spec/parent"),
        ("STATE", "/spec/state"),
        ("CLUSTERS", "/spec/quota/clusters"),
        ("CREATED", "/created"),
    ],
};
pub(crate) const PROJECTS: Noun = Noun {
    path: "projects",
    id: "name",
    columns: &[("NAME", "/name"), ("TENANT", "/spec/tenant"), ("CREATED", "/created")],
};
pub(crate) const ROLES: Noun = Noun {
    path: "roles",
    id: "name",
    columns: &[("NAME", "/name"), ("TENANT", "/spec/tenant"), ("CREATED", "/created")],
};
pub(crate) const GRANTS: Noun = Noun {
    path: "grants",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("USER", "/spec/user"),
        ("GROUP", "/spec/group"),
        ("ROLE", "/spec/role"),
        ("SCOPE", "/spec/scope"),
    ],
};
pub(crate) const USERS: Noun = Noun {
    path: "users",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("TENANT", "/spec/tenant"),
        ("EMAIL", "/spec/email"),
        ("DISABLED", "/spec/disabled"),
        ("CREATED", "/created"),
    ],
};
pub(crate) const PROVIDERS: Noun = Noun {
    path: "providers",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("TENANT", "/spec/tenant"),
        ("ISSUER", "/spec/oidc/issuer"),
        ("DIRECTORY", "/spec/ldap/url"),
        ("CREATED", "/created"),
    ],
};
pub(crate) const TEMPLATES: Noun = Noun {
    path: "templates",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("TENANT", "/spec/tenant"),
        ("SHARED", "/spec/shareDown"),
        ("DESCRIPTION", "/spec/displayName"),
        ("CREATED", "/created"),
    ],
};
pub(crate) const MEMBERS: Noun = Noun {
    path: "members",
    id: "grant",
    columns: &[
        ("WHO", "/to"),
        ("ROLE", "/role"),
        ("AT", "/at"),
        ("INHERITED", "/inherited"),
        ("GRANT", "/grant"),
    ],
};
pub(crate) const METERING: Noun = Noun {
    path: "metering",
    id: "cluster",
    columns: &[
        ("DAY", "/day"),
        ("TENANT", "/tenant"),
        ("CLUSTER", "/cluster"),
        ("CONTROL PLANE H", "/controlPlaneHours"),
        ("POD H", "/replicaHours"),
        ("CORE H", "/cpuHours"),
        ("NODE H", "/nodeHours"),
        ("REQUESTS", "/requests"),
    ],
};
pub(crate) const IMPORTS: Noun = Noun {
    path: "imports",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("TENANT", "/spec/tenant"),
        ("VERSION", "/status/kubernetesVersion"),
        ("AGENT", "/status/agentVersion"),
        ("CREATED", "/created"),
    ],
};
pub(crate) const CLUSTERS: Noun = Noun {
    path: "clusters",
    id: "id",
    columns: &[
        ("ID", "/id"),
        ("KIND", "/kind"),
        ("TENANT", "/tenant"),
        ("STATE", "/state"),
        ("VERSION", "/version"),
        ("ENDPOINT", "/endpoint"),
    ],
};
/// Below a cluster.
pub(crate) const BACKUPS: Noun = Noun {
    path: "backups",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("STATE", "/state"),
        ("TAKEN", "/takenAt"),
        ("OBJECTS", "/objects"),
        ("BYTES", "/size"),
        ("MESSAGE", "/message"),
    ],
};
/// Below a cluster.
pub(crate) const RESTORES: Noun = Noun {
    path: "restores",
    id: "name",
    columns: &[
        ("NAME", "/name"),
        ("BACKUP", "/backup"),
        ("STATE", "/state"),
        ("STEP", "/reason"),
        ("MESSAGE", "/message"),
    ],
};
pub(crate) const KEYS: Noun = Noun {
    path: "keys",
    id: "id",
    columns: &[
        ("ID", "/id"),
        ("NAME", "/name"),
        ("EXPIRES", "/expires"),
        ("LAST USED", "/lastUsed"),
        ("FROM", "/lastAddress"),
    ],
};
pub(crate) const AUDIT: Noun = Noun {
    path: "audit",
    id: "id",
    columns: &[
        ("TIME", "/time"),
        ("ACTOR", "/actor"),
        ("VERB", "/verb"),
        ("RESOURCE", "/resource"),
        ("NAME", "/name"),
        ("CLUSTER", "/cluster"),
        ("DECISION", "/decision"),
        ("REASON", "/reason"),
    ],
};
pub(crate) const HOLDINGS: Noun = Noun {
    path: "access",
    id: "grant",
    columns: &[("GRANT", "/grant"), ("ROLE", "/role"), ("TO", "/to"), ("AT", "/at")],
};
pub(crate) const HUBS: Noun = Noun {
    path: "session",
    id: "hub",
    columns: &[("CURRENT", "/current"), ("HUB", "/hub"), ("USER", "/user"), ("EXPIRES", "/expires")],
};

impl Noun {
    /// Where the API has the list.
    pub(crate) fn list(&self) -> String {
        format!("/api/v1/{}", self.path)
    }

    /// Where it has one of them.
    pub(crate) fn one(&self, id: &str) -> String {
        format!("/api/v1/{}/{}", self.path, crate::connection::encoded(id))
    }

    /// Prints a list.
    pub(crate) fn print_all(&self, form: Form, objects: Vec<Value>) -> Result<(), Error> {
        match form {
            Form::Table => output::print(&self.table(&objects)),
            Form::Name => output::print(&self.names(&objects)),
            Form::Json | Form::Yaml => print_value(form, &Value::Array(objects)),
        }
    }

    /// Prints one object.
    pub(crate) fn print_one(&self, form: Form, object: Value) -> Result<(), Error> {
        match form {
            Form::Table | Form::Name => self.print_all(form, vec![object]),
            Form::Json | Form::Yaml => print_value(form, &object),
        }
    }

    /// One line of its table, without a heading.
    pub(crate) fn line(&self, object: &Value) -> String {
        self.row(object).join("  ")
    }

    fn row(&self, object: &Value) -> Vec<String> {
        self.columns.iter().map(|(_, pointer)| cell(object.pointer(pointer))).collect()
    }

    fn table(&self, objects: &[Value]) -> String {
        let heading: Vec<&str> = self.columns.iter().map(|(heading, _)| *heading).collect();
        let rows: Vec<Vec<String>> = objects.iter().map(|object| self.row(object)).collect();
        table::render(&heading, &rows)
    }

    fn names(&self, objects: &[Value]) -> String {
        let names: Vec<String> = objects.iter().map(|object| cell(Some(&object[self.id]))).collect();
        names.join("\n")
    }
}

/// Prints whatever was answered, as JSON or YAML.
pub(crate) fn print_value(form: Form, value: &Value) -> Result<(), Error> {
    if form == Form::Json {
        return output::print(&format!("{value:#}"));
    }
    output::print(&serde_saphyr::to_string(value).map_err(|error| Error::Yaml { detail: error.to_string() })?)
}

/// What is not known is a dash; a place such as `{"tenant": "acme"}` is `tenant=acme`.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(fields)) => {
            let parts: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}={}", cell(Some(value)))).collect();
            parts.join(",")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CLUSTERS, GRANTS};

    #[test]
    fn what_is_not_known_is_a_dash() {
        let rows = [json!({ "id": "acme.prod", "kind": "hosted", "state": "Ready", "version": "v1.36.3" })];
        assert_eq!(
            CLUSTERS.table(&rows),
            "ID         KIND    TENANT  STATE  VERSION  ENDPOINT\nacme.prod  hosted  -       Ready  v1.36.3  -\n"
        );
        assert_eq!(CLUSTERS.names(&rows), "acme.prod");
    }

    #[test]
    fn a_place_is_one_word() {
        let spec = json!({ "user": "olga", "role": "tenant-owner", "scope": { "tenant": "acme" } });
        let line = GRANTS.line(&json!({ "name": "olga", "spec": spec }));
        assert_eq!(line, "olga  olga  -  tenant-owner  tenant=acme");
    }
}
