//! The ledger, its verification, the population and the trail.

use super::{Moment, Party, Stamp};
use serde::{Deserialize, Serialize};

/// The identity of a ledger and the head that is reported on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The origin line of its checkpoints.
    pub origin: String,
    /// The organization that keeps it.
    pub organization: String,
    /// What it is called there.
    pub title: String,
    /// Whether its genesis says that this is a sample with made-up people.
    pub sample: bool,
    /// How many entries the reported tree holds.
    pub tree_size: u64,
    /// The root of the reported tree, base64 as in the checkpoint.
    pub root: String,
    /// SHA-256 of entry 0, the fingerprint that is handed over out of band.
    pub fingerprint: String,
    /// When entry 0 was signed.
    pub founded: Stamp,
}

/// The outcome of verification; the words are those of `countersign verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationVerdict {
    /// Everything is there and sound.
    Valid,
    /// All that is there is sound, something needed is absent.
    Incomplete,
    /// Something is unsound.
    Invalid,
}

/// Whether the ledger was compared with something from outside itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Anchor {
    /// Nothing from outside was given: a ledger made up as a whole would look the same.
    Unanchored,
    /// The fingerprint given by the reader equals the hash of entry 0.
    Fingerprint,
    /// The head is an extension of the head that this desk had pinned.
    Pin {
        /// The pinned size.
        size: u64,
    },
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The verdict over the reported tree.
    pub verdict: VerificationVerdict,
    /// What the ledger was compared with from outside.
    pub anchor: Anchor,
    /// How many witnesses cosigned the reported head.
    pub witnesses: u64,
    /// Every finding, in the order of the entries.
    pub findings: Vec<Finding>,
}

/// One thing that verification found wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The entry it concerns, `None` for the ledger as a whole.
    pub index: Option<u64>,
    /// The stable code.
    pub code: String,
    /// What it means, in a sentence.
    pub message: String,
}

/// What a report covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Scope {
    /// Every entry.
    WholeLedger,
    /// The entries of one release: proves what is present, never what is absent.
    Release {
        /// The release's id.
        id: String,
    },
}

/// How a copy of the report was made (information produced by the entity).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When, as given by the caller.
    pub at: Moment,
    /// By whom, where somebody asked for it.
    pub by: Option<Party>,
    /// The version of the application.
    pub app_version: String,
    /// The digest of its build, where it is known.
    pub app_build: Option<String>,
    /// The parameters it was made with, in order.
    pub parameters: Vec<Parameter>,
}

/// One named value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How many entries are of one act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActCount {
    /// The act, the middle part of the signature's namespace.
    pub act: String,
    /// How many entries.
    pub count: u64,
}

/// What kind of thing stands against a release or a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdverseKind {
    /// Somebody decided NO-GO.
    NoGo,
    /// Evidence is red.
    RedEvidence,
    /// Somebody held, or decided under conditions not yet met.
    Held,
    /// A red result halted the release.
    Halted,
    /// A rollout was halted.
    RolloutHalted,
    /// The release was rolled back.
    RolledBack,
    /// The fate of a dispatch is or was unknown.
    FateUnknown,
    /// A run failed.
    RunFailed,
    /// A requirement was waived.
    Waived,
    /// A red result was followed by another run on the same commit.
    RedRerun,
    /// A run was to be cancelled.
    Cancelled,
    /// The bytes of evidence are not there.
    EvidenceMissing,
    /// A sign-off no longer counts.
    SignOffVoid,
    /// The application refused an act.
    Refused,
    /// A passphrase or key was tried in vain.
    FailedAttempt,
    /// An entry stands in the ledger and was not admitted.
    NotAdmitted,
    /// The time of an entry is outside its bounds.
    ClockSuspect,
    /// A deployment was seen that no decision stands behind.
    Unexplained,
    /// A review is overdue.
    Overdue,
}

/// One thing that went wrong, was refused, or was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adverse {
    /// What kind of thing.
    pub kind: AdverseKind,
    /// The entry it stands in, where one does.
    pub entry: Option<u64>,
    /// When, where it is known.
    pub at: Option<Moment>,
    /// Who, where somebody did it.
    pub by: Option<Party>,
    /// What happened, in a sentence.
    pub what: String,
}

/// A field with the value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The field.
    pub field: String,
    /// The value before, `None` where there was none.
    pub before: Option<String>,
    /// The value after, `None` where it was removed.
    pub after: Option<String>,
}

/// A value that was corrected after its entry: both stay readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Who corrected it, when, in which entry.
    pub made: Stamp,
    /// The entry whose value is corrected.
    pub corrects: u64,
    /// The field and its two values.
    pub changed: Changed,
    /// Why.
    pub reason: String,
}

/// Something expected beside the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistItem {
    /// The clause that expects it.
    pub clause: String,
    /// What is expected.
    pub what: String,
    /// Where it stands; `None` prints "missing".
    pub present: Option<String>,
}

/// Whether an entry counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Admission {
    /// It was admitted by the rules.
    Admitted,
    /// It stands there without effect.
    NotAdmitted {
        /// The stable code of the finding.
        code: String,
        /// What it means.
        message: String,
    },
}

/// One entry of the ledger as an auditor reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// Its index.
    pub index: u64,
    /// The act.
    pub act: String,
    /// The signed time.
    pub at: Moment,
    /// Whether that time is outside its bounds.
    pub clock_suspect: bool,
    /// Who signed it.
    pub by: Party,
    /// The device it was made on.
    pub device: String,
    /// The release it is about, where it is about one.
    pub release: Option<String>,
    /// What it says, in a sentence.
    pub summary: String,
    /// The reason its signer gave, where the act asks for one.
    pub reason: Option<String>,
    /// What it changed, old and new.
    pub changes: Vec<Changed>,
    /// The later entry that corrects or supersedes it.
    pub superseded_by: Option<u64>,
    /// Whether it counts.
    pub admission: Admission,
    /// Its leaf hash.
    pub leaf_sha256: String,
}
