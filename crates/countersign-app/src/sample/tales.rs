//! The releases of the sample, product by product: four months of them, and what is under way at this moment.

mod around;
mod clinical;

use countersign_core::act::WaveVerdict;

use super::files::Odd;
use super::goods::{DOSE, Goods, PUMP};
use super::maker::pick;
use super::rollouts::Course;
use super::schedule::Schedule;
use super::story::{PITCH, Pitch, Story};

/// How a release of the past ended.
#[derive(Debug, Clone, Copy)]
enum End {
    /// Everyone has it; nobody has looked back yet.
    Live,
    /// Everyone has it, and it was looked at.
    Reviewed(&'static str),
    /// This wave did not bake well, and what was out was taken back; the last is what came of it, where it was looked at.
    TakenBack(usize, &'static str, Option<&'static str>),
    /// The run of this wave failed, and what was out was taken back.
    Broken(usize, &'static str),
}

const WELL: End = End::Reviewed("No complaint in two weeks; nothing to add.");

const SKIPPED: &[Odd] = &[
    Odd::Skipped("answers over the old serial link", "the bench has no such port any more"),
    Odd::Skipped("keeps its limits at minus ten degrees", "the climate chamber is booked until Thursday"),
];
const FLAKY: &[Odd] = &[
    Odd::Flaky("recovers within a second when the link drops", "recovered after 1,212 ms"),
    Odd::Skipped("answers over the old serial link", "the bench has no such port any more"),
];

/// Evidence as the policy of the product asks for it, all green.
fn evidence(story: &mut Story<'_>, odd: &'static [Odd]) {
    let goods = story.goods;
    story.later(18).tests("unit.xml", odd);
    for name in goods.tests {
        story.later(26).tests(name, &[]);
    }
    story.later(7).scan(None).later(3).bill();
    if goods.slug == PUMP.slug {
        story.later(65).risk_review("dana", "risk-review.txt").later(30).confirm("alice", "qa");
    }
}

fn environments(story: &mut Story<'_>) {
    let path = story.goods.path;
    for environment in &path[..path.len() - 1] {
        story.later(22).deliver(environment);
    }
}

/// A release of the past, from its proposal to its end.
fn past(schedule: &mut Schedule, goods: &'static Goods, version: &'static str, policy: usize, day: u32, end: End) {
    told(schedule, goods, version, policy, day, usual(goods, version), end);
}

/// What is proposed as a rule: by whom, how much.
fn usual(goods: &Goods, version: &str) -> Pitch {
    let commits = 2 + pick(&format!("commits {} {version}", goods.slug), 9);
    let number = 20_000 + pick(&format!("change {} {version}", goods.slug), 9000) as u32;
    let registered = goods.slug == PUMP.slug || goods.slug == DOSE.slug;
    Pitch { commits, external: registered.then_some((number, "approved")), ..PITCH }
}

fn told(
    schedule: &mut Schedule,
    goods: &'static Goods,
    version: &'static str,
    policy: usize,
    day: u32,
    pitch: Pitch,
    end: End,
) {
    let minute = pick(&format!("minute {} {version}", goods.slug), 50) as i64;
    let at = schedule.workday(day, 8, minute);
    let mut story = Story::of(schedule, goods, version, policy, at);
    story.propose(pitch);
    let odd = [SKIPPED, &[], FLAKY, &[]][pick(version, 4)];
    evidence(&mut story, odd);
    environments(&mut story);
    story.soak().office().request("Proven on staging; asking for the decision", &[], None, None).quorum();
    match end {
        End::Live => {
            story.roll_out().announce("Users of the product", "released to everyone");
        }
        End::Reviewed(result) => {
            story.roll_out().later(20 * 60).office().close(goods.manager, result);
        }
        End::TakenBack(wave, why, result) => {
            for earlier in 0..wave {
                story.start().wave(Course::Good(6)).bake(earlier);
            }
            story.start().wave(Course::Good(6)).later(24);
            story.judge_wave(WaveVerdict::Fail, 9, why).later(6).halt("jo", why).later(9).roll_back();
            story.announce("Operations and support", "taken back; the version before is live again");
            if let Some(result) = result {
                story.later(25 * 60).office().close(goods.manager, result);
            }
        }
        End::Broken(wave, why) => {
            for earlier in 0..wave {
                story.start().wave(Course::Good(6)).bake(earlier);
            }
            story.start().wave(Course::Failed(4, why)).later(15).roll_back();
        }
    }
}

/// Tells of all releases.
pub(super) fn all(schedule: &mut Schedule) {
    clinical::pump(schedule);
    around::portal(schedule);
    clinical::laboratory(schedule);
    clinical::dosing(schedule);
    around::billing(schedule);
    around::telemetry(schedule);
}
