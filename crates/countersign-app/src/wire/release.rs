//! One release: decision, evidence, changes, rollout, timeline.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::wire::{
    ArtifactRef, Blocker, ChangeType, CommitSource, Conclusion, DevicePurpose, DispatchKind, DispatchRule,
    DispatchState, EvidenceKind, FactChange, FactLine, FreezeRow, GateReason, ItemLevel, JobState, Meaning, Mode,
    Moved, Page, PersonRef, Reauth, ReleaseState, ReviewScope, RoleChange, RollbackRule, RunConclusion, RunStatus,
    SeenBasis, SignOffState, Span, Verdict, WaveVerdict,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseRef {
    pub release: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseView {
    pub at: String,
    pub sample: bool,
    pub release: String,
    pub product: String,
    pub product_title: String,
    pub version: String,
    pub environment: Option<String>,
    pub state: ReleaseState,
    pub candidate: CandidateView,
    pub reason: String,
    pub proposer: PersonRef,
    pub proposed: String,
    pub supersedes: Option<String>,
    pub given_up: Option<GivenUp>,
    pub mode: Option<Mode>,
    pub policy: Option<PolicyRef>,
    pub live: LiveView,
    pub gates: Vec<Gate>,
    pub holds: Vec<HoldRow>,
    pub sheet: Option<SheetView>,
    pub earlier_sheets: Vec<EarlierSheet>,
    pub waivers: Vec<WaiverRow>,
    pub blockers: Vec<Blocker>,
    pub freezes: Vec<FreezeRow>,
    /// The one act that fits the state, for the person at this desk.
    pub primary: Option<PrimaryAct>,
    /// What else may be started here; each one asks the rules again.
    pub acts: Vec<ReleaseAct>,
    pub rollout: Vec<WaveRow>,
    /// What was said and done today, the newest first.
    pub today: Vec<TimelineRow>,
    pub counts: TabCounts,
    pub outcome: Option<OutcomeView>,
    /// Of an emergency change that went out: by when somebody without a part in it looks back at it.
    pub review: Option<ReviewDue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewDue {
    pub due: String,
    pub overdue: bool,
    /// The entry that reviewed it.
    pub reviewed: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TabCounts {
    pub evidence: u32,
    pub changes: u32,
    pub timeline: u32,
    pub dispatches: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GivenUp {
    pub entry: u32,
    pub by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeView {
    pub entry: u32,
    pub result: String,
    pub by: PersonRef,
    pub time: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRef {
    pub product: String,
    pub version: u32,
    pub entry: u32,
    pub by: PersonRef,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CandidateView {
    pub entry: u32,
    pub artifacts: Vec<ArtifactRef>,
    pub commit: String,
    pub base: Option<String>,
    pub commits: u32,
    pub tickets: Vec<String>,
    pub change_type: ChangeType,
    pub risk: Option<String>,
    pub security_impact: Option<String>,
    pub rollout_plan: Option<String>,
    pub backout_plan: Option<String>,
    pub incident: Option<String>,
    pub external: Option<ExternalRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExternalRecord {
    pub system: String,
    pub id: String,
    pub state: String,
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LiveView {
    pub release: Option<String>,
    pub version: Option<String>,
    pub commit: Option<String>,
    pub artifacts: Vec<ArtifactRef>,
    pub this_release: bool,
    /// Whether the change list begins at what is live.
    pub list_begins_at_live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    pub gate: String,
    pub conclusion: Conclusion,
    pub reason: GateReason,
    pub evidence: Vec<u32>,
    pub waived: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum HoldKind {
    Hold,
    Halt,
    Cancel,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HoldRow {
    pub entry: u32,
    pub kind: HoldKind,
    pub question: Option<String>,
    pub by: PersonRef,
    pub time: String,
    pub reason: String,
    pub resumed: Option<u32>,
    pub answer: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WaiverRow {
    pub entry: u32,
    pub gate: String,
    pub by: PersonRef,
    pub owner: PersonRef,
    pub expires: String,
    pub reason: String,
    pub in_force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SheetOutcome {
    Go,
    NoGo,
    Hold,
    Stale,
    Expired,
    Incomplete,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SheetView {
    pub entry: u32,
    /// Its leaf hash: what each signature names.
    pub digest: String,
    pub requester: PersonRef,
    pub time: String,
    pub environment: String,
    pub facts: Vec<FactLine>,
    pub evidence: EvidenceSummary,
    pub window: Span,
    pub not_after: String,
    pub due: Option<String>,
    pub asked: Vec<Asked>,
    pub outcome: SheetOutcome,
    /// Who said NO-GO or asks to wait.
    pub outcome_by: Option<PersonRef>,
    pub moved: Vec<Moved>,
    pub authorization: Option<u32>,
    /// Answers are judged as they were used when wave 1 was dispatched.
    pub at_dispatch: bool,
    pub stations: Vec<Station>,
    /// Every answer, also those that were replaced.
    pub sign_offs: Vec<SignOffRow>,
    pub signed: u32,
    pub needed: u32,
    pub rollback: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EarlierSheet {
    pub entry: u32,
    pub time: String,
    pub answers: u32,
}

/// The figures a person decides on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSummary {
    pub files: u32,
    pub tests_passed: u32,
    pub tests_failed: u32,
    pub tests_skipped: u32,
    pub tests_rerun: u32,
    pub findings_open: u32,
    pub findings_suppressed: u32,
    pub components: u32,
    pub vulnerabilities: u32,
    pub waived: u32,
    pub attached: u32,
    pub observed: u32,
    /// Came after the freeze: not signed by anybody.
    pub after_freeze: u32,
}

/// Somebody asked by role or by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    pub role: String,
    pub person: Option<PersonRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum StationState {
    Waiting,
    Go,
    NoGo,
    Hold,
    Conditional,
    Stale,
    Expired,
    LostRole,
    KeyRevoked,
    Segregation,
    Invalid,
    Incomplete,
    Nobody,
}

/// One seat of the go/no-go poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Station {
    pub role: String,
    /// Which seat of the role, from 1.
    pub seat: u32,
    pub state: StationState,
    pub sign_off: Option<SignOffRow>,
    /// Who was asked by name.
    pub asked: Option<PersonRef>,
    /// Who could still sign.
    pub eligible: Vec<PersonRef>,
    /// Who holds the role and may not sign this release.
    pub barred: Vec<Barred>,
    /// Whether the person at this desk could sign here.
    pub me: bool,
    pub due: Option<String>,
    pub overdue: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum BarReason {
    AskedFor,
    Author,
    Attacher,
    Dispatcher,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Barred {
    pub person: PersonRef,
    pub reason: BarReason,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SignOffRow {
    pub entry: u32,
    pub person: PersonRef,
    pub role: String,
    pub verdict: Verdict,
    pub meaning: Meaning,
    pub reason: String,
    pub time: String,
    pub zone: String,
    pub state: SignOffState,
    /// Why it is not valid, as the judge says it.
    pub cause: Option<String>,
    pub cause_entry: Option<u32>,
    pub replaced: bool,
    pub conditions: Vec<ConditionRow>,
    pub authorization: Option<u32>,
    pub key: String,
    pub reauth: Option<Reauth>,
    pub seen: u32,
    pub seen_basis: Option<SeenBasis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConditionRow {
    pub number: u32,
    pub condition: String,
    pub met: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ReleaseActName {
    Sign,
    Request,
    Dispatch,
    Stage,
    Rollback,
    Resume,
    Hold,
    Halt,
    Amend,
    Withdraw,
    Waive,
    AttachEvidence,
    ObserveEvidence,
    Close,
    WaveVerdict,
    Reconcile,
    ResendUnknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseAct {
    pub act: ReleaseActName,
    pub allowed: bool,
    /// The code of the rule that refuses.
    pub refused: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PrimaryAct {
    pub act: ReleaseActName,
    pub role: Option<String>,
    pub wave: Option<u32>,
}

// ------------------------------------------------------------------ evidence

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView {
    pub gates: Vec<Gate>,
    pub files: Vec<EvidenceFile>,
    pub summary: EvidenceSummary,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EvidenceOrigin {
    Observed { connector: String, run: String, raw_sha256: String },
    Attached { confirmed_by: Vec<PersonRef> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Counts {
    Tests { total: u32, passed: u32, failed: u32, errors: u32, skipped: u32, flaky: u32 },
    Findings { error: u32, warning: u32, note: u32, none: u32, suppressed: u32 },
    Components { components: u32, vulnerabilities: u32 },
    File { bytes: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum OnSheet {
    NoSheet,
    Listed,
    AfterFreeze,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceFile {
    pub entry: u32,
    pub name: String,
    pub kind: EvidenceKind,
    pub conclusion: Conclusion,
    pub counts: Counts,
    pub digest: String,
    pub size: String,
    pub commit: String,
    pub commit_matches: bool,
    pub commit_source: CommitSource,
    pub origin: EvidenceOrigin,
    pub by: PersonRef,
    pub time: String,
    pub reason: Option<String>,
    pub replaces: Option<u32>,
    pub replaced_by: Option<u32>,
    pub on_sheet: OnSheet,
    /// The gates it answers.
    pub gates: Vec<String>,
    /// Whether the person at this desk could confirm it.
    pub may_confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceItemsRequest {
    pub entry: u32,
    pub text: String,
    pub levels: Vec<ItemLevel>,
    pub page: Page,
}

/// What one file says, case by case or finding by finding, read again from the stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceItems {
    pub entry: u32,
    pub total: u32,
    pub rows: Vec<EvidenceItem>,
    pub levels: Vec<LevelCount>,
    pub notes: Vec<String>,
    pub doubtful: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LevelCount {
    pub level: ItemLevel,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceItem {
    pub name: String,
    pub location: Option<String>,
    pub level: ItemLevel,
    pub message: Option<String>,
}

// ------------------------------------------------------------------ changes

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ChangesRequest {
    pub release: String,
    pub text: String,
    pub page: Page,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ChangesView {
    pub digest: String,
    pub repository: String,
    pub base: Option<String>,
    pub head: String,
    pub base_is_live: bool,
    pub files: u32,
    pub insertions: u32,
    pub deletions: u32,
    pub binary_files: u32,
    pub tickets: Vec<TicketRow>,
    pub authors: Vec<AuthorRow>,
    pub total: u32,
    pub rows: Vec<CommitRow>,
    /// Lines in which the candidate differs from what is live.
    pub against_live: Vec<FactChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TicketRow {
    pub ticket: String,
    pub commits: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuthorRow {
    pub name: String,
    pub email: String,
    pub commits: u32,
    pub person: Option<PersonRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CommitRow {
    pub commit: String,
    pub subject: String,
    pub author: String,
    pub author_email: String,
    pub co_authors: Vec<String>,
    pub time: String,
    pub tickets: Vec<String>,
    pub merge: bool,
}

// ------------------------------------------------------------------ timeline

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TimelineRequest {
    pub release: String,
    pub page: Page,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TimelinePage {
    pub total: u32,
    pub rows: Vec<TimelineRow>,
}

/// One entry in one sentence: the catalogue has a sentence for each event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TimelineRow {
    pub index: u32,
    pub time: String,
    pub zone: String,
    /// Whether the clock that said so is doubtful.
    pub clock_suspect: bool,
    pub actor: PersonRef,
    pub device: bool,
    pub event: TimelineEvent,
    pub reason: Option<String>,
    pub release: Option<String>,
    /// Recorded, flagged and without effect.
    pub admitted: bool,
}

/// What an entry says, as data for a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TimelineEvent {
    Genesis {
        title: String,
    },
    Enrolled {
        person: PersonRef,
    },
    Accepted {},
    DeviceEnrolled {
        device: String,
        purpose: DevicePurpose,
    },
    DeviceRevoked {
        device: String,
    },
    KeyRotated {
        person: PersonRef,
    },
    KeyRevoked {
        person: PersonRef,
        lost: bool,
    },
    RoleGranted {
        person: PersonRef,
        role: String,
        product: Option<String>,
        until: Option<String>,
        change: RoleChange,
    },
    RoleLapsed {
        person: PersonRef,
        role: String,
        product: Option<String>,
    },
    ProductSet {
        product: String,
    },
    TargetSet {
        product: String,
        environment: String,
    },
    PolicySet {
        product: String,
        version: u32,
    },
    AuthorizationProposed {
        product: String,
    },
    AuthorizationSuspended {
        entry: u32,
    },
    AuthorizationResumed {
        entry: u32,
    },
    FreezeDeclared {
        product: Option<String>,
        environment: Option<String>,
        span: Span,
    },
    FreezeLifted {
        entry: u32,
    },
    Proposed {
        version: String,
        authorization: Option<u32>,
    },
    Amended {
        version: String,
    },
    SupersededBy {
        by: String,
    },
    Withdrawn {},
    Evidence {
        name: String,
        evidence: EvidenceKind,
        conclusion: Conclusion,
        attached: bool,
        replaces: Option<u32>,
    },
    Waived {
        gate: String,
        expires: String,
    },
    Staged {
        environment: String,
        version: String,
    },
    Requested {
        environment: String,
        due: Option<String>,
    },
    Answered {
        verdict: Verdict,
        role: String,
        meaning: Meaning,
        authorization: Option<u32>,
    },
    /// An answer to something that is no decision sheet.
    Confirmed {
        entry: u32,
        verdict: Verdict,
        role: String,
    },
    Held {
        question: Option<String>,
    },
    Halted {},
    Cancelled {
        request_id: String,
    },
    Resumed {
        hold: u32,
        answer: Option<String>,
    },
    ConditionMet {
        approval: u32,
        number: u32,
    },
    Dispatch {
        dispatch: DispatchKind,
        state: DispatchState,
        environment: String,
        wave: u32,
        request_id: String,
        conclusion: Option<RunConclusion>,
        detail: Option<String>,
    },
    LeaseTaken {
        until: String,
    },
    Run {
        request_id: String,
        status: RunStatus,
    },
    Wave {
        wave: u32,
        verdict: WaveVerdict,
        detail: String,
    },
    Closed {
        result: String,
    },
    MeetingOpened {
        roll: Vec<String>,
    },
    MeetingClosed {
        absent: u32,
        minutes: String,
    },
    Announced {
        audience: String,
        about: String,
    },
    WrongPassphrases {
        person: PersonRef,
        count: u32,
    },
    Refused {
        act: String,
        code: String,
        message: String,
        person: Option<PersonRef>,
    },
    Corrected {
        entry: u32,
        field: String,
    },
    Late {
        record: String,
        happened: String,
    },
    Reviewed {
        scope: ReviewScope,
        from: u32,
        until: u32,
    },
    Exported {
        release: Option<String>,
    },
    Other {
        act: String,
    },
}

// ------------------------------------------------------------------ rollout

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Rollouts {
    pub at: String,
    pub running: Vec<RolloutRow>,
    pub recent: Vec<RolloutRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RolloutRow {
    pub release: String,
    pub product: String,
    pub version: String,
    pub environment: String,
    pub state: ReleaseState,
    pub wave: u32,
    pub waves: u32,
    pub segment: Option<String>,
    pub baking: Option<Baking>,
    pub trouble: Option<String>,
    pub began: Option<String>,
    pub ended: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Baking {
    pub since: String,
    pub until: String,
    pub samples: u32,
    pub failed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RolloutView {
    pub at: String,
    pub release: String,
    pub state: ReleaseState,
    pub environment: Option<String>,
    pub window: Option<Span>,
    pub waves: Vec<WaveRow>,
    pub dispatches: Vec<DispatchRow>,
    pub baking: Option<Baking>,
    /// The last samples of the wave that bakes, the oldest first; at most 240.
    pub samples: Vec<HealthSample>,
    pub way_back: Option<LiveView>,
    pub rollback_rule: Option<RollbackRule>,
    pub dispatch_rule: Option<DispatchRule>,
    pub enforcement: Option<Enforcement>,
    /// A job of this desk is at it.
    pub job: Option<JobState>,
    pub acts: Vec<ReleaseAct>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WaveState {
    Planned,
    Sending,
    Running,
    Baking,
    Passed,
    Failed,
    Inconclusive,
    FateUnknown,
    TakenBack,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WaveRow {
    pub wave: u32,
    pub segment: String,
    /// How many instances the segment has, and how many all segments up to it have.
    pub instances: u32,
    pub share_percent: u32,
    pub bake_seconds: u32,
    pub state: WaveState,
    pub verdict: Option<WaveVerdict>,
    pub detail: Option<String>,
    pub samples: Option<u32>,
    pub failed: Option<u32>,
    pub coverage_percent: Option<u32>,
    pub span: Option<Span>,
    pub entry: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DispatchRow {
    pub entry: u32,
    pub request_id: String,
    pub kind: DispatchKind,
    pub environment: String,
    pub wave: u32,
    pub state: DispatchState,
    pub steps: Vec<DispatchStep>,
    pub conclusion: Option<RunConclusion>,
    pub detail: Option<String>,
    pub run: Option<RunLink>,
    pub by: Option<PersonRef>,
    pub device: String,
    pub resends: Option<String>,
    pub has_log: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DispatchStep {
    pub state: DispatchState,
    pub entry: u32,
    pub time: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RunLink {
    pub id: String,
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HealthSample {
    pub time: String,
    pub asked: u32,
    pub wrong: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LogRequest {
    pub release: String,
    pub request_id: String,
    /// Lines from here on.
    pub from_line: u32,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    pub from_line: u32,
    pub total: u32,
    /// Lines that were dropped at the front: the log keeps the last 10,000.
    pub dropped: u32,
    pub lines: Vec<LogLine>,
    pub live: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    pub number: u32,
    pub step: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Tier {
    A,
    B,
    C,
    Unmeasured,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Enforcement {
    pub tier: Tier,
    pub measured: Option<String>,
    /// Codes of the ways around it.
    pub ways_around: Vec<WayAround>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WayAround {
    ManualTrigger,
    GateNotInPipeline,
    PipelineEditable,
    DirectAccess,
    CommandRunByHand,
    NotMeasured,
}
