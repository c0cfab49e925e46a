//! Steps with elapsed time: a spinner on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// One step under way.
pub(crate) struct Step {
    title: String,
    started: Instant,
    bar: ProgressBar,
}

impl Step {
    /// Announces a step. Progress goes to stderr, so that stdout stays free for data.
    pub(crate) fn start(title: impl Into<String>) -> Self {
        let title = title.into();
        let bar = ProgressBar::new_spinner();
        if bar.is_hidden() {
            eprintln!("      {title} …");
        } else {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}") {
                bar.set_style(style);
            }
            bar.set_message(title.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { title, started: Instant::now(), bar }
    }

    /// Ends the step well.
    pub(crate) fn done(self) {
        self.end("ok");
    }

    /// Ends the step; the error that follows tells why.
    pub(crate) fn failed(self) {
        self.end("FAILED");
    }

    fn end(self, outcome: &str) {
        self.bar.finish_and_clear();
        eprintln!("{:>5} {} {outcome}", seconds(self.started.elapsed()), self.title);
    }
}

/// Says that a step had nothing to do.
pub(crate) fn up_to_date(title: &str) {
    eprintln!("{:>5} {title} up to date", "");
}

/// A duration as people read it: `7s`, `2m05s`.
pub(crate) fn seconds(elapsed: Duration) -> String {
    let total = elapsed.as_secs();
    if total < 60 { format!("{total}s") } else { format!("{}m{:02}s", total / 60, total % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_reads_in_seconds_then_minutes() {
        assert_eq!(seconds(Duration::from_millis(7_900)), "7s");
        assert_eq!(seconds(Duration::from_secs(125)), "2m05s");
    }
}
