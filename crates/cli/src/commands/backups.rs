//! `flotilla cluster backups`, `backup`, `restore`.

use serde_json::{Value, json};

use crate::args::{BackupList, BackupRestore, BackupTake};
use crate::connection::Connection;
use crate::nouns::{BACKUPS, CLUSTERS, RESTORES};
use crate::{Error, output};

pub(super) fn list(args: &BackupList) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let noun = if args.restores { &RESTORES } else { &BACKUPS };
    noun.print_all(args.output, hub.all(&format!("{}/{}", CLUSTERS.one(&args.id), noun.path), "")?)
}

pub(super) fn take(args: &BackupTake) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let made = hub.ask("POST", &format!("{}/backups", CLUSTERS.one(&args.id)), Some(&body(args)))?;
    output::print(made["name"].as_str().unwrap_or_default())
}

pub(super) fn restore(args: &BackupRestore) -> Result<(), Error> {
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let restores = format!("{}/restores", CLUSTERS.one(&args.id));
    if let Some(restore) = &args.call_off {
        hub.ask("DELETE", &format!("{restores}/{restore}"), None)?;
        return output::print(&format!("{restore} is called off"));
    }
    let made = hub.ask("POST", &restores, Some(&json!({ "backup": args.backup })))?;
    eprintln!("{} stops and is filled anew; see `flotilla cluster backups {} --restores`", args.id, args.id);
    output::print(made["name"].as_str().unwrap_or_default())
}

fn body(args: &BackupTake) -> Value {
    let policy = if args.delete_archive { "Delete" } else { "Keep" };
    let mut body = json!({ "name": args.name, "archivePolicy": policy });
    if let Some(bucket) = &args.bucket {
        body["target"]["s3"] =
            json!({ "bucket": bucket, "endpoint": args.endpoint, "secretName": args.secret });
    } else if let Some(claim) = &args.volume {
        body["target"]["persistentVolumeClaim"] = json!({ "claimName": claim });
    } else if args.directory {
        body["target"]["directory"] = json!({});
    }
    body
}
