//! What a policy asks of emergency changes, and when it lets anything out: windows, and who is exempt from freezes.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{PolicyError, QuorumRule, SECONDS_MAX};
use crate::act::{Window, closed_words};
use crate::recurrence::{Recurs, Span};
use crate::words::{Line, Timestamp, Zone, role};

/// What an emergency change asks for in place of the usual.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Who signs: at least two people together.
    pub quorum: Vec<QuorumRule>,
    /// The gates that are still asked for, `staging` and `fields` among them where they are; all when absent. A red one
    /// halts whether it is asked for or not.
    pub gates: Option<BTreeSet<Line>>,
    /// Within how many working days after it went out it is reviewed; until then is due at the end of that day, in UTC.
    #[serde(default = "two")]
    pub review_working_days: u64,
}

fn two() -> u64 {
    2
}

closed_words!(
    /// What a freeze, and the windows of a policy, do not stop.
    Exempt {
        /// Taking a rollout back.
        Rollback = "rollback",
        /// An emergency change.
        Emergency = "emergency",
    }
);

/// What the calendar does not stop.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarRule {
    /// Who is exempt.
    pub exempt: BTreeSet<Exempt>,
}

/// A time in which dispatch behind the go/no-go is allowed; where a policy has one, it is allowed in no other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRule {
    /// When it first begins.
    pub begins: Timestamp,
    /// How long it is open.
    pub minutes: u64,
    /// How it comes again (RFC 5545); with `zone`.
    pub rule: Option<Line>,
    /// The zone whose wall clock it goes by; with `rule`.
    pub zone: Option<Zone>,
}

impl WindowRule {
    /// Returns it as a span.
    ///
    /// # Errors
    /// The rule is not read, or does not name the day it begins.
    pub fn span(&self) -> Result<Span, PolicyError> {
        let wrong = |message: String| PolicyError::Unsatisfiable(format!("window from {}: {message}", self.begins));
        if self.minutes == 0 || self.minutes > SECONDS_MAX / 60 {
            return Err(wrong("minutes lie between 1 and a year".into()));
        }
        let until = self.begins.plus_seconds(i64::try_from(self.minutes * 60).unwrap_or(i64::MAX) - 1);
        let recurs = match (&self.rule, self.zone) {
            (Some(rule), Some(zone)) => Some(Recurs { rule: rule.clone(), zone }),
            (None, None) => None,
            _ => return Err(wrong("rule and zone go together".into())),
        };
        Span::new(Window { from: self.begins, until }, recurs.as_ref()).map_err(|error| wrong(error.to_string()))
    }
}

/// Checks the parts of a policy that are read here.
pub(super) fn check(policy: &super::Policy) -> Result<(), PolicyError> {
    let refuse = |message: String| Err(PolicyError::Unsatisfiable(message));
    for window in &policy.windows {
        window.span()?;
    }
    if policy.no_go_count.is_some_and(|count| count == 0 || count > 100) {
        return refuse("no_go_count must lie between 1 and 100".into());
    }
    let Some(emergency) = &policy.emergency else { return Ok(()) };
    let mut roles = BTreeSet::new();
    for rule in &emergency.quorum {
        if rule.count == 0 || rule.count > 100 {
            return refuse(format!("emergency quorum role {}: count must lie between 1 and 100", rule.role));
        }
        if rule.role.as_str() == role::PRACTITIONER || rule.role.as_str() == role::AUDITOR {
            return refuse(format!("emergency quorum role {}: this role does not approve", rule.role));
        }
        if !roles.insert(&rule.role) {
            return refuse(format!("emergency quorum role {} is named twice; give one rule with the sum", rule.role));
        }
    }
    if emergency.quorum.iter().map(|rule| rule.count).sum::<u64>() < 2 {
        return refuse("an emergency change is signed by two people at least: its quorum asks for fewer".into());
    }
    let known = |gate: &Line| {
        super::RESERVED_GATES.contains(&gate.as_str()) || policy.evidence.iter().any(|rule| rule.gate == *gate)
    };
    if let Some(unknown) = emergency.gates.iter().flatten().find(|gate| !known(gate)) {
        return refuse(format!("emergency gate {unknown} is none of this policy"));
    }
    if !(1..=30).contains(&emergency.review_working_days) {
        return refuse("review_working_days must lie between 1 and 30".into());
    }
    Ok(())
}

impl super::Policy {
    /// Returns whether the calendar does not stop it. What is not said: a rollback is exempt, nothing else is.
    pub fn exempts(&self, what: Exempt) -> bool {
        self.calendar.as_ref().map_or(what == Exempt::Rollback, |calendar| calendar.exempt.contains(&what))
    }

    /// Returns the version of the admission rules that know every part of this text.
    pub fn needs_rules(&self) -> u32 {
        if super::refine::newer(self) { 2 } else { 1 }
    }
}

/// Returns whether a part that is read here is unknown to rules before 2.
pub(super) fn newer(policy: &super::Policy) -> bool {
    policy.emergency.is_some()
        || policy.calendar.is_some()
        || !policy.windows.is_empty()
        || policy.hold_answered
        || policy.no_go_count.is_some()
}
