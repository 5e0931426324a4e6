//! Calendars of other programs: what the ledger says as iCalendar (RFC 5545), and freezes read from one.
//!
//! Written: freezes in force or to come, the windows of policies, the windows of sheets that are not out. Zones are named by
//! their IANA name, without a definition of their own. Read: events with a beginning and an end; what would make them mean
//! something else than a freeze can say is refused by name.
//!
//! Deliberately absent: tasks, alarms, invitations, exceptions to a recurrence.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use countersign_core::act::Window;
use countersign_core::recurrence::{self, Recurs};
use countersign_core::state::State;
use countersign_core::words::{Timestamp, Zone};

use crate::error::Error;

/// The most events that are read from one file.
const EVENTS_MAX: usize = 100;

/// Returns the calendar of the ledger at that moment.
#[must_use]
pub fn write(state: &State, at: Timestamp) -> String {
    let origin = state.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut text = String::new();
    let mut line = |content: &str| fold(&mut text, content);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Countersign//Countersign//EN");
    let mut event = |id: String, summary: String, span: &Window, recurs: Option<&Recurs>| {
        line("BEGIN:VEVENT");
        line(&format!("UID:{id}@{}", escaped(&origin)));
        line(&format!("DTSTAMP:{}", utc(at)));
        // The last second belongs to the span; the end of an event does not.
        let end = span.until.plus_seconds(1);
        match recurs {
            Some(recurs) => {
                for (name, time) in [("DTSTART", span.from), ("DTEND", end)] {
                    let wall = recurrence::local(recurs.zone, time).format("%Y%m%dT%H%M%S");
                    line(&format!("{name};TZID={}:{wall}", recurs.zone));
                }
                line(&format!("RRULE:{}", recurs.rule));
            }
            None => {
                line(&format!("DTSTART:{}", utc(span.from)));
                line(&format!("DTEND:{}", utc(end)));
            }
        }
        line(&format!("SUMMARY:{}", escaped(&summary)));
        line("END:VEVENT");
    };
    for freeze in state.freezes.values().filter(|freeze| freeze.lifted.is_none() && freeze.next_from(at).is_some()) {
        let what = freeze.product.as_ref().map_or_else(|| "everything".to_owned(), ToString::to_string);
        let place = freeze.environment.as_ref().map(|environment| format!(" in {environment}")).unwrap_or_default();
        let summary = format!("Freeze of {what}{place}: {}", freeze.reason);
        event(format!("freeze-{}", freeze.entry.index), summary, &freeze.span, freeze.recurs.as_ref());
    }
    for product in state.policies.keys() {
        let Some(record) = state.policy(product) else { continue };
        for (place, window) in record.policy.windows.iter().enumerate() {
            let until = window.begins.plus_seconds(i64::try_from(window.minutes * 60).unwrap_or(i64::MAX) - 1);
            let recurs = window.rule.clone().zip(window.zone).map(|(rule, zone)| Recurs { rule, zone });
            let span = Window { from: window.begins, until };
            let id = format!("window-{}-{place}", record.entry.index);
            event(id, format!("{product} may go out"), &span, recurs.as_ref());
        }
    }
    for release in state.releases.values().filter(|release| release.ended.is_none()) {
        let Some(sheet) = release.sheet().filter(|sheet| !release.rollout_began(sheet.entry)) else { continue };
        if sheet.body.window.until >= at {
            let summary = format!("{} may go out", release.id);
            event(format!("sheet-{}", sheet.entry.index), summary, &sheet.body.window, None);
        }
    }
    line("END:VCALENDAR");
    text
}

fn utc(time: Timestamp) -> String {
    time.to_chrono().format("%Y%m%dT%H%M%SZ").to_string()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// Appends a content line in pieces of at most 75 octets, never within a character.
fn fold(text: &mut String, content: &str) {
    let mut room = 75;
    for c in content.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = 74;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    let _ = write!(text, "\r\n");
}

/// An event that may become a freeze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is called.
    pub summary: String,
    /// When; where it comes again, the first time.
    pub span: Window,
    /// How it comes again.
    pub recurs: Option<Recurs>,
}

/// Reads the events of a calendar; `zone` is for those that name none.
///
/// # Errors
/// It is no calendar, or an event says what no freeze can.
pub fn read(text: &str, zone: Option<Zone>) -> Result<Vec<Event>, Error> {
    let wrong = |at: usize, what: String| Error::usage(format!("line {at} of the calendar: {what}"));
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (place, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => lines.push((place + 1, line.to_owned())),
        }
    }
    if lines.first().is_none_or(|(_, line)| line != "BEGIN:VCALENDAR") {
        return Err(wrong(1, "it does not begin with BEGIN:VCALENDAR".into()));
    }
    let mut events = Vec::new();
    let mut open: Option<(usize, Draft)> = None;
    let mut within = 0_u32;
    for (at, line) in &lines {
        let at = *at;
        match (line.as_str(), &mut open) {
            ("BEGIN:VEVENT", None) => open = Some((at, Draft::default())),
            ("END:VEVENT", Some(_)) if within == 0 => {
                let (begun, draft) = open.take().unwrap_or_default();
                events.push(draft.event().map_err(|what| wrong(begun, what))?);
                if events.len() > EVENTS_MAX {
                    return Err(wrong(at, format!("more than {EVENTS_MAX} events")));
                }
            }
            // An alarm inside of an event says nothing of when it is.
            (line, Some(_)) if line.starts_with("BEGIN:") => within += 1,
            (line, Some(_)) if line.starts_with("END:") => within = within.saturating_sub(1),
            (line, Some((_, draft))) if within == 0 => draft.take(line, zone).map_err(|what| wrong(at, what))?,
            _ => {}
        }
    }
    match open {
        Some((at, _)) => Err(wrong(at, "the event does not end".into())),
        None if events.is_empty() => Err(Error::usage("the calendar has no event")),
        None => Ok(events),
    }
}

#[derive(Debug, Default)]
struct Draft {
    summary: String,
    from: Option<(Timestamp, Option<Zone>)>,
    end: Option<Timestamp>,
    rule: Option<String>,
}

impl Draft {
    fn take(&mut self, line: &str, zone: Option<Zone>) -> Result<(), String> {
        let (name, value) = line.split_once(':').ok_or("a line has no colon")?;
        let mut parts = name.split(';');
        let name = parts.next().unwrap_or_default();
        let parameters: Vec<&str> = parts.collect();
        match name {
            "DTSTART" => self.from = Some(moment(value, &parameters, zone)?),
            "DTEND" => self.end = Some(moment(value, &parameters, zone)?.0),
            "RRULE" => self.rule = Some(value.to_owned()),
            "SUMMARY" => {
                self.summary = value.replace("\\n", " ").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
            }
            "DURATION" | "EXDATE" | "RDATE" | "EXRULE" | "RECURRENCE-ID" => {
                return Err(format!("{name} is not read: give the event a beginning, an end and a rule"));
            }
            _ => {}
        }
        Ok(())
    }

    fn event(self) -> Result<Event, String> {
        let (from, zone) = self.from.ok_or("the event has no DTSTART")?;
        let end = self.end.ok_or("the event has no DTEND")?;
        if end <= from {
            return Err("the event ends before it begins".into());
        }
        let recurs = match self.rule {
            Some(rule) => {
                let zone = zone.unwrap_or(Zone::UTC);
                let rule = rule.parse().map_err(|error: countersign_core::words::WordError| error.to_string())?;
                Some(Recurs { rule, zone })
            }
            None => None,
        };
        let span = Window { from, until: end.plus_seconds(-1) };
        recurrence::Span::new(span, recurs.as_ref()).map_err(|error| error.to_string())?;
        Ok(Event { summary: self.summary, span, recurs })
    }
}

/// Reads a time, and the zone it is in where it is not in UTC.
fn moment(value: &str, parameters: &[&str], default: Option<Zone>) -> Result<(Timestamp, Option<Zone>), String> {
    let wrong = || format!("`{value}` is not a time");
    if let Some(wall) = value.strip_suffix('Z') {
        let time = NaiveDateTime::parse_from_str(wall, "%Y%m%dT%H%M%S").map_err(|_| wrong())?;
        let time = Timestamp::from_epoch_seconds(time.and_utc().timestamp()).ok_or_else(wrong)?;
        return Ok((time, None));
    }
    let named = parameters.iter().find_map(|parameter| parameter.strip_prefix("TZID="));
    let zone = match named {
        Some(name) => Some(name.trim_matches('"').parse::<Zone>().map_err(|error| error.to_string())?),
        None => default,
    };
    let zone = zone.ok_or("an event without a zone begins at another moment in each: say which with --zone")?;
    let wall = match NaiveDate::parse_from_str(value, "%Y%m%d") {
        Ok(date) => date.and_time(NaiveTime::MIN),
        Err(_) => NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S").map_err(|_| wrong())?,
    };
    let time = recurrence::instant(zone, wall).ok_or_else(wrong)?;
    Ok((time, Some(zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(event: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    #[test]
    fn an_event_becomes_a_span_in_its_zone() {
        let text = calendar(
            "DTSTART;TZID=Europe/Paris:20261204T180000\r\nDTEND;TZID=Europe/Paris:20261207T060000\r\n\
             RRULE:FREQ=WEEKLY;BYDAY=FR\r\nSUMMARY:Nobody is on call\\, at wee\r\n kends\r\n\
             BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDURATION:PT1M\r\nEND:VALARM\r\n",
        );
        let [event] = &read(&text, None).unwrap()[..] else { panic!("one event") };
        assert_eq!(event.summary, "Nobody is on call, at weekends");
        assert_eq!(event.span.from.to_string(), "2026-12-04T17:00:00Z");
        assert_eq!(event.span.until.to_string(), "2026-12-07T04:59:59Z");
        assert_eq!(event.recurs.as_ref().unwrap().zone.to_string(), "Europe/Paris");
        let day = calendar("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:x\r\n");
        assert!(read(&day, None).unwrap_err().message.contains("--zone"));
        let zone = "Europe/Paris".parse().unwrap();
        assert_eq!(read(&day, Some(zone)).unwrap()[0].span.from.to_string(), "2026-12-23T23:00:00Z");
    }

    #[test]
    fn what_a_freeze_cannot_say_is_refused_by_name() {
        let times = "DTSTART:20261204T180000Z\r\nDTEND:20261204T190000Z\r\n";
        for (event, says) in [
            ("DTEND:20261204T190000Z\r\n".to_owned(), "no DTSTART"),
            ("DTSTART:20261204T190000Z\r\n".to_owned(), "no DTEND"),
            (format!("{times}EXDATE:20261211T180000Z\r\n"), "EXDATE"),
            (format!("{times}RRULE:FREQ=HOURLY\r\n"), "FREQ=HOURLY"),
            ("DTSTART:20261204T190000Z\r\nDTEND:20261204T180000Z\r\n".to_owned(), "before it begins"),
            ("DTSTART;TZID=Mars/Base:20261204T190000\r\nDTEND:20261204T180000Z\r\n".to_owned(), "time zone"),
            ("DTSTART:tomorrow\r\n".to_owned(), "zone"),
        ] {
            let error = read(&calendar(&event), None).unwrap_err();
            assert!(error.message.contains(says), "{event}: {}", error.message);
        }
        for text in ["", "hello", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"] {
            assert!(read(text, None).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_long_line_is_folded_within_75_octets() {
        let mut text = String::new();
        fold(&mut text, &format!("SUMMARY:{}", "é".repeat(100)));
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        assert_eq!(text.replace("\r\n ", "").trim_end(), format!("SUMMARY:{}", "é".repeat(100)));
    }
}
