//! Moments and spans as people type them.

use countersign_app::clock;
use countersign_core::act::Window;
use countersign_core::words::Timestamp;

const MOMENT: &str =
    "write 2026-11-22T10:31:07Z, with an offset as 2026-11-22T11:31:07+01:00, or from now on as +90m, +12h, +7d";

/// Reads a moment: RFC 3339 with seconds, `now`, or a distance from now as `+90m`, `+12h`, `+7d`.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not a moment: {MOMENT}");
    if text == "now" {
        return Ok(clock::now());
    }
    if let Some(distance) = text.strip_prefix('+') {
        return seconds(distance).map(|seconds| clock::now().plus_seconds(seconds)).ok_or_else(wrong);
    }
    let parsed = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
    Timestamp::from_epoch_seconds(parsed.timestamp()).ok_or_else(wrong)
}

/// Reads a distance in time as `90s`, `15m`, `12h`, `7d`.
fn seconds(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number >= 0)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Reads a span as `FROM/UNTIL`, each a [`moment`].
pub(crate) fn window(text: &str) -> Result<Window, String> {
    let (from, until) = text.split_once('/').ok_or_else(|| format!("`{text}` is not a span: write FROM/UNTIL"))?;
    let window = Window { from: moment(from)?, until: moment(until)? };
    if window.from > window.until {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_any_offset_or_from_now() {
        assert_eq!(moment("2026-11-22T11:31:07+01:00").unwrap().to_string(), "2026-11-22T10:31:07Z");
        let now = clock::now();
        for (text, seconds) in [("now", 0), ("+90s", 90), ("+15m", 900), ("+12h", 43_200), ("+7d", 604_800)] {
            let ahead = moment(text).unwrap().seconds_since(now);
            assert!((seconds..seconds + 5).contains(&ahead), "{text}: {ahead}");
        }
        for bad in ["", "tomorrow", "+", "+7", "+d", "+-7d", "+7w", "2026-11-22", "1960-01-01T00:00:00Z"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_window_does_not_end_before_it_begins() {
        assert!(window("now/+2h").is_ok());
        for bad in ["now", "+2h/now", "2026-11-22T10:31:07Z/"] {
            assert!(window(bad).is_err(), "{bad}");
        }
    }
}
