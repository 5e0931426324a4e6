//! Who was called in a go/no-go meeting, and what each said.

use super::*;
use crate::act::Asked;
use crate::state::MeetingRecord;

/// A seat of a meeting, called in its turn.
#[derive(Debug, Clone)]
pub struct Called<'a> {
    /// Whom it is for.
    pub asked: &'a Asked,
    /// What they said in the meeting.
    pub answer: Option<&'a SignOff>,
    /// Whether the minutes name them absent.
    pub absent: bool,
}

/// Returns the seats of the meeting in their order, each with the last answer somebody gave in it from the opening to the
/// close. One person sits in one seat.
pub fn roll_call<'a>(release: &'a Release, meeting: &'a MeetingRecord) -> Vec<Called<'a>> {
    let answers: &[SignOff] = release.sheet_at(meeting.sheet).map_or(&[], |sheet| &sheet.answers);
    let over = meeting.closed.as_ref().map_or(u64::MAX, |closed| closed.entry.index);
    let said = answers.iter().filter(|answer| (meeting.entry.index + 1..over).contains(&answer.entry.index));
    let said: Vec<&SignOff> = said.collect();
    let named = |who: &Principal| meeting.roll.iter().any(|seat| seat.person.as_ref() == Some(who));
    let mut seated = BTreeSet::new();
    let mut called = Vec::new();
    for (place, asked) in meeting.roll.iter().enumerate() {
        let fits = |answer: &&&SignOff| {
            answer.role == asked.role
                && !seated.contains(&answer.principal)
                && match &asked.person {
                    Some(who) => answer.principal == *who,
                    None => !named(&answer.principal),
                }
        };
        let first = said.iter().find(fits).map(|answer| &answer.principal);
        let last =
            first.and_then(|who| said.iter().rfind(|answer| answer.principal == *who && answer.role == asked.role));
        seated.extend(first.cloned());
        let absent = meeting.closed.as_ref().is_some_and(|closed| closed.absent.contains(&(place as u64)));
        called.push(Called { asked, answer: last.copied(), absent });
    }
    called
}
