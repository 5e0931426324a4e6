//! What happens when in a sample: steps of many releases, told one release at a time and done in the order of their moments.

use countersign_core::words::Timestamp;

use super::maker::Maker;
use crate::clock;
use crate::error::{CANCELLED, Error, ErrorKind};
use crate::ledger::Progress;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

type Step = Box<dyn FnOnce(&mut Maker) -> Result<(), Error>>;

/// Steps with their moments.
pub(super) struct Schedule {
    pub(super) now: Timestamp,
    steps: Vec<(Timestamp, Step)>,
}

impl Schedule {
    pub(super) fn until(now: Timestamp) -> Self {
        Self { now, steps: Vec::new() }
    }

    /// Has a step done at that moment.
    pub(super) fn at(&mut self, time: Timestamp, step: impl FnOnce(&mut Maker) -> Result<(), Error> + 'static) {
        self.steps.push((time, Box::new(step)));
    }

    /// Returns a moment so many working days ago, by UTC.
    pub(super) fn workday(&self, days: u32, hour: i64, minute: i64) -> Timestamp {
        let mut day = self.now.utc_day();
        let mut left = days;
        while left > 0 {
            day -= 1;
            if is_workday(day) {
                left -= 1;
            }
        }
        moment(day * DAY + hour * HOUR + minute * 60)
    }

    /// Returns a moment so many minutes ago.
    pub(super) fn ago(&self, minutes: i64) -> Timestamp {
        self.now.plus_seconds(-60 * minutes)
    }

    /// Does every step in its order; asks after each whether to go on.
    pub(super) fn run(self, maker: &mut Maker, go_on: Progress<'_>) -> Result<(), Error> {
        let Self { now, mut steps } = self;
        // Stable: what was told first comes first where moments are equal.
        steps.sort_by_key(|(time, _)| *time);
        let of = steps.len() as u64;
        for (done, (time, step)) in (0..).zip(steps) {
            if time > now {
                return Err(Error::new(ErrorKind::Integrity, "sample", format!("{time} lies after {now}")));
            }
            clock::drive(Some(time));
            maker.now = time;
            step(maker)?;
            if !go_on(done, of) {
                return Err(cancelled());
            }
        }
        Ok(())
    }
}

/// The error of what was stopped on request.
pub(super) fn cancelled() -> Error {
    Error::new(ErrorKind::No, CANCELLED, "the sample was not made: it was cancelled").hint("nothing of it is kept")
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_epoch_seconds(seconds).expect("a moment of this century")
}

/// 1970-01-01 was a Thursday.
fn is_workday(day: i64) -> bool {
    (day + 3).rem_euclid(7) < 5
}

/// Returns the moment itself where people are at work then, else the next morning they are.
pub(super) fn office(time: Timestamp) -> Timestamp {
    let mut day = time.utc_day();
    let seconds = time.epoch_seconds() - day * DAY;
    let morning = 7 * HOUR + 40 * 60;
    let seconds = match seconds {
        before if before < morning => morning,
        after if after > 17 * HOUR => {
            day += 1;
            morning
        }
        within => within,
    };
    if is_workday(day) {
        return moment(day * DAY + seconds);
    }
    while !is_workday(day) {
        day += 1;
    }
    moment(day * DAY + morning)
}
