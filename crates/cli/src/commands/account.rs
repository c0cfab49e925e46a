//! `flotilla whoami`, `password`, `key`, `access`, `audit`, `context`.

use std::io::BufRead;

use serde_json::{Value, json};

use super::objects;
use crate::args::{Access, Audit, ContextCommand, Form, KeyCommand, KeyCreate, KeyList, Password, Whoami};
use crate::connection::{Connection, query};
use crate::hub::{Hubs, trimmed};
use crate::nouns::{AUDIT, HOLDINGS, HUBS, KEYS, USERS};
use crate::{Error, output};

pub(super) fn whoami(args: &Whoami) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let mut me = hub.ask("GET", "/api/v1/session", None)?;
    match args.output {
        Form::Table | Form::Name => output::print(me["user"].as_str().unwrap_or_default()),
        form => USERS.print_one(form, me.take()),
    }
}

pub(super) fn password(args: &Password) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let user = args.user.as_deref().unwrap_or(&hub.user);
    let old = if user == hub.user { Some(secret(args, "old password: ")?) } else { None };
    let new = secret(args, "new password: ")?;
    let body = json!({ "password": new, "old": old });
    hub.ask("PUT", &format!("{}/password", USERS.one(user)), Some(&body))?;
    eprintln!("the password of {user} is set");
    Ok(())
}

/// From the terminal, or one line of standard input.
fn secret(args: &Password, prompt: &str) -> Result<String, Error> {
    if !args.from_stdin {
        return rpassword::prompt_password(prompt).map_err(Error::system("ask for the password"));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Error::system("read the password"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(super) fn key(command: &KeyCommand) -> Result<(), Error> {
    match command {
        KeyCommand::List(args) => keys(args),
        KeyCommand::Create(args) => make_key(args),
        KeyCommand::Delete(args) => objects::delete(&KEYS, args),
    }
}

fn keys(args: &KeyList) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let found = hub.ask("GET", &KEYS.list(), None)?;
    KEYS.print_all(args.output, found.as_array().cloned().unwrap_or_default())
}

fn make_key(args: &KeyCreate) -> Result<(), Error> {
    let scope = json!({ "readOnly": args.read_only, "tenants": args.tenants, "clusters": args.clusters });
    let body = json!({ "name": args.name, "days": args.days, "scope": scope });
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let made = hub.ask("POST", &KEYS.list(), Some(&body))?;
    let text = |field: &str| made[field].as_str().unwrap_or_default().to_owned();
    eprintln!("created keys/{}; it ends {} and is not shown again:", text("id"), text("expires"));
    output::print(&text("key"))
}

pub(super) fn access(args: &Access) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let asked = query(&[
        ("verb", args.verb.as_deref()),
        ("resource", args.resource.as_deref()),
        ("tenant", args.tenant.as_deref()),
        ("project", args.project.as_deref()),
        ("cluster", args.cluster.as_deref()),
        ("namespace", args.namespace.as_deref()),
        ("user", args.user.as_deref()),
    ]);
    let mut answer = hub.ask("GET", &format!("/api/v1/access?inside={}{asked}", args.inside), None)?;
    if args.output != Form::Table {
        return HOLDINGS.print_one(args.output, answer);
    }
    match (answer["allowed"].as_bool(), &answer["by"]) {
        (Some(true), by) => output::print(&format!("allowed, by {}", HOLDINGS.line(by)))?,
        (Some(false), _) => output::print("denied: no grant allows it")?,
        (None, _) => {}
    }
    let holds = answer["holds"].take().as_array().cloned().unwrap_or_default();
    HOLDINGS.print_all(Form::Table, holds)
}

pub(super) fn audit(args: &Audit) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let asked = query(&[
        ("since", args.since.as_deref()),
        ("actor", args.actor.as_deref()),
        ("tenant", args.tenant.as_deref()),
        ("cluster", args.cluster.as_deref()),
        ("verb", args.verb.as_deref()),
        ("decision", args.decision.as_deref()),
    ]);
    let page = hub.ask("GET", &format!("{}?limit={}{asked}", AUDIT.list(), args.limit), None)?;
    AUDIT.print_all(args.output, page["items"].as_array().cloned().unwrap_or_default())
}

pub(super) fn context(command: &ContextCommand) -> Result<(), Error> {
    let mut hubs = Hubs::read()?;
    match command {
        ContextCommand::List => {
            let row = |(hub, known): (&String, &crate::hub::Known)| {
                let current = if hubs.current.as_ref() == Some(hub) { "*" } else { "" };
                json!({ "current": current, "hub": hub, "user": known.user, "expires": known.expires })
            };
            let rows: Vec<Value> = hubs.hubs.iter().map(row).collect();
            HUBS.print_all(Form::Table, rows)
        }
        ContextCommand::Use(args) => {
            let (hub, _) = hubs.find(Some(&trimmed(&args.hub)))?;
            hubs.current = Some(hub);
            hubs.write()
        }
    }
}
