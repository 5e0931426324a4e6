//! The decision sheet and the sign-offs on it.

use super::{KeyOrigin, Moment, Parameter, Party, Stamp};
use serde::{Deserialize, Serialize};

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Go ahead.
    #[serde(rename = "GO")]
    Go,
    /// Do not.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// Not now.
    #[serde(rename = "HOLD")]
    Hold,
    /// Only when conditions are met; counts as not-GO.
    #[serde(rename = "CONDITIONAL GO")]
    ConditionalGo,
}

/// What a signature means (21 CFR 11.50(a)(3)), a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The signer made it.
    Authorship,
    /// The signer examined it.
    Review,
    /// The signer checked it against what was asked.
    Verification,
    /// The signer approves its release.
    Approval,
    /// The signer certifies the batch (qualified person).
    Certification,
    /// The signer takes the responsibility.
    Responsibility,
    /// The signer rejects its release.
    Rejection,
}

/// How the signer proved to be present at this signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reauth {
    /// The passphrase was typed at a prompt.
    Prompt,
    /// The passphrase was read from a file.
    File,
    /// A key agent signed.
    Agent,
}

/// What the signer's desk had verified before signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBasis {
    /// The whole history: this signature seals it.
    Full,
    /// The proofs of the request alone: it does not.
    Proofs,
}

/// The head a signer had seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its tree size.
    pub size: u64,
    /// How much of it was verified.
    pub basis: SeenBasis,
}

/// What a sign-off is worth at the reported head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignOffState {
    /// It counts.
    Valid,
    /// Something that it needs is not there yet.
    Incomplete,
    /// What was signed has moved.
    Stale,
    /// Its time ended before it was used.
    Expired,
    /// The signer no longer held the role.
    SignerLostRole,
    /// The key had been revoked.
    KeyRevoked,
    /// The signer also did what must be another person's work.
    SegregationFailed,
    /// It is not a signature of this person over these bytes.
    Invalid,
}

/// Why a sign-off is not VALID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What moved or failed, in a sentence.
    pub text: String,
    /// The entry that made it so.
    pub entry: Option<u64>,
}

/// One signature of a person under a decision sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    /// The printed name and the principal.
    pub by: Party,
    /// In which role.
    pub role: String,
    /// The answer.
    pub verdict: Verdict,
    /// The meaning of the signature.
    pub meaning: Meaning,
    /// The reason given.
    pub reason: String,
    /// The conditions of a CONDITIONAL GO.
    pub conditions: Vec<String>,
    /// The signed time.
    pub at: Moment,
    /// The fingerprint of the key.
    pub key_fingerprint: String,
    /// How that key came into the ledger.
    pub key_origin: KeyOrigin,
    /// How the signer proved to be present.
    pub reauth: Reauth,
    /// What the signer's desk had verified.
    pub seen: Seen,
    /// The entry's index.
    pub entry: u64,
    /// What it is worth.
    pub state: SignOffState,
    /// Why it is not VALID.
    pub cause: Option<Cause>,
}

/// A GO given by a standing authorization, nobody signing at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticGo {
    /// The entry of the authorization.
    pub authorization: u64,
    /// Who adopted it, in which role, in which entry.
    pub adopted_by: Vec<super::Adoption>,
    /// The bounds it was judged against.
    pub bounds: Vec<Parameter>,
    /// The device that used it, and the entry of its use.
    pub used: Stamp,
    /// What it is worth.
    pub state: SignOffState,
    /// Why it is not VALID.
    pub cause: Option<Cause>,
}

/// One line of the quorum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuorumRule {
    /// The role.
    pub role: String,
    /// How many are needed.
    pub needed: u64,
    /// How many count.
    pub counted: u64,
}

/// What the sign-offs of a sheet amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decision {
    /// The quorum is met.
    #[serde(rename = "GO")]
    Go,
    /// Somebody refused.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// Somebody holds, or a condition is open.
    #[serde(rename = "HOLD")]
    Hold,
    /// What was signed has moved.
    #[serde(rename = "STALE")]
    Stale,
    /// Sign-offs are missing.
    #[serde(rename = "AWAITING")]
    Awaiting,
}

/// The way back that was approved with a sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RollbackSlot {
    /// Back to what was good before.
    To {
        /// Its version.
        version: String,
        /// Its artifact digest.
        sha256: String,
    },
    /// There is none, and the signers knew it.
    NoWayBack,
}

/// A target as the sheet fixes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDigest {
    /// The environment.
    pub environment: String,
    /// The target's name.
    pub name: String,
    /// The digest of its configuration.
    pub sha256: String,
}

/// The frozen sheet that people sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its digest: what each signature covers.
    pub digest: String,
    /// Who froze it, when, in which entry.
    pub frozen: Stamp,
    /// The environment it opens.
    pub environment: String,
    /// When it ends.
    pub valid_until: Option<Moment>,
    /// When deploying is allowed, in words of the sheet.
    pub window: Option<String>,
    /// The policy's version.
    pub policy_version: u64,
    /// The policy's digest.
    pub policy_digest: String,
    /// The digest of the evidence manifest.
    pub evidence_manifest: String,
    /// The digest of the change list.
    pub change_list: String,
    /// The targets.
    pub targets: Vec<TargetDigest>,
    /// What was live before; `None` for a first release.
    pub live_before: Option<String>,
    /// The way back.
    pub rollback: RollbackSlot,
    /// Which roles are needed and how many count.
    pub quorum: Vec<QuorumRule>,
    /// What the sign-offs amount to.
    pub decision: Decision,
    /// The entry of the sheet that replaced this one.
    pub superseded_by: Option<u64>,
    /// The signatures, in entry order.
    pub sign_offs: Vec<SignOff>,
    /// The GO of a standing authorization.
    pub automatic_go: Option<AutomaticGo>,
}
