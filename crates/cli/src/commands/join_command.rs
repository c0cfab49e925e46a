//! `flotilla join-command`.

use std::time::Duration;

use kube::ResourceExt;
use serde_json::json;
use workers::tokens::Handed;
use workers::{script, tenants, tokens};

use super::{management, runtime};
use crate::args::{JoinCommand, JoinOutput};
use crate::{Error, output};

/// A token of a control plane that is ready takes a second.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn run(args: &JoinCommand) -> Result<(), Error> {
    let (tenant, handed) = runtime()?.block_on(async {
        let management = management(&args.tenant.management).await?;
        let tenant = tenants::find(&management, &args.tenant.tenant).await?;
        let token = tokens::create(&management, &tenant, &args.ttl, args.uses).await?;
        let handed = tokens::wait(&management, &tenant.namespace, &token.name_any(), PATIENCE).await?;
        Ok::<_, Error>((tenant, handed))
    })?;
    eprintln!("{}", note(&tenant, &handed));
    match args.output {
        JoinOutput::Command => output::print(&handed.join.command()),
        JoinOutput::Script => output::print(script::node(&handed.join).trim_end()),
        JoinOutput::CloudInit => output::print(script::cloud_init(&handed.join).trim_end()),
        JoinOutput::Json => {
            let join = &handed.join;
            let shown = json!({
                "joinToken": { "namespace": tenant.namespace, "name": handed.name },
                "endpoint": join.endpoint,
                "token": join.token.expose(),
                "caCertHash": join.ca_cert_hash,
                "version": join.version,
                "command": join.command(),
                "expiresAt": handed.expires_at,
                "maxUses": handed.max_uses,
            });
            output::print(&format!("{shown:#}"))
        }
    }
}

fn note(tenant: &tenants::Tenant, handed: &Handed) -> String {
    let uses = match handed.max_uses {
        Some(1) => "one node may join".to_owned(),
        Some(most) => format!("{most} nodes may join"),
        None => "any number of nodes may join".to_owned(),
    };
    let until = handed.expires_at.map(|time| format!(" until {time}")).unwrap_or_default();
    format!(
        "JoinToken `{}`: {uses}{until}; revoke it with `flotilla token revoke --tenant {tenant} {}`",
        handed.name, handed.name
    )
}
