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

impl Mark {
    pub(crate) const ALL: [Self; 11] = [
        Self::Check,
        Self::Cross,
        Self::Bars,
        Self::Half,
        Self::Turn,
        Self::Clock,
        Self::Slash,
        Self::Ring,
        Self::Back,
        Self::Question,
        Self::Arrow,
    ];
}

/// A state as it is printed: shape, color, word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Badge {
    pub(crate) mark: Mark,
    pub(crate) tone: Tone,
    pub(crate) word: String,
}

fn badge(mark: Mark, tone: Tone, word: impl Into<String>) -> Badge {
    Badge { mark, tone, word: word.into() }
}

use Mark::{Arrow, Back, Bars, Check, Clock, Cross, Half, Question, Ring, Slash, Turn};

/// A value that is printed as a badge.
pub(crate) trait Badged {
    /// Returns its shape, color and word.
    fn badge(&self) -> Badge;
}

/// The answer as people say it.
pub(crate) fn verdict(it: Verdict) -> &'static str {
    match it {
        Verdict::Go => "GO",
        Verdict::NoGo => "NO-GO",
        Verdict::Hold => "HOLD",
        Verdict::ConditionalGo => "CONDITIONAL GO",
        Verdict::Withdrawn => "WITHDRAWN",
    }
}

impl Badged for Verdict {
    fn badge(&self) -> Badge {
        let word = verdict(*self);
        match self {
            Self::Go => badge(Check, Tone::Go, word),
            Self::NoGo => badge(Cross, Tone::Nogo, word),
            Self::Hold => badge(Bars, Tone::Hold, word),
            Self::ConditionalGo => badge(Half, Tone::Hold, word),
            Self::Withdrawn => badge(Slash, Tone::Wait, word),
        }
    }
}

impl Badged for Decision {
    fn badge(&self) -> Badge {
        match self {
            Self::Go => badge(Check, Tone::Go, "GO"),
            Self::NoGo => badge(Cross, Tone::Nogo, "NO-GO"),
            Self::Hold => badge(Bars, Tone::Hold, "HOLD"),
            Self::Stale => badge(Turn, Tone::Stale, "STALE"),
            Self::Expired => badge(Clock, Tone::Stale, "EXPIRED"),
            Self::Awaiting => badge(Clock, Tone::Wait, "AWAITING"),
        }
    }
}

impl Badged for SignOffState {
    fn badge(&self) -> Badge {
        let word = self.as_str();
        match self {
            Self::Valid => badge(Check, Tone::Go, word),
            Self::Incomplete => badge(Clock, Tone::Wait, word),
            Self::Stale => badge(Turn, Tone::Stale, word),
            Self::Expired => badge(Clock, Tone::Stale, word),
            Self::SignerLostRole | Self::KeyRevoked | Self::SegregationFailed => badge(Slash, Tone::Nogo, word),
            Self::Invalid => badge(Cross, Tone::Nogo, word),
        }
    }
}

/// What stands in place of the state of an answer that its signer took back.
pub(crate) fn replaced() -> Badge {
    badge(Turn, Tone::Stale, "REPLACED")
}

/// What the state of a sign-off means.
pub(crate) fn explained(it: SignOffState) -> &'static str {
    match it {
        SignOffState::Valid => {
            "The signature is this person’s, over these bytes, in a role held at that entry, and nothing it covers has moved since."
        }
        SignOffState::Incomplete => "What is there is sound; something that it rests on is absent.",
        SignOffState::Stale => "Something that was signed has moved since. What moved is named.",
        SignOffState::Expired => "Its time ended before it was used.",
        SignOffState::SignerLostRole => "The signer did not hold the role when it was counted.",
        SignOffState::KeyRevoked => "The signer’s key was revoked.",
        SignOffState::SegregationFailed => {
            "The signer had another part in the release that policy keeps for somebody else."
        }
        SignOffState::Invalid => "It was never admitted: forged, altered or against the rules.",
    }
}

impl VerificationVerdict {
    /// The word of `countersign verify`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
        }
    }
}

impl Badged for VerificationVerdict {
    fn badge(&self) -> Badge {
        match self {
            Self::Valid => badge(Check, Tone::Go, self.word()),
            Self::Incomplete => badge(Half, Tone::Hold, self.word()),
            Self::Invalid => badge(Cross, Tone::Nogo, self.word()),
        }
    }
}

/// The meaning of a signature as 21 CFR 11.50 asks it to be printed.
pub(crate) fn meaning(it: Meaning) -> &'static str {
    match it {
        Meaning::Approval => "Approval: decides on the release",
        Meaning::Review => "Review: examined what is named",
        Meaning::Authorship => "Authorship: made what is named",
        Meaning::Responsibility => "Responsibility: answers for what is named",
        Meaning::Certification => "Certification: certifies the batch for release",
        Meaning::Confirmation => "Confirmation: confirms what another person did",
    }
}

/// How the signer was present.
pub(crate) fn presence(it: Option<Reauth>) -> &'static str {
    match it {
        Some(Reauth::Prompt) => "passphrase typed at a prompt for this signature",
        Some(Reauth::File) => "passphrase read from a file",
        Some(Reauth::Agent) => "signed by a key agent",
        None => "not stated",
    }
}

/// A number with the noun it counts: `1 commit`, `2 commits`, `1 entry`, `2 entries`.
pub(crate) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

/// The entries a line rests on: `entry 19`, `entries 19, 20`.
pub(crate) fn entries(list: &[u64]) -> String {
    let names: Vec<String> = list.iter().map(u64::to_string).collect();
    format!("{} {}", if list.len() == 1 { "entry" } else { "entries" }, names.join(", "))
}

/// What the signer had seen, in a clause.
pub(crate) fn seen(it: &Seen) -> String {
    let basis = match it.basis {
        Some(SeenBasis::Full) => "whole history verified, which this signature seals",
        Some(SeenBasis::Proofs) => "proofs of the request only, so this signature does not seal history",
        None => "how much of it was verified is not stated",
    };
    format!("{}, {basis}", count(it.size, "entry"))
}

/// Where a key was made.
pub(crate) fn key_origin(it: KeyOrigin) -> &'static str {
    match it {
        KeyOrigin::MadeHere => "made here",
        KeyOrigin::Imported => "imported public key",
    }
}

impl Badged for ReleaseState {
    fn badge(&self) -> Badge {
        let word = self.as_str().replace('_', " ");
        match self {
            Self::Draft => badge(Ring, Tone::Wait, word),
            Self::Collecting | Self::Staged | Self::Ready => badge(Clock, Tone::Wait, word),
            Self::Halted => badge(Cross, Tone::Nogo, word),
            Self::OnHold => badge(Bars, Tone::Hold, word),
            Self::NoGo => badge(Cross, Tone::Nogo, "no-go"),
            Self::Authorized | Self::Live => badge(Check, Tone::Go, word),
            // A rollout that failed is reviewed as well: the sentence beside it says how it ended.
            Self::Reviewed => badge(Check, Tone::Stale, word),
            Self::Dispatching | Self::RollingOut => badge(Arrow, Tone::Wait, word),
            Self::RolloutHalted => badge(Bars, Tone::Nogo, word),
            Self::RolledBack => badge(Back, Tone::Nogo, word),
            Self::Superseded => badge(Turn, Tone::Stale, word),
            Self::Expired => badge(Clock, Tone::Stale, word),
            Self::Withdrawn => badge(Slash, Tone::Stale, word),
        }
    }
}

/// Who says which commit it is.
pub(crate) fn commit_source(it: CommitSource) -> &'static str {
    match it {
        CommitSource::File => "stated by the file itself",
        CommitSource::Run => "claimed by the run",
        CommitSource::Attacher => "claimed by a person",
    }
}

impl Badged for Conclusion {
    fn badge(&self) -> Badge {
        let word = self.as_str();
        match self {
            Self::Pass => badge(Check, Tone::Go, word),
            Self::Fail => badge(Cross, Tone::Nogo, word),
            Self::Inconclusive => badge(Question, Tone::Hold, word),
            Self::Missing => badge(Ring, Tone::Hold, word),
        }
    }
}

/// The figures with their words, the same in every rendering.
pub(crate) fn counts(it: &Counts) -> String {
    let parts: &[(u64, &str)] = match *it {
        Counts::Tests { total, passed, failed, errors, skipped, flaky } => &[
            (total, "tests"),
            (passed, "passed"),
            (failed, "failed"),
            (errors, "errors"),
            (skipped, "skipped"),
            (flaky, "flaky"),
        ],
        Counts::Findings { error, warning, note, none, suppressed } => {
            &[(error, "error"), (warning, "warning"), (note, "note"), (none, "none"), (suppressed, "suppressed")]
        }
        Counts::Components { components, vulnerabilities } => {
            &[(components, "components"), (vulnerabilities, "vulnerabilities")]
        }
        Counts::File { bytes } => &[(bytes, "bytes")],
    };
    parts.iter().map(|(figure, word)| format!("{figure} {word}")).collect::<Vec<_>>().join(" · ")
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
            Self::Unreadable => "there, but it cannot be read here".to_owned(),
            Self::Removed { entry } => format!("removed by entry {entry}"),
        }
    }
}

/// The verdict over a wave; none while it bakes.
pub(crate) fn wave(it: Option<WaveVerdict>) -> Badge {
    match it {
        Some(WaveVerdict::Pass) => badge(Check, Tone::Go, "pass"),
        Some(WaveVerdict::Fail) => badge(Cross, Tone::Nogo, "fail"),
        Some(WaveVerdict::Inconclusive) => badge(Question, Tone::Hold, "inconclusive"),
        None => badge(Clock, Tone::Wait, "baking"),
    }
}

/// One line of the journal: the state, and what more is known.
pub(crate) fn journal(it: &JournalLine) -> (&'static str, String) {
    let (state, more) = match it.state {
        DispatchState::Sending => ("sending", ", durable before the first byte"),
        DispatchState::FateUnknown => ("fate unknown", ""),
        other => (other.as_str(), ""),
    };
    let conclusion = it.conclusion.map(|it| format!(", {}", it.as_str().replace('_', " "))).unwrap_or_default();
    let detail = it.detail.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
    (state, format!("{more}{conclusion}{detail}"))
}

impl Badged for AdverseKind {
    fn badge(&self) -> Badge {
        match self {
            Self::NoGo => badge(Cross, Tone::Nogo, "NO-GO"),
            Self::RedEvidence => badge(Cross, Tone::Nogo, "red evidence"),
            Self::Held => badge(Bars, Tone::Hold, "held"),
            Self::Halted => badge(Cross, Tone::Nogo, "halted"),
            Self::RolloutHalted => badge(Bars, Tone::Nogo, "rollout halted"),
            Self::RolledBack => badge(Back, Tone::Nogo, "rolled back"),
            Self::FateUnknown => badge(Question, Tone::Hold, "fate unknown"),
            Self::RunFailed => badge(Cross, Tone::Nogo, "run failed"),
            Self::Waived => badge(Slash, Tone::Hold, "waived"),
            Self::RedRerun => badge(Turn, Tone::Hold, "red, re-run"),
            Self::Cancelled => badge(Slash, Tone::Hold, "to be cancelled"),
            Self::EvidenceMissing => badge(Ring, Tone::Nogo, "evidence missing"),
            Self::SignOffVoid => badge(Turn, Tone::Stale, "sign-off void"),
            Self::Refused => badge(Slash, Tone::Nogo, "refused"),
            Self::FailedAttempt => badge(Slash, Tone::Nogo, "failed attempt"),
            Self::NotAdmitted => badge(Cross, Tone::Nogo, "not admitted"),
            Self::ClockSuspect => badge(Clock, Tone::Hold, "clock suspect"),
            Self::Unexplained => badge(Question, Tone::Nogo, "unexplained"),
            Self::Overdue => badge(Clock, Tone::Hold, "overdue"),
        }
    }
}

impl Badged for KeyStatus {
    fn badge(&self) -> Badge {
        match self {
            Self::InForce => badge(Check, Tone::Go, "in force"),
            Self::DueSoon { days: 1 } => badge(Clock, Tone::Hold, "ends in 1 day"),
            Self::DueSoon { days } => badge(Clock, Tone::Hold, format!("ends in {days} days")),
            Self::Expired => badge(Clock, Tone::Stale, "expired"),
            Self::Rotated { entry } => badge(Turn, Tone::Stale, format!("replaced, entry {entry}")),
            Self::Revoked { entry, .. } => badge(Slash, Tone::Nogo, format!("revoked, entry {entry}")),
        }
    }
}

impl Badged for AuthorizationState {
    fn badge(&self) -> Badge {
        match self {
            Self::InForce => badge(Check, Tone::Go, "in force"),
            Self::Suspended { entry, .. } => badge(Bars, Tone::Hold, format!("suspended, entry {entry}")),
            Self::Void { .. } => badge(Slash, Tone::Nogo, "void"),
            Self::Expired => badge(Clock, Tone::Stale, "expired"),
        }
    }
}

impl DeviceKeyStore {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::SecretService => "secret service",
            Self::File => "file, weaker",
            Self::Unknown => "key store not recorded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_verdict_is_the_signed_word() {
        for it in Verdict::ALL {
            assert_eq!(verdict(*it).to_lowercase().replace(' ', "-"), it.as_str());
        }
    }

    #[test]
    fn only_what_counts_wears_the_color_of_go() {
        let green = |badged: &dyn Badged| badged.badge().tone == Tone::Go;
        for it in SignOffState::ALL {
            assert_eq!(green(it), *it == SignOffState::Valid, "{it}");
        }
        for it in Verdict::ALL {
            assert_eq!(green(it), *it == Verdict::Go, "{it}");
        }
        for it in Conclusion::ALL {
            assert_eq!(green(it), *it == Conclusion::Pass, "{it}");
        }
        for it in ReleaseState::ALL {
            // A release is also reviewed after it was taken back: that word alone says nothing good.
            let good = matches!(it, ReleaseState::Authorized | ReleaseState::Live);
            assert_eq!(green(it), good, "{it}");
        }
        assert_ne!(replaced().tone, Tone::Go);
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
