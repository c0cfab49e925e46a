//! `flotilla api`.

use serde_json::Value;

use crate::args::Api;
use crate::connection::Connection;
use crate::{Error, output};

pub(super) fn run(args: &Api) -> Result<(), Error> {
    let text = match &args.data {
        Some(text) => Some(text.clone()),
        None if args.stdin => Some(
            std::io::read_to_string(std::io::stdin().lock()).map_err(Error::system("read standard input"))?,
        ),
        None => None,
    };
    let body: Option<Value> = text
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Error::Body { detail: error.to_string() })?;
    let hub = Connection::open(args.choice.hub.as_deref())?;
    let path = format!("/api/v1/{}", args.path.trim_start_matches('/'));
    let answer = hub.text(args.method.word(), &path, body.as_ref())?;
    if answer.is_empty() { Ok(()) } else { output::print(&answer) }
}
