//! `flotilla login`, `logout` and `credential`.

use std::io::Read;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{device, runtime};
use crate::args::{Credential, Login, LoginCommand, LoginHub, Logout};
use crate::hub::{Hubs, Known, ask, trimmed};
use crate::{Error, output};

/// A session as the hub opens it.
#[derive(Deserialize)]
struct Opened {
    user: String,
    expires: Timestamp,
    token: String,
}

/// An identity as the hub signs it.
#[derive(Deserialize)]
struct Issued {
    token: String,
    expires: Timestamp,
}

pub(super) fn login(args: &Login) -> Result<(), Error> {
    match (&args.command, &args.hub) {
        (Some(LoginCommand::Approve(decide)), _) => device::decide(decide, true),
        (Some(LoginCommand::Deny(decide)), _) => device::decide(decide, false),
        (None, Some(hub)) => sign_in(hub),
        // The parser wants one of them.
        (None, None) => Ok(()),
    }
}

fn sign_in(args: &LoginHub) -> Result<(), Error> {
    let mut hubs = Hubs::read()?;
    let hub = trimmed(&args.hub);
    let authority = match &args.ca_file {
        Some(file) => {
            let read = std::fs::read_to_string(file);
            Some(read.map_err(Error::system(format!("read {}", file.display())))?)
        }
        None => hubs.hubs.get(&hub).and_then(|known| known.authority.clone()),
    };
    let body = match &args.user {
        None => None,
        Some(user) => {
            let password = password(args)?;
            Some(json!({ "user": user, "password": password, "code": args.code, "carrier": "token" }))
        }
    };
    let text = runtime()?.block_on(async {
        let client = kubekit::client_for_server(&hub, authority.as_deref(), None).map_err(Error::Client)?;
        match &body {
            Some(body) => ask(&client, &hub, "POST", "/api/v1/session", Some(body)).await,
            None => device::sign_in(&client, &hub).await,
        }
    })?;
    let Opened { user, expires, token } = read(&text)?;
    eprintln!("signed in to {hub} as {user} until {expires}");
    hubs.hubs.insert(hub.clone(), Known { authority, user, token, expires });
    hubs.current = Some(hub);
    hubs.write()
}

fn password(args: &LoginHub) -> Result<String, Error> {
    if !args.password_stdin {
        return rpassword::prompt_password("password: ").map_err(Error::system("ask for the password"));
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(Error::system("read the password"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) fn logout(args: &Logout) -> Result<(), Error> {
    let mut hubs = Hubs::read()?;
    let (hub, known) = hubs.find(args.choice.hub.as_deref())?;
    let ended = runtime()?.block_on(async {
        let client = kubekit::client_for_server(&hub, known.authority.as_deref(), Some(&known.token))
            .map_err(Error::Client)?;
        ask(&client, &hub, "DELETE", "/api/v1/session", None).await
    });
    // A session that the hub does not know any more has ended too.
    if let Err(error) = ended.as_ref().map(drop)
        && !matches!(error, Error::Hub { .. } | Error::NotSignedIn { .. })
    {
        return ended.map(drop);
    }
    hubs.hubs.remove(&hub);
    hubs.current = hubs.current.filter(|current| *current != hub);
    hubs.write()?;
    eprintln!("signed out of {hub}");
    Ok(())
}

/// What kubectl reads of an exec plugin (client.authentication.k8s.io/v1).
pub(super) fn credential(args: &Credential) -> Result<(), Error> {
    let hubs = Hubs::read()?;
    let (hub, known) = hubs.find(args.choice.hub.as_deref())?;
    let (token, expires) = match &args.cluster {
        None => (known.token.clone(), known.expires),
        Some(id) => {
            let text = runtime()?.block_on(async {
                let client = kubekit::client_for_server(&hub, known.authority.as_deref(), Some(&known.token))
                    .map_err(Error::Client)?;
                ask(&client, &hub, "POST", &format!("/api/v1/clusters/{id}/credential"), None).await
            })?;
            let Issued { token, expires } = read(&text)?;
            (token, expires)
        }
    };
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        // Whole seconds: kubectl reads no fractions here.
        "status": { "token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() },
    });
    output::print(&credential.to_string())
}

pub(super) fn read<T: for<'text> Deserialize<'text>>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|_| Error::Hub { detail: "it answered something else than a hub does".to_owned() })
}
