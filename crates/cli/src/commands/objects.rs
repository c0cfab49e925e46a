//! `flotilla tenant`, `project`, `role`, `grant`, `user`, `template`, `import`: the same for each noun.

use std::io::Read;

use serde_json::{Value, json};

use crate::args::{ObjectApply, ObjectCommand, ObjectDelete, ObjectList, ObjectShow, ObjectWrite};
use crate::connection::{Connection, query};
use crate::nouns::Noun;
use crate::{Error, fields};

pub(super) fn run(noun: &Noun, command: &ObjectCommand) -> Result<(), Error> {
    match command {
        ObjectCommand::List(args) => list(noun, args),
        ObjectCommand::Show(args) => show(noun, args),
        ObjectCommand::Create(args) => create(noun, args),
        ObjectCommand::Set(args) => set(noun, args),
        ObjectCommand::Apply(args) => apply(noun, args),
        ObjectCommand::Delete(args) => delete(noun, args),
    }
}

fn list(noun: &Noun, args: &ObjectList) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let found = hub.all(&noun.list(), &query(&[("search", args.search.as_deref())]))?;
    noun.print_all(args.output, found)
}

pub(super) fn show(noun: &Noun, args: &ObjectShow) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    noun.print_one(args.output, hub.ask("GET", &noun.one(&args.name), None)?)
}

fn create(noun: &Noun, args: &ObjectWrite) -> Result<(), Error> {
    let mut spec = json!({});
    fields::put(&mut spec, &args.fields)?;
    let hub = Connection::open(args.choice.hub.as_deref())?;
    hub.ask("POST", &noun.list(), Some(&json!({ "name": args.name, "spec": spec })))?;
    eprintln!("created {}/{}", noun.path, args.name);
    Ok(())
}

/// What somebody else changes meanwhile is not undone.
fn set(noun: &Noun, args: &ObjectWrite) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let mut object = hub.ask("GET", &noun.one(&args.name), None)?;
    fields::put(&mut object["spec"], &args.fields)?;
    write_anew(&hub, noun, &object, &object)?;
    eprintln!("changed {}/{}", noun.path, args.name);
    Ok(())
}

fn apply(noun: &Noun, args: &ObjectApply) -> Result<(), Error> {
    let wanted = read(args)?;
    let name = wanted["name"].as_str().unwrap_or_default();
    let hub = Connection::open(args.choice.hub.as_deref())?;
    match hub.ask("GET", &noun.one(name), None) {
        Ok(found) if is_as(&wanted, &found) => eprintln!("unchanged {}/{name}", noun.path),
        Ok(found) => {
            write_anew(&hub, noun, &found, &wanted)?;
            eprintln!("changed {}/{name}", noun.path);
        }
        Err(Error::NotFound { .. }) => {
            hub.ask("POST", &noun.list(), Some(&writable(&wanted)))?;
            eprintln!("created {}/{name}", noun.path);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn read(args: &ObjectApply) -> Result<Value, Error> {
    let mut text = String::new();
    let file = args.file.display();
    let outcome = if args.file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(&args.file).and_then(|mut file| file.read_to_string(&mut text))
    };
    outcome.map_err(Error::system(format!("read {file}")))?;
    let object: Value =
        serde_saphyr::from_str(&text).map_err(|error| Error::Yaml { detail: format!("{file}: {error}") })?;
    if object["name"].as_str().is_some_and(|name| !name.is_empty()) {
        return Ok(object);
    }
    Err(Error::Yaml { detail: format!("{file}: it needs `name` and `spec`") })
}

/// Whether nothing would be changed.
fn is_as(wanted: &Value, found: &Value) -> bool {
    let (wanted, found) = (writable(wanted), writable(found));
    wanted == found
}

/// What the API takes of an object, without what it only tells.
fn writable(object: &Value) -> Value {
    let labels = if object["labels"].is_null() { json!({}) } else { object["labels"].clone() };
    json!({ "name": object["name"], "labels": labels, "spec": object["spec"] })
}

fn write_anew(hub: &Connection, noun: &Noun, found: &Value, wanted: &Value) -> Result<(), Error> {
    let name = wanted["name"].as_str().unwrap_or_default();
    let version = found["version"].as_str().unwrap_or_default();
    hub.replace(&noun.one(name), version, &writable(wanted))?;
    Ok(())
}

pub(super) fn delete(noun: &Noun, args: &ObjectDelete) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    hub.ask("DELETE", &noun.one(&args.name), None)?;
    eprintln!("deleted {}/{}", noun.path, args.name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_as, writable};

    #[test]
    fn what_the_hub_only_tells_is_not_written() {
        let found = json!({ "name": "a", "labels": {}, "spec": { "x": 1 }, "version": "7", "status": {} });
        assert_eq!(writable(&found), json!({ "name": "a", "labels": {}, "spec": { "x": 1 } }));
        assert!(is_as(&json!({ "name": "a", "spec": { "x": 1 } }), &found));
        assert!(!is_as(&json!({ "name": "a", "spec": { "x": 2 } }), &found));
    }
}
