//! What the system's notifications tell: each thing once, only what needs the person, and nothing in quiet hours.

use chrono::{NaiveTime, Timelike};
use countersign_core::words::Timestamp;

use super::host::{Host, held};
use crate::clock;
use crate::wire as w;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something is asked of the person.
    Asked,
    /// It is due soon, or overdue.
    Due,
    /// A rollout stopped, or ended.
    Rollout,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stays the same while it is about the same thing.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// The release.
    pub release: Option<String>,
    /// The first line.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Where a click leads.
    pub place: w::Place,
}

/// Returns what is to be told now and was not told yet; the texts are in the language of the settings.
#[must_use]
pub fn due_notices(host: &Host) -> Vec<Notice> {
    let settings = held(&host.0.settings).clone();
    let at = clock::now();
    let away = settings.away_until.as_deref().and_then(|until| until.parse::<Timestamp>().ok());
    if away.is_some_and(|until| at < until) || is_quiet(&settings, at) {
        return Vec::new();
    }
    // A screen that cannot be had is no reason to fail: the next look tells it.
    let items = host.read_locked(|open| {
        open.settled.follow(&open.ledger, at);
        Ok(super::inbox::items(open, at))
    });
    let mut told = held(&host.0.told);
    let mut notices = Vec::new();
    for item in items.unwrap_or_default() {
        let Some((kind, id)) = due(&item, &settings, at) else { continue };
        if told.insert(id.clone()) {
            notices.push(notice(&settings, id, kind, item));
        }
    }
    notices
}

/// Returns whether an item is to be told now, and by which id: asked, due soon and overdue are told once each.
fn due(item: &w::InboxItem, settings: &w::Settings, at: Timestamp) -> Option<(NoticeKind, String)> {
    use w::InboxKind as K;
    let due = item.due.as_deref().and_then(|due| due.parse::<Timestamp>().ok());
    if let Some(due) = due.filter(|_| settings.notify_due) {
        if item.overdue {
            return Some((NoticeKind::Due, format!("{}/overdue", item.id)));
        }
        if due.seconds_since(at) <= i64::from(settings.remind_minutes) * 60 {
            return Some((NoticeKind::Due, format!("{}/due", item.id)));
        }
    }
    match item.kind {
        K::Rollout | K::FateUnknown | K::WaveVerdict => {
            settings.notify_rollout.then(|| (NoticeKind::Rollout, item.id.clone()))
        }
        K::Sign
        | K::SignAgain
        | K::Answer
        | K::Condition
        | K::Dispatch
        | K::ConfirmEvidence
        | K::Policy
        | K::Authorization
        | K::Device
        | K::ConfirmPeople
        | K::Review
        | K::Accept => settings.notify_asked.then(|| (NoticeKind::Asked, item.id.clone())),
        K::Request | K::Stage | K::Gate | K::Key | K::Freeze | K::Close => None,
    }
}

fn is_quiet(settings: &w::Settings, at: Timestamp) -> bool {
    let read = |text: &Option<String>| NaiveTime::parse_from_str(text.as_deref()?, "%H:%M").ok();
    let (Some(from), Some(until)) = (read(&settings.quiet_from), read(&settings.quiet_until)) else { return false };
    let wall = clock::zone().wall_clock(at);
    let now = wall.get(11..16).and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
    let Some(now) = now else { return false };
    between(now, from, until)
}

/// Returns whether a time of the day lies in a span that may go over midnight.
fn between(now: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    let minutes = |time: NaiveTime| time.hour() * 60 + time.minute();
    let (now, from, until) = (minutes(now), minutes(from), minutes(until));
    if from <= until { from <= now && now < until } else { now >= from || now < until }
}

fn notice(settings: &w::Settings, id: String, kind: NoticeKind, item: w::InboxItem) -> Notice {
    let german = match settings.language {
        w::Language::German => true,
        w::Language::English => false,
        w::Language::System => settings.locale.starts_with("de"),
    };
    let place = match (&item.release, item.kind) {
        (Some(release), w::InboxKind::Sign | w::InboxKind::SignAgain) => w::Place::Sign { release: release.clone() },
        (Some(release), w::InboxKind::Rollout | w::InboxKind::FateUnknown | w::InboxKind::WaveVerdict) => {
            w::Place::Release { release: release.clone(), tab: w::ReleaseTab::Rollout }
        }
        (Some(release), _) => w::Place::Release { release: release.clone(), tab: w::ReleaseTab::Decision },
        (None, _) => w::Place::Inbox {},
    };
    let about = match (&item.product, &item.version) {
        (Some(product), Some(version)) => format!("{product} {version}"),
        (Some(product), None) => product.clone(),
        _ => String::new(),
    };
    let say = |english: &str, german_text: &str| if german { german_text.to_owned() } else { english.to_owned() };
    let title = match (kind, item.kind) {
        (NoticeKind::Due, _) if item.overdue => say("Overdue", "Überfällig"),
        (NoticeKind::Due, _) => say("Due soon", "Bald fällig"),
        (_, w::InboxKind::Sign) if item.last_signature => {
            say("Yours is the last signature", "Ihre Unterschrift ist die letzte")
        }
        (_, w::InboxKind::Sign) => say("Your signature is asked", "Ihre Unterschrift wird erbeten"),
        (_, w::InboxKind::SignAgain) => say("Your signature is stale", "Ihre Unterschrift gilt nicht mehr"),
        (_, w::InboxKind::Dispatch) => {
            say("Signed: the rollout may start", "Unterschrieben: der Rollout kann beginnen")
        }
        (_, w::InboxKind::FateUnknown) => say("Nobody knows whether it runs", "Niemand weiß, ob es läuft"),
        (NoticeKind::Rollout, _) => say("A rollout stopped", "Ein Rollout steht"),
        (_, w::InboxKind::Answer) => say("A question waits for you", "Eine Frage wartet auf Sie"),
        _ => say("Something waits for you", "Etwas wartet auf Sie"),
    };
    let by = item.asked_by.map(|by| by.name);
    let body = match (about.is_empty(), by, item.quote) {
        (false, Some(by), _) => format!("{about} · {by}"),
        (false, None, Some(quote)) => format!("{about} · {quote}"),
        (false, None, None) => about,
        (true, Some(by), _) => by,
        (true, None, quote) => quote.unwrap_or_default(),
    };
    Notice { id, kind, release: item.release, title, body, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight() {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        let quiet = |now: &str| between(time(now), time("22:00"), time("07:00"));
        assert_eq!(
            ["21:59", "22:00", "03:00", "06:59", "07:00", "12:00"].map(quiet),
            [false, true, true, true, false, false]
        );
        assert!(between(time("12:30"), time("12:00"), time("13:00")));
    }
}
