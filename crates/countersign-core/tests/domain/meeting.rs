//! The go/no-go meeting: who is called in which order, what each says, and who was not there.

use countersign_core::act::{Asked, Meeting, MeetingChange, Verdict};
use countersign_core::judge::{self, ReleaseState, SignOffState};
use countersign_core::rejection::Code;

use super::*;

type Seat = (&'static str, Option<&'static str>);

/// Opens a meeting over the current sheet.
pub(super) fn open(id: &'static str, seats: &'static [Seat]) -> Step {
    open_for(id, seats, 120)
}

fn open_for(id: &'static str, seats: &'static [Seat], seconds: u64) -> Step {
    step(RITA, move |world| {
        let seat = |(role, person): &Seat| Asked { person: person.map(word), role: word(role) };
        let sheet = world.sheet(id).entry;
        let change = MeetingChange::Open { roll: seats.iter().map(seat).collect(), seconds, sheet };
        Meeting { change, release: word(id) }.into()
    })
}

fn close(id: &'static str, absent: &'static [u64]) -> Step {
    step(RITA, move |world| {
        let meeting = world.release(id).meetings.last().expect("one was opened").entry;
        let minutes = word("the bearing was discussed");
        Meeting { change: MeetingChange::Close { absent: absent.to_vec(), meeting, minutes }, release: word(id) }.into()
    })
}

/// What each seat says: the verdict, nothing, or absent.
fn roll(world: &World) -> Vec<(Option<Verdict>, bool)> {
    let release = world.release("r1");
    let called = judge::roll_call(release, release.meetings.last().expect("one was opened"));
    called.iter().map(|seat| (seat.answer.map(|answer| answer.verdict), seat.absent)).collect()
}

const SEATS: &[Seat] = &[("security", Some(SAM)), ("qa", None)];

#[test]
fn each_seat_answers_in_the_meeting_or_is_named_absent() {
    let opened = given().ready("r1").when(open("r1", SEATS));
    assert_eq!(roll(&opened), [(None, false), (None, false)]);
    let one = opened
        .refuses_saying(Code::Field, "seat 1 (sam@acme.example) has neither answered", close("r1", &[1]))
        .when(go(SAM, "r1", "security"));
    assert_eq!(roll(&one), [(Some(Verdict::Go), false), (None, false)]);
    let one = one
        .refuses_saying(Code::Field, "seat 2 (qa) has neither answered", close("r1", &[]))
        .refuses_saying(Code::Field, "has answered and was not absent", close("r1", &[0, 1]))
        .refuses_saying(Code::Field, "each once", close("r1", &[1, 1]))
        .refuses_saying(Code::Field, "2 seats", close("r1", &[1, 2]));
    let closed = one.clone().when(close("r1", &[1])).refuses(Code::AlreadyDone, close("r1", &[1]));
    assert_eq!(roll(&closed), [(Some(Verdict::Go), false), (None, true)]);
    // A meeting decides nothing, ends nothing, and leaves every answer standing.
    let closed = closed.worth("r1", SAM, SignOffState::Valid, "").is("r1", ReleaseState::Ready);
    let later = closed.when(go(QUINN, "r1", "qa")).is("r1", ReleaseState::Authorized);
    assert_eq!(roll(&later), [(Some(Verdict::Go), false), (None, true)], "what is said afterwards is not in it");
    // In the meeting somebody thinks again: the last word counts.
    let both = one.when(answer(QUINN, "r1", "qa", Verdict::Hold)).when(go(QUINN, "r1", "qa"));
    assert_eq!(roll(&both.when(close("r1", &[]))), [(Some(Verdict::Go), false), (Some(Verdict::Go), false)]);
}

#[test]
fn what_was_said_before_the_meeting_is_not_said_in_it_and_a_named_seat_is_one_persons() {
    let world = given().ready("r1").when(go(QUINN, "r1", "qa"));
    let world = world.when(open("r1", &[("qa", Some(QUENTIN)), ("qa", None)])).when(go(BOTH, "r1", "qa"));
    assert_eq!(roll(&world), [(None, false), (Some(Verdict::Go), false)]);
    assert_eq!(roll(&world.when(go(QUENTIN, "r1", "qa"))), [(Some(Verdict::Go), false), (Some(Verdict::Go), false)]);
}

#[test]
fn a_meeting_is_called_over_a_sheet_that_can_be_signed_by_those_who_are_asked() {
    let world = given().ready("r1");
    world
        .clone()
        .refuses_saying(Code::NotFound, "does not ask safety", open("r1", &[("safety", None)]))
        .refuses_saying(Code::NotFound, "no person", open("r1", &[("qa", Some("nobody@acme.example"))]))
        .refuses(Code::RoleMissing, open("r1", &[("qa", Some(SAM))]))
        .refuses_saying(Code::Field, "called twice", open("r1", &[("qa", Some(BOTH)), ("security", Some(BOTH))]))
        .refuses_saying(Code::Field, "nobody is called", open("r1", &[]))
        .refuses_saying(Code::Field, "3600 seconds", open_for("r1", SEATS, 3601))
        .refuses(Code::RoleMissing, open("r1", SEATS).by(QUINN))
        .when(open("r1", SEATS))
        .refuses_saying(Code::AlreadyDone, "still open", open("r1", SEATS));
    world.clone().later(2 * 86_400).refuses(Code::Expired, open("r1", SEATS));
    world.when(amend("r1", |candidate| candidate.risk = None)).refuses(Code::Stale, open("r1", SEATS));
}
