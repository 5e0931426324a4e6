//! The desk: which ledger is open, who sits there, what is running.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::wire::{AppError, Conclusion, ConnectorTest, PathRef, PersonRef, ReleaseState, VerifyVerdict};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SessionMode {
    /// No ledger is open.
    Start,
    Open,
    /// The ledger on the disk is not sound: it can be read and verified, nothing is written.
    Damaged,
}

/// Whether what is shown was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum VerifiedState {
    /// Every entry was hashed and judged when it was loaded; files were not looked at.
    Entries,
    /// A full verification in the background is under way.
    Verifying,
    /// Everything was verified, files too.
    Everything,
    /// A finding stands: the audit screen names it.
    Findings,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub mode: SessionMode,
    pub ledger: Option<LedgerInfo>,
    /// Whose desk it is at the moment.
    pub me: Option<Me>,
    /// People whose key is on this desk.
    pub here: Vec<PersonRef>,
    /// The personas of a sample, with the passphrases everybody may know; empty on a real ledger.
    pub personas: Vec<Persona>,
    pub locked: bool,
    pub locks_at: Option<String>,
    pub device: Option<DeskDevice>,
    pub inbox_count: u32,
    pub rollout_count: u32,
    pub jobs: Vec<JobState>,
    pub now: String,
    pub zone: String,
    pub version: String,
    /// Why the ledger is damaged, or busy.
    pub trouble: Option<AppError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LedgerInfo {
    /// SHA-256 of entry 0, by which people know the ledger.
    pub fingerprint: String,
    pub title: String,
    pub origin: String,
    pub path: String,
    pub sample: bool,
    pub entries: u32,
    /// The root as in the checkpoint, base64.
    pub root: String,
    pub verified: VerifiedState,
    pub verified_at: Option<String>,
    pub witnesses: u32,
    /// Entries that were not admitted.
    pub findings: u32,
    pub last_backup: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    pub principal: String,
    pub name: String,
    pub roles: Vec<RoleHeld>,
    /// What the person may start; the rules are asked again for each act.
    pub may: Vec<Ability>,
    pub accepted: bool,
    pub key_fingerprint: Option<String>,
    pub key_valid_until: Option<String>,
    pub key_here: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Ability {
    Propose,
    Request,
    Dispatch,
    Sign,
    Hold,
    Administer,
    Configure,
    Freeze,
    Review,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoleHeld {
    pub role: String,
    pub product: Option<String>,
    pub until: Option<String>,
    pub granted: u32,
    /// In whose place, where its holder lent it.
    pub lent_by: Option<PersonRef>,
    pub training: Option<Training>,
}

/// What shows that somebody is trained for a role; past its end nothing is signed as that role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    pub reference: String,
    pub until: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Persona {
    pub principal: String,
    pub name: String,
    pub roles: Vec<String>,
    pub passphrase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DeskDevice {
    pub principal: String,
    pub name: String,
    /// The dispatcher of this machine, where it is one.
    pub dispatcher: Option<String>,
    pub dispatcher_ready: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ChoosePerson {
    pub principal: String,
}

/// What the first screen offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct StartInfo {
    pub recent: Vec<RecentLedger>,
    pub sample_there: bool,
    /// Where a new ledger would lie unless another place is picked.
    pub suggested: PathRef,
    pub suggested_name: String,
    pub suggested_principal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RecentLedger {
    pub fingerprint: String,
    pub title: String,
    pub path: PathRef,
    pub sample: bool,
    pub opened: String,
    /// Whether it is there.
    pub present: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenLedger {
    pub path: String,
}

/// What is picked in the system's dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PickPurpose {
    LedgerDirectory,
    NewLedgerDirectory,
    BackupDirectory,
    NewBackupDirectory,
    RestoreDirectory,
    BundleFile,
    EvidenceFile,
    ArtifactFile,
    RepositoryDirectory,
    PublicKeyFile,
    CertificateFile,
    ScriptFile,
    PolicyFile,
    /// A request for a signature that was sent here.
    RequestFile,
    /// The answer to one.
    AnswerFile,
    SaveRequest,
    SaveBundle,
    SaveReport,
    SaveTable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PickPath {
    pub purpose: PickPurpose,
    pub suggested_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CreateSample {
    /// Begin anew where one is there already.
    pub fresh: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BackupInfo {
    pub fingerprint: String,
    pub title: String,
    pub entries: u32,
    pub root: String,
    pub files: u32,
    pub sample: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InspectBackup {
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RestoreBackup {
    pub path: String,
    pub directory: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenBundle {
    pub path: String,
    /// SHA-256 of entry 0, from somewhere else than the bundle.
    pub fingerprint: Option<String>,
}

/// An exported bundle, judged from its bytes alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    pub file: String,
    pub size: String,
    pub title: String,
    pub fingerprint: String,
    pub sample: bool,
    pub verified: VerifyResult,
    pub releases: Vec<BundleRelease>,
    pub reports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BundleRelease {
    pub release: String,
    pub product: String,
    pub version: String,
    pub state: ReleaseState,
    pub sign_offs: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResult {
    pub verdict: VerifyVerdict,
    pub entries: u32,
    pub root: String,
    /// The first entry that is bad, exactly.
    pub first_bad: Option<u32>,
    pub findings: Vec<VerifyFinding>,
    pub took_millis: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VerifyFinding {
    pub index: Option<u32>,
    pub code: String,
    pub message: String,
    pub worst: VerifyVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum JobKind {
    Verify,
    ExportBundle,
    CarryRequest,
    BackUp,
    Restore,
    Report,
    ConnectorTest,
    Dispatch,
    Reconcile,
    ObserveEvidence,
    CreateSample,
    OpenLedger,
    Worker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum JobPhase {
    Running,
    Cancelling,
    Done,
    Failed,
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JobState {
    pub job_id: String,
    pub kind: JobKind,
    pub phase: JobPhase,
    /// The release it is about.
    pub release: Option<String>,
    pub step: JobStep,
    pub done: u32,
    /// 0 while it is not known.
    pub of: u32,
    pub cancellable: bool,
    pub started: String,
    pub outcome: Option<JobOutcome>,
    pub error: Option<AppError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum JobStep {
    Starting,
    Reading,
    Checking,
    Writing,
    Keys,
    Deriving,
    Sending,
    Watching,
    Baking,
    TakingBack,
    Looking,
    Finished,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum JobOutcome {
    Verified { result: VerifyResult },
    Written { path: PathRef, size: String, sha256: String, missing: Vec<String> },
    BackedUp { path: PathRef, entries: u32, files: u32, damaged: Vec<String> },
    Restored { fingerprint: String },
    SampleCreated { fingerprint: String },
    Tested { test: ConnectorTest },
    Dispatched { result: RolloutResult, detail: Option<String> },
    Observed { entry: u32, conclusion: Conclusion },
    Nothing {},
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RolloutResult {
    Staged,
    Live,
    Passed,
    Halted,
    RolledBack,
    FateUnknown,
    Refused,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JobId {
    pub job_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SigningChange {
    Opened,
    LedgerMoved,
    Expired,
    Closed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Place {
    Inbox {},
    Board {},
    Releases {},
    Release {
        release: String,
        tab: ReleaseTab,
    },
    Entry {
        index: u32,
    },
    Sign {
        release: String,
    },
    /// A request that the program was started with.
    CarriedRequest {
        file: PathRef,
    },
    People {},
    Settings {},
    Help {
        topic: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ReleaseTab {
    Decision,
    Evidence,
    Changes,
    Rollout,
    Timeline,
    Report,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SearchRequest {
    pub text: String,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    pub hits: Vec<SearchHit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SearchHit {
    Release { release: String, product: String, version: String, state: ReleaseState },
    Person { principal: String, name: String },
    Product { product: String, title: String },
    Entry { index: u32, act: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    System,
    Light,
    Dark,
    HighContrast,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Density {
    Comfortable,
    Compact,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    System,
    English,
    German,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ZoneChoice {
    Local,
    Utc,
    Named,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub theme: Theme,
    pub density: Density,
    pub language: Language,
    /// A tag for formats, as the system says it: `de-CH`. Lawful always.
    pub locale: String,
    pub zone: ZoneChoice,
    pub zone_name: Option<String>,
    /// 0: never.
    pub lock_minutes: u32,
    pub single_keys: bool,
    /// Percent, 80 to 200.
    pub zoom: u32,
    pub reduced_motion: bool,
    pub notify_asked: bool,
    pub notify_due: bool,
    pub notify_rollout: bool,
    pub quiet_from: Option<String>,
    pub quiet_until: Option<String>,
    /// How long before a due date it reminds.
    pub remind_minutes: u32,
    pub close_to_tray: bool,
    pub software_rendering: bool,
    /// Reminders are held back until then; others see who is away by the deputy's role in the ledger.
    pub away_until: Option<String>,
    pub hide_welcome: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics {
    pub version: String,
    pub build: String,
    pub platform: String,
    pub ledger_path: Option<PathRef>,
    pub home_path: PathRef,
    pub config_path: PathRef,
    pub log_path: Option<PathRef>,
    pub pinned_size: Option<u32>,
    pub zone: String,
    pub entries: Option<u32>,
    pub memory_kib: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenPlace {
    pub token: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenLink {
    pub release: String,
    pub request_id: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CopyText {
    pub text: String,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ZoomRequest {
    pub percent: u32,
}
