//! Whose signatures count, in the words of the tools that check them without us: `ssh-keygen -Y verify` (its
//! `allowed_signers` and revocation files, `ssh-keygen(1)`) and the readers of C2SP tlog-policy.
//!
//! All of it follows from the entries: a bundle that says otherwise is refused. `allowed_signers` is cumulative: a key
//! that was ever in use stays, with the time in which it was and the acts it could ever sign. The order of entries, not
//! their clocks, decides when a key ended, so each span is widened to hold every entry that was admitted: the tools are
//! never stricter than we are, and their verdict is the weaker one. Of roles they know one thing: whoever was never a
//! process owner does not bring in people, devices, products or policies.
//!
//! `revoked` judges by key alone, for all time. It lists only keys that were reported lost before they had signed
//! anything; every other key that ended does so by its span.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::act::{
    ACTS, Act, ActRow, DeviceCard, DeviceChange, DevicePurpose, Grant, KeyChange, PersonCard, SignerKind,
};
use crate::admit::Statement;
use crate::checkpoint::{CheckpointError, Policy};
use crate::entry::namespace;
use crate::note::{Algorithm, KeyName, NoteError, VerifierKey};
use crate::sshsig::PublicKey;
use crate::state::State;
use crate::words::{Principal, Timestamp, role};

/// The act that dispatchers sign outside the ledger: what a pipeline checks before it deploys.
pub const ATTESTATION: &str = "attestation";

/// The acts of process owners alone.
const OWNER_ACTS: [&str; 4] = ["enrol", "device", "product", "policy"];

/// Acts that came with a later version of the rules: a ledger without an entry under it lists no key for them.
const LATER_ACTS: [(&str, u32); 1] = [("meeting", 2)];

/// Every key that was ever in use for signing entries, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    keys: Vec<SignerKey>,
    /// Everybody who was ever a process owner.
    owners: BTreeSet<Principal>,
    /// The latest version of the rules that an entry was made under. Until version 2 owners alone signed acts about roles;
    /// since then whoever holds a role may lend it.
    rules: u32,
}

/// A key and the time in which it could sign.
#[derive(Debug, Clone)]
struct SignerKey {
    principal: Principal,
    key: PublicKey,
    kind: Kind,
    enrolled: Timestamp,
    valid_until: Option<Timestamp>,
    ended: Option<Timestamp>,
    lost: bool,
    /// The first and last moment its entries name.
    used: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The person who signed entry 0.
    Founder,
    Person,
    Device(DevicePurpose),
}

impl Kind {
    fn may_sign(self, act: &str, signer: SignerKind) -> bool {
        match self {
            Self::Founder => signer != SignerKind::Device,
            Self::Person => signer != SignerKind::Device && act != "genesis",
            Self::Device(DevicePurpose::Dispatcher) => signer != SignerKind::Person,
            Self::Device(DevicePurpose::Desk) => matches!(signer, SignerKind::Device | SignerKind::Either),
        }
    }

    fn namespaces(self, owner: bool, rules: u32) -> Vec<String> {
        let of_owners = |act: &str| OWNER_ACTS.contains(&act) || rules < 2 && act == "role";
        let is_known = |act: &str| LATER_ACTS.iter().all(|(later, since)| *later != act || rules >= *since);
        let may_sign =
            |row: &&ActRow| self.may_sign(row.act, row.signer) && is_known(row.act) && (owner || !of_owners(row.act));
        let acts = ACTS.iter().filter(may_sign).map(|row| row.act);
        let attests = self == Self::Device(DevicePurpose::Dispatcher);
        acts.chain(attests.then_some(ATTESTATION)).map(namespace).collect()
    }
}

impl SignerKey {
    fn valid_after(&self) -> Timestamp {
        self.used.map_or(self.enrolled, |(first, _)| first.min(self.enrolled))
    }

    fn valid_before(&self) -> Option<Timestamp> {
        let ended = self.ended.map(|ended| self.used.map_or(ended, |(_, last)| last.max(ended)));
        let until = [ended, self.valid_until].into_iter().flatten().min()?;
        // OpenSSH refuses a line whose span is empty.
        Some(until.max(self.valid_after().plus_seconds(1)))
    }
}

impl Signers {
    /// Takes an admitted entry, which `key` signed.
    pub(crate) fn take(&mut self, statement: &Statement, key: PublicKey) {
        let time = statement.common.time;
        self.rules = self.rules.max(statement.common.rules);
        match &statement.act {
            Act::Genesis(body) => {
                self.bring_in_person(&body.owner, Kind::Founder, time);
                self.bring_in_device(&body.desk, time);
                self.owners.insert(body.owner.principal.clone());
            }
            Act::Role(body)
                if matches!(body.change, Grant::Grant | Grant::Recover)
                    && body.role.as_str() == role::PROCESS_OWNER =>
            {
                self.owners.insert(body.principal.clone());
            }
            Act::Enrol(body) => self.bring_in_person(&body.person, Kind::Person, time),
            Act::Device(body) => match &body.change {
                DeviceChange::Enrol { device } => self.bring_in_device(device, time),
                DeviceChange::Revoke { principal } => self.end(principal, time, false),
            },
            Act::Key(body) => {
                self.end(&body.principal, time, matches!(body.change, KeyChange::Lost {}));
                if let KeyChange::Rotate { key, valid_until, .. } = &body.change {
                    self.bring_in(&body.principal, *key, Kind::Person, time, Some(*valid_until));
                }
            }
            _ => {}
        }
        if let Some(signer) = self.keys.iter_mut().find(|signer| signer.key == key) {
            let (first, last) = signer.used.unwrap_or((time, time));
            signer.used = Some((first.min(time), last.max(time)));
        }
    }

    fn bring_in_person(&mut self, card: &PersonCard, kind: Kind, time: Timestamp) {
        self.bring_in(&card.principal, card.key, kind, time, Some(card.valid_until));
    }

    fn bring_in_device(&mut self, card: &DeviceCard, time: Timestamp) {
        self.bring_in(&card.principal, card.key, Kind::Device(card.purpose), time, None);
    }

    fn bring_in(
        &mut self,
        principal: &Principal,
        key: PublicKey,
        kind: Kind,
        enrolled: Timestamp,
        valid_until: Option<Timestamp>,
    ) {
        let principal = principal.clone();
        self.keys.push(SignerKey { principal, key, kind, enrolled, valid_until, ended: None, lost: false, used: None });
    }

    fn end(&mut self, principal: &Principal, time: Timestamp, lost: bool) {
        let current = self.keys.iter_mut().rev().find(|signer| signer.principal == *principal);
        if let Some(signer) = current {
            signer.ended = Some(time);
            signer.lost = lost;
        }
    }

    /// Writes the `allowed_signers` file: for each key its principal, the namespaces it may sign and the span in which
    /// it could, in UTC.
    ///
    /// Times end in `Z`, which OpenSSH reads from 9.1 on.
    #[must_use]
    pub fn allowed_signers(&self) -> String {
        self.lines(|signer| {
            let moment = |time: Timestamp| time.to_chrono().format("%Y%m%d%H%M%SZ");
            let mut span = format!(",valid-after=\"{}\"", moment(signer.valid_after()));
            if let Some(until) = signer.valid_before() {
                let _ = write!(span, ",valid-before=\"{}\"", moment(until));
            }
            span
        })
    }

    /// Writes the `allowed_signers` file without spans, for any OpenSSH that verifies signatures.
    #[must_use]
    pub fn allowed_signers_plain(&self) -> String {
        self.lines(|_| String::new())
    }

    fn lines(&self, span: impl Fn(&SignerKey) -> String) -> String {
        let line = |signer: &SignerKey| {
            let namespaces = signer.kind.namespaces(self.owners.contains(&signer.principal), self.rules).join(",");
            format!("{} namespaces=\"{namespaces}\"{} {}\n", signer.principal, span(signer), signer.key)
        };
        self.keys.iter().map(line).collect()
    }

    /// Writes the list of keys that never counted, one a line, for `ssh-keygen -Y verify -r`.
    #[must_use]
    pub fn revoked(&self) -> String {
        let never = self.keys.iter().filter(|signer| signer.lost && signer.used.is_none());
        never.map(|signer| format!("{}\n", signer.key)).collect()
    }
}

/// Returns the log keys of the devices in use, under the name of the ledger.
///
/// # Errors
/// The ledger's origin cannot name a key.
pub fn log_verifiers(state: &State) -> Result<Vec<VerifierKey>, NoteError> {
    let name = KeyName::new(state.origin.as_ref().map(ToString::to_string).unwrap_or_default())?;
    let in_use = state.devices.values().filter(|device| device.revoked.is_none());
    let keys = in_use.filter_map(|device| device.card.log_key);
    Ok(keys.map(|key| VerifierKey::new(name.clone(), Algorithm::Ed25519, key)).collect())
}

/// Returns the policy by which a checkpoint of the ledger is believed: any log key of a device in use, no witness.
///
/// # Errors
/// Those of [`log_verifiers`], and no device in use has a log key.
pub fn log_policy(state: &State) -> Result<Policy, CheckpointError> {
    Policy::new(log_verifiers(state)?, Vec::new(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of acts says in words who admits them; this list must not say otherwise.
    #[test]
    fn the_acts_of_owners_are_those_of_the_table() {
        let alone = |rest: &str| rest.starts_with([';', '.']);
        let rows = ACTS.iter().filter(|row| row.admitted.strip_prefix("By a process owner").is_some_and(alone));
        assert_eq!(rows.map(|row| row.act).collect::<Vec<_>>(), OWNER_ACTS);
    }

    #[test]
    fn each_kind_of_key_signs_its_acts_and_no_others() {
        let list = |kind: Kind, owner| kind.namespaces(owner, 2).join(" ");
        let person = list(Kind::Person, false);
        for act in ["approval", "request", "waiver", "key", "role", "enrol-accept", "hold", "evidence", "export"] {
            assert!(person.contains(&namespace(act)), "{act}");
        }
        for act in ["genesis", "enrol", "policy", "dispatch", "stage", "attempt", ATTESTATION] {
            assert!(!person.split(' ').any(|one| one == namespace(act)), "{act}");
        }
        for act in ["role", "meeting"] {
            assert!(!Kind::Person.namespaces(false, 1).contains(&namespace(act)), "{act}");
            assert!(Kind::Person.namespaces(false, 2).contains(&namespace(act)), "{act}");
        }
        assert!(list(Kind::Person, true).contains(&namespace("enrol")));
        assert!(list(Kind::Founder, true).contains(&namespace("genesis")));
        let desk = list(Kind::Device(DevicePurpose::Desk), false);
        for act in ["approval", "request", "propose", "waiver", "key", ATTESTATION] {
            assert!(!desk.contains(&namespace(act)), "{act}");
        }
        assert!(desk.contains(&namespace("evidence")) && desk.contains(&namespace("export")));
        let dispatcher = list(Kind::Device(DevicePurpose::Dispatcher), false);
        assert!(dispatcher.contains(&namespace(ATTESTATION)) && dispatcher.contains(&namespace("approval")));
        assert!(!dispatcher.contains(&namespace("waiver")));
    }
}
