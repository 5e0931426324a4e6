//! The ledger's closed words, as windows spell them.

use countersign_core::{act, evidence, judge, permission, policy, verify};
use serde::{Deserialize, Serialize};
use specta::Type;

/// A closed word of the core as windows spell it: the same values in camel case.
macro_rules! mirrored {
    ($(#[$doc:meta])* $name:ident = $core:ty { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
        #[serde(rename_all = "camelCase")]
        pub enum $name { $($variant),+ }
        impl From<$core> for $name {
            fn from(word: $core) -> Self {
                match word { $(<$core>::$variant => Self::$variant),+ }
            }
        }
        impl From<$name> for $core {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

mirrored! {
    /// The answer to a decision sheet.
    Verdict = act::Verdict { Go, NoGo, Hold, ConditionalGo, Withdrawn }
}
mirrored! {
    /// What a signature means.
    Meaning = act::Meaning { Approval, Review, Authorship, Responsibility, Certification, Confirmation }
}
mirrored! {
    /// The type of a change.
    ChangeType = act::ChangeType { Standard, Normal, Emergency }
}
mirrored! {
    /// What a sign-off is worth: eight states that mean different things to an auditor.
    SignOffState = judge::SignOffState { Valid, Incomplete, Stale, Expired, SignerLostRole, KeyRevoked, SegregationFailed, Invalid }
}
mirrored! {
    /// Where a release stands.
    ReleaseState = judge::ReleaseState { Draft, Collecting, Halted, Staged, Ready, OnHold, NoGo, Authorized, Dispatching, RollingOut, RolloutHalted, Live, RolledBack, Reviewed, Superseded, Expired, Withdrawn }
}
mirrored! {
    /// Whether a dispatch brings the release out or takes it back.
    DispatchKind = act::DispatchKind { Deploy, Rollback }
}
mirrored! {
    /// How far a dispatch has come.
    DispatchState = act::DispatchState { Prepared, Sending, Accepted, Refused, FateUnknown, Bound, Finished }
}
mirrored! {
    /// Whether a run is still going.
    RunStatus = act::RunStatus { Queued, InProgress, Waiting, Completed }
}
mirrored! {
    /// How a run ended.
    RunConclusion = act::RunConclusion { Success, Failure, Cancelled, Skipped, TimedOut, Unknown }
}
mirrored! {
    /// The verdict over a wave.
    WaveVerdict = act::WaveVerdict { Pass, Fail, Inconclusive }
}
mirrored! {
    /// What a piece of evidence, or a gate, concludes. Only `pass` is good.
    Conclusion = evidence::Conclusion { Pass, Fail, Inconclusive, Missing }
}
mirrored! {
    /// The format of a piece of evidence.
    EvidenceKind = evidence::EvidenceKind { Junit, Sarif, Cyclonedx, Manual }
}
mirrored! {
    /// Who says which commit a piece of evidence is about.
    CommitSource = act::CommitSource { File, Run, Attacher }
}
mirrored! {
    /// Where a person's key was made.
    KeyOrigin = act::KeyOrigin { MadeHere, Imported }
}
mirrored! {
    /// What a device key is for.
    DevicePurpose = act::DevicePurpose { Desk, Dispatcher }
}
mirrored! {
    /// What a sheet lists and what is no longer as it was.
    Moved = judge::Moved { CandidateAmended, Artifacts, Commit, ChangeList, Policy, Target, Evidence, EvidenceReplaced, Staging, Waived, Live, NewerSheet }
}
mirrored! {
    /// How a signer proved presence.
    Reauth = act::Reauth { Prompt, File, Agent }
}
mirrored! {
    /// How much of the history before it a signature seals.
    SeenBasis = act::SeenBasis { Full, Proofs }
}
mirrored! {
    /// What a review looked at.
    ReviewScope = act::ReviewScope { Access, Trail, Emergency, Periodic }
}
mirrored! {
    /// What is done about a role.
    RoleChange = act::Grant { Grant, Lapse, Delegate, Recover }
}
mirrored! {
    /// What a person can do in a ledger: a row of the table of permissions.
    Deed = permission::Deed { Enrol, EnrolDevice, RevokeDevice, EndKey, GrantRole, LapseRole, Product, Target, Policy, GrantAuthorization, Suspend, ResumeAuthorization, DeclareFreeze, LiftFreeze, Propose, Attach, Waive, Request, Meeting, Answer, Confirm, Stop, Resume, Dispatch, Deliver, Wave, Outcome, Correct, Remove, Late, Review, Export }
}
mirrored! {
    /// Whether people or a standing authorization sign the last gate.
    Mode = policy::Mode { Delivery, Deployment }
}
mirrored! {
    /// Who starts the rollout of a signed sheet.
    DispatchRule = policy::DispatchRule { ByReleaseManager, OnQuorum }
}
mirrored! {
    /// A part somebody has in a release, which keeps them from another.
    Part = policy::Distinct { Requester, CommitAuthor, EvidenceAttacher, Dispatcher }
}
mirrored! {
    /// What evidence counts for that a person attached.
    AttachedRule = policy::AttachedRule { Refused, Confirmed, Accepted }
}
mirrored! {
    /// What a re-run is worth.
    RerunRule = policy::RerunRule { Forbid, Waiver, UpTo }
}
mirrored! {
    /// What a policy may ask a candidate to say.
    RequiredField = policy::RequiredField { Risk, SecurityImpact, RolloutPlan, BackoutPlan, ExternalRecord }
}
mirrored! {
    /// Whether a failed wave is taken back by itself.
    RollbackRule = policy::RollbackRule { Offer, Auto }
}
mirrored! {
    /// How bad a case or finding is, the worst first.
    ItemLevel = crate::evidence::ItemLevel { Error, Failed, Warning, Flaky, Skipped, Note, None, Suppressed }
}
mirrored! {
    /// What verification came to.
    VerifyVerdict = verify::Verdict { Valid, Incomplete, Invalid }
}

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    No,
    Usage,
    Cannot,
    Integrity,
}

/// What is known to be safe after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Safe {
    /// Nothing was recorded and nothing was sent.
    NothingHappened,
    /// The ledger is as it was; what was outside may have changed.
    LedgerUnchanged,
    /// What was done is recorded; it is told where.
    Recorded,
    /// Nobody knows what runs; nothing is sent again by itself.
    Unknown,
    /// The ledger on the disk is not sound; nothing is written to it.
    ReadOnly,
}

/// An error as a window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppError {
    pub kind: ErrorKind,
    /// A stable word, by which the catalogue finds its sentences.
    pub code: String,
    /// What happened, in English: shown as the detail where the catalogue knows the code.
    pub message: String,
    /// What to do, in English.
    pub hint: Option<String>,
    pub safe: Safe,
    pub detail: Option<String>,
    /// The field of the form it is about.
    pub field: Option<String>,
    pub retryable: bool,
    /// When it is worth trying again: the end of a lock.
    pub retry_at: Option<String>,
    /// By which the log names it.
    pub correlation_id: String,
}

/// A person, as windows name one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PersonRef {
    pub principal: String,
    pub name: String,
}

/// From when until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    pub from: String,
    pub until: String,
}

/// An artifact and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactRef {
    pub name: String,
    pub sha256: String,
}

/// Part of a list: where it begins and how many rows; at most 200 are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub offset: u32,
    pub limit: u32,
}

/// A file or directory a person has picked in the system's own dialog: windows never name paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PathRef {
    pub token: String,
    /// As it is shown.
    pub display: String,
}

/// A long act under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JobRef {
    pub job_id: String,
}

/// An act prepared in Rust, to be opened in the signing window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DraftRef {
    pub draft_id: String,
    /// What it would do.
    pub act: ActName,
}

/// Everything that goes through the signing window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ActName {
    Genesis,
    Enrol,
    EnrolAccept,
    Device,
    Key,
    Role,
    Product,
    Target,
    Policy,
    Authorization,
    Freeze,
    Propose,
    Evidence,
    Waiver,
    Request,
    Approval,
    Hold,
    Condition,
    Wave,
    Outcome,
    Correction,
    Review,
    /// A person at the desk starts a delivery, a wave or a way back; the journal entries are the device's.
    Dispatch,
    /// Presence is proved: the desk is unlocked.
    Unlock,
    /// A connector is kept on this desk, with its secret; no entry.
    Connector,
    /// A script is allowed on this desk; no entry.
    Command,
}

/// What came of something that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    pub entry: u32,
    /// Its leaf hash.
    pub leaf: String,
    pub time: String,
}

/// One line of a decision sheet, in the order people read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FactLine {
    pub name: FactName,
    /// As the record has it.
    pub value: String,
    pub digest: Option<String>,
    pub entry: Option<u32>,
}

/// What a line of a decision sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum FactName {
    Release,
    ChangeType,
    Artifact,
    Commit,
    Changes,
    Evidence,
    EvidenceManifest,
    Waiver,
    Policy,
    Environment,
    Staging,
    LiveNow,
    Rollout,
    WayBack,
    ChangeRecord,
    Authorization,
    Asked,
    Due,
    Window,
    ValidUntil,
}

/// A line that is in one sheet and not in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FactChange {
    pub name: FactName,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A line of a comparison of two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TextDiffLine {
    pub kind: DiffKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DiffKind {
    Same,
    Gone,
    Come,
}
