//! What windows hand over: drafts, and what is wanted of the signing window.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::wire::{
    AppError, Barred, CandidateView, ChangeType, CommitRow, Conclusion, Counts, EvidenceItem, EvidenceKind,
    EvidenceSummary, ExternalRecord, FactChange, FactLine, PathRef, PersonRef, ReviewScope, RoleChange, Span, Training,
    WaveVerdict,
};

/// What the propose form holds; anything may be missing while it is a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProposalForm {
    pub product: Option<String>,
    pub version: Option<String>,
    pub release: Option<String>,
    /// A picked repository.
    pub repository: Option<PathRef>,
    pub commit: Option<String>,
    pub artifacts: Vec<ArtifactForm>,
    pub change_type: ChangeType,
    pub risk: Option<String>,
    pub security_impact: Option<String>,
    pub rollout_plan: Option<String>,
    pub backout_plan: Option<String>,
    pub incident: Option<String>,
    pub external: Option<ExternalRecord>,
    pub supersedes: Option<String>,
    pub reason: Option<String>,
    /// Commits that are live may go.
    pub allow_removal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactForm {
    pub name: String,
    pub file: Option<PathRef>,
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProposalDraft {
    pub id: String,
    /// Amends this release; proposes a new one when none.
    pub amends: Option<String>,
    pub form: ProposalForm,
    pub saved: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SaveDraft {
    /// None for a new one.
    pub id: Option<String>,
    pub amends: Option<String>,
    pub form: ProposalForm,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DraftId {
    pub id: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NewDraft {
    pub amends: Option<String>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DraftList {
    pub drafts: Vec<ProposalDraft>,
}

/// What a proposal would come to; nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProposalPreview {
    pub problems: Vec<FieldProblem>,
    pub candidate: Option<CandidateView>,
    pub release: Option<String>,
    pub commits: Vec<CommitRow>,
    /// Live commits that would be gone.
    pub removes: Vec<CommitRow>,
    pub required: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FieldProblem {
    pub field: String,
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RequestForm {
    pub release: String,
    pub window: Option<Span>,
    pub asked: Vec<AskedForm>,
    pub due: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AskedForm {
    pub role: String,
    pub person: Option<String>,
}

/// The sheet as it would be frozen, and what it says otherwise than the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RequestPreview {
    pub release: String,
    pub facts: Vec<FactLine>,
    pub evidence: EvidenceSummary,
    pub since_last: Vec<FactChange>,
    pub last_sheet: Option<u32>,
    /// How many answers would become stale.
    pub becomes_stale: u32,
    pub quorum: Vec<QuorumSeat>,
    pub window: Option<Span>,
    pub problem: Option<AppError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuorumSeat {
    pub role: String,
    pub needed: u32,
    pub eligible: Vec<PersonRef>,
    pub barred: Vec<Barred>,
}

/// Everything a person signs or does with the passphrase, as the main window asks for it.
///
/// Rust composes the act, asks the rules, and keeps it: the answer is only an id for `open_signing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Intent {
    CreateLedger {
        title: String,
        directory: String,
        name: String,
        principal: String,
        emails: Vec<String>,
        reason: String,
        recovery: Vec<String>,
        recovery_needed: u32,
        recovery_wait_hours: u32,
        charter: CharterForm,
    },
    Unlock {
        principal: String,
    },
    Propose {
        draft: String,
    },
    Withdraw {
        release: String,
        superseded_by: Option<String>,
        reason: String,
    },
    Request {
        form: RequestForm,
    },
    /// Verdict, role, meaning and reason are chosen in the signing window.
    Answer {
        release: String,
        role: Option<String>,
    },
    /// The same, to the request that was opened on this desk, named by the SHA-256 of its file.
    AnswerCarried {
        sha256: String,
        principal: String,
    },
    Condition {
        release: String,
        approval: u32,
        number: u32,
        reason: String,
    },
    Waive {
        release: String,
        gate: String,
        owner: String,
        expires: String,
        reason: String,
    },
    Resume {
        release: String,
        hold: u32,
        answer: Option<String>,
        reason: String,
    },
    WaveVerdict {
        release: String,
        wave: u32,
        verdict: WaveVerdict,
        detail: String,
        reason: String,
    },
    Close {
        release: String,
        result: String,
        reason: String,
    },
    Stage {
        release: String,
        resend: Option<String>,
    },
    Dispatch {
        release: String,
        resend: Option<String>,
    },
    Rollback {
        release: String,
        resend: Option<String>,
    },
    AttachEvidence {
        release: String,
        file: String,
        name: Option<String>,
        evidence: Option<EvidenceKind>,
        conclusion: Option<Conclusion>,
        replaces: Option<u32>,
        reason: String,
    },
    ConfirmEvidence {
        entry: u32,
        reason: String,
    },
    Freeze {
        product: Option<String>,
        environment: Option<String>,
        span: Span,
        reason: String,
    },
    LiftFreeze {
        entry: u32,
        reason: String,
    },
    Authorize {
        product: String,
        change_types: Vec<ChangeType>,
        max_commits: u32,
        per_day: u32,
        valid: Span,
        reason: String,
    },
    AnswerAuthorization {
        entry: u32,
    },
    SuspendAuthorization {
        entry: u32,
        resume: bool,
        reason: String,
    },
    SetPolicy {
        product: String,
        toml: String,
        reason: String,
    },
    AnswerPolicy {
        product: String,
        version: u32,
    },
    SetProduct {
        product: String,
        title: String,
        path: Vec<String>,
        reason: String,
    },
    SetTarget {
        form: TargetForm,
        reason: String,
    },
    Enrol {
        form: EnrolForm,
        reason: String,
    },
    Accept {
        principal: String,
    },
    ChangeRole {
        principal: String,
        role: String,
        product: Option<String>,
        until: Option<String>,
        training: Option<Training>,
        change: RoleChange,
        reason: String,
    },
    /// A second person's word for a role, a newcomer's identity, or a recovery: whatever waits at that entry.
    ConfirmPeople {
        entry: u32,
        reason: String,
    },
    /// Everything a person could do ends: each role, then the key, each signed by itself.
    Leave {
        principal: String,
        reason: String,
    },
    RotateKey {
        reason: String,
    },
    EndKey {
        principal: String,
        lost: bool,
        reason: String,
    },
    EnrolDispatcher {
        name: Option<String>,
        reason: String,
    },
    ConfirmDevice {
        principal: String,
        reason: String,
    },
    RevokeDevice {
        principal: String,
        reason: String,
    },
    Review {
        scope: ReviewScope,
        findings: String,
        /// Of one emergency change.
        release: Option<String>,
        reason: String,
    },
    Correct {
        entry: u32,
        field: String,
        old: String,
        new: String,
        reason: String,
    },
    AddBuildbot {
        name: String,
        address: String,
        user: String,
        certificate: Option<String>,
    },
    AllowCommand {
        form: CommandForm,
    },
}

/// What the first entry says about people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CharterForm {
    /// A role counts once a second person has confirmed it.
    pub roles_by_two: bool,
    /// A newcomer can sign once a second person has stated who they are.
    pub identity_by_two: bool,
    /// For how many days a key may be valid at most.
    pub key_days: u32,
    /// After how many days access and trail are reviewed again.
    pub review_days: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnrolForm {
    pub principal: String,
    pub name: String,
    pub emails: Vec<String>,
    /// How it was verified who they are.
    pub identity: String,
    /// A picked public key; made here at the hand-over screen when none.
    pub public_key: Option<PathRef>,
    pub valid_until: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TargetConnector {
    Buildbot { base_url: String, certificate_sha256: Option<String> },
    LocalCommand { command: String, script_sha256: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TargetForm {
    pub product: String,
    pub environment: String,
    pub connector: TargetConnector,
    pub job: Option<String>,
    pub deploy_step: Option<String>,
    pub segments: Vec<SegmentForm>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SegmentForm {
    pub name: String,
    pub instances: Vec<InstanceForm>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InstanceForm {
    pub health: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CommandForm {
    pub id: String,
    pub script: String,
    pub arguments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HoldForm {
    pub release: String,
    pub question: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ObserveForm {
    pub release: String,
    pub connector: String,
    pub run: String,
    pub step: String,
    pub log: String,
    pub name: Option<String>,
    pub evidence: Option<EvidenceKind>,
    pub replaces: Option<u32>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InspectEvidence {
    pub file: String,
    pub evidence: Option<EvidenceKind>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InspectedEvidence {
    pub name: String,
    pub kind: EvidenceKind,
    pub conclusion: Conclusion,
    pub counts: Counts,
    pub digest: String,
    pub commit: Option<String>,
    pub items: Vec<EvidenceItem>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileForm {
    pub release: String,
    pub request_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenSigning {
    pub draft_id: String,
}
