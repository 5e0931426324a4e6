//! The signing window: what Rust prepared, shown before it is signed. The page gives ids, choices and the secret; never text
//! that is signed unseen.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::wire::{
    ActName, AppError, Conclusion, Consequence, EvidenceSummary, FactChange, FactLine, JobRef, Meaning, PathRef,
    PersonRef, ReleaseState, ReviewScope, RoleChange, Span, Verdict, WaveVerdict,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ChallengeKind {
    /// An entry is signed with the person's key.
    Entry,
    /// Presence is proved by the passphrase; no entry of the person.
    Presence,
    /// A secret of another system is kept on this desk.
    Secret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SecretAsked {
    Passphrase,
    ConnectorPassword,
}

/// What is to be signed, exactly as Rust holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// Single use; a choice gives another.
    pub nonce: String,
    pub kind: ChallengeKind,
    pub act: ActName,
    pub who: PersonRef,
    pub product: Option<String>,
    pub release: Option<String>,
    pub version: Option<String>,
    pub environment: Option<String>,
    /// What the signature says, in the signer's own voice: data for the catalogue's sentence.
    pub statement: Statement,
    /// The fields of the act, one line each, exactly as they stand in the entry.
    pub lines: Vec<StatementLine>,
    /// The sheet that is answered, line by line.
    pub facts: Vec<FactLine>,
    pub evidence: Option<EvidenceSummary>,
    /// What changed since the person last answered this release.
    pub changed: Vec<FactChange>,
    /// What must be acknowledged before it can be signed.
    pub acknowledge: Vec<Acknowledgement>,
    pub choice: Option<AnswerChoice>,
    pub roles: Vec<String>,
    pub verdicts: Vec<Verdict>,
    pub meanings: Vec<Meaning>,
    pub reason: Option<String>,
    /// Whether the reason is still to be given here.
    pub reason_asked: bool,
    /// Leaf hash of what is answered.
    pub subject_digest: Option<String>,
    /// SHA-256 of the very bytes that will be signed; none while a choice or a new key is missing.
    pub payload_sha256: Option<String>,
    /// Those bytes, for whoever wants to read them.
    pub payload: Option<String>,
    pub time: String,
    pub zone: String,
    pub key_fingerprint: Option<String>,
    pub secret: SecretAsked,
    /// A new key is to be made first: whose, and at whose hands.
    pub new_key: Option<PersonRef>,
    pub consequence: Consequence,
    pub then: Option<PersonRef>,
    pub sample: bool,
    /// On a sample: the passphrase everybody may know.
    pub sample_passphrase: Option<String>,
    pub expires: String,
    /// Wrong passphrases so far, and until when the key is locked.
    pub wrong: u32,
    pub locked_until: Option<String>,
    /// Why it was prepared anew since it was last shown.
    pub renewed: Option<Renewed>,
    /// Which signature it is, where one matter takes several.
    pub series: Option<Series>,
    /// On an answer that says GO: whose signatures are still missing after it.
    pub still_missing: Option<Vec<RoleCount>>,
}

/// The place of a signature among those that one matter takes; each is shown and signed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// From 1.
    pub number: u32,
    pub of: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoleCount {
    pub role: String,
    pub count: u32,
}

/// Asks who can complete a sign-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuorumRequest {
    pub release: String,
    /// As if they were absent.
    pub absent: Vec<String>,
    /// As if that person had signed GO; then nobody is absent.
    pub with: Option<SignsAs>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SignsAs {
    pub person: String,
    pub role: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuorumView {
    /// What is asked for and not signed yet; empty once it is complete.
    pub missing: Vec<RoleCount>,
    /// The fewest people who can complete it, each in one role.
    pub fewest: Vec<Seated>,
    /// The signatures nobody is left for; empty where it can be completed.
    pub nobody_for: Vec<RoleCount>,
    /// Those without whom it cannot be completed.
    pub not_without: Vec<PersonRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Seated {
    pub person: PersonRef,
    pub role: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Renewed {
    LedgerMoved,
    TimePassed,
    Chosen,
    KeyMade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Acknowledgement {
    Changed,
    EvidenceAfterFreeze,
    Waivers,
    NoWayBack,
    CannotBeUndone,
    StartsRollout,
    Sample,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct StatementLine {
    /// The field of the entry, as docs/format.md names it.
    pub field: String,
    pub value: String,
}

/// The sentence that is signed, as data; the words of the record stand in `lines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Statement {
    Answer { verdict: Option<Verdict>, role: Option<String>, artifact: String, environment: String, sheet: String },
    AnswerPolicy { verdict: Option<Verdict>, role: Option<String>, product: String, version: u32 },
    AnswerAuthorization { verdict: Option<Verdict>, role: Option<String>, product: String, entry: u32 },
    Confirm { what: String, entry: u32 },
    Condition { condition: String },
    Propose { release: String, commits: u32 },
    Amend { release: String },
    Withdraw { release: String },
    Request { release: String, environment: String, due: Option<String> },
    Waive { gate: String, expires: String },
    Resume { release: String, question: Option<String>, answer: Option<String> },
    WaveVerdict { wave: u32, verdict: WaveVerdict },
    Close { release: String, result: String },
    Stage { release: String, environment: String },
    Dispatch { release: String, environment: String, wave: u32, segment: String },
    Rollback { release: String, environment: String, to: String },
    Evidence { release: String, name: String, conclusion: Conclusion },
    Freeze { product: Option<String>, environment: Option<String>, span: Span },
    LiftFreeze { entry: u32 },
    Authorize { product: String, environment: String, valid: Span },
    SuspendAuthorization { entry: u32, resume: bool },
    Policy { product: String, version: u32, sha256: String },
    Product { product: String, path: Vec<String> },
    Target { product: String, environment: String },
    Genesis { title: String },
    Enrol { person: PersonRef },
    Accept { text: String, sha256: String },
    Role { person: PersonRef, role: String, product: Option<String>, until: Option<String>, change: RoleChange },
    ConfirmRole { person: PersonRef, role: String, product: Option<String>, entry: u32 },
    ConfirmIdentity { person: PersonRef, entry: u32 },
    ConfirmRecovery { person: PersonRef, entry: u32 },
    RotateKey {},
    EndKey { person: PersonRef, lost: bool },
    EnrolDispatcher { device: String },
    RevokeDevice { device: String },
    Review { scope: ReviewScope, from: u32, until: u32 },
    Correct { entry: u32, field: String },
    Unlock {},
    AddConnector { name: String, address: String },
    AllowCommand { id: String, sha256: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AnswerChoice {
    pub verdict: Verdict,
    pub role: String,
    pub meaning: Meaning,
    pub reason: String,
    pub conditions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Choose {
    pub nonce: String,
    pub verdict: Option<Verdict>,
    pub role: Option<String>,
    pub meaning: Option<Meaning>,
    pub reason: Option<String>,
    pub conditions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NewKey {
    pub nonce: String,
    pub passphrase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    pub nonce: String,
    pub secret: String,
    pub acknowledged: Vec<Acknowledgement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Cancel {
    pub nonce: String,
}

#[allow(clippy::large_enum_variant, reason = "one is made and sent on at once")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SigningResult {
    Signed {
        receipt: Receipt,
    },
    /// Presence was proved: what follows runs as a job.
    Started {
        receipt: Receipt,
        job: JobRef,
    },
    /// It is signed, and the next of the same matter is to be shown.
    Next {
        receipt: Receipt,
        challenge: Challenge,
    },
    /// Something moved: nothing was signed; the new challenge is to be shown.
    ShowAgain {
        challenge: Challenge,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    pub act: ActName,
    pub who: PersonRef,
    pub entry: Option<u32>,
    pub leaf: Option<String>,
    pub payload_sha256: Option<String>,
    pub root: Option<String>,
    pub time: String,
    pub zone: String,
    pub meaning: Option<Meaning>,
    pub verdict: Option<Verdict>,
    pub role: Option<String>,
    pub release: Option<String>,
    pub product: Option<String>,
    pub key_fingerprint: Option<String>,
    pub consequence: Consequence,
    pub then: Option<PersonRef>,
    /// The state the release came to.
    pub state: Option<ReleaseState>,
    /// Why what was to be signed after it cannot be; what is signed stays.
    pub unfinished: Option<AppError>,
    /// The file in which a carried answer goes back; it counts once it is in the ledger.
    pub carried: Option<PathRef>,
}
