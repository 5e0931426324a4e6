//! Go/no-go meetings: a roll is called, each seat answers on this desk one after the other, and what was said is kept.
//!
//! Deliberately absent: the answers themselves ([`crate::releases::sign`]); a meeting decides nothing.

use countersign_core::act::{Asked, Meeting, MeetingChange};
use countersign_core::judge;
use countersign_core::state::{MeetingRecord, Release, State};
use countersign_core::words::{EntryRef, Principal, ReleaseId, Slug, Text, Timestamp};
use serde::Serialize;

use crate::clock;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::people::Signing;
use crate::releases;

/// For how long each seat has the word when nobody says.
pub const SECONDS: u64 = 120;

/// A seat of the roll, as a list shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Seat {
    /// Its place, from 1.
    pub seat: u64,
    /// The role that is asked.
    pub role: Slug,
    /// The person, where one is called by name.
    pub person: Option<Principal>,
    /// Who answered, and how.
    pub answer: Option<SeatAnswer>,
    /// Whether the minutes name them absent.
    pub absent: bool,
}

/// What was said from a seat.
#[derive(Debug, Clone, Serialize)]
pub struct SeatAnswer {
    /// Who.
    pub principal: Principal,
    /// What.
    pub verdict: countersign_core::act::Verdict,
    /// By which entry.
    pub entry: u64,
}

/// A meeting, as a list shows it.
#[derive(Debug, Clone, Serialize)]
pub struct MeetingView {
    /// The entry that opened it.
    pub entry: u64,
    /// The sheet it is over.
    pub sheet: u64,
    /// Who opened it.
    pub by: Principal,
    /// When.
    pub opened: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// What was said.
    pub minutes: Option<Text>,
    /// For how many seconds each seat has the word.
    pub seconds: u64,
    /// The seats in their order.
    pub roll: Vec<Seat>,
}

impl MeetingView {
    fn new(release: &Release, record: &MeetingRecord) -> Self {
        let seat = |(place, called): (usize, judge::Called<'_>)| Seat {
            seat: place as u64 + 1,
            role: called.asked.role.clone(),
            person: called.asked.person.clone(),
            answer: called.answer.map(|answer| SeatAnswer {
                principal: answer.principal.clone(),
                verdict: answer.verdict,
                entry: answer.entry.index,
            }),
            absent: called.absent,
        };
        Self {
            entry: record.entry.index,
            sheet: record.sheet.index,
            by: record.by.clone(),
            opened: record.opened,
            closed: record.closed.as_ref().map(|closed| closed.time),
            minutes: record.closed.as_ref().map(|closed| closed.minutes.clone()),
            seconds: record.seconds,
            roll: judge::roll_call(release, record).into_iter().enumerate().map(seat).collect(),
        }
    }

    /// Returns whose turn it is: the first seat that has not answered, while the meeting is open.
    #[must_use]
    pub fn turn(&self) -> Option<&Seat> {
        self.roll.iter().find(|seat| seat.answer.is_none()).filter(|_| self.closed.is_none())
    }
}

/// Returns the meetings about a release, the first one first.
///
/// # Errors
/// There is no such release.
pub fn list(state: &State, id: &ReleaseId) -> Result<Vec<MeetingView>, Error> {
    let release = releases::find(state, id)?;
    Ok(release.meetings.iter().map(|record| MeetingView::new(release, record)).collect())
}

/// Opens a meeting over the current sheet. Without a roll every seat of the quorum that is still empty is called.
///
/// # Errors
/// Nobody is left to be called, or a rule refuses.
pub fn open(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    id: &ReleaseId,
    roll: Vec<Asked>,
    seconds: u64,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let state = ledger.state();
    let release = releases::find(state, id)?;
    let sheet = releases::current_sheet(release)?;
    let roll = if roll.is_empty() { empty_seats(state, release) } else { roll };
    let change = MeetingChange::Open { roll, seconds, sheet: sheet.entry };
    signing.record(ledger, Meeting { change, release: id.clone() })
}

/// Those who were asked by the sheet and have not answered, or else the empty seats of the quorum.
fn empty_seats(state: &State, release: &Release) -> Vec<Asked> {
    let Some(sheet) = release.sheet() else { return Vec::new() };
    let said = |asked: &&Asked| {
        let by = |who: &Principal| judge::standing_answer(release, sheet, who).is_some();
        !asked.person.as_ref().is_some_and(by)
    };
    let asked: Vec<Asked> = sheet.body.asked.iter().filter(said).cloned().collect();
    if !asked.is_empty() {
        return asked;
    }
    let slots = judge::decision(state, release, sheet, clock::now()).slots;
    let empty = |slot: judge::Slot| {
        let missing = slot.needed.saturating_sub(slot.signed.len() as u64);
        (0..missing).map(move |_| Asked { person: None, role: slot.role.clone() })
    };
    slots.into_iter().flat_map(empty).collect()
}

/// Closes the open meeting with its minutes: every seat that has not answered is named absent.
///
/// # Errors
/// No meeting is open, or a rule refuses.
pub fn close(ledger: &mut Ledger, signing: &mut Signing<'_>, id: &ReleaseId, minutes: Text) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let release = releases::find(ledger.state(), id)?;
    let open = release.meetings.iter().find(|meeting| meeting.closed.is_none()).ok_or_else(|| {
        Error::new(ErrorKind::No, "not_found", format!("no meeting about {id} is open"))
            .hint(format!("open one: `countersign meeting open {id}`"))
    })?;
    let called = judge::roll_call(release, open).into_iter().enumerate();
    let absent = called.filter(|(_, seat)| seat.answer.is_none()).map(|(place, _)| place as u64).collect();
    let change = MeetingChange::Close { absent, meeting: open.entry, minutes };
    signing.record(ledger, Meeting { change, release: id.clone() })
}
