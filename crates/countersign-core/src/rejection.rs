//! Why something is refused, in words a person can act on and a code a program can.

use serde::Serialize;

use crate::act::closed_words;

closed_words!(
    /// The rule that refuses. `docs/format.md` lists them.
    Code {
        /// The bytes are not an entry.
        Malformed = "malformed",
        /// The entry was made under rules this version does not know.
        RulesUnknown = "rules_unknown",
        /// Entry 0 is not a genesis, or another entry is one.
        Genesis = "genesis",
        /// The head the signer names is not a head of this ledger.
        SeenMismatch = "seen_mismatch",
        /// The same payload, or its nonce, is already in the ledger.
        Duplicate = "duplicate",
        /// The desk is not enrolled, or revoked.
        UnknownDevice = "unknown_device",
        /// The signer is not enrolled.
        UnknownSigner = "unknown_signer",
        /// The key is not the one enrolled for the signer.
        WrongKey = "wrong_key",
        /// The key was revoked before this entry.
        KeyRevoked = "key_revoked",
        /// The key's validity ended before this entry.
        KeyExpired = "key_expired",
        /// The signer has not accepted the accountability text.
        NotAccepted = "not_accepted",
        /// A second person has not stated the signer's identity yet.
        Unidentified = "unidentified",
        /// The act asks for another kind of signer.
        WrongSigner = "wrong_signer",
        /// A field every such entry has is missing, or one stands where it must not.
        Field = "field",
        /// The clock stood before a time the ledger already knows.
        ClockSuspect = "clock_suspect",
        /// The subject is not what the act is about.
        SubjectMismatch = "subject_mismatch",
        /// The signer does not hold the role.
        RoleMissing = "role_missing",
        /// The signer's training for the role has run out, or the policy asks for some and there is none.
        Unqualified = "unqualified",
        /// Nobody answers for the product: it has no process owner.
        Vacant = "vacant",
        /// The signer is barred by another part they had.
        SegregationFailed = "segregation_failed",
        /// The policy does not accept how the signer proved presence.
        ReauthRefused = "reauth_refused",
        /// A key or principal was used before.
        Reused = "reused",
        /// What the act names is not in the ledger.
        NotFound = "not_found",
        /// What the act names stands already, or has ended already.
        AlreadyDone = "already_done",
        /// The act does not fit the state of what it is about.
        WrongState = "wrong_state",
        /// The policy is not lawful.
        Policy = "policy",
        /// A gate is red: the release is halted.
        Halted = "halted",
        /// A gate is not green yet.
        GateOpen = "gate_open",
        /// The decision sheet no longer says what the ledger says.
        Stale = "stale",
        /// The decision sheet, or an authorization, is past its time.
        Expired = "expired",
        /// Another role signs first.
        OutOfTurn = "out_of_turn",
        /// The quorum is not complete.
        QuorumMissing = "quorum_missing",
        /// Somebody said NO-GO.
        NoGo = "no_go",
        /// The release is on hold.
        OnHold = "on_hold",
        /// A freeze forbids it.
        Frozen = "frozen",
        /// The review of an emergency change is overdue.
        ReviewOverdue = "review_overdue",
        /// It is outside the window.
        OutsideWindow = "outside_window",
        /// Another rollout has the environment.
        EnvironmentBusy = "environment_busy",
        /// Another decision for the same segments is open.
        DecisionOpen = "decision_open",
        /// It was done once and cannot be done again.
        AlreadyDispatched = "already_dispatched",
        /// The wave before has not passed.
        WaveOrder = "wave_order",
        /// The act lies outside the bounds of the standing authorization.
        OutsideBounds = "outside_bounds",
    }
);

/// A refusal: the rule, what it found, and what would clear it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The rule that refuses.
    pub code: Code,
    /// What it found.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Rejection {
    /// Returns a refusal by the rule.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Returns the refusal with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Refuses unless the condition holds.
pub(crate) fn ensure(condition: bool, code: Code, message: impl FnOnce() -> String) -> Result<(), Rejection> {
    if condition { Ok(()) } else { Err(Rejection::new(code, message())) }
}

/// What is wrong with one entry of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("entry {index}: {message} ({code})")]
pub struct Finding {
    /// Its place.
    pub index: u64,
    /// The rule it breaks.
    pub code: Code,
    /// What was found.
    pub message: String,
}
