//! The rules over go/no-go meetings: who is called, and that nobody who was called is left out of the record.

use super::*;
use crate::act::{self, Asked, MeetingChange};

/// The longest time a seat may have the word for.
const SECONDS_MAX: u64 = 3600;

pub(super) fn meeting(case: &Case<'_>, body: &act::Meeting) -> Result<(), Rejection> {
    case.since(2, false, "a meeting")?;
    let release = case.release(&body.release)?;
    case.may(Deed::Meeting, Some(&release.candidate.product))?;
    match &body.change {
        MeetingChange::Open { roll, seconds, sheet } => open(case, release, roll, *seconds, *sheet),
        MeetingChange::Close { absent, meeting, .. } => close(release, absent, *meeting),
    }
}

fn open(case: &Case<'_>, release: &Release, roll: &[Asked], seconds: u64, sheet: EntryRef) -> Result<(), Rejection> {
    let sheet = sheet::current_sheet(release, sheet)?;
    sheet::ensure_after(Some(sheet), case.at)?;
    judge::ensure_signable(case.state, release, sheet, case.at)?;
    let open = release.meetings.iter().find(|meeting| meeting.closed.is_none());
    ensure(open.is_none(), Code::AlreadyDone, || {
        format!("the meeting of {} is still open", open.map(|meeting| meeting.entry.to_string()).unwrap_or_default())
    })
    .map_err(|rejection| rejection.hint(format!("close it: `countersign meeting close {}`", release.id)))?;
    ensure((1..=SECONDS_MAX).contains(&seconds), Code::Field, || {
        format!("each has the word for 1 to {SECONDS_MAX} seconds")
    })?;
    ensure(!roll.is_empty(), Code::Field, || "nobody is called".into())?;
    let product = &release.candidate.product;
    let policy = case.state.policy_of(release);
    for (place, seat) in roll.iter().enumerate() {
        ensure(policy.as_ref().is_some_and(|policy| policy.asks(&seat.role)), Code::NotFound, || {
            format!("the policy does not ask {} to sign", seat.role)
        })?;
        let Some(who) = &seat.person else { continue };
        let twice = roll[..place].iter().any(|other| other.person.as_ref() == Some(who));
        ensure(!twice, Code::Field, || format!("{who} is called twice"))?;
        let person = case.state.people.get(who);
        let person = person.ok_or_else(|| not_found(format!("there is no person {who} to be called")))?;
        ensure_role(person, &[seat.role.as_str()], Some(product), case.at)?;
    }
    Ok(())
}

fn close(release: &Release, absent: &[u64], meeting: EntryRef) -> Result<(), Rejection> {
    let record = release.meetings.iter().find(|record| record.entry == meeting);
    let record = record.ok_or_else(|| not_found(format!("{meeting} is no meeting about {}", release.id)))?;
    ensure(record.closed.is_none(), Code::AlreadyDone, || "it was closed already".into())?;
    ensure(absent.windows(2).all(|pair| pair[0] < pair[1]), Code::Field, || {
        "the absent are named in the order of the roll, each once".into()
    })?;
    let called = judge::roll_call(release, record);
    for (place, seat) in called.iter().enumerate() {
        let named = absent.contains(&(place as u64));
        let whom = || seat.asked.person.as_ref().map_or_else(|| seat.asked.role.to_string(), ToString::to_string);
        ensure(named != seat.answer.is_some(), Code::Field, || {
            if named {
                format!("seat {} ({}) has answered and was not absent", place + 1, whom())
            } else {
                format!("seat {} ({}) has neither answered nor is named absent", place + 1, whom())
            }
        })?;
    }
    ensure(absent.iter().all(|place| *place < called.len() as u64), Code::Field, || {
        format!("there are {} seats", called.len())
    })
}
