//! Sign-offs that travel: a request leaves as a file, is answered on another desk, and the answer comes in.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{ActName, ChangeType, EvidenceSummary, FactLine, PathRef, PersonRef, Verdict};

/// The request of a release, into a file that was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarryRequest {
    pub release: String,
    pub path: String,
}

/// An answer that came back, in a file that was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarryImport {
    pub path: String,
}

/// What an answer brought into the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarriedIn {
    pub entries: Vec<CarriedEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarriedEntry {
    pub entry: u32,
    pub act: ActName,
    pub who: PersonRef,
    pub verdict: Option<Verdict>,
    /// The release it answers.
    pub release: Option<String>,
    /// Whether it was in the ledger before.
    pub again: bool,
}

/// A request that was sent here, in a file that was picked or that the program was started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarryOpen {
    pub path: String,
    /// SHA-256 of entry 0, as the ledger's people told; needed the first time this desk meets the ledger.
    pub fingerprint: Option<String>,
}

/// What a request says, judged from its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarriedRequest {
    /// SHA-256 of the file.
    pub sha256: String,
    pub file: PathRef,
    pub fingerprint: String,
    pub ledger: String,
    pub sample: bool,
    /// How many entries the ledger had.
    pub entries: u32,
    pub release: String,
    pub product: String,
    pub version: String,
    pub environment: String,
    pub change_type: ChangeType,
    pub asked_by: PersonRef,
    pub frozen: String,
    pub not_after: String,
    pub expired: bool,
    pub facts: Vec<FactLine>,
    pub evidence: EvidenceSummary,
    /// Those whose key for this ledger is on this desk and who are asked.
    pub signers: Vec<CarriedSigner>,
    /// Files that are named and did not come along.
    pub absent: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CarriedSigner {
    pub person: PersonRef,
    pub roles: Vec<String>,
    /// Whether they accept to be accountable first, by a signature of its own.
    pub accepts_first: bool,
}
