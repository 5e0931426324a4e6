//! The decision sheet and the sign-offs on it.

use super::{Gate, Moment, Parameter, Party, Span, Stamp};
use countersign_core::act::{KeyOrigin, Meaning, Reauth, SeenBasis, Verdict};
use countersign_core::judge::SignOffState;
use serde::{Deserialize, Serialize};

/// The head a signer had seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its tree size.
    pub size: u64,
    /// How much of it was verified; `None` where the entry does not say.
    pub basis: Option<SeenBasis>,
}

/// One condition of a CONDITIONAL GO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What must be so.
    pub text: String,
    /// The entry that settled it; `None` means it is open, and the answer counts as not-GO.
    pub settled: Option<u64>,
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
    pub conditions: Vec<Condition>,
    /// The signed time.
    pub at: Moment,
    /// The fingerprint of the key.
    pub key_fingerprint: String,
    /// How that key came into the ledger.
    pub key_origin: KeyOrigin,
    /// How the signer proved to be present; `None` where the entry does not say.
    pub reauth: Option<Reauth>,
    /// What the signer's desk had verified.
    pub seen: Seen,
    /// The entry's index.
    pub entry: u64,
    /// What it is worth at the reported head.
    pub state: SignOffState,
    /// What it was worth when wave 1 was dispatched, where it came to that: this is what opened the gate.
    pub state_at_dispatch: Option<SignOffState>,
    /// Why it is not VALID.
    pub cause: Option<Cause>,
    /// The entry of the later answer by which its signer took it back.
    pub replaced_by: Option<u64>,
}

impl SignOff {
    /// Returns whether it carries a GO: valid when it was used, or now where it was not used yet, never taken back, and
    /// with no condition open.
    pub fn carries_go(&self) -> bool {
        let go = match self.verdict {
            Verdict::Go => true,
            Verdict::ConditionalGo => self.conditions.iter().all(|it| it.settled.is_some()),
            Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => false,
        };
        self.counts() && go
    }

    /// Returns what it was worth when it was used, or is worth now where it was not used yet: later moves undo no use.
    pub fn worth(&self) -> SignOffState {
        self.state_at_dispatch.unwrap_or(self.state)
    }

    /// Returns whether it counts, whatever it says.
    pub fn counts(&self) -> bool {
        self.worth() == SignOffState::Valid && self.replaced_by.is_none()
    }
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
    /// Its time ended before it was used.
    #[serde(rename = "EXPIRED")]
    Expired,
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

/// One wave of the rollout as the sheet fixes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWave {
    /// Who gets it.
    pub audience: String,
    /// How long it must stay well before the next.
    pub bake_seconds: u64,
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
    /// When wave 1 may be sent out.
    pub window: Option<Span>,
    /// The policy's version.
    pub policy_version: u64,
    /// The policy's digest.
    pub policy_digest: String,
    /// The digest of the evidence manifest.
    pub evidence_manifest: String,
    /// How many pieces of evidence that manifest lists.
    pub evidence_count: u64,
    /// What each gate said when the sheet was frozen.
    pub gates: Vec<Gate>,
    /// The entries of the waivers it rests on.
    pub waivers: Vec<u64>,
    /// The entry of the staging it rests on.
    pub staging: Option<u64>,
    /// The digest of the change list.
    pub change_list: String,
    /// The targets.
    pub targets: Vec<TargetDigest>,
    /// The waves, in order.
    pub rollout: Vec<PlannedWave>,
    /// What was live before; `None` for a first release.
    pub live_before: Option<String>,
    /// The way back.
    pub rollback: RollbackSlot,
    /// Which roles are needed and how many count.
    pub quorum: Vec<QuorumRule>,
    /// What the sign-offs amount to.
    pub decision: Decision,
    /// Why they amount to that, in a sentence.
    pub decision_reason: String,
    /// The entry of the sheet that replaced this one.
    pub superseded_by: Option<u64>,
    /// The signatures, in entry order.
    pub sign_offs: Vec<SignOff>,
    /// The GO of a standing authorization.
    pub automatic_go: Option<AutomaticGo>,
}
