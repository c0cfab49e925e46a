//! Which backups of a schedule are kept.

use std::collections::BTreeSet;

use api::Retention;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Marks those of `taken` that are kept; their order does not matter. Without a rule all are, and the newest
/// one always is.
#[must_use]
pub fn kept(rules: Retention, taken: &[Timestamp], zone: &TimeZone) -> Vec<bool> {
    let Retention { last, hourly, daily, weekly, monthly } = rules;
    if [last, hourly, daily, weekly, monthly].iter().all(Option::is_none) {
        return vec![true; taken.len()];
    }
    let mut newest_first: Vec<usize> = (0..taken.len()).collect();
    newest_first.sort_by_key(|index| std::cmp::Reverse((taken.get(*index), *index)));
    let mut keep: BTreeSet<usize> = newest_first.first().copied().into_iter().collect();
    keep.extend(newest_first.iter().take(many(last)));
    let mut keep_per = |count: Option<i32>, period: &dyn Fn(Timestamp) -> (Date, i8)| {
        let mut periods = BTreeSet::new();
        for index in &newest_first {
            let Some(time) = taken.get(*index) else { continue };
            if periods.len() == many(count) {
                break;
            }
            if periods.insert(period(*time)) {
                keep.insert(*index);
            }
        }
    };
    let here = |time: Timestamp| time.to_zoned(zone.clone());
    keep_per(hourly, &|time| (here(time).date(), here(time).hour()));
    keep_per(daily, &|time| (here(time).date(), 0));
    keep_per(weekly, &|time| (monday_of(here(time).date()), 0));
    keep_per(monthly, &|time| (here(time).date().first_of_month(), 0));
    (0..taken.len()).map(|index| keep.contains(&index)).collect()
}

fn many(count: Option<i32>) -> usize {
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
}

fn monday_of(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(jiff::Span::new().days(back)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use api::Retention;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::kept;

    fn hours(count: i64) -> Vec<Timestamp> {
        let start: Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
        (0..count).map(|hour| start + jiff::SignedDuration::from_hours(hour)).collect()
    }

    fn count(rules: Retention, taken: &[Timestamp]) -> usize {
        kept(rules, taken, &TimeZone::UTC).into_iter().filter(|kept| *kept).count()
    }

    #[test]
    fn without_a_rule_all_are_kept_and_with_any_the_newest_is() {
        let taken = hours(10);
        assert_eq!(count(Retention::default(), &taken), 10);
        let none = Retention { last: Some(0), ..Retention::default() };
        let marks = kept(none, &taken, &TimeZone::UTC);
        assert_eq!(marks.iter().filter(|kept| **kept).count(), 1);
        assert_eq!(marks.last(), Some(&true));
        assert!(kept(none, &[], &TimeZone::UTC).is_empty());
    }

    #[test]
    fn each_rule_keeps_the_newest_of_its_periods() {
        // Four weeks, one an hour, the last at 23:00 on Sunday, 29 November.
        let taken = hours(28 * 24);
        let rule = |rules: Retention| count(rules, &taken);
        assert_eq!(rule(Retention { last: Some(5), ..Retention::default() }), 5);
        assert_eq!(rule(Retention { hourly: Some(30), ..Retention::default() }), 30);
        assert_eq!(rule(Retention { daily: Some(7), ..Retention::default() }), 7);
        assert_eq!(rule(Retention { weekly: Some(10), ..Retention::default() }), 4);
        assert_eq!(rule(Retention { monthly: Some(12), ..Retention::default() }), 1);
        let daily = kept(Retention { daily: Some(2), ..Retention::default() }, &taken, &TimeZone::UTC);
        let kept: Vec<usize> = (0..taken.len()).filter(|index| daily[*index]).collect();
        assert_eq!(kept, [27 * 24 - 1, 28 * 24 - 1], "the last one of each day");
    }

    #[test]
    fn rules_add_up_and_one_backup_may_serve_several() {
        let taken = hours(28 * 24);
        let rules = Retention { last: Some(3), daily: Some(7), weekly: Some(4), ..Retention::default() };
        assert_eq!(count(rules, &taken), 2 + 7 + 3);
    }
}
