//! What follows from the ledger: gates, sign-off states, decisions, release states, and what blocks.
//!
//! Every conclusion here is a pure function of the state and a moment. Nothing is stored, so nothing can disagree with
//! the entries. Admission ([`crate::admit`]), the shells and the auditor's verifier all ask these same functions.

mod answers;
mod blockers;
mod calendar;
mod deadlines;
mod decisions;
mod gates;
mod meetings;
mod order;
mod people;
mod quorum;
mod replay;
mod rollout;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use crate::act::{
    Act, Approval, ChangeType, DevicePurpose, DispatchKind, DispatchState, EvidenceManifest, HoldChange, ReviewScope,
    Verdict, WaveVerdict, closed_words,
};
use crate::evidence::Conclusion;
use crate::hash::Digest;
use crate::jcs;
use crate::policy::{
    AttachedRule, Distinct, EvidenceRule, FIELDS_GATE, Mode, Policy, RequiredField, RerunRule, STAGING_GATE,
};
use crate::rejection::{Code, Rejection, ensure};
use crate::state::{
    Answerable, AuthorizationRecord, DispatchRecord, EvidenceRecord, KeyEnd, Release, Sheet, SignOff, State, Topic,
    WaiverRecord,
};
use crate::words::{EntryRef, Line, Principal, ReleaseId, Slug, Timestamp, role};

pub use answers::*;
pub use blockers::*;
pub use calendar::*;
pub use deadlines::*;
pub use decisions::*;
pub use gates::*;
pub use meetings::*;
pub(crate) use order::*;
pub use people::*;
pub use quorum::*;
pub use replay::*;
pub use rollout::*;

closed_words!(
    /// What a signed answer is worth now. The eight are kept apart because they mean different things to an auditor.
    SignOffState {
        /// It counts.
        Valid = "VALID",
        /// Something it rests on is absent, so it cannot be judged.
        Incomplete = "INCOMPLETE",
        /// What was signed has moved since.
        Stale = "STALE",
        /// The sheet is past its time.
        Expired = "EXPIRED",
        /// The signer no longer holds the role.
        SignerLostRole = "SIGNER_LOST_ROLE",
        /// The signer's key was revoked.
        KeyRevoked = "KEY_REVOKED",
        /// The signer had another part in the release.
        SegregationFailed = "SEGREGATION_FAILED",
        /// It was never admitted: forged, altered or against the rules.
        Invalid = "INVALID",
    }
);

closed_words!(
    /// Where a release stands.
    ReleaseState {
        /// Proposed, no evidence yet.
        Draft = "draft",
        /// Evidence comes in.
        Collecting = "collecting",
        /// A gate is red.
        Halted = "halted",
        /// Delivered to the environment before the last.
        Staged = "staged",
        /// The sheet is frozen and waits for signatures.
        Ready = "ready",
        /// Somebody asked to wait.
        OnHold = "on_hold",
        /// Somebody said NO-GO.
        NoGo = "no_go",
        /// The quorum is complete.
        Authorized = "authorized",
        /// The first wave is on its way.
        Dispatching = "dispatching",
        /// Waves go out.
        RollingOut = "rolling_out",
        /// The rollout stopped.
        RolloutHalted = "rollout_halted",
        /// Everyone has it.
        Live = "live",
        /// It was taken back.
        RolledBack = "rolled_back",
        /// It was looked at afterwards.
        Reviewed = "reviewed",
        /// Another took its place.
        Superseded = "superseded",
        /// The sheet ran out unsigned or undispatched.
        Expired = "expired",
        /// It was given up.
        Withdrawn = "withdrawn",
    }
);

/// Returns whether the device may sign dispatches.
pub fn is_dispatcher(state: &State, principal: &Principal) -> bool {
    state.devices.get(principal).is_some_and(|device| {
        device.card.purpose == DevicePurpose::Dispatcher && device.confirmed.is_some() && device.revoked.is_none()
    })
}

/// Returns whether a change of that type needs an incident named.
pub(crate) fn needs_incident(change_type: ChangeType) -> bool {
    change_type == ChangeType::Emergency
}
