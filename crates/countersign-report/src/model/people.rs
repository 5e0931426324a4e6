//! People, keys, devices, policies and standing authorizations.

use super::{Moment, Party, Stamp};
use countersign_core::act::{DevicePurpose, KeyOrigin, Meaning, Verdict};
use serde::{Deserialize, Serialize};

/// Everybody the ledger enrolled, also those who left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The printed name.
    pub name: String,
    /// The principal, used once for ever.
    pub principal: String,
    /// How the identity was verified, in words of the enroller; `None` for the founder.
    pub identity: Option<String>,
    /// The roles and the entries between which they held.
    pub roles: Vec<RoleSpan>,
    /// Every key, also revoked ones.
    pub keys: Vec<Key>,
    /// Who enrolled the person.
    pub enrolled: Stamp,
    /// The entry by which the person accepted, `None` if that never came.
    pub accepted: Option<u64>,
    /// The reference to a qualification and its end, where one is on record.
    pub qualification: Option<String>,
}

/// A role between two entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpan {
    /// The role's name in the policy.
    pub role: String,
    /// The product it is limited to.
    pub product: Option<String>,
    /// When it ends by itself.
    pub expires: Option<Moment>,
    /// The entry that granted it.
    pub from: u64,
    /// The entry that ended it.
    pub until: Option<u64>,
}

/// Whether a key may sign at the reported head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum KeyStatus {
    /// It may.
    InForce,
    /// It may, for so many days more.
    DueSoon {
        /// Whole days left at the time of the report.
        days: u64,
    },
    /// Its time ended.
    Expired,
    /// It was replaced by another key of the same principal.
    Rotated {
        /// The entry that replaced it.
        entry: u64,
    },
    /// It was revoked.
    Revoked {
        /// The entry from which on it counts no more.
        entry: u64,
        /// Why.
        reason: String,
    },
}

/// A person's signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The fingerprint as `ssh-keygen` prints it, `SHA256:…`.
    pub fingerprint: String,
    /// How it came here.
    pub origin: KeyOrigin,
    /// Who enrolled it, when, in which entry.
    pub enrolled: Stamp,
    /// Who stated the holder's identity beside the enroller.
    pub identity_stated_by: Option<Party>,
    /// When it ends.
    pub valid_until: Option<Moment>,
    /// Whether it may sign.
    pub status: KeyStatus,
}

/// Where a device keeps its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKeyStore {
    /// In the secret service of its operating system.
    SecretService,
    /// In a file that only its user may read.
    File,
    /// Nobody recorded it.
    Unknown,
}

/// A device that signs what it observes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What it may do.
    pub purpose: DevicePurpose,
    /// Where its key is kept.
    pub key_store: DeviceKeyStore,
    /// The fingerprint of its key.
    pub key_fingerprint: String,
    /// The fingerprint of the key that signs the heads of the ledger, where it has one.
    pub log_key_fingerprint: Option<String>,
    /// Who enrolled it.
    pub enrolled: Stamp,
    /// The second person's entry, without which a dispatcher may not dispatch.
    pub confirmed: Option<u64>,
    /// The entry that revoked it.
    pub revoked: Option<u64>,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The product it governs.
    pub product: String,
    /// Its version.
    pub version: u64,
    /// SHA-256 of its text.
    pub digest: String,
    /// Its text, verbatim.
    pub toml: String,
    /// Who put it forward.
    pub adopted: Stamp,
    /// The answers of those who were asked, in entry order; nobody is asked about a first version.
    pub answers: Vec<Adoption>,
    /// The entry since which it is, or was, in force; `None` means it never was.
    pub in_force_since: Option<u64>,
    /// The entry of the version that replaced it.
    pub superseded_by: Option<u64>,
}

/// What became of a standing authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AuthorizationState {
    /// It decides within its bounds.
    InForce,
    /// Somebody suspended it.
    Suspended {
        /// The entry.
        entry: u64,
        /// Why.
        reason: String,
    },
    /// It counts no more.
    Void {
        /// Why, naming what moved.
        cause: String,
    },
    /// Its time ended.
    Expired,
}

/// A standing authorization: signed in advance by the quorum it stands in for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The entry that grants it.
    pub entry: u64,
    /// The product.
    pub product: String,
    /// Who proposed it.
    pub proposed: Stamp,
    /// Who adopted it, with role, in entry order.
    pub adopted_by: Vec<Adoption>,
    /// Its bounds, in order.
    pub bounds: Vec<super::Parameter>,
    /// When it ends.
    pub valid_until: Option<Moment>,
    /// What became of it.
    pub state: AuthorizationState,
    /// How many releases went out under it.
    pub uses: u64,
}

/// One signature under a policy or a standing authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// Who, when, in which entry.
    pub signed: Stamp,
    /// In which role.
    pub role: String,
    /// The answer.
    pub verdict: Verdict,
    /// What the signature means.
    pub meaning: Meaning,
}
