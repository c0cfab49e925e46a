//! `flotilla cluster`.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{backups, objects};
use crate::args::{
    ClusterClone, ClusterCommand, ClusterCreate, ClusterImport, ClusterList, ClusterSchedule,
    ClusterTransfer, Form, Waiting,
};
use crate::connection::{Connection, query};
use crate::nouns::{CLUSTERS, IMPORTS, TEMPLATES, print_value};
use crate::progress::Progress;
use crate::{Error, output};

const WATCH: &str = "/api/v1/clusters/watch";

pub(super) fn run(command: &ClusterCommand) -> Result<(), Error> {
    match command {
        ClusterCommand::List(args) if args.watch => watch(args),
        ClusterCommand::List(args) => list(args),
        ClusterCommand::Show(args) => objects::show(&CLUSTERS, args),
        ClusterCommand::Create(args) => create(args),
        ClusterCommand::Upgrade(args) => {
            change(args.choice.hub.as_deref(), &args.id, &json!({ "version": args.version }))
        }
        ClusterCommand::Scale(args) => {
            change(args.choice.hub.as_deref(), &args.id, &json!({ "replicas": args.replicas }))
        }
        ClusterCommand::Sleep(args) => turn(args.choice.hub.as_deref(), &args.id, "sleep"),
        ClusterCommand::Wake(args) => turn(args.choice.hub.as_deref(), &args.id, "wake"),
        ClusterCommand::Schedule(args) => {
            change(args.choice.hub.as_deref(), &args.id, &json!({ "sleepSchedule": schedule(args) }))
        }
        ClusterCommand::Clone(args) => clone(args),
        ClusterCommand::Transfer(args) => transfer(args),
        ClusterCommand::Backups(args) => backups::list(args),
        ClusterCommand::Backup(args) => backups::take(args),
        ClusterCommand::Restore(args) => backups::restore(args),
        ClusterCommand::Delete(args) => objects::delete(&CLUSTERS, args),
        ClusterCommand::Import(args) => import(args),
        ClusterCommand::Kubeconfig(args) => {
            let hub = Connection::open(args.choice.hub.as_deref())?;
            output::print(&hub.text("GET", &format!("{}/kubeconfig", CLUSTERS.one(&args.id)), None)?)
        }
    }
}

fn list(args: &ClusterList) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let asked = query(&[
        ("search", args.search.as_deref()),
        ("tenant", args.tenant.as_deref()),
        ("state", args.state.as_deref()),
        ("labels", args.labels.as_deref()),
    ]);
    CLUSTERS.print_all(args.output, hub.all(&CLUSTERS.list(), &asked)?)
}

/// A line for each cluster, and one for each change. What was lost is told anew.
fn watch(args: &ClusterList) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    loop {
        let reset = hub.block_on(hub.events(WATCH, |event, data| {
            match event {
                "cluster" => output::print(&CLUSTERS.line(&row(data)))?,
                "gone" => output::print(&format!("{data}  gone"))?,
                "reset" => return Ok(Some(())),
                _ => {}
            }
            Ok(None)
        }))?;
        if reset.is_none() {
            return Err(ended());
        }
    }
}

fn row(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_default()
}

fn create(args: &ClusterCreate) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let template =
        args.template.template.as_deref().map(|name| template(name, &args.template.set)).transpose()?;
    if let Some(template) = template.as_ref().filter(|_| args.template.dry_run) {
        return preview(&hub, &args.name, template);
    }
    let body = json!({
        "name": args.name,
        "tenant": args.tenant,
        "version": args.version,
        "replicas": args.replicas,
        "serviceType": args.service_type,
        "dataStore": args.data_store,
        "template": template,
    });
    let made = hub.ask("POST", &CLUSTERS.list(), Some(&body))?;
    made_known(&hub, &made, &args.waiting)
}

fn clone(args: &ClusterClone) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let body = json!({ "name": args.name, "backup": args.backup, "port": args.port });
    let made = hub.ask("POST", &format!("{}/clone", CLUSTERS.one(&args.id)), Some(&body))?;
    made_known(&hub, &made, &args.waiting)
}

fn transfer(args: &ClusterTransfer) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let body = json!({ "tenant": args.tenant, "name": args.name });
    let begun = hub.ask("POST", &format!("{}/transfer", CLUSTERS.one(&args.id)), Some(&body))?;
    let id = begun["id"].as_str().unwrap_or_default();
    if args.waiting.wait {
        let transfer = begun["transfer"].as_str().unwrap_or_default();
        follow(
            &hub,
            &Followed { id, transfer: Some((&args.id, transfer)) },
            Duration::from_secs(args.waiting.timeout),
        )?;
    }
    output::print(id)
}

/// Waits for a cluster that was made, if that is wished, and prints its id.
fn made_known(hub: &Connection, made: &Value, waiting: &Waiting) -> Result<(), Error> {
    let id = made["id"].as_str().unwrap_or_default();
    if waiting.wait {
        follow(hub, &Followed { id, transfer: None }, Duration::from_secs(waiting.timeout))?;
    }
    output::print(id)
}

/// A template as `NAME[@VERSION]`, with its parameters. Values are sent as text: the template knows their types.
fn template(chosen: &str, set: &[String]) -> Result<Value, Error> {
    let (name, version) =
        chosen.split_once('@').map_or((chosen, None), |(name, version)| (name, Some(version)));
    let mut parameters = Map::new();
    for said in set {
        let (name, value) = said.split_once('=').ok_or_else(|| Error::Parameter { said: said.clone() })?;
        parameters.insert(name.to_owned(), value.into());
    }
    Ok(json!({ "name": name, "version": version, "parameters": parameters }))
}

fn preview(hub: &Connection, name: &str, template: &Value) -> Result<(), Error> {
    let asked = json!({ "name": name, "version": template["version"], "parameters": template["parameters"] });
    let of = template["name"].as_str().unwrap_or_default();
    let rendered = hub.ask("POST", &format!("{}/render", TEMPLATES.one(of)), Some(&asked))?;
    if let Some(why) = rendered["deprecated"].as_str() {
        eprintln!("version {} of {of} is deprecated: {why}", rendered["version"].as_str().unwrap_or("-"));
    }
    print_value(Form::Yaml, &rendered["object"])
}

/// A cluster that becomes ready.
struct Followed<'a> {
    id: &'a str,
    /// Where it is taken from, and the name of the transfer, if it is transferred.
    transfer: Option<(&'a str, &'a str)>,
}

/// Follows a cluster until it is ready.
fn follow(hub: &Connection, followed: &Followed<'_>, longest: Duration) -> Result<(), Error> {
    let id = followed.id;
    let last = RefCell::new("not known yet".to_owned());
    let (mut progress, name) = (Progress::new(), format!("cluster {id}"));
    let step = progress.step(&name, async |show| {
        let ready = becomes_ready(hub, followed, &last, show);
        match tokio::time::timeout(longest, ready).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::ClusterNotReady {
                id: id.to_owned(),
                seconds: longest.as_secs(),
                last: last.borrow().clone(),
            }),
        }
    });
    hub.block_on(step)
}

async fn becomes_ready(
    hub: &Connection,
    followed: &Followed<'_>,
    last: &RefCell<String>,
    show: &dyn Fn(&str),
) -> Result<(), Error> {
    loop {
        let is_ready = hub.events(WATCH, |event, data| {
            let row = row(data);
            let id = followed.id;
            if let Some(detail) = followed.transfer.and_then(|(source, name)| not_given(&row, source, name)) {
                return Err(Error::NotTransferred { detail });
            }
            if event != "cluster" || row["id"] != id {
                return Ok((event == "reset").then_some(false));
            }
            let state = row["state"].as_str().unwrap_or_default();
            show(state);
            state.clone_into(&mut last.borrow_mut());
            if state == "RestoreFailed" {
                return Err(Error::NotCloned {
                    id: id.to_owned(),
                    detail: said(&row, "Restored").to_owned(),
                });
            }
            // The clone of one that sleeps sleeps too.
            let is_settled = state == "Ready" || (state == "Sleeping" && row["replicas"] == 0);
            Ok(is_settled.then_some(true))
        });
        match is_ready.await? {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => return Err(ended()),
        }
    }
}

/// Why a cluster was not given away, if this is its row and a transfer of this name has failed.
fn not_given(row: &Value, source: &str, transfer: &str) -> Option<String> {
    let why = said(row, "Transferred");
    (row["id"] == source && why.contains(transfer) && reason(row, "Transferred") == "Failed")
        .then(|| why.to_owned())
}

/// What a condition of a cluster says.
fn said<'a>(row: &'a Value, kind: &str) -> &'a str {
    condition(row, kind).and_then(|condition| condition["message"].as_str()).unwrap_or_default()
}

fn reason<'a>(row: &'a Value, kind: &str) -> &'a str {
    condition(row, kind).and_then(|condition| condition["reason"].as_str()).unwrap_or_default()
}

fn condition<'a>(row: &'a Value, kind: &str) -> Option<&'a Value> {
    row["conditions"].as_array().into_iter().flatten().find(|condition| condition["type"] == kind)
}

fn ended() -> Error {
    Error::Hub { detail: "it ended the watch; repeat the command".to_owned() }
}

fn change(hub: Option<&str>, id: &str, body: &Value) -> Result<(), Error> {
    Connection::open(hub)?.ask("PATCH", &CLUSTERS.one(id), Some(body))?;
    eprintln!("changed clusters/{id}");
    Ok(())
}

fn turn(hub: Option<&str>, id: &str, verb: &str) -> Result<(), Error> {
    Connection::open(hub)?.ask("POST", &format!("{}/{verb}", CLUSTERS.one(id)), None)?;
    eprintln!("changed clusters/{id}");
    Ok(())
}

/// What takes the place of the schedule that there is.
fn schedule(args: &ClusterSchedule) -> Value {
    if args.none {
        return Value::Null;
    }
    json!({ "sleep": args.sleep, "wake": args.wake, "timeZone": args.time_zone })
}

/// A cluster that was imported before gets a new command.
fn import(args: &ClusterImport) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let body = json!({ "name": args.name, "spec": { "tenant": args.tenant } });
    match hub.ask("GET", &IMPORTS.one(&args.name), None) {
        Err(Error::NotFound { .. }) => hub.ask("POST", &IMPORTS.list(), Some(&body))?,
        known => known?,
    };
    let import = hub.ask("POST", &format!("{}/token", IMPORTS.one(&args.name)), None)?;
    eprintln!("run this in the cluster until {}; it works once:", import["expires"].as_str().unwrap_or("-"));
    output::print(import["command"].as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::template;

    #[test]
    fn a_template_has_a_version_after_an_at_and_values_are_text() {
        let set = |set: &[&str]| set.iter().map(|said| (*said).to_owned()).collect::<Vec<_>>();
        let read = template("small@1.2", &set(&["replicas=3", "zone=a=b"])).unwrap();
        let parameters = json!({ "replicas": "3", "zone": "a=b" });
        assert_eq!(read, json!({ "name": "small", "version": "1.2", "parameters": parameters }));
        let newest = template("small", &[]).unwrap();
        assert_eq!(newest, json!({ "name": "small", "version": null, "parameters": {} }));
        assert!(template("small", &set(&["replicas"])).is_err());
    }
}
