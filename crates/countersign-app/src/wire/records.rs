//! Audit, people and keys, products and policies, connectors, freezes, authorizations.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::clauses::{Clause, Obstacle};
use crate::wire::{
    ChangeType, Deed, DevicePurpose, DispatchRule, Enforcement, EvidenceKind, KeyOrigin, Mode, Page, PersonRef,
    QuorumSeat, ReviewScope, RoleHeld, RollbackRule, SegmentForm, SignOffState, Span, TargetConnector, TextDiffLine,
    TimelineRow, Verdict, VerifyFinding,
};

// ------------------------------------------------------------------ audit

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditFilter {
    pub actors: Vec<String>,
    /// Acts, as docs/format.md names them.
    pub acts: Vec<String>,
    pub release: Option<String>,
    pub product: Option<String>,
    pub after: Option<String>,
    pub before: Option<String>,
    pub text: String,
    pub only_findings: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditRequest {
    pub filter: AuditFilter,
    pub newest_first: bool,
    pub page: Page,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    pub total: u32,
    pub all: u32,
    pub rows: Vec<TimelineRow>,
    pub acts: Vec<FacetCount>,
    pub actors: Vec<FacetCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FacetCount {
    pub value: String,
    pub label: String,
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EntryIndex {
    pub index: u32,
}

/// One entry with all that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EntryView {
    pub row: TimelineRow,
    pub act: String,
    /// The canonical line that was signed.
    pub payload: String,
    /// The same, indented for reading.
    pub pretty: String,
    pub payload_sha256: String,
    pub armor: String,
    pub signer_key: String,
    pub leaf_hash: String,
    pub leaf_bytes: u32,
    pub checks: Vec<EntryCheck>,
    /// The sibling hashes up to the root, hex, the lowest first.
    pub proof: Vec<String>,
    /// The proof as a file of the exchange format.
    pub proof_text: String,
    pub tree_size: u32,
    pub root: String,
    pub seen_size: u32,
    pub seen_root: String,
    pub previous: Option<u32>,
    pub next: Option<u32>,
    /// Entries this one names.
    pub names: Vec<NamedEntry>,
    /// Entries that name this one.
    pub named_by: Vec<u32>,
    pub finding: Option<VerifyFinding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NamedEntry {
    pub field: String,
    pub index: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum EntryCheckName {
    Canonical,
    Signature,
    SignerEnrolled,
    HeadSeen,
    Inclusion,
    Rules,
    Clock,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EntryCheck {
    pub check: EntryCheckName,
    pub passed: bool,
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerifyRequest {
    pub fingerprint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExportBundle {
    pub release: Option<String>,
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ReportFormat {
    Pdf,
    Html,
    Csv,
    Json,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExportReport {
    pub release: Option<String>,
    pub format: ReportFormat,
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BackUp {
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SaveAudit {
    pub filter: AuditFilter,
    pub path: String,
}

// ------------------------------------------------------------------ people

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct People {
    pub at: String,
    pub people: Vec<PersonRow>,
    pub devices: Vec<DeviceRow>,
    pub roles: Vec<RoleUse>,
    pub reviews: Vec<ReviewRow>,
    /// Where the charter asks that access and trail are looked at again and again.
    pub reviews_due: Vec<ReviewRound>,
    pub recovery: RecoveryView,
    /// What counts only once a second person has confirmed it.
    pub waiting: Vec<WaitingRow>,
    /// Products nobody answers for.
    pub vacancies: Vec<String>,
    /// What the first entry says about people; none in a ledger that was begun without it.
    pub charter: Option<CharterView>,
    /// Who may do what: the rules' own table.
    pub permissions: Vec<PermissionRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WaitingKind {
    Identity,
    Role,
    Recovery,
}

/// A role, or a person, that waits for somebody to confirm it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRow {
    pub entry: u32,
    pub kind: WaitingKind,
    pub person: PersonRef,
    pub role: Option<String>,
    pub product: Option<String>,
    /// The key of the newcomer, to compare.
    pub key: Option<String>,
    /// Who asked for it, and so cannot confirm it.
    pub by: Vec<PersonRef>,
    pub can_confirm: Vec<PersonRef>,
    /// Whether the person at this desk can.
    pub me: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CharterView {
    pub identity_by_two: bool,
    pub roles_by_two: bool,
    pub key_days: u32,
    pub review_days: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PermissionRow {
    pub deed: Deed,
    /// The fixed roles that may.
    pub roles: Vec<String>,
    /// Whether a role that the policy asks to sign may.
    pub asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PersonState {
    Active,
    WaitsToAccept,
    NoRole,
    KeyEnded,
    KeyExpired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PersonRow {
    pub principal: String,
    pub name: String,
    pub emails: Vec<String>,
    pub state: PersonState,
    pub enrolled: u32,
    pub enrolled_by: PersonRef,
    pub enrolled_at: Option<String>,
    pub identity: Option<String>,
    pub accepted: Option<u32>,
    pub roles: Vec<RoleHeld>,
    pub keys: Vec<KeyRow>,
    pub key_here: bool,
    pub me: bool,
    /// Wrong passphrases in a row at this desk, and until when the key is locked.
    pub wrong: u32,
    pub locked_until: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    InUse,
    Expired,
    Rotated,
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    pub fingerprint: String,
    pub origin: KeyOrigin,
    pub valid_until: String,
    pub since: u32,
    pub state: KeyState,
    pub ended: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    InUse,
    WaitsForSecond,
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRow {
    pub principal: String,
    pub name: String,
    pub purpose: DevicePurpose,
    pub fingerprint: String,
    pub enrolled: u32,
    pub enrolled_by: PersonRef,
    pub confirmed: Option<u32>,
    pub revoked: Option<u32>,
    pub state: DeviceState,
    pub this_machine: bool,
    pub may_confirm: bool,
}

/// A role some policy asks for, or somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoleUse {
    pub role: String,
    pub fixed: bool,
    pub holders: u32,
    pub asked_by: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewRow {
    pub entry: u32,
    pub scope: ReviewScope,
    pub from: u32,
    pub until: u32,
    pub findings: String,
}

/// A review that is to be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReviewRound {
    pub scope: ReviewScope,
    pub due: String,
    pub overdue: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryView {
    pub needed: u32,
    pub people: Vec<PersonRef>,
    pub wait_hours: u32,
    pub under_way: Vec<RecoveryUnderWay>,
}

/// Somebody whom those named by the first entry are making process owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryUnderWay {
    pub entry: u32,
    pub person: PersonRef,
    pub by: Vec<PersonRef>,
    /// From when it counts, once enough have signed; until then a process owner can end it.
    pub from: Option<String>,
}

// ------------------------------------------------------------------ products

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Products {
    pub products: Vec<ProductRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProductRow {
    pub product: String,
    pub title: String,
    pub path: Vec<String>,
    pub mode: Option<Mode>,
    pub policy_version: Option<u32>,
    pub policy_waits: bool,
    pub without_target: Vec<String>,
    pub live: Option<String>,
    pub releases: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProductRef {
    pub product: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProductView {
    pub product: String,
    pub title: String,
    pub entry: u32,
    pub path: Vec<String>,
    pub policy: Option<PolicyView>,
    pub versions: Vec<PolicyVersion>,
    pub targets: Vec<TargetRow>,
    pub mode: Option<Mode>,
    pub level: u32,
    pub authorizations: Vec<AuthorizationRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PolicyStatus {
    InForce,
    Replaced,
    Proposed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyVersion {
    pub version: u32,
    pub entry: u32,
    pub sha256: String,
    pub by: PersonRef,
    pub time: String,
    pub status: PolicyStatus,
    pub answers: Vec<AnswerRow>,
    pub waits_for: Vec<QuorumSeat>,
    pub me: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRow {
    pub person: PersonRef,
    pub role: String,
    pub verdict: Verdict,
    pub entry: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRequest {
    pub product: String,
    pub version: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyView {
    pub product: String,
    pub version: u32,
    pub entry: u32,
    pub toml: String,
    pub sha256: String,
    pub mode: Mode,
    pub dispatch: DispatchRule,
    pub rollback: RollbackRule,
    pub quorum: Vec<QuorumAsked>,
    pub gates: Vec<GateRule>,
    pub soak_seconds: u32,
    pub sheet_valid_minutes: u32,
    pub waves: Vec<WavePlan>,
    pub means: Vec<Clause>,
    pub diff_to_in_force: Vec<TextDiffLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuorumAsked {
    pub role: String,
    pub count: u32,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GateRule {
    pub gate: String,
    pub kind: EvidenceKind,
    pub name: Option<String>,
    pub observed: bool,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WavePlan {
    pub segment: String,
    pub bake_seconds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CheckPolicy {
    pub product: String,
    pub toml: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyCheck {
    pub lawful: bool,
    pub problems: Vec<PolicyProblem>,
    pub means: Vec<Clause>,
    pub warnings: Vec<Obstacle>,
    pub diff: Vec<TextDiffLine>,
    pub sha256: String,
    /// Who must say GO before it is in force; empty for a first policy.
    pub must_sign: Vec<QuorumSeat>,
    /// The text a first policy of the product could begin with, where there is none.
    pub template: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PolicyProblem {
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TargetRow {
    pub entry: u32,
    pub digest: String,
    pub product: String,
    pub environment: String,
    pub connector: TargetConnector,
    pub job: String,
    pub deploy_step: String,
    pub segments: Vec<SegmentForm>,
    /// Why this desk cannot reach it.
    pub unreachable: Option<String>,
    pub enforcement: Enforcement,
}

// ------------------------------------------------------------------ connectors

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Connectors {
    pub connectors: Vec<ConnectorRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ConnectorRow {
    Buildbot {
        name: String,
        base_url: String,
        user: String,
        certificate_sha256: String,
        system_authorities: bool,
        used_by: Vec<TargetName>,
    },
    LocalCommand {
        name: String,
        script: String,
        script_sha256: String,
        refused: Option<String>,
        used_by: Vec<TargetName>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TargetName {
    pub product: String,
    pub environment: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorName {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TestConnector {
    pub name: String,
    pub jobs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TestStepName {
    Reach,
    Identify,
    Clock,
    Job,
    Inputs,
    Gate,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TestStepState {
    Passed,
    Failed,
    Warned,
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    pub step: TestStepName,
    pub state: TestStepState,
    pub subject: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorTest {
    pub name: String,
    pub steps: Vec<TestStep>,
    pub product: Option<String>,
    pub version: Option<String>,
    pub user: Option<String>,
    pub clock_ahead_seconds: Option<i32>,
    pub enforcement: Enforcement,
}

// ------------------------------------------------------------------ freezes and authorizations

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum FreezeStatus {
    InForce,
    ToCome,
    Over,
    Lifted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FreezeRow {
    pub entry: u32,
    pub product: Option<String>,
    pub environment: Option<String>,
    pub span: Span,
    pub by: PersonRef,
    pub reason: String,
    pub status: FreezeStatus,
    pub lifted: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Freezes {
    pub at: String,
    pub freezes: Vec<FreezeRow>,
    pub upcoming: Vec<AgendaRow>,
}

/// A date of the calendar: a window, a due date, the end of a sheet or a waiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AgendaRow {
    Window { release: String, product: String, version: String, span: Span, frozen: bool },
    Due { release: String, product: String, version: String, at: String },
    SheetEnds { release: String, product: String, version: String, at: String },
    WaiverEnds { release: String, gate: String, at: String },
    AuthorizationEnds { entry: u32, product: String, at: String },
    KeyEnds { person: PersonRef, at: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Authorizations {
    pub at: String,
    pub authorizations: Vec<AuthorizationRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationRow {
    pub entry: u32,
    pub product: String,
    pub environment: String,
    pub change_types: Vec<ChangeType>,
    pub max_commits: u32,
    pub per_day: u32,
    pub valid: Span,
    pub by: PersonRef,
    pub state: SignOffState,
    pub cause: Option<String>,
    pub adopted: Option<u32>,
    pub suspended: Option<u32>,
    pub answers: Vec<AnswerRow>,
    pub waits_for: Vec<QuorumSeat>,
    pub uses: u32,
    pub uses_today: u32,
    pub last_use: Option<String>,
    pub me: bool,
}
