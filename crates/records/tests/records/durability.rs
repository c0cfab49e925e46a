//! What was acknowledged is there after the process was killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use futures::TryStreamExt as _;
use records::{AuditEntry, AuditFilter, RecordedEntry, Records};

use crate::place::{Place, at};

/// The child's database.
const URL: &str = "FLOTILLA_RECORDS_CHILD";
const SAID: &str = "acknowledged ";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child that the test below starts and kills"]
async fn appends_until_it_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let audit = Records::open(&url).await.unwrap().audit();
    let writers = (0..32).map(|writer| {
        let audit = audit.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let name = format!("{writer}-{number}");
                let id = audit
                    .append(AuditEntry { time: at(number), name, ..AuditEntry::default() })
                    .await
                    .unwrap();
                println!("\n{SAID}{id}");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let place = Place::sqlite();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "durability::appends_until_it_is_killed"])
            .env(URL, &place.url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut acknowledged = Vec::new();
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            // A line that the kill cut is no acknowledgement.
            acknowledged
                .extend(line.strip_prefix(SAID).and_then(|id| id.strip_suffix('\n')).map(str::to_owned));
            line.clear();
            if acknowledged.len() == 400 * round {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(acknowledged.len() >= 400 * round);
        let audit = place.open().await.audit();
        let kept: Vec<RecordedEntry> = audit.export(AuditFilter::default()).try_collect().await.unwrap();
        let kept: std::collections::HashSet<String> = kept.iter().map(|entry| entry.id.to_string()).collect();
        let lost: Vec<&String> = acknowledged.iter().filter(|id| !kept.contains(*id)).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
