//! Times as people read them: in their own zone, with the offset, and in UTC beside it.

use crate::model::Moment;
use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;

/// A signed time in the three forms that the renderings print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// `22 Nov 2026, 11:31:07 CET (UTC+01:00), Europe/Paris`.
    pub(crate) local: String,
    /// `22 Nov 2026, 11:31 CET`, for tables.
    pub(crate) short: String,
    /// RFC 3339 with the offset, `2026-11-22T11:31:07+01:00`; empty if the time cannot be read.
    pub(crate) machine: String,
    /// The UTC string exactly as it was signed.
    pub(crate) utc: String,
}

/// Reads the UTC time of a moment.
pub(crate) fn parse_utc(moment: &Moment) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&moment.utc).ok().map(|time| time.to_utc())
}

/// Tells a moment; what cannot be read as a time or zone is shown as it stands and said to be unreadable.
pub(crate) fn tell(moment: &Moment) -> Told {
    let utc = moment.utc.clone();
    let Some(time) = parse_utc(moment) else {
        let local = format!("unreadable time “{}”, zone “{}”", moment.utc, moment.zone);
        return Told { short: local.clone(), local, machine: String::new(), utc };
    };
    let Ok(zone) = moment.zone.parse::<Tz>() else {
        return Told {
            local: format!("{} UTC, unknown zone “{}”", time.format("%-d %b %Y, %H:%M:%S"), moment.zone),
            short: format!("{} UTC", time.format("%-d %b %Y, %H:%M")),
            machine: time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
            utc,
        };
    };
    let there = time.with_timezone(&zone);
    let offset = offset(there.offset().fix().local_minus_utc());
    let letters = there.format("%Z").to_string();
    // Zones without a customary abbreviation are named by their offset alone.
    let lettered = letters.starts_with(|first: char| first.is_ascii_alphabetic());
    let (long, short) = match lettered {
        true if letters == "UTC" => ("UTC".to_owned(), "UTC".to_owned()),
        true => (format!("{letters} (UTC{offset})"), letters),
        false => (format!("UTC{offset}"), format!("UTC{offset}")),
    };
    Told {
        local: format!("{} {long}, {}", there.format("%-d %b %Y, %H:%M:%S"), moment.zone),
        short: format!("{} {short}", there.format("%-d %b %Y, %H:%M")),
        machine: there.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        utc,
    }
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Tells a length of time in its two largest units: `26 h`, `2 h 30 min`, `45 s`.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS {
        if rest >= size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    match parts.is_empty() {
        true => "0 s".to_owned(),
        false => parts.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(utc: &str, zone: &str, local: &str, machine: &str) {
        let told = tell(&Moment { utc: utc.to_owned(), zone: zone.to_owned() });
        assert_eq!((told.local.as_str(), told.machine.as_str(), told.utc.as_str()), (local, machine, utc));
    }

    #[test]
    fn a_time_is_told_in_its_zone_with_the_offset() {
        check(
            "2026-11-22T10:31:07Z",
            "Europe/Paris",
            "22 Nov 2026, 11:31:07 CET (UTC+01:00), Europe/Paris",
            "2026-11-22T11:31:07+01:00",
        );
        check(
            "2026-07-01T22:30:00Z",
            "Europe/Paris",
            "2 Jul 2026, 00:30:00 CEST (UTC+02:00), Europe/Paris",
            "2026-07-02T00:30:00+02:00",
        );
        check(
            "2026-11-22T10:31:07Z",
            "Asia/Kathmandu",
            "22 Nov 2026, 16:16:07 UTC+05:45, Asia/Kathmandu",
            "2026-11-22T16:16:07+05:45",
        );
        check("2038-01-19T03:14:08Z", "UTC", "19 Jan 2038, 03:14:08 UTC, UTC", "2038-01-19T03:14:08+00:00");
        check(
            "2026-01-01T02:00:00Z",
            "America/St_Johns",
            "31 Dec 2025, 22:30:00 NST (UTC-03:30), America/St_Johns",
            "2025-12-31T22:30:00-03:30",
        );
    }

    #[test]
    fn an_unreadable_time_is_shown_and_not_guessed() {
        check("yesterday", "Europe/Paris", "unreadable time “yesterday”, zone “Europe/Paris”", "");
        check(
            "2026-11-22T10:31:07Z",
            "Mars/Olympus",
            "22 Nov 2026, 10:31:07 UTC, unknown zone “Mars/Olympus”",
            "2026-11-22T10:31:07+00:00",
        );
    }

    #[test]
    fn a_length_of_time_loses_nothing() {
        for (seconds, told) in
            [(0, "0 s"), (45, "45 s"), (9_000, "2 h 30 min"), (93_600, "1 d 2 h"), (90_061, "1 d 1 h 1 min 1 s")]
        {
            assert_eq!(duration(seconds), told);
        }
    }
}
