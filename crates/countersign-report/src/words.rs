//! The word, the shape and the color of every state: never a color alone.

use crate::model::*;
use serde::Serialize;

/// What a color means; both renderings map it to their own palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tone {
    Go,
    Nogo,
    Hold,
    Stale,
    Wait,
}

/// A shape that tells a state without its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mark {
    Check,
    Cross,
    Bars,
    Half,
    Turn,
    Clock,
    Slash,
    Ring,
    Back,
    Question,
    Arrow,
}

#[cfg(test)]
pub(crate) const MARKS: [Mark; 11] = [
    Mark::Check,
    Mark::Cross,
    Mark::Bars,
    Mark::Half,
    Mark::Turn,
    Mark::Clock,
    Mark::Slash,
    Mark::Ring,
    Mark::Back,
    Mark::Question,
    Mark::Arrow,
];

/// A state as it is printed: shape, color, word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Badge {
    pub(crate) mark: Mark,
    pub(crate) tone: Tone,
    pub(crate) word: String,
}

fn badge(mark: Mark, tone: Tone, word: &str) -> Badge {
    Badge { mark, tone, word: word.to_owned() }
}

use Mark::{Arrow, Back, Bars, Check, Clock, Cross, Half, Question, Ring, Slash, Turn};

impl Verdict {
    /// The word people say.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::Hold => "HOLD",
            Self::ConditionalGo => "CONDITIONAL GO",
        }
    }

    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Go => badge(Check, Tone::Go, self.word()),
            Self::NoGo => badge(Cross, Tone::Nogo, self.word()),
            Self::Hold => badge(Bars, Tone::Hold, self.word()),
            Self::ConditionalGo => badge(Half, Tone::Hold, self.word()),
        }
    }
}

impl Decision {
    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Go => badge(Check, Tone::Go, "GO"),
            Self::NoGo => badge(Cross, Tone::Nogo, "NO-GO"),
            Self::Hold => badge(Bars, Tone::Hold, "HOLD"),
            Self::Stale => badge(Turn, Tone::Stale, "STALE"),
            Self::Awaiting => badge(Clock, Tone::Wait, "AWAITING"),
        }
    }
}

impl SignOffState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Incomplete => "INCOMPLETE",
            Self::Stale => "STALE",
            Self::Expired => "EXPIRED",
            Self::SignerLostRole => "SIGNER_LOST_ROLE",
            Self::KeyRevoked => "KEY_REVOKED",
            Self::SegregationFailed => "SEGREGATION_FAILED",
            Self::Invalid => "INVALID",
        }
    }

    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Valid => badge(Check, Tone::Go, self.word()),
            Self::Incomplete => badge(Clock, Tone::Wait, self.word()),
            Self::Stale => badge(Turn, Tone::Stale, self.word()),
            Self::Expired => badge(Clock, Tone::Stale, self.word()),
            Self::SignerLostRole | Self::KeyRevoked | Self::SegregationFailed => badge(Slash, Tone::Nogo, self.word()),
            Self::Invalid => badge(Cross, Tone::Nogo, self.word()),
        }
    }

    /// What the state means, for the key at the end of the report.
    pub(crate) fn explained(self) -> &'static str {
        match self {
            Self::Valid => {
                "The signature is this person’s, over these bytes, in a role held at that entry, and nothing it covers has moved since."
            }
            Self::Incomplete => "What is there is sound; something that it needs is not there yet.",
            Self::Stale => "Something that was signed has moved since. The entry that moved it is named.",
            Self::Expired => "Its time ended before it was used.",
            Self::SignerLostRole => "The signer did not hold the role when it was counted.",
            Self::KeyRevoked => "The key had been revoked at an earlier entry.",
            Self::SegregationFailed => "The signer also did work that policy keeps for another person.",
            Self::Invalid => "It is not a signature of this person over these bytes.",
        }
    }

    pub(crate) const ALL: [Self; 8] = [
        Self::Valid,
        Self::Incomplete,
        Self::Stale,
        Self::Expired,
        Self::SignerLostRole,
        Self::KeyRevoked,
        Self::SegregationFailed,
        Self::Invalid,
    ];
}

impl VerificationVerdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
        }
    }

    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Valid => badge(Check, Tone::Go, self.word()),
            Self::Incomplete => badge(Half, Tone::Hold, self.word()),
            Self::Invalid => badge(Cross, Tone::Nogo, self.word()),
        }
    }
}

impl Meaning {
    /// The meaning as the law asks it to be printed.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Authorship => "Authorship: made by the signer",
            Self::Review => "Review: examined by the signer",
            Self::Verification => "Verification: checked against what was asked",
            Self::Approval => "Approval: decides on the release",
            Self::Certification => "Certification: certifies as qualified person",
            Self::Responsibility => "Responsibility: answers for the release",
            Self::Rejection => "Rejection: refuses the release",
        }
    }
}

impl Reauth {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Prompt => "passphrase typed at a prompt for this signature",
            Self::File => "passphrase read from a file",
            Self::Agent => "signed by a key agent",
        }
    }
}

impl SeenBasis {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Full => "whole history verified: this signature seals it",
            Self::Proofs => "proofs of the request only: this signature does not seal history",
        }
    }
}

impl KeyOrigin {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::MadeHere => "made here",
            Self::ImportedPublicKey => "imported public key",
        }
    }
}

impl ReleaseState {
    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Draft => badge(Ring, Tone::Wait, "draft"),
            Self::Collecting => badge(Clock, Tone::Wait, "collecting"),
            Self::Halted => badge(Cross, Tone::Nogo, "halted"),
            Self::Staged => badge(Clock, Tone::Wait, "staged"),
            Self::Ready => badge(Clock, Tone::Wait, "ready"),
            Self::OnHold => badge(Bars, Tone::Hold, "on hold"),
            Self::NoGo => badge(Cross, Tone::Nogo, "no-go"),
            Self::Authorized => badge(Check, Tone::Go, "authorized"),
            Self::Dispatching => badge(Arrow, Tone::Wait, "dispatching"),
            Self::RollingOut => badge(Arrow, Tone::Wait, "rolling out"),
            Self::RolloutHalted => badge(Bars, Tone::Nogo, "rollout halted"),
            Self::Live => badge(Check, Tone::Go, "live"),
            Self::RolledBack => badge(Back, Tone::Nogo, "rolled back"),
            Self::Reviewed => badge(Check, Tone::Go, "reviewed"),
            Self::Superseded => badge(Turn, Tone::Stale, "superseded"),
            Self::Expired => badge(Clock, Tone::Stale, "expired"),
            Self::Withdrawn => badge(Slash, Tone::Stale, "withdrawn"),
        }
    }
}

impl ChangeType {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }
}

impl CommitSource {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Stated => "stated by the file itself",
            Self::Run => "claimed by the run",
            Self::Claimed => "claimed by a person",
        }
    }
}

impl EvidenceKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Cyclonedx => "cyclonedx",
            Self::Manual => "manual",
        }
    }
}

impl Conclusion {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Missing => "missing",
        }
    }

    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Pass => badge(Check, Tone::Go, self.word()),
            Self::Fail => badge(Cross, Tone::Nogo, self.word()),
            Self::Inconclusive => badge(Question, Tone::Hold, self.word()),
            Self::Missing => badge(Ring, Tone::Hold, self.word()),
        }
    }
}

impl Counts {
    /// The figures with their words, the same in every rendering.
    pub(crate) fn text(&self) -> String {
        let parts: Vec<(u64, &str)> = match *self {
            Self::Tests { total, passed, failed, errors, skipped, flaky } => {
                vec![
                    (total, "tests"),
                    (passed, "passed"),
                    (failed, "failed"),
                    (errors, "errors"),
                    (skipped, "skipped"),
                    (flaky, "flaky"),
                ]
            }
            Self::Findings { error, warning, note, none, suppressed } => {
                vec![(error, "error"), (warning, "warning"), (note, "note"), (none, "none"), (suppressed, "suppressed")]
            }
            Self::Components { components, vulnerabilities } => {
                vec![(components, "components"), (vulnerabilities, "vulnerabilities")]
            }
            Self::File { bytes } => vec![(bytes, "bytes")],
        };
        parts.iter().map(|(figure, word)| format!("{figure} {word}")).collect::<Vec<_>>().join(" · ")
    }
}

impl Freeze {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Before => "in the frozen set",
            Self::After => "after freeze, unsigned",
            Self::Open => "not frozen yet",
        }
    }
}

impl Availability {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Available => "available".to_owned(),
            Self::Missing => "unavailable: its bytes are missing".to_owned(),
            Self::Removed { entry } => format!("removed by entry {entry}"),
        }
    }
}

impl WaveVerdict {
    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::Promoted => badge(Check, Tone::Go, "promoted"),
            Self::Held => badge(Bars, Tone::Hold, "held"),
            Self::Halted => badge(Cross, Tone::Nogo, "halted"),
            Self::RolledBack => badge(Back, Tone::Nogo, "rolled back"),
            Self::Baking => badge(Clock, Tone::Wait, "baking"),
        }
    }
}

impl DispatchState {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Prepared => "prepared".to_owned(),
            Self::Sending => "sending, durable before the first byte".to_owned(),
            Self::Accepted => "accepted".to_owned(),
            Self::Refused { reason } => format!("refused: {reason}"),
            Self::FateUnknown { reason } => format!("fate unknown: {reason}"),
            Self::Bound { run } => format!("bound to run {run}"),
            Self::Watching => "watching".to_owned(),
            Self::Finished { conclusion } => format!("finished: {}", conclusion.word()),
            Self::Cancelled { reason } => format!("cancelled: {reason}"),
        }
    }
}

impl AdverseKind {
    pub(crate) fn badge(self) -> Badge {
        match self {
            Self::NoGo => badge(Cross, Tone::Nogo, "NO-GO"),
            Self::Held => badge(Bars, Tone::Hold, "held"),
            Self::Halted => badge(Cross, Tone::Nogo, "halted"),
            Self::RolloutHalted => badge(Bars, Tone::Nogo, "rollout halted"),
            Self::RolledBack => badge(Back, Tone::Nogo, "rolled back"),
            Self::FateUnknown => badge(Question, Tone::Hold, "fate unknown"),
            Self::RunFailed => badge(Cross, Tone::Nogo, "run failed"),
            Self::Waived => badge(Slash, Tone::Hold, "waived"),
            Self::RedRerun => badge(Turn, Tone::Hold, "red, re-run"),
            Self::SignOffVoid => badge(Turn, Tone::Stale, "sign-off void"),
            Self::Refused => badge(Slash, Tone::Nogo, "refused"),
            Self::FailedAttempt => badge(Slash, Tone::Nogo, "failed attempt"),
            Self::NotAdmitted => badge(Cross, Tone::Nogo, "not admitted"),
            Self::ClockSuspect => badge(Clock, Tone::Hold, "clock suspect"),
            Self::Unexplained => badge(Question, Tone::Nogo, "unexplained deployment"),
            Self::Overdue => badge(Clock, Tone::Hold, "overdue"),
        }
    }
}

impl KeyStatus {
    pub(crate) fn badge(&self) -> Badge {
        match self {
            Self::InForce => badge(Check, Tone::Go, "in force"),
            Self::DueSoon { days } => badge(Clock, Tone::Hold, &format!("ends in {days} days")),
            Self::Expired => badge(Clock, Tone::Stale, "expired"),
            Self::Rotated { entry } => badge(Turn, Tone::Stale, &format!("replaced by entry {entry}")),
            Self::Revoked { entry, .. } => badge(Slash, Tone::Nogo, &format!("revoked by entry {entry}")),
        }
    }
}

impl AuthorizationState {
    pub(crate) fn badge(&self) -> Badge {
        match self {
            Self::InForce => badge(Check, Tone::Go, "in force"),
            Self::Suspended { entry, .. } => badge(Bars, Tone::Hold, &format!("suspended by entry {entry}")),
            Self::Void { .. } => badge(Slash, Tone::Nogo, "void"),
            Self::Expired => badge(Clock, Tone::Stale, "expired"),
        }
    }
}

impl DevicePurpose {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Dispatcher => "dispatcher",
        }
    }
}

impl DeviceKeyStore {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::SecretService => "secret service",
            Self::File => "file, weaker",
            Self::Unknown => "not recorded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_word_is_the_word_in_json() {
        for verdict in [Verdict::Go, Verdict::NoGo, Verdict::Hold, Verdict::ConditionalGo] {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
        }
        for state in SignOffState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        for decision in [Decision::Go, Decision::NoGo, Decision::Hold, Decision::Stale, Decision::Awaiting] {
            assert_eq!(serde_json::to_value(decision).unwrap(), decision.badge().word);
        }
    }

    #[test]
    fn only_what_counts_wears_the_color_of_go() {
        for state in SignOffState::ALL {
            assert_eq!(state.badge().tone == Tone::Go, state == SignOffState::Valid, "{}", state.word());
        }
        for verdict in [Verdict::NoGo, Verdict::Hold, Verdict::ConditionalGo] {
            assert_ne!(verdict.badge().tone, Tone::Go, "{}", verdict.word());
        }
        for conclusion in [Conclusion::Fail, Conclusion::Inconclusive, Conclusion::Missing] {
            assert_ne!(conclusion.badge().tone, Tone::Go, "{}", conclusion.word());
        }
    }

    #[test]
    fn go_no_go_hold_and_stale_differ_in_shape_and_in_color() {
        let badges = [Verdict::Go.badge(), Verdict::NoGo.badge(), Verdict::Hold.badge(), SignOffState::Stale.badge()];
        for (at, one) in badges.iter().enumerate() {
            for other in &badges[at + 1..] {
                assert!(one.mark != other.mark && one.tone != other.tone, "{} and {}", one.word, other.word);
            }
        }
    }
}
