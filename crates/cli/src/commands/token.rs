//! `flotilla token`.

use api::JoinToken;
use base::{Clock, SystemClock};
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Value, json};
use workers::{tenants, tokens};

use super::{management, runtime};
use crate::args::{Output, TokenCommand};
use crate::{Error, output, table};

pub(super) fn run(command: &TokenCommand) -> Result<(), Error> {
    match command {
        TokenCommand::List(args) => {
            let found = runtime()?.block_on(async {
                let management = management(&args.management).await?;
                let tenant = match &args.tenant {
                    Some(text) => Some(tenants::find(&management, text).await?),
                    None => None,
                };
                Ok::<_, Error>(tokens::list(&management, tenant.as_ref()).await?)
            })?;
            match args.output {
                Output::Json => {
                    output::print(&format!("{:#}", json!(found.iter().map(shown).collect::<Vec<_>>())))
                }
                Output::Table => output::print(&render(&found, SystemClock.now())),
            }
        }
        TokenCommand::Revoke(args) => runtime()?.block_on(async {
            let management = management(&args.tenant.management).await?;
            let tenant = tenants::find(&management, &args.tenant.tenant).await?;
            for name in &args.tokens {
                tokens::revoke(&management, &tenant.namespace, name).await?;
                eprintln!("JoinToken `{name}` revoked");
            }
            Ok(())
        }),
    }
}

fn shown(token: &JoinToken) -> Value {
    let status = token.status.clone().unwrap_or_default();
    let (is_ready, stands) = tokens::stands(token);
    json!({
        "namespace": token.namespace(),
        "name": token.name_any(),
        "tenant": token.spec.tenant_control_plane,
        "ready": is_ready,
        "status": stands,
        "uses": status.uses,
        "maxUses": token.spec.max_uses,
        "expiresAt": status.expires_at,
        "nodes": status.nodes,
    })
}

fn render(found: &[JoinToken], now: Timestamp) -> String {
    let rows: Vec<Vec<String>> = found.iter().map(|token| row(token, now)).collect();
    table::render(&["NAMESPACE", "TOKEN", "TENANT", "STATUS", "USES", "EXPIRES IN"], &rows)
}

fn row(token: &JoinToken, now: Timestamp) -> Vec<String> {
    let status = token.status.clone().unwrap_or_default();
    let stands = tokens::stands(token).1;
    let reason = stands.split_once(':').map_or("Pending", |(reason, _)| reason);
    let most = token.spec.max_uses.map_or_else(|| "any".to_owned(), |most| most.to_string());
    let left = status.expires_at.map(|time| time.0.duration_since(now).as_secs());
    let left = left.map(|left| if left > 0 { table::duration(left) } else { "-".to_owned() });
    vec![
        token.namespace().unwrap_or_default(),
        token.name_any(),
        token.spec.tenant_control_plane.clone(),
        reason.to_owned(),
        format!("{} of {most}", status.uses),
        left.unwrap_or_else(|| "-".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use api::{JoinToken, JoinTokenSpec, JoinTokenStatus};
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    #[test]
    fn a_token_shows_its_uses_and_what_is_left_of_its_time() {
        let spec = JoinTokenSpec {
            tenant_control_plane: "blue".to_owned(),
            max_uses: Some(3),
            ..JoinTokenSpec::default()
        };
        let mut token = JoinToken::new("blue-x", spec);
        assert_eq!(super::row(&token, Timestamp::UNIX_EPOCH)[3..], ["Pending", "0 of 3", "-"]);
        let expires_at = Some(Time(Timestamp::from_second(3700).unwrap()));
        token.status = Some(JoinTokenStatus { uses: 1, expires_at, ..JoinTokenStatus::default() });
        assert_eq!(super::row(&token, Timestamp::UNIX_EPOCH)[4..], ["1 of 3", "1h1m"]);
    }
}
