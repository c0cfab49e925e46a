//! Pages of backups and restores: the newest first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::extract::limit;
use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 500;

/// Which page.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// How many, 1 to 500; 100 without it.
    limit: Option<usize>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// What stands in a page.
pub(super) trait Aged {
    /// Its name, unique among all.
    fn name(&self) -> &str;
    /// When it was made.
    fn created(&self) -> Option<Timestamp>;
}

/// A page, how many there are on all, and what `after` has to be for the next.
pub(super) fn page<T: Aged>(
    mut rows: Vec<T>,
    query: &PageQuery,
) -> Result<(Vec<T>, usize, Option<String>), Problem> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    rows.sort_by(|one, other| other.created().cmp(&one.created()).then_with(|| one.name().cmp(other.name())));
    let total = rows.len();
    let begin = match &query.after {
        None => 0,
        Some(after) => match rows.iter().position(|row| row.name() == after) {
            Some(last) => last + 1,
            None => {
                return Err(Problem::invalid(format!("after: `{after}` is gone; begin at the first page")));
            }
        },
    };
    let is_last = rows.len() - begin <= limit;
    let shown: Vec<T> = rows.into_iter().skip(begin).take(limit).collect();
    let next = shown.last().filter(|_| !is_last).map(|last| last.name().to_owned());
    Ok((shown, total, next))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Aged, PageQuery, page};

    #[derive(Debug)]
    struct Row(&'static str, i64);

    impl Aged for Row {
        fn name(&self) -> &str {
            self.0
        }

        fn created(&self) -> Option<Timestamp> {
            Timestamp::from_second(self.1).ok()
        }
    }

    fn names(limit: usize, after: Option<&str>) -> Result<(Vec<&'static str>, Option<String>), u16> {
        let query = PageQuery { limit: Some(limit), after: after.map(str::to_owned) };
        let rows = vec![Row("old", 1), Row("b", 2), Row("new", 3), Row("a", 2)];
        let (shown, total, next) = page(rows, &query).map_err(|problem| problem.status)?;
        assert_eq!(total, 4);
        Ok((shown.iter().map(|row| row.0).collect(), next))
    }

    #[test]
    fn the_newest_come_first_and_the_next_page_goes_on_after_the_last() {
        assert_eq!(names(2, None), Ok((vec!["new", "a"], Some("a".to_owned()))));
        assert_eq!(names(2, Some("a")), Ok((vec!["b", "old"], None)));
        assert_eq!(names(4, None).map(|(_, next)| next), Ok(None));
        assert_eq!((names(0, None), names(2, Some("gone"))), (Err(422), Err(422)));
    }
}
