//! Figures: samples with their unit, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::machine::Facts;

/// Samples of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    unit: &'static str,
    samples: Vec<f64>,
    min: Option<f64>,
    median: Option<f64>,
    max: Option<f64>,
    /// Why samples are missing: "2 of 16 after 420 s".
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Figure {
    /// A figure from its samples; keeps three decimals.
    pub(crate) fn new(unit: &'static str, samples: impl IntoIterator<Item = f64>) -> Self {
        let samples: Vec<f64> =
            samples.into_iter().map(|sample| (sample * 1000.0).round() / 1000.0).collect();
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        Self {
            unit,
            min: sorted.first().copied(),
            median: median(&sorted),
            max: sorted.last().copied(),
            samples,
            note: None,
        }
    }

    /// The middle of the samples.
    pub(crate) fn median(&self) -> Option<f64> {
        self.median
    }

    /// Below which 99 of 100 samples are.
    pub(crate) fn p99(&self) -> Option<f64> {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() * 99).div_ceil(100).saturating_sub(1)).copied()
    }

    /// The same figure with a remark.
    pub(crate) fn noted(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }
}

/// The middle of sorted samples; the mean of the middle two when their number is even.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(sorted[middle - 1], upper)) }
}

/// Figures by name.
pub(crate) type Figures = BTreeMap<String, Figure>;

/// What one run found.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Facts,
    pub(crate) figures: Figures,
}

impl Report {
    /// The figures as people read them.
    pub(crate) fn table(&self) -> String {
        let width = self.figures.keys().map(String::len).max().unwrap_or_default();
        let mut text = format!(
            "{:width$}  {:>9}  {:>9}  {:>9}  {:>7}  unit\n",
            "figure", "min", "median", "max", "samples"
        );
        for (name, figure) in &self.figures {
            let _ = write!(
                text,
                "{name:width$}  {:>9}  {:>9}  {:>9}  {:>7}  {}",
                cell(figure.min),
                cell(figure.median),
                cell(figure.max),
                figure.samples.len(),
                figure.unit
            );
            let _ = figure.note.as_ref().map_or(Ok(()), |note| write!(text, "  ({note})"));
            text.push('\n');
        }
        text
    }

    /// Writes the figures as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
        }
        let text = serde_json::to_string_pretty(self).context("write the figures as JSON")?;
        fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))
    }
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even_counts() {
        assert_eq!(Figure::new("s", [3.0, 1.0, 2.0]).median, Some(2.0));
        assert_eq!(Figure::new("s", [4.0, 1.0, 2.0, 3.0]).median, Some(2.5));
        assert_eq!(Figure::new("s", []).median, None);
    }

    #[test]
    fn p99_is_a_sample_that_99_of_100_do_not_exceed() {
        assert_eq!(Figure::new("ms", (1..=100).map(f64::from)).p99(), Some(99.0));
        assert_eq!(Figure::new("ms", [2.0, 1.0]).p99(), Some(2.0));
        assert_eq!(Figure::new("ms", []).p99(), None);
    }

    #[test]
    fn json_has_the_promised_shape() {
        let figure = Figure::new("seconds", [2.0, 1.0]);
        let json = serde_json::to_value(&figure).unwrap();
        let expected = serde_json::json!({
            "unit": "seconds", "samples": [2.0, 1.0], "min": 1.0, "median": 1.5, "max": 2.0
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn herd_that_did_not_converge_says_how_far_it_came() {
        let figure = Figure::new("seconds", []).noted(Some("2 of 16 after 420 s".to_owned()));
        let report =
            Report { machine: Facts::default(), figures: Figures::from([("herd16".to_owned(), figure)]) };
        assert!(report.table().contains("(2 of 16 after 420 s)"), "{}", report.table());
    }
}
