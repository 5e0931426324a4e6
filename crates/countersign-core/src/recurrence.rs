//! Recurring spans of time (RFC 5545 section 3.3.10) in IANA time zones: the part that windows and freezes need.
//!
//! A span that recurs is its first occurrence, a rule and a zone: each further one begins at the same wall-clock time in
//! that zone and lasts as long as the first. A beginning that a change of the clocks skips is read with the offset before
//! the gap, one that comes twice is its first coming, both as RFC 5545 section 3.3.5 says.
//!
//! It is ours and small because a verdict rests on it for ever: what a rule meant when it was signed must not change with
//! a library, and what is not read here is refused by name in place of being read loosely. Absent: `BYSETPOS`,
//! `BYHOUR` and finer, `BYWEEKNO`, `BYYEARDAY`, weeks that do not begin on Monday, exceptions.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::act::Window;
use crate::words::{Line, Timestamp, Zone};

/// The longest a recurring span lasts, in seconds: 366 days.
const SECONDS_MAX: i64 = 366 * 86_400;
const INTERVAL_MAX: u32 = 1_000;
const COUNT_MAX: u64 = 10_000;

/// How a span comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurs {
    /// The rule, as RFC 5545 writes it: `FREQ=WEEKLY;BYDAY=FR`.
    pub rule: Line,
    /// The zone whose wall clock it goes by.
    pub zone: Zone,
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is not written as RFC 5545 asks.
    #[error("`{0}` is not a recurrence rule: {1}")]
    Syntax(String, &'static str),
    /// It is, and is not read here.
    #[error(
        "`{0}` is not supported in a recurrence rule; use FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH"
    )]
    Unsupported(String),
    /// Its parts do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A rule that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    frequency: Frequency,
    interval: u32,
    count: Option<u64>,
    until: Option<i64>,
    by_day: Vec<(i32, Weekday)>,
    by_month_day: BTreeSet<i32>,
    by_month: BTreeSet<u32>,
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wrong = |part: &str, why: &'static str| RuleError::Syntax(part.chars().take(80).collect(), why);
        let (mut frequency, mut seen) = (None, BTreeSet::new());
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_day: Vec::new(),
            by_month_day: BTreeSet::new(),
            by_month: BTreeSet::new(),
        };
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong(part, "write NAME=VALUE;NAME=VALUE"))?;
            if !seen.insert(name.to_owned()) {
                return Err(wrong(part, "it is there twice"));
            }
            match name {
                "FREQ" => {
                    frequency = Some(match value {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return Err(RuleError::Unsupported(part.to_owned())),
                    });
                }
                "INTERVAL" => {
                    let interval = value.parse().ok().filter(|interval| (1..=INTERVAL_MAX).contains(interval));
                    rule.interval = interval.ok_or_else(|| wrong(part, "give a number from 1 to 1000"))?;
                }
                "COUNT" => {
                    let count = value.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count));
                    rule.count = Some(count.ok_or_else(|| wrong(part, "give a number from 1 to 10000"))?);
                }
                "UNTIL" => {
                    let until = NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%SZ").ok();
                    let until = until.filter(|until| until.format("%Y%m%dT%H%M%SZ").to_string() == value);
                    let until = until.ok_or_else(|| wrong(part, "give a time in UTC, as 20261224T230000Z"))?;
                    rule.until = Some(until.and_utc().timestamp());
                }
                "BYDAY" => {
                    for day in value.split(',') {
                        let why = "give days as MO,TU or, by the month, 1MO and -1FR";
                        let at = day.len().checked_sub(2).filter(|at| day.is_char_boundary(*at));
                        let (ordinal, name) = day.split_at(at.ok_or_else(|| wrong(part, why))?);
                        let name = weekday(name).ok_or_else(|| wrong(part, why))?;
                        let ordinal = match ordinal {
                            "" => 0,
                            text => {
                                let given = text.parse().ok().filter(|given: &i32| (1..=5).contains(&given.abs()));
                                given.ok_or_else(|| wrong(part, why))?
                            }
                        };
                        rule.by_day.push((ordinal, name));
                    }
                }
                "BYMONTHDAY" => {
                    for day in value.split(',') {
                        let day = day.parse().ok().filter(|day: &i32| (1..=31).contains(&day.abs()));
                        rule.by_month_day.insert(day.ok_or_else(|| wrong(part, "give days from 1 to 31, or -1"))?);
                    }
                }
                "BYMONTH" => {
                    for month in value.split(',') {
                        let month = month.parse().ok().filter(|month| (1..=12).contains(month));
                        rule.by_month.insert(month.ok_or_else(|| wrong(part, "give months from 1 to 12"))?);
                    }
                }
                "WKST" if value == "MO" => {}
                _ => return Err(RuleError::Unsupported(part.to_owned())),
            }
        }
        rule.frequency = frequency.ok_or_else(|| wrong(text, "FREQ is missing"))?;
        rule.check()?;
        Ok(rule)
    }
}

impl Rule {
    fn check(&self) -> Result<(), RuleError> {
        let refuse = |holds: bool, why: &'static str| if holds { Ok(()) } else { Err(RuleError::Contradiction(why)) };
        let ordinals = self.by_day.iter().any(|(ordinal, _)| *ordinal != 0);
        refuse(self.count.is_none() || self.until.is_none(), "a rule ends by COUNT or by UNTIL, not by both")?;
        refuse(
            !ordinals || matches!(self.frequency, Frequency::Monthly | Frequency::Yearly),
            "days with a number, as 1MO, go with FREQ=MONTHLY or FREQ=YEARLY",
        )?;
        refuse(
            self.frequency != Frequency::Weekly || self.by_month_day.is_empty(),
            "BYMONTHDAY does not go with FREQ=WEEKLY",
        )?;
        refuse(
            self.frequency != Frequency::Yearly
                || !self.by_month.is_empty()
                || (self.by_day.is_empty() && self.by_month_day.is_empty()),
            "FREQ=YEARLY with days names their months: give BYMONTH",
        )
    }

    /// Returns whether a span that first begins on `first` begins on `date` too; `COUNT` and `UNTIL` left aside.
    fn matches(&self, first: NaiveDate, date: NaiveDate) -> bool {
        let every = |units: i64| units >= 0 && units % i64::from(self.interval) == 0;
        let month = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let monday =
            |date: NaiveDate| i64::from(date.num_days_from_ce() - date.weekday().num_days_from_monday() as i32);
        let in_step = match self.frequency {
            Frequency::Daily => every(date.signed_duration_since(first).num_days()),
            Frequency::Weekly => every((monday(date) - monday(first)) / 7),
            Frequency::Monthly => every(month(date) - month(first)),
            Frequency::Yearly => every(i64::from(date.year()) - i64::from(first.year())),
        };
        in_step && date >= first && self.month_matches(first, date) && self.day_matches(first, date)
    }

    fn month_matches(&self, first: NaiveDate, date: NaiveDate) -> bool {
        if self.by_month.is_empty() {
            return self.frequency != Frequency::Yearly || date.month() == first.month();
        }
        self.by_month.contains(&date.month())
    }

    fn day_matches(&self, first: NaiveDate, date: NaiveDate) -> bool {
        let last = i32::from(days_in_month(date));
        let day = date.day() as i32;
        let by_month_day = self.by_month_day.contains(&day) || self.by_month_day.contains(&(day - last - 1));
        let by_day = self.by_day.iter().any(|(ordinal, weekday)| {
            *weekday == date.weekday()
                && match ordinal {
                    0 => true,
                    1.. => (day - 1) / 7 + 1 == *ordinal,
                    _ => (last - day) / 7 + 1 == -ordinal,
                }
        });
        match (self.by_month_day.is_empty(), self.by_day.is_empty()) {
            (false, false) => by_month_day && by_day,
            (false, true) => by_month_day,
            (true, false) => by_day,
            (true, true) => match self.frequency {
                Frequency::Daily => true,
                Frequency::Weekly => date.weekday() == first.weekday(),
                Frequency::Monthly | Frequency::Yearly => date.day() == first.day(),
            },
        }
    }
}

fn days_in_month(date: NaiveDate) -> u8 {
    (28..=31).rev().find(|day| date.with_day(u32::from(*day)).is_some()).unwrap_or(28)
}

/// A span of time that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    first: Window,
    again: Option<(Rule, Zone)>,
}

impl Span {
    /// Reads a span: its first occurrence, and how it comes again.
    ///
    /// # Errors
    /// The rule is not read, or the first occurrence is not one by the rule.
    pub fn new(first: Window, recurs: Option<&Recurs>) -> Result<Self, RuleError> {
        let Some(recurs) = recurs else { return Ok(Self { first, again: None }) };
        let rule: Rule = recurs.rule.as_str().parse()?;
        let date = local(recurs.zone, first.from).date();
        if !rule.matches(date, date) {
            return Err(RuleError::Contradiction("the span first begins on a day that the rule does not name"));
        }
        if rule.until.is_some_and(|until| first.from.epoch_seconds() > until) {
            return Err(RuleError::Contradiction("the rule ends before the span first begins"));
        }
        if first.until.seconds_since(first.from) > SECONDS_MAX {
            return Err(RuleError::Contradiction("a span that recurs lasts at most 366 days"));
        }
        Ok(Self { first, again: Some((rule, recurs.zone)) })
    }

    /// Returns the occurrence that holds the moment, the earliest where several do.
    pub fn at(&self, time: Timestamp) -> Option<Window> {
        self.overlapping(Window { from: time, until: time }).next()
    }

    /// Returns the occurrences that share a moment with the window, in order.
    pub fn overlapping(&self, window: Window) -> impl Iterator<Item = Window> + '_ {
        let shares = move |own: &Window| own.from <= window.until && window.from <= own.until;
        let first = self.again.is_none().then_some(self.first).filter(shares);
        let later = self.again.iter().flat_map(move |(rule, zone)| {
            let lasts = self.first.until.seconds_since(self.first.from);
            let start = local(*zone, self.first.from);
            // A day more at either end, for zones that change their date.
            let begin = local(*zone, window.from.plus_seconds(-lasts)).date() - Days::new(1);
            let end = local(*zone, window.until).date() + Days::new(1);
            let dates = begin.max(start.date()).iter_days().take_while(move |date| *date <= end);
            dates
                .filter(move |date| rule.matches(start.date(), *date) && self.counted(rule, start.date(), *date))
                .filter_map(move |date| {
                    let from = instant(*zone, date.and_time(start.time()))?;
                    let ended = rule.until.is_some_and(|until| from.epoch_seconds() > until);
                    (!ended).then(|| Window { from, until: from.plus_seconds(lasts) })
                })
                .filter(shares)
        });
        first.into_iter().chain(later)
    }

    fn counted(&self, rule: &Rule, first: NaiveDate, date: NaiveDate) -> bool {
        let Some(count) = rule.count else { return true };
        let mut before = first.iter_days().take_while(|day| *day < date).filter(|day| rule.matches(first, *day));
        before.nth(usize::try_from(count - 1).unwrap_or(usize::MAX)).is_none()
    }
}

/// Returns the wall-clock time of a moment in a zone.
pub fn local(zone: Zone, time: Timestamp) -> NaiveDateTime {
    time.to_chrono().with_timezone(&zone.tz()).naive_local()
}

/// Returns the moment of a wall-clock time; `None` outside the years 1970 to 9999.
pub fn instant(zone: Zone, wall: NaiveDateTime) -> Option<Timestamp> {
    let tz = zone.tz();
    let utc: DateTime<Utc> = match tz.from_local_datetime(&wall) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.with_timezone(&Utc),
        LocalResult::None => {
            // No gap is as long as a day.
            let before = tz.offset_from_local_datetime(&(wall - Days::new(1))).earliest()?;
            (wall - before.fix()).and_utc()
        }
    };
    Timestamp::from_epoch_seconds(utc.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(from: &str, until: &str, rule: &str, zone: &str) -> Span {
        let recurs = Recurs { rule: rule.parse().unwrap(), zone: zone.parse().unwrap() };
        Span::new(Window { from: time(from), until: time(until) }, Some(&recurs)).unwrap()
    }

    fn begins(span: &Span, from: &str, until: &str) -> Vec<String> {
        span.overlapping(Window { from: time(from), until: time(until) }).map(|own| own.from.to_string()).collect()
    }

    #[test]
    fn a_weekly_span_keeps_its_wall_clock_over_both_changes_of_the_clocks() {
        // Friday 18:00 in Paris: 16:00 UTC in summer, 17:00 UTC in winter.
        let fridays = span("2026-10-16T16:00:00Z", "2026-10-19T04:00:00Z", "FREQ=WEEKLY;BYDAY=FR", "Europe/Paris");
        assert_eq!(
            begins(&fridays, "2026-10-16T00:00:00Z", "2026-11-01T00:00:00Z"),
            ["2026-10-16T16:00:00Z", "2026-10-23T16:00:00Z", "2026-10-30T17:00:00Z"]
        );
        assert_eq!(
            begins(&fridays, "2027-03-25T12:00:00Z", "2027-04-03T00:00:00Z"),
            ["2027-03-26T17:00:00Z", "2027-04-02T16:00:00Z"]
        );
        assert!(fridays.at(time("2026-10-30T16:59:59Z")).is_none());
        assert!(fridays.at(time("2026-10-30T17:00:00Z")).is_some());
    }

    #[test]
    fn a_beginning_in_the_gap_goes_by_the_offset_before_it_and_one_that_comes_twice_is_its_first_coming() {
        // 2027-03-28 02:30 does not occur in Paris; 2026-10-25 02:30 does twice.
        let nightly = span("2026-10-20T00:30:00Z", "2026-10-20T01:00:00Z", "FREQ=DAILY", "Europe/Paris");
        assert_eq!(
            begins(&nightly, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        assert_eq!(
            begins(&nightly, "2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z"),
            ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]
        );
    }

    #[test]
    fn each_part_of_a_rule_says_which_days() {
        let days = |rule: &str, first: &str, until: &str| {
            let first = format!("{first}T10:00:00Z");
            let end = time(&first).plus_seconds(60).to_string();
            begins(&span(&first, &end, rule, "UTC"), &first, &format!("{until}T23:00:00Z"))
                .iter()
                .map(|begin| begin[..10].to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let table = [
            ("FREQ=DAILY;INTERVAL=3", "2026-11-01", "2026-11-08", "2026-11-01 2026-11-04 2026-11-07"),
            ("FREQ=DAILY;COUNT=2", "2026-11-01", "2026-11-08", "2026-11-01 2026-11-02"),
            ("FREQ=DAILY;UNTIL=20261103T100000Z", "2026-11-01", "2026-11-08", "2026-11-01 2026-11-02 2026-11-03"),
            ("FREQ=WEEKLY;BYDAY=MO,WE", "2026-11-02", "2026-11-10", "2026-11-02 2026-11-04 2026-11-09"),
            ("FREQ=WEEKLY;INTERVAL=2", "2026-11-04", "2026-12-03", "2026-11-04 2026-11-18 2026-12-02"),
            ("FREQ=MONTHLY;BYDAY=-1FR", "2026-10-30", "2026-12-31", "2026-10-30 2026-11-27 2026-12-25"),
            ("FREQ=MONTHLY;BYDAY=1MO", "2026-11-02", "2026-12-31", "2026-11-02 2026-12-07"),
            ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-10-31", "2027-01-31", "2026-10-31 2026-12-31 2027-01-31"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-10-31", "2026-12-31", "2026-10-31 2026-11-30 2026-12-31"),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24", "2028-01-01", "2026-12-24 2027-12-24"),
            ("FREQ=YEARLY", "2024-02-29", "2028-03-01", "2024-02-29 2028-02-29"),
        ];
        for (rule, first, until, expected) in table {
            assert_eq!(days(rule, first, until), expected, "{rule}");
        }
    }

    #[test]
    fn what_is_not_read_is_refused_by_name() {
        let table = [
            ("", "NAME=VALUE"),
            ("INTERVAL=2", "FREQ is missing"),
            ("FREQ=HOURLY", "FREQ=HOURLY"),
            ("FREQ=DAILY;FREQ=DAILY", "twice"),
            ("FREQ=DAILY;INTERVAL=0", "from 1 to 1000"),
            ("FREQ=DAILY;COUNT=0", "from 1 to 10000"),
            ("FREQ=DAILY;UNTIL=20261224", "in UTC"),
            ("FREQ=DAILY;UNTIL=20261224T230000", "in UTC"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20261224T230000Z", "not by both"),
            ("FREQ=WEEKLY;BYDAY=1MO", "days with a number"),
            ("FREQ=WEEKLY;BYDAY=XX", "MO,TU"),
            ("FREQ=MONTHLY;BYDAY=6MO", "MO,TU"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
            ("FREQ=YEARLY;BYMONTHDAY=1", "BYMONTH"),
            ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS=1"),
            ("FREQ=WEEKLY;WKST=SU", "WKST=SU"),
            ("freq=daily", "freq=daily"),
        ];
        for (rule, message) in table {
            let error = rule.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(message), "{rule}: {error}");
        }
        let monday = Window { from: time("2026-11-02T10:00:00Z"), until: time("2026-11-02T11:00:00Z") };
        let fridays = Recurs { rule: "FREQ=WEEKLY;BYDAY=FR".parse().unwrap(), zone: Zone::UTC };
        assert!(Span::new(monday, Some(&fridays)).unwrap_err().to_string().contains("does not name"));
    }
}
