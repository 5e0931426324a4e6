//! Every rule of the ledger, in one place.
//!
//! [`admit`] decides whether an entry has effect. Appending asks it before anything is written; verifying asks it for each
//! entry in order. An entry it refuses stays in the tree, is flagged, and changes nothing. What a rule concludes from the
//! state (gates, quorum, staleness) it asks of [`crate::judge`].

use serde_json::{Map, Value, json};

use crate::act::{
    Act, Artifact, AuthorizationChange, COMMON_FIELDS, Candidate, CommitSource, Common, DeviceChange, DevicePurpose,
    Dispatch, DispatchKind, DispatchState, Evidence, EvidenceOrigin, FreezeChange, Grant, HoldChange, KeyChange,
    ProposeChange, RULES_VERSION, Request, RunConclusion, SignerKind, Verdict, WaveVerdict, accountability, row,
};
use crate::entry::{Entry, EntryError, STATEMENT_TYPE, predicate_type};
use crate::evidence::Conclusion;
use crate::hash::Digest;
use crate::judge::{self, is_dispatcher};
use crate::merkle::leaf_hash;
use crate::note::KeyName;
use crate::policy::{DispatchRule, Distinct, Policy};
use crate::rejection::{Code, Finding, Rejection, ensure};
use crate::sshsig::PublicKey;
use crate::state::{Answerable, DispatchRecord, KeyEnd, Person, Release, RoleRecord, Sheet, State, apply};
use crate::words::{EntryRef, Line, Principal, ReleaseId, Slug, Timestamp, role};

/// What an entry says, read into types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The fields every act shares.
    pub common: Common,
    /// What it is about: name and digest.
    pub subject: Vec<Artifact>,
    /// The act.
    pub act: Act,
}

impl Statement {
    /// Reads the payload of an entry.
    ///
    /// # Errors
    /// A field is missing, unknown or not lawful.
    pub fn read(entry: &Entry) -> Result<Self, Rejection> {
        let malformed = |message: String| Rejection::new(Code::Malformed, message);
        let payload = entry.payload();
        let subject = payload["subject"]
            .as_array()
            .ok_or_else(|| malformed("the subject is not a list".into()))?
            .iter()
            .map(|item| {
                Some(Artifact {
                    name: item["name"].as_str()?.parse().ok()?,
                    sha256: item["digest"]["sha256"].as_str()?.parse().ok()?,
                })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| malformed("the subject holds something else than names with a sha256".into()))?;
        let Some(Value::Object(predicate)) = payload.get("predicate") else {
            return Err(malformed("the predicate is not an object".into()));
        };
        let (common, fields): (Map<_, _>, Map<_, _>) =
            predicate.clone().into_iter().partition(|(name, _)| COMMON_FIELDS.contains(&name.as_str()));
        let common = serde_json::from_value(Value::Object(common)).map_err(|error| malformed(error.to_string()))?;
        let act = Act::from_json(entry.act(), Value::Object(fields)).map_err(malformed)?;
        let statement = Self { common, subject, act };
        // One statement has one spelling: `null` is not absence, a list is not an object, an empty list is left out.
        let spelled = statement.payload();
        if spelled != *payload {
            let differs = |name: &&String| payload["predicate"].get(*name) != spelled["predicate"].get(*name);
            let field = predicate.keys().find(differs).map_or("subject", String::as_str);
            return Err(malformed(format!("`{field}` is not spelled as the format asks")));
        }
        Ok(statement)
    }

    /// Returns the payload to be signed: an in-toto Statement v1.
    pub fn payload(&self) -> Value {
        let mut predicate = self.act.to_json();
        let common = serde_json::to_value(&self.common).expect("the common fields hold only strings and integers");
        if let (Value::Object(predicate), Value::Object(common)) = (&mut predicate, common) {
            predicate.extend(common);
        }
        let subject: Vec<Value> = self
            .subject
            .iter()
            .map(|artifact| json!({"digest": {"sha256": artifact.sha256}, "name": artifact.name}))
            .collect();
        json!({
            "_type": STATEMENT_TYPE,
            "predicate": predicate,
            "predicateType": predicate_type(self.act.name()),
            "subject": subject,
        })
    }
}

/// An entry that has passed every rule: the only thing [`crate::state::apply`] takes.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub(crate) entry: EntryRef,
    pub(crate) payload_hash: Digest,
    pub(crate) key: PublicKey,
    pub(crate) statement: Statement,
}

impl Admitted {
    /// Returns what the entry says.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

/// Returns the entry as admitted at that place of the ledger.
///
/// The index is the size of the tree before it: the place is part of what is admitted.
///
/// # Errors
/// The first rule that refuses it.
pub fn admit(state: &State, entry: &Entry) -> Result<Admitted, Finding> {
    let index = state.tree.size();
    let refused = |rejection: Rejection| Finding { index, code: rejection.code, message: rejection.message };
    let statement = Statement::read(entry).map_err(refused)?;
    check_bytes(state, entry, &statement).map_err(refused)?;
    check(state, &statement).map_err(refused)?;
    Ok(Admitted {
        entry: EntryRef { index, leaf: entry.leaf_hash() },
        payload_hash: entry.payload_hash(),
        key: entry.signer_key(),
        statement,
    })
}

impl State {
    /// Takes the next leaf of the ledger, as it was read from a store or a bundle.
    ///
    /// The leaf always becomes part of the tree. It has effect only when it is an entry and is admitted; otherwise it is
    /// remembered among the findings.
    ///
    /// # Errors
    /// The finding, where it has no effect.
    pub fn take(&mut self, leaf: Vec<u8>) -> Result<EntryRef, Finding> {
        self.take_parsed(ParsedLeaf::new(leaf)).map(|(entry, _)| entry)
    }

    /// Takes the next leaf as [`State::take`] does and returns what it says, too.
    ///
    /// # Errors
    /// The finding, where it has no effect.
    pub fn take_parsed(&mut self, leaf: ParsedLeaf) -> Result<(EntryRef, Statement), Finding> {
        let index = self.tree.size();
        let admitted = leaf
            .entry
            .map_err(|error| Finding { index, code: Code::Malformed, message: error.to_string() })
            .and_then(|entry| admit(self, &entry));
        self.tree.append(leaf.hash);
        match admitted {
            Ok(admitted) => {
                let taken = (admitted.entry, admitted.statement.clone());
                apply(self, admitted);
                Ok(taken)
            }
            Err(finding) => {
                self.findings.push(finding.clone());
                Err(finding)
            }
        }
    }

    /// Takes a leaf of a copy that does not hold every entry.
    ///
    /// Such a copy holds all acts about people and devices: those pass every rule that needs no other entry, and have
    /// effect. Of every other act only its signer's standing is judged, and it has none.
    ///
    /// # Errors
    /// The finding; the leaf then has no effect.
    pub(crate) fn take_alone(&mut self, index: u64, leaf: ParsedLeaf) -> Result<(EntryRef, Statement), Finding> {
        let refused = |rejection: Rejection| Finding { index, code: rejection.code, message: rejection.message };
        let entry = leaf.entry.map_err(|error| refused(Rejection::new(Code::Malformed, error.to_string())))?;
        let statement = Statement::read(&entry).map_err(refused)?;
        check_bytes(self, &entry, &statement).map_err(refused)?;
        let has_effect = match &statement.act {
            Act::Genesis(_) | Act::Enrol(_) | Act::EnrolAccept(_) | Act::Device(_) | Act::Key(_) | Act::Role(_) => true,
            Act::Approval(body) => matches!(self.answerable(body.request), Some(Answerable::Device(_))),
            _ => false,
        };
        check_alone(self, index, &statement, has_effect).map_err(refused)?;
        let named = EntryRef { index, leaf: leaf.hash };
        let payload_hash = entry.payload_hash();
        if has_effect {
            let (key, statement) = (entry.signer_key(), statement.clone());
            apply(self, Admitted { entry: named, payload_hash, key, statement });
        } else {
            self.payloads.insert(payload_hash);
            self.nonces.insert(statement.common.nonce.clone());
        }
        Ok((named, statement))
    }
}

fn check_alone(state: &State, index: u64, statement: &Statement, every_rule: bool) -> Result<(), Rejection> {
    let common = &statement.common;
    check_rules(common)?;
    ensure(common.seen.size <= index, Code::SeenMismatch, || {
        format!("it claims to have seen {} entries where there are {index}", common.seen.size)
    })?;
    if let Act::Genesis(genesis) = &statement.act {
        ensure(index == 0, Code::Genesis, || "only entry 0 may be a genesis".into())?;
        check_seen(state, common)?;
        return check_genesis(state, statement, genesis);
    }
    let signer = check_standing(state, statement)?;
    ensure(state.origin.as_ref() == Some(&common.seen.origin), Code::SeenMismatch, || {
        format!("it names the ledger {}", common.seen.origin)
    })?;
    if every_rule { check_said(state, statement, &signer) } else { Ok(()) }
}

/// A leaf whose grammar and signature were checked: the costly part of taking it, which depends on nothing else and so
/// may be done for many leaves at once.
#[derive(Debug, Clone)]
pub struct ParsedLeaf {
    pub(crate) hash: Digest,
    pub(crate) entry: Result<Entry, EntryError>,
}

impl ParsedLeaf {
    /// Hashes and parses the bytes of a leaf.
    #[must_use]
    pub fn new(leaf: Vec<u8>) -> Self {
        Self { hash: leaf_hash(&leaf), entry: Entry::parse(leaf) }
    }
}

/// The rules over the signed bytes: payload and key.
fn check_bytes(state: &State, entry: &Entry, statement: &Statement) -> Result<(), Rejection> {
    ensure(!state.payloads.contains(&entry.payload_hash()), Code::Duplicate, || {
        "the same payload is already in the ledger".into()
    })?;
    let signer = &statement.common.signer.principal;
    let enrolled = match &statement.act {
        Act::Genesis(genesis) => Some(&genesis.owner.key),
        _ => match (state.people.get(signer), state.devices.get(signer)) {
            (Some(person), _) => person.keys.last().map(|key| &key.key),
            (None, Some(device)) => Some(&device.card.key),
            (None, None) => None,
        },
    };
    let key_used = entry.signer_key();
    if enrolled == Some(&key_used) {
        return Ok(());
    }
    ensure(enrolled.is_some() || state.genesis.is_some(), Code::Genesis, || "entry 0 is not a genesis".into())?;
    ensure(enrolled.is_some(), Code::UnknownSigner, || format!("{signer} is not enrolled"))?;
    let earlier = state.people.get(signer).and_then(|person| person.keys.iter().find(|key| key.key == key_used));
    match earlier {
        Some(_) => Err(Rejection::new(Code::KeyRevoked, format!("the key of {signer} was replaced before this entry"))),
        None => Err(Rejection::new(Code::WrongKey, format!("the key is not the one enrolled for {signer}"))),
    }
}

/// Every rule but those over the signed bytes; [`crate::decide`] asks it before anybody signs.
pub(crate) fn check(state: &State, statement: &Statement) -> Result<(), Rejection> {
    check_rules(&statement.common)?;
    check_seen(state, &statement.common)?;
    let repeated = state.nonces.contains(&statement.common.nonce);
    ensure(!repeated, Code::Duplicate, || "the nonce was used before".into())?;
    if let Act::Genesis(genesis) = &statement.act {
        return check_genesis(state, statement, genesis);
    }
    let signer = check_standing(state, statement)?;
    check_said(state, statement, &signer)
}

fn check_rules(common: &Common) -> Result<(), Rejection> {
    ensure(common.rules == RULES_VERSION, Code::RulesUnknown, || {
        format!("made under rules {}; this version knows {RULES_VERSION}", common.rules)
    })
}

/// The rules over what is said, and what about.
fn check_said(state: &State, statement: &Statement, signer: &SignedBy<'_>) -> Result<(), Rejection> {
    check_act(state, statement, signer)?;
    let expected = subject(state, &statement.act);
    ensure(statement.subject == expected, Code::SubjectMismatch, || "the subject is not what the act is about".into())
}

/// The rules over who signs, on which desk, and when; none over what they say.
fn check_standing<'a>(state: &'a State, statement: &'a Statement) -> Result<SignedBy<'a>, Rejection> {
    let device = &statement.common.device;
    ensure(state.genesis.is_some(), Code::Genesis, || "entry 0 is not a genesis".into())?;
    ensure(state.devices.get(device).is_some_and(|device| device.revoked.is_none()), Code::UnknownDevice, || {
        format!("the desk {device} is not enrolled, or was revoked")
    })?;
    let signer = check_signer(state, statement)?;
    check_clock(state, statement)?;
    Ok(signer)
}

/// Returns what an act is about: the artifacts of its release, or the ledger itself.
pub fn subject(state: &State, act: &Act) -> Vec<Artifact> {
    let of_release = |id: &ReleaseId| state.releases.get(id).map(|release| release.candidate.artifacts.clone());
    let artifacts = match act {
        Act::Genesis(_) => None,
        Act::Propose(body) => match &body.change {
            ProposeChange::Candidate { candidate, .. } | ProposeChange::Amend { candidate } => {
                Some(candidate.artifacts.clone())
            }
            _ => of_release(&body.release),
        },
        Act::Request(body) => Some(body.artifacts.clone()),
        Act::Approval(body) => match state.answerable(body.request) {
            Some(Answerable::Sheet(id)) => state
                .releases
                .get(id)
                .and_then(|release| release.sheet_at(body.request))
                .map(|sheet| sheet.body.artifacts.clone()),
            Some(Answerable::Evidence(id)) => of_release(id),
            _ => None,
        },
        Act::Condition(body) => {
            judge::release_of_approval(state, body.approval).map(|(release, _)| release.candidate.artifacts.clone())
        }
        Act::Evidence(body) => of_release(&body.release),
        Act::Waiver(body) => of_release(&body.release),
        Act::Stage(body) => of_release(&body.release),
        Act::Hold(body) => of_release(&body.release),
        Act::Dispatch(body) => of_release(&body.release),
        Act::Run(body) => of_release(&body.release),
        Act::Wave(body) => of_release(&body.release),
        Act::Outcome(body) => of_release(&body.release),
        Act::Announce(body) => of_release(&body.release),
        _ => None,
    };
    artifacts.unwrap_or_else(|| state.origin.iter().map(ledger_subject).collect())
}

/// Returns the subject of acts about the ledger itself: its origin and the SHA-256 of it.
pub fn ledger_subject(origin: &Line) -> Artifact {
    Artifact { name: origin.clone(), sha256: Digest::of(origin.as_str().as_bytes()) }
}

fn check_seen(state: &State, common: &Common) -> Result<(), Rejection> {
    let seen = &common.seen;
    if let Some(origin) = &state.origin {
        ensure(seen.origin == *origin, Code::SeenMismatch, || format!("it names the ledger {}", seen.origin))?;
    }
    let root = state.tree.root_at(seen.size);
    ensure(root.is_some(), Code::SeenMismatch, || {
        format!("it claims to have seen {} entries where there are {}", seen.size, state.tree.size())
    })?;
    ensure(root.is_some_and(|root| root.to_base64() == seen.root), Code::SeenMismatch, || {
        format!("its signer saw another history of the first {} entries", seen.size)
    })
}

fn check_genesis(state: &State, statement: &Statement, genesis: &crate::act::Genesis) -> Result<(), Rejection> {
    let common = &statement.common;
    let refuse = |holds: bool, message: &str| ensure(holds, Code::Genesis, || message.to_owned());
    refuse(state.tree.size() == 0, "only entry 0 may be a genesis")?;
    refuse(
        common.signer.principal == genesis.owner.principal && common.signer.name == genesis.owner.name,
        "the signer is not the owner it names",
    )?;
    refuse(common.device == genesis.desk.principal, "the desk is not the one it names")?;
    refuse(genesis.desk.purpose == DevicePurpose::Desk, "the first device is a desk")?;
    refuse(genesis.owner.principal != genesis.desk.principal, "owner and desk share a principal")?;
    refuse(genesis.accountability == accountability(), "the accountability text is another one")?;
    refuse(
        KeyName::new(common.seen.origin.as_str()).is_ok(),
        "the origin cannot name a log: it holds a space or a plus sign",
    )?;
    refuse(
        genesis.recovery.needed <= genesis.recovery.people.len() as u64,
        "recovery needs more people than it names",
    )?;
    refuse(
        genesis.owner.key != genesis.desk.key
            && Some(&genesis.owner.key) != genesis.desk.log_key.as_ref()
            && Some(&genesis.desk.key) != genesis.desk.log_key.as_ref(),
        "one key in two jobs",
    )?;
    ensure(common.time <= genesis.owner.valid_until, Code::KeyExpired, || "the owner's key has expired".into())?;
    check_person_fields(common)?;
    refuse(statement.subject == [ledger_subject(&common.seen.origin)], "the subject is not the ledger")
}

/// Who signs, once the rules over signers have passed.
enum SignedBy<'a> {
    Person(&'a Person),
    Device(&'a Principal),
}

impl<'a> SignedBy<'a> {
    fn person(&self) -> Option<&'a Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Device(_) => None,
        }
    }
}

fn check_person_fields(common: &Common) -> Result<(), Rejection> {
    let field = |present: bool, what: &str| ensure(present, Code::Field, || format!("{what} is missing"));
    field(common.reason.is_some(), "the reason")?;
    field(common.reauth.is_some(), "how presence was proved")?;
    field(common.seen_basis.is_some(), "how much history was verified")
}

fn check_signer<'a>(state: &'a State, statement: &'a Statement) -> Result<SignedBy<'a>, Rejection> {
    let common = &statement.common;
    let who = &common.signer.principal;
    let wanted = row(statement.act.name()).map(|row| row.signer).expect("every act has a row");
    let name_matches = |name: &Line| {
        ensure(common.signer.name == *name, Code::Field, || {
            format!("{who} is enrolled as {name}, not as {}", common.signer.name)
        })
    };
    if let Some(person) = state.people.get(who) {
        ensure(wanted != SignerKind::Device, Code::WrongSigner, || format!("a device signs {}", statement.act.name()))?;
        name_matches(&person.card.name)?;
        let key = person.keys.last().expect("everybody is enrolled with a key");
        ensure(!matches!(key.ended, Some((_, KeyEnd::Revoked))), Code::KeyRevoked, || {
            format!("the key of {who} was revoked")
        })?;
        ensure(common.time <= key.valid_until, Code::KeyExpired, || {
            format!("the key of {who} expired at {}", key.valid_until)
        })?;
        ensure(person.accepted.is_some() || matches!(statement.act, Act::EnrolAccept(_)), Code::NotAccepted, || {
            format!("{who} has not accepted the accountability text")
        })?;
        check_person_fields(common)?;
        return Ok(SignedBy::Person(person));
    }
    let Some(device) = state.devices.get(who) else {
        return Err(Rejection::new(Code::UnknownSigner, format!("{who} is not enrolled")));
    };
    ensure(device.revoked.is_none(), Code::KeyRevoked, || format!("the device {who} was revoked"))?;
    name_matches(&device.card.name)?;
    ensure(common.reauth.is_none() && common.seen_basis.is_none(), Code::Field, || {
        "a device proves no presence".into()
    })?;
    let authorized = matches!(
        &statement.act,
        Act::Propose(body) if matches!(body.change, ProposeChange::Candidate { authorization: Some(_), .. })
    ) || matches!(&statement.act, Act::Request(body) if body.authorization.is_some())
        || matches!(&statement.act, Act::Approval(body) if body.authorization.is_some());
    let may = match wanted {
        SignerKind::Person => false,
        SignerKind::Device | SignerKind::Either => true,
        SignerKind::PersonOrAuthorization => authorized && is_dispatcher(state, who),
    };
    ensure(may, Code::WrongSigner, || match wanted {
        SignerKind::PersonOrAuthorization => {
            format!("a person signs {}, or an enrolled dispatcher under a standing authorization", statement.act.name())
        }
        _ => format!("a person signs {}", statement.act.name()),
    })?;
    Ok(SignedBy::Device(who))
}

/// How far a clock may lag behind what the ledger already knows.
pub(crate) const CLOCK_TOLERANCE_SECONDS: i64 = 300;

fn check_clock(state: &State, statement: &Statement) -> Result<(), Rejection> {
    let Some(floor) = state.clock_floor else {
        return Ok(());
    };
    let time = statement.common.time;
    ensure(floor.seconds_since(time) <= CLOCK_TOLERANCE_SECONDS, Code::ClockSuspect, || {
        format!("its clock says {time}, yet the ledger already knows {floor}")
    })
    .map_err(|rejection| rejection.hint("set this desk's clock"))
}

/// Refuses a clock that stood before the sheet was frozen: an order of entries that no honest clocks make.
fn ensure_after(sheet: Option<&Sheet>, at: Timestamp) -> Result<(), Rejection> {
    let Some(sheet) = sheet else {
        return Ok(());
    };
    ensure(sheet.time.seconds_since(at) <= CLOCK_TOLERANCE_SECONDS, Code::ClockSuspect, || {
        format!("its clock says {at}, yet the sheet was frozen at {}", sheet.time)
    })
    .map_err(|rejection| rejection.hint("set this desk's clock"))
}

/// Refuses unless the person holds one of the roles for the product.
fn ensure_role(person: &Person, roles: &[&str], product: Option<&Slug>, at: Timestamp) -> Result<(), Rejection> {
    ensure(roles.iter().any(|role| person.holds(role, product, at)), Code::RoleMissing, || {
        format!("{} is not {}", person.card.principal, roles.join(" or "))
    })
    .map_err(|rejection| rejection.hint("a process owner grants roles with `countersign person role`"))
}

const OWNER: &[&str] = &[role::PROCESS_OWNER];
const MANAGER: &[&str] = &[role::RELEASE_MANAGER];
const OWNER_OR_MANAGER: &[&str] = &[role::PROCESS_OWNER, role::RELEASE_MANAGER];
const MANAGER_OR_PRACTITIONER: &[&str] = &[role::RELEASE_MANAGER, role::PRACTITIONER];
const OWNER_OR_AUDITOR: &[&str] = &[role::PROCESS_OWNER, role::AUDITOR];

/// Refuses a signature whose presence was proved in a way the product's policy does not accept.
fn ensure_presence(state: &State, product: &Slug, common: &Common) -> Result<(), Rejection> {
    match (state.policy(product), common.reauth) {
        (Some(record), Some(reauth)) => ensure(record.policy.reauth.contains(&reauth), Code::ReauthRefused, || {
            format!("the policy does not accept a passphrase by {reauth}")
        }),
        _ => Ok(()),
    }
}

fn release<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a Release, Rejection> {
    state.releases.get(id).ok_or_else(|| {
        Rejection::new(Code::NotFound, format!("there is no release {id}"))
            .hint("`countersign release list` shows them")
    })
}

fn check_act(state: &State, statement: &Statement, by: &SignedBy<'_>) -> Result<(), Rejection> {
    let at = statement.common.time;
    let has_role = |roles: &[&str], product: Option<&Slug>| match by.person() {
        Some(person) => ensure_role(person, roles, product, at),
        None => Ok(()),
    };
    let any_role = || match by.person() {
        Some(person) => {
            ensure(person.holds_any(at), Code::RoleMissing, || format!("{} has no role", person.card.principal))
        }
        None => Ok(()),
    };
    let not_found = |what: String| Rejection::new(Code::NotFound, what);
    let unused_key =
        |key: &PublicKey| ensure(!state.keys_used.contains(key), Code::Reused, || "this key was used before".into());
    let unused_principal = |who: &Principal| {
        let used = state.people.contains_key(who) || state.devices.contains_key(who);
        ensure(!used, Code::Reused, || format!("{who} was used before; a principal is never given again"))
    };

    match &statement.act {
        Act::Genesis(_) => Err(Rejection::new(Code::Genesis, "only entry 0 may be a genesis")),
        Act::Enrol(body) => {
            has_role(OWNER, None)?;
            unused_principal(&body.person.principal)?;
            unused_key(&body.person.key)?;
            ensure(body.person.valid_until > at, Code::KeyExpired, || "the key would be expired at once".into())
        }
        Act::EnrolAccept(body) => {
            let person = by.person().expect("a person signs this act");
            ensure(person.accepted.is_none(), Code::AlreadyDone, || "they have accepted already".into())?;
            ensure(body.accountability == accountability(), Code::Field, || "it accepts another text".into())
        }
        Act::Device(body) => {
            has_role(OWNER, None)?;
            match &body.change {
                DeviceChange::Enrol { device } => {
                    unused_principal(&device.principal)?;
                    unused_key(&device.key)?;
                    if let Some(log_key) = &device.log_key {
                        unused_key(log_key)?;
                        ensure(*log_key != device.key, Code::Reused, || "one key in two jobs".into())?;
                    }
                    Ok(())
                }
                DeviceChange::Revoke { principal } => {
                    let device = state
                        .devices
                        .get(principal)
                        .ok_or_else(|| not_found(format!("there is no device {principal}")))?;
                    ensure(device.revoked.is_none(), Code::AlreadyDone, || format!("{principal} was revoked already"))?;
                    ensure(*principal != statement.common.device, Code::WrongState, || {
                        "a desk cannot revoke itself".into()
                    })
                }
            }
        }
        Act::Key(body) => {
            let person = state
                .people
                .get(&body.principal)
                .ok_or_else(|| not_found(format!("there is no person {}", body.principal)))?;
            let signer = by.person().expect("a person signs this act");
            ensure(person.current_key().is_some(), Code::AlreadyDone, || {
                format!("{} has no key in use", body.principal)
            })?;
            match &body.change {
                KeyChange::Rotate { key, valid_until, .. } => {
                    ensure(signer.card.principal == body.principal, Code::RoleMissing, || {
                        "only its owner renews a key".into()
                    })?;
                    unused_key(key)?;
                    ensure(*valid_until > at, Code::KeyExpired, || "the key would be expired at once".into())
                }
                KeyChange::Revoke {} | KeyChange::Lost {} if signer.card.principal == body.principal => Ok(()),
                KeyChange::Revoke {} | KeyChange::Lost {} => has_role(OWNER, None),
            }
        }
        Act::Role(body) => {
            has_role(OWNER, None)?;
            let person = state
                .people
                .get(&body.principal)
                .ok_or_else(|| not_found(format!("there is no person {}", body.principal)))?;
            let given = || {
                let same = |record: &&RoleRecord| record.role == body.role && record.product == body.product;
                person.roles.iter().filter(same).filter(|record| record.lapsed.is_none())
            };
            match body.change {
                Grant::Grant => {
                    let held = given().any(|record| record.until.is_none_or(|until| at <= until));
                    ensure(!held, Code::AlreadyDone, || format!("{} is {} already", body.principal, body.role))?;
                    ensure(body.until.is_none_or(|until| until > at), Code::Expired, || {
                        "the role would end at once".into()
                    })
                }
                Grant::Lapse => {
                    ensure(given().next().is_some(), Code::NotFound, || {
                        format!("{} is not {}", body.principal, body.role)
                    })?;
                    let owner = body.role.as_str() == role::PROCESS_OWNER && body.product.is_none();
                    let another = || {
                        state.people.values().any(|other| {
                            other.card.principal != body.principal
                                && other.accepted.is_some()
                                && other.current_key().is_some_and(|key| at <= key.valid_until)
                                && other.holds(role::PROCESS_OWNER, None, at)
                        })
                    };
                    ensure(!owner || another(), Code::WrongState, || "the last process owner cannot go".into())
                }
            }
        }
        Act::Product(body) => {
            has_role(OWNER, None)?;
            let mut path = body.path.clone();
            path.sort();
            path.dedup();
            ensure(!path.is_empty() && path.len() == body.path.len(), Code::Field, || {
                "the promotion path names at least one environment, none twice".into()
            })?;
            // The path says which environment the quorum guards: nobody moves the gate alone once it stands.
            let guarded = state.policy(&body.product).and_then(|_| state.products.get(&body.product));
            ensure(guarded.is_none_or(|(_, known)| known.path == body.path), Code::WrongState, || {
                format!("the promotion path of {} is fixed since it has a policy", body.product)
            })
        }
        Act::Target(body) => {
            has_role(OWNER_OR_MANAGER, Some(&body.product))?;
            let product = &state
                .products
                .get(&body.product)
                .ok_or_else(|| not_found(format!("there is no product {}", body.product)))?
                .1;
            ensure(product.path.contains(&body.environment), Code::NotFound, || {
                format!("{} is not on the promotion path of {}", body.environment, body.product)
            })?;
            let mut names: Vec<_> = body.segments.iter().map(|segment| &segment.name).collect();
            names.sort();
            names.dedup();
            ensure(!names.is_empty() && names.len() == body.segments.len(), Code::Field, || {
                "a target has at least one segment, none twice".into()
            })
        }
        Act::Policy(body) => {
            has_role(OWNER, Some(&body.product))?;
            ensure(state.products.contains_key(&body.product), Code::NotFound, || {
                format!("there is no product {}", body.product)
            })?;
            let policy = Policy::parse(&body.toml).map_err(|error| Rejection::new(Code::Policy, error.to_string()))?;
            ensure(policy.product == body.product, Code::Policy, || {
                format!("the text is a policy of {}", policy.product)
            })?;
            let versions = state.policies.get(&body.product).map_or(0, Vec::len) as u64;
            ensure(body.version == versions + 1, Code::Policy, || format!("the next version is {}", versions + 1))
        }
        Act::Authorization(body) => match &body.change {
            AuthorizationChange::Grant { change_types, environment, product, valid, per_day, .. } => {
                has_role(OWNER, Some(product))?;
                ensure(state.policy(product).is_some(), Code::NotFound, || {
                    format!("{product} has no policy in force")
                })?;
                ensure(state.last_environment(product) == Some(environment), Code::Field, || {
                    format!("{environment} is not behind the go/no-go of {product}")
                })?;
                ensure(state.targets.contains_key(&(product.clone(), environment.clone())), Code::NotFound, || {
                    format!("{product} has no target {environment}")
                })?;
                ensure(valid.from < valid.until && valid.until > at, Code::Field, || "it would never be valid".into())?;
                ensure(*per_day > 0 && !change_types.is_empty(), Code::Field, || "it could never sign".into())?;
                ensure(!change_types.contains(&crate::act::ChangeType::Emergency), Code::Field, || {
                    "people sign emergency changes, always".into()
                })
            }
            AuthorizationChange::Suspend { authorization } | AuthorizationChange::Resume { authorization } => {
                let record = state
                    .authorizations
                    .get(&authorization.index)
                    .filter(|record| record.entry == *authorization)
                    .ok_or_else(|| not_found(format!("{authorization} is not a standing authorization")))?;
                let suspend = matches!(body.change, AuthorizationChange::Suspend { .. });
                ensure(record.suspended.is_some() != suspend, Code::AlreadyDone, || "it is so already".into())?;
                if suspend { any_role() } else { has_role(OWNER, Some(&record.product)) }
            }
        },
        Act::Freeze(body) => match &body.change {
            FreezeChange::Declare { product, span, .. } => {
                has_role(OWNER_OR_MANAGER, product.as_ref())?;
                ensure(span.from <= span.until, Code::Field, || "it ends before it begins".into())
            }
            FreezeChange::Lift { freeze } => {
                let record = state
                    .freezes
                    .get(&freeze.index)
                    .filter(|record| record.entry == *freeze)
                    .ok_or_else(|| not_found(format!("{freeze} is not a freeze")))?;
                has_role(OWNER_OR_MANAGER, record.product.as_ref())?;
                ensure(record.lifted.is_none(), Code::AlreadyDone, || "it was lifted already".into())
            }
        },
        Act::Propose(body) => check_propose(state, body, by, at),
        Act::Evidence(body) => {
            any_role()?;
            check_evidence(state, statement, body, by)
        }
        Act::Waiver(body) => {
            let release = release(state, &body.release)?;
            let person = by.person().expect("a person signs this act");
            let product = &release.candidate.product;
            let policy = &state.policy(product).ok_or_else(|| not_found(format!("{product} has no policy")))?.policy;
            ensure(judge::may_waive(state, policy, product, &person.card.principal, at), Code::RoleMissing, || {
                format!("{} holds no role this policy asks to sign", person.card.principal)
            })?;
            ensure_presence(state, product, &statement.common)?;
            if let Some(part) = judge::may_not_waive(state, release, &person.card.principal) {
                let message = format!("{} may not waive its gates: {part}", person.card.principal);
                return Err(Rejection::new(Code::SegregationFailed, message));
            }
            ensure(body.expires > at, Code::Expired, || "it would end at once".into())?;
            ensure(state.people.contains_key(&body.owner), Code::NotFound, || {
                format!("there is no person {}", body.owner)
            })?;
            let known = judge::checks(state, release, at).iter().any(|check| check.gate == body.gate.as_str());
            ensure(known, Code::NotFound, || format!("there is no gate {}", body.gate))
        }
        Act::Stage(body) => {
            let release = release(state, &body.release)?;
            let dispatch = release.dispatches.iter().find(|dispatch| dispatch.last == body.dispatch);
            ensure(
                dispatch.is_some_and(|dispatch| {
                    dispatch.succeeded()
                        && dispatch.body.environment == body.environment
                        && dispatch.body.sheet == release.candidate_entry
                }),
                Code::WrongState,
                || {
                    format!(
                        "{} is not a finished, successful delivery of this candidate to {}",
                        body.dispatch, body.environment
                    )
                },
            )?;
            let since = dispatch.map_or(0, |dispatch| dispatch.entry.index);
            ensure(
                judge::delivered_since(state, release, &body.environment, since).is_none(),
                Code::WrongState,
                || format!("something else was delivered to {} since", body.environment),
            )?;
            ensure(
                body.artifact == release.artifact().sha256 && body.version == release.candidate.version,
                Code::WrongState,
                || format!("{} runs {} {}, not the candidate", body.environment, body.version, body.artifact),
            )
        }
        Act::Request(body) => check_request(state, body, by, at),
        Act::Approval(body) => check_approval(state, statement, body, by),
        Act::Hold(body) => {
            let release = release(state, &body.release)?;
            match &body.change {
                HoldChange::Resume { hold, answer } => {
                    let person =
                        by.person().ok_or_else(|| Rejection::new(Code::WrongSigner, "a person lets it go on"))?;
                    ensure_role(person, MANAGER, Some(&release.candidate.product), at)?;
                    let record = release.active_holds().find(|record| record.entry == *hold);
                    let Some(record) = record else {
                        return Err(not_found(format!("{hold} does not stop this release")));
                    };
                    ensure(!matches!(record.change, HoldChange::Halt {}), Code::WrongState, || {
                        "a halted rollout is rolled back, or decided anew; it does not go on".into()
                    })?;
                    let question = matches!(record.change, HoldChange::Hold { question: Some(_) });
                    ensure(!question || answer.is_some(), Code::Field, || "the question is not answered".into())
                }
                HoldChange::Cancel { request_id } => {
                    let open = release
                        .dispatches
                        .iter()
                        .any(|dispatch| dispatch.body.request_id == *request_id && dispatch.open());
                    any_role()?;
                    ensure(open, Code::NotFound, || format!("{request_id} is not under way"))
                }
                HoldChange::Hold { .. } | HoldChange::Halt {} => any_role(),
            }
        }
        Act::Condition(body) => {
            let Some((release, answer)) = judge::release_of_approval(state, body.approval) else {
                return Err(not_found(format!("{} is not an answer to a sheet", body.approval)));
            };
            let person = by.person().expect("a person signs this act");
            ensure_role(person, &[answer.role.as_str()], Some(&release.candidate.product), at)?;
            ensure_presence(state, &release.candidate.product, &statement.common)?;
            if let Some(part) = judge::barred(state, release, &person.card.principal) {
                let message = format!("{} may not settle it: {part}", person.card.principal);
                return Err(Rejection::new(Code::SegregationFailed, message));
            }
            let open = usize::try_from(body.condition).ok().and_then(|place| answer.conditions.get(place));
            ensure(open.is_some_and(|(_, met)| met.is_none()), Code::NotFound, || {
                "there is no such open condition".into()
            })
        }
        Act::Dispatch(body) => check_dispatch(state, statement, body),
        Act::Lease(body) => {
            let device = &statement.common.signer.principal;
            ensure(is_dispatcher(state, device), Code::WrongSigner, || {
                format!("{device} is not an enrolled dispatcher")
            })?;
            // A lease that runs for longer than one may was taken by a clock far ahead; it keeps nobody out.
            let runs = |until: Timestamp| {
                at <= until && until.seconds_since(at) <= LEASE_SECONDS_MAX + CLOCK_TOLERANCE_SECONDS
            };
            let taken = state.lease.as_ref().filter(|(holder, until)| holder != device && runs(*until));
            if let Some((holder, until)) = taken.filter(|(holder, _)| is_dispatcher(state, holder)) {
                return Err(Rejection::new(Code::AlreadyDone, format!("{holder} has the work until {until}")));
            }
            let seconds = body.until.seconds_since(at);
            ensure((1..=LEASE_SECONDS_MAX).contains(&seconds), Code::Field, || "a lease lasts up to an hour".into())
        }
        Act::Run(body) => {
            let release = release(state, &body.release)?;
            let known = release.dispatches.iter().any(|dispatch| dispatch.body.request_id == body.request_id);
            ensure(known, Code::NotFound, || format!("{} is not a dispatch of this release", body.request_id))
        }
        Act::Wave(body) => check_wave(state, statement, body, by),
        Act::Outcome(body) => {
            let release = release(state, &body.release)?;
            has_role(OWNER_OR_MANAGER, Some(&release.candidate.product))?;
            use judge::ReleaseState::{Live, RolledBack, RolloutHalted};
            let now = judge::release_state(state, release, at);
            ensure(matches!(now, Live | RolledBack | RolloutHalted), Code::WrongState, || {
                format!("{} is {now}", release.id)
            })?;
            let open = judge::under_way(release).next().is_some();
            ensure(!open, Code::WrongState, || "a dispatch is still under way".into())
        }
        Act::Announce(body) => release(state, &body.release).map(|_| ()),
        Act::Attempt(body) => {
            ensure(state.people.contains_key(&body.principal), Code::NotFound, || {
                format!("there is no person {}", body.principal)
            })?;
            coalesced(state.last_attempt.get(&body.principal), at)
        }
        Act::Refusal(body) => coalesced(state.last_refusal.get(&body.subject()), at),
        Act::Correction(body) => {
            any_role()?;
            ensure(state.tree.leaf_hash_at(body.entry.index) == Some(body.entry.leaf), Code::NotFound, || {
                format!("there is no {} of that hash", body.entry)
            })
        }
        Act::Late(body) => {
            any_role()?;
            ensure(body.happened <= at, Code::Field, || "it lies in the future".into())
        }
        Act::Review(body) => {
            has_role(OWNER_OR_AUDITOR, None)?;
            ensure(body.from <= body.until && body.until <= state.tree.size(), Code::Field, || {
                "the span is not in the ledger".into()
            })
        }
        Act::Export(body) => {
            any_role()?;
            let known = state.tree.root_at(body.size).is_some_and(|root| root.to_base64() == body.root);
            ensure(known, Code::SeenMismatch, || "the copy is of another history".into())
        }
    }
}

/// The longest time a worker may take the work for.
const LEASE_SECONDS_MAX: i64 = 3600;

/// Refuses unless the device holds the worker's lease: what nobody at a desk started, only one worker may start.
fn ensure_lease(state: &State, device: &Principal, at: Timestamp) -> Result<(), Rejection> {
    let holds = state.lease.as_ref().is_some_and(|(holder, until)| holder == device && at <= *until);
    ensure(holds, Code::WrongSigner, || format!("{device} does not hold the worker's lease"))
}

/// Attempts and refusals of one subject come at most once a minute, so that nobody can flood the ledger from a lock screen;
/// what one person was refused never keeps silent what another was.
fn coalesced(last: Option<&Timestamp>, at: Timestamp) -> Result<(), Rejection> {
    // Either way round: a clock that once ran ahead must not silence what comes after.
    ensure(last.is_none_or(|last| at.seconds_since(*last).abs() >= 60), Code::AlreadyDone, || {
        "one was recorded within the minute".into()
    })
}

fn check_propose(state: &State, body: &crate::act::Propose, by: &SignedBy<'_>, at: Timestamp) -> Result<(), Rejection> {
    let may_propose = |product: &Slug| match by.person() {
        Some(person) => ensure_role(person, MANAGER_OR_PRACTITIONER, Some(product), at),
        None => Ok(()),
    };
    match &body.change {
        ProposeChange::Candidate { candidate, supersedes, authorization } => {
            may_propose(&candidate.product)?;
            ensure(!state.releases.contains_key(&body.release), Code::Reused, || {
                format!("the release id {} was used before", body.release)
            })?;
            check_candidate(state, candidate)?;
            if let Some(used) = authorization {
                ensure_stands(state, *used, &candidate.product, at)?;
            }
            if let Some(old) = supersedes {
                let old = release(state, old)?;
                ensure(old.candidate.product == candidate.product, Code::WrongState, || {
                    format!("{} is another product", old.id)
                })?;
                may_end(old)?;
            }
            Ok(())
        }
        ProposeChange::Amend { candidate } => {
            let release = release(state, &body.release)?;
            may_propose(&candidate.product)?;
            ensure(release.candidate.product == candidate.product, Code::WrongState, || {
                "the product cannot change".into()
            })?;
            may_end(release)?;
            check_candidate(state, candidate)
        }
        ProposeChange::Supersede { by: successor } => {
            let old = release(state, &body.release)?;
            may_propose(&old.candidate.product)?;
            ensure(state.releases.contains_key(successor), Code::NotFound, || {
                format!("there is no release {successor}")
            })?;
            may_end(old)
        }
        ProposeChange::Withdraw {} => {
            let release = release(state, &body.release)?;
            may_propose(&release.candidate.product)?;
            may_end(release)
        }
    }
}

/// Refuses a standing authorization that is not of the product, or that cannot sign now.
fn ensure_stands(state: &State, used: EntryRef, product: &Slug, at: Timestamp) -> Result<(), Rejection> {
    let record = state.authorizations.get(&used.index).filter(|record| record.entry == used);
    let worth = record.filter(|record| record.product == *product).map(|record| {
        let (worth, cause) = judge::authorization_worth(state, record, at);
        (worth == judge::SignOffState::Valid, cause.unwrap_or_default())
    });
    match worth {
        Some((true, _)) => Ok(()),
        Some((false, cause)) => Err(Rejection::new(Code::OutsideBounds, format!("{used} does not stand: {cause}"))),
        None => Err(Rejection::new(Code::NotFound, format!("{used} is not a standing authorization for {product}"))),
    }
}

fn check_candidate(state: &State, candidate: &Candidate) -> Result<(), Rejection> {
    ensure(state.products.contains_key(&candidate.product), Code::NotFound, || {
        format!("there is no product {}", candidate.product)
    })?;
    ensure(!candidate.artifacts.is_empty(), Code::Field, || "a candidate names at least one artifact".into())?;
    let authors = &candidate.changes.authors;
    let in_order = authors.windows(2).all(|pair| pair[0] < pair[1]);
    ensure(
        in_order && authors.iter().all(|author| author.as_str() == author.as_str().to_lowercase()),
        Code::Field,
        || "the authors are not in lower case, sorted, each once".into(),
    )?;
    ensure(candidate.changes.commits == 0 || !authors.is_empty(), Code::Field, || {
        "commits without an author: nobody could tell who may not approve".into()
    })?;
    ensure(!judge::needs_incident(candidate.change_type) || candidate.incident.is_some(), Code::Field, || {
        "an emergency change names its incident".into()
    })
}

/// Refuses where a release is out, or given up: nothing about it can be taken back then.
fn may_end(release: &Release) -> Result<(), Rejection> {
    ensure(release.ended.is_none(), Code::AlreadyDone, || format!("{} was given up already", release.id))?;
    let out = release.sheets.iter().any(|sheet| release.rollout_began(sheet.entry));
    ensure(!out, Code::WrongState, || format!("{} has been dispatched", release.id))
}

fn check_evidence(state: &State, statement: &Statement, body: &Evidence, by: &SignedBy<'_>) -> Result<(), Rejection> {
    let release = release(state, &body.release)?;
    let observed = matches!(body.origin, EvidenceOrigin::Observed { .. });
    ensure(observed == by.person().is_none(), Code::WrongSigner, || "a device observes, a person attaches".into())?;
    let empty = body.conclusion == Conclusion::Missing || body.size == 0;
    ensure(!empty, Code::Field, || "an empty file is no evidence".into())?;
    ensure(body.counts.kind() == body.kind, Code::Field, || format!("these counts are not those of {}", body.kind))?;
    ensure(body.conclusion != Conclusion::Pass || body.counts.may_pass(), Code::Field, || {
        "what was counted is no pass".into()
    })?;
    let claimed = if observed { CommitSource::Attacher } else { CommitSource::Run };
    ensure(body.commit_source != claimed, Code::Field, || format!("{claimed} cannot say the commit of this evidence"))?;
    if let Some(old) = body.replaces {
        let known = release.evidence.iter().find(|record| record.entry == old);
        ensure(
            known.is_some_and(|old| old.body.kind == body.kind && old.body.commit == body.commit),
            Code::NotFound,
            || format!("{old} is not evidence of this kind about this commit"),
        )?;
        ensure(statement.common.reason.is_some(), Code::Field, || "a re-run gives its reason".into())?;
    }
    Ok(())
}

fn check_request(state: &State, body: &Request, by: &SignedBy<'_>, at: Timestamp) -> Result<(), Rejection> {
    let release = release(state, &body.release)?;
    if let Some(person) = by.person() {
        ensure_role(person, MANAGER, Some(&release.candidate.product), at)?;
        let waived = judge::waivers(release, at).any(|waiver| waiver.by == person.card.principal);
        ensure(!waived, Code::SegregationFailed, || "who waived a gate of it does not ask for its approval".into())?;
    }
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    if let Some(used) = body.authorization {
        ensure_stands(state, used, &release.candidate.product, at)?;
    }
    if let Some(sheet) = release.sheet() {
        ensure(!release.rollout_began(sheet.entry) || sheet_is_spent(release, sheet), Code::WrongState, || {
            "the sheet before has been dispatched".into()
        })?;
    }
    if let Some(red) = judge::checks(state, release, at).into_iter().find(judge::Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or have a waiver for this gate signed"));
    }
    if let Some(open) = judge::checks(state, release, at).into_iter().find(judge::Check::open) {
        return Err(Rejection::new(Code::GateOpen, format!("gate {}: {}", open.gate, open.detail)));
    }
    let (from, until) = (body.window.from, body.window.until);
    ensure(until > at, Code::Field, || format!("the window ended at {until}; it would open nothing"))?;
    ensure(from <= body.not_after, Code::Field, || {
        format!("the window begins at {from}, and the policy lets the sheet stand until {} only", body.not_after)
    })
    .map_err(|rejection| {
        rejection.hint("freeze the sheet nearer to the window, or let sheets stand longer by policy")
    })?;
    ensure(
        body.window.from <= body.window.until && body.window.until <= body.not_after && body.not_after > at,
        Code::Field,
        || "the window ends before it begins, or after the sheet".into(),
    )?;
    let product = &release.candidate.product;
    let policy =
        state.policy(product).ok_or_else(|| Rejection::new(Code::NotFound, format!("{product} has no policy")))?;
    let longest = policy.policy.sheet_valid_minutes * 60;
    let valid = body.not_after.seconds_since(at);
    ensure(u64::try_from(valid).is_ok_and(|valid| valid <= longest), Code::Field, || {
        format!("the sheet would be valid for {valid} s, the policy allows {longest} s")
    })?;
    let expected = crate::decide::sheet(state, release, body.authorization, body.window, body.not_after, at)?;
    let said = Request { asked: body.asked.clone(), due: body.due, ..expected };
    ensure(*body == said, Code::Stale, || "the sheet does not say what the ledger says".into())?;
    check_asked(state, release, &policy.policy, body, at)
}

/// The rules over who is asked to answer a sheet, and by when.
fn check_asked(
    state: &State,
    release: &Release,
    policy: &Policy,
    body: &Request,
    at: Timestamp,
) -> Result<(), Rejection> {
    ensure(body.due.is_none_or(|due| due > at && due <= body.not_after), Code::Field, || {
        format!("answers are due before the sheet ends at {}, and after now", body.not_after)
    })?;
    for (place, asked) in body.asked.iter().enumerate() {
        ensure(!body.asked[..place].contains(asked), Code::Field, || format!("{} is asked twice", asked.role))?;
        ensure(policy.asks(&asked.role), Code::NotFound, || format!("the policy does not ask {} to sign", asked.role))?;
        let Some(who) = &asked.person else { continue };
        let person = state.people.get(who);
        let person =
            person.ok_or_else(|| Rejection::new(Code::NotFound, format!("there is no person {who} to be asked")))?;
        ensure_role(person, &[asked.role.as_str()], Some(&release.candidate.product), at)?;
        if let Some(part) = judge::barred(state, release, who) {
            return Err(Rejection::new(Code::SegregationFailed, format!("{who} cannot be asked: {part}"))
                .hint("ask somebody else who holds the role"));
        }
    }
    Ok(())
}

/// Returns whether a dispatched sheet has come to its end, so that a new one may follow.
fn sheet_is_spent(release: &Release, sheet: &Sheet) -> bool {
    let nothing_open = !judge::under_way(release).any(|dispatch| dispatch.body.sheet == sheet.entry);
    let taken_back = release.dispatches_of(sheet.entry, DispatchKind::Rollback).any(DispatchRecord::succeeded);
    let nothing_ran = release
        .dispatches_of(sheet.entry, DispatchKind::Deploy)
        .all(|dispatch| dispatch.body.state == DispatchState::Refused || !dispatch.open() && !dispatch.succeeded());
    nothing_open && (taken_back || nothing_ran)
}

fn check_approval(
    state: &State,
    statement: &Statement,
    body: &crate::act::Approval,
    by: &SignedBy<'_>,
) -> Result<(), Rejection> {
    let common = &statement.common;
    let at = common.time;
    let Some(subject) = state.answerable(body.request) else {
        return Err(Rejection::new(Code::NotFound, format!("{} waits for no answer", body.request)));
    };
    ensure(common.seen.size > body.request.index, Code::SeenMismatch, || {
        "the signer had not seen what it answers".into()
    })?;
    let conditional = body.verdict == Verdict::ConditionalGo;
    ensure(conditional != body.conditions.is_empty(), Code::Field, || {
        "a conditional GO, and only that, names conditions".into()
    })?;

    if let Answerable::Sheet(id) = subject {
        ensure_after(release(state, id)?.sheet_at(body.request), at)?;
    }
    if let SignedBy::Device(_) = by {
        let Answerable::Sheet(id) = subject else {
            return Err(Rejection::new(Code::WrongSigner, "a standing authorization signs only decision sheets"));
        };
        let used = body.authorization.expect("a device signs an approval only under an authorization");
        let release = release(state, id)?;
        let sheet = current_sheet(release, body.request)?;
        return judge::automatic_go(state, release, sheet, body, used, at);
    }
    let person = by.person().expect("persons and devices are all there is");
    ensure(body.authorization.is_none(), Code::Field, || "a person signs for themselves".into())?;
    let who = &person.card.principal;
    let as_role = |product: Option<&Slug>| ensure_role(person, &[body.role.as_str()], product, at);
    let asked = |product: &Slug| {
        let policy = state.policy(product);
        ensure(policy.is_some_and(|record| record.policy.asks(&body.role)), Code::RoleMissing, || {
            format!("the policy asks nobody to sign as {}", body.role)
        })
    };
    match subject {
        Answerable::Sheet(id) => {
            let release = release(state, id)?;
            let sheet = current_sheet(release, body.request)?;
            let product = &release.candidate.product;
            as_role(Some(product))?;
            ensure_presence(state, product, common)?;
            asked(product)?;
            if let Some(part) = judge::barred(state, release, who) {
                return Err(Rejection::new(Code::SegregationFailed, format!("{who} may not sign: {part}")));
            }
            // Between two waves a NO-GO is still heard, whatever has moved; nothing else is.
            if body.verdict == Verdict::NoGo && judge::between_waves(release, sheet) {
                return Ok(());
            }
            judge::ensure_signable(state, release, sheet, at)
        }
        Answerable::Policy(product) => {
            let record =
                state.policies[product].iter().find(|record| record.entry == body.request).expect("answerable");
            // First, for the policy that is in force now may ask other people.
            ensure(record.in_force.is_none(), Code::AlreadyDone, || "it is in force already".into())?;
            as_role(Some(product))?;
            ensure_presence(state, product, common)?;
            asked(product)?;
            let overtaken = state.policy(product).is_some_and(|now| now.in_force > Some(record.entry));
            ensure(!overtaken, Code::Stale, || {
                "another policy came into force since it was proposed; propose it again".into()
            })?;
            check_not_proposer(state, product, &record.by, who)
        }
        Answerable::Authorization(product) => {
            as_role(Some(product))?;
            ensure_presence(state, product, common)?;
            asked(product)?;
            let record = &state.authorizations[&body.request.index];
            ensure(record.adopted.is_none(), Code::AlreadyDone, || "it is adopted already".into())?;
            if let Some(moved) = judge::authorization_drift(state, record) {
                return Err(Rejection::new(Code::Stale, format!("{moved} since it was proposed; propose it again")));
            }
            check_not_proposer(state, product, &record.by, who)
        }
        Answerable::Device(device) => {
            as_role(None)?;
            let device = &state.devices[device];
            ensure(device.confirmed.is_none() && device.revoked.is_none(), Code::AlreadyDone, || {
                "it waits for nobody".into()
            })?;
            ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
            ensure(device.enrolled_by != *who, Code::SegregationFailed, || "a second person confirms it".into())
        }
        Answerable::Evidence(id) => {
            let release = release(state, id)?;
            as_role(Some(&release.candidate.product))?;
            ensure_presence(state, &release.candidate.product, common)?;
            let record = release.evidence.iter().find(|record| record.entry == body.request).expect("answerable");
            ensure(body.verdict == Verdict::Go, Code::Field, || "a confirmation says GO, or nothing".into())?;
            ensure(!record.confirmed_by.contains(who), Code::AlreadyDone, || "they have confirmed it already".into())?;
            ensure(record.by != *who, Code::SegregationFailed, || "a second person confirms it".into())
        }
    }
}

fn current_sheet(release: &Release, request: EntryRef) -> Result<&Sheet, Rejection> {
    release.sheet().filter(|sheet| sheet.entry == request).ok_or_else(|| {
        Rejection::new(Code::Stale, "a newer sheet was frozen; this one can no longer be signed".to_owned())
    })
}

fn check_not_proposer(state: &State, product: &Slug, proposer: &Principal, who: &Principal) -> Result<(), Rejection> {
    let distinct = state.policy(product).is_some_and(|record| record.policy.distinct.contains(&Distinct::Requester));
    ensure(!(distinct && proposer == who), Code::SegregationFailed, || format!("{who} may not sign: they proposed it"))
}

fn check_dispatch(state: &State, statement: &Statement, body: &Dispatch) -> Result<(), Rejection> {
    let at = statement.common.time;
    let device = &statement.common.signer.principal;
    ensure(is_dispatcher(state, device), Code::WrongSigner, || format!("{device} is not an enrolled dispatcher"))?;
    let release = release(state, &body.release)?;
    ensure(body.conclusion.is_some() == (body.state == DispatchState::Finished), Code::Field, || {
        "a conclusion stands with `finished`, and only there".into()
    })?;
    if body.state == DispatchState::Prepared {
        ensure(!state.request_ids.contains_key(&body.request_id), Code::Reused, || {
            format!("{} was used before", body.request_id)
        })?;
        return check_prepared(state, release, body, device, at);
    }
    let Some(record) = release.dispatches.iter().find(|record| record.body.request_id == body.request_id) else {
        return Err(Rejection::new(Code::NotFound, format!("{} was not prepared", body.request_id)));
    };
    use DispatchState::{Accepted, Bound, FateUnknown, Finished, Prepared, Refused, Sending};
    let follows = match (record.body.state, body.state) {
        (Prepared, Sending | Refused) => true,
        (Sending, Accepted | Refused | FateUnknown) => true,
        (Accepted, Bound | FateUnknown | Finished) => true,
        // Reconciled: the run was found by its request id, or the CI system says for certain that it never came.
        (FateUnknown, Bound | Refused | Finished) => true,
        (Bound, Finished | FateUnknown) => true,
        _ => false,
    };
    ensure(follows, Code::WrongState, || format!("{} does not follow {}", body.state, record.body.state))?;
    let needs_run = body.state == Bound || body.conclusion == Some(RunConclusion::Success);
    ensure(!needs_run || body.run.is_some() || record.body.run.is_some(), Code::Field, || "no run is named".into())?;
    let same = record.body.sheet == body.sheet
        && record.body.wave == body.wave
        && record.body.environment == body.environment
        && record.body.kind == body.kind
        && record.body.artifact == body.artifact;
    ensure(same, Code::Field, || "it is not the dispatch that was prepared".into())
}

fn check_prepared(
    state: &State,
    release: &Release,
    body: &Dispatch,
    device: &Principal,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    let place = (product.clone(), body.environment.clone());
    let on_path = state.products.get(product).is_some_and(|(_, product)| product.path.contains(&body.environment));
    ensure(on_path, Code::NotFound, || format!("{} is not on the promotion path of {product}", body.environment))?;
    ensure(state.targets.contains_key(&place), Code::NotFound, || {
        format!("{product} has no target {}", body.environment)
    })?;
    if state.last_environment(product) != Some(&body.environment) {
        return check_staging(state, release, body, at);
    }
    let sheet = current_sheet(release, body.sheet)?;
    ensure_after(Some(sheet), at)?;
    ensure(sheet.body.environment == body.environment, Code::Field, || "the sheet is for another environment".into())?;
    match body.kind {
        DispatchKind::Deploy => {
            ensure(body.artifact == sheet.body.artifacts[0].sha256, Code::Stale, || {
                "it brings another artifact than the sheet".into()
            })?;
            judge::may_dispatch(state, release, sheet, body.wave, body.resends.as_ref(), at)?;
            check_starter(state, release, sheet, body, device, at)
        }
        DispatchKind::Rollback => {
            let slot = sheet.body.rollback.as_ref().ok_or_else(|| {
                Rejection::new(Code::WrongState, "the sheet has no way back: this was the first release")
            })?;
            ensure(body.artifact == slot.artifacts[0].sha256, Code::Stale, || {
                "it brings another artifact than the rollback slot".into()
            })?;
            check_rollback(state, release, sheet, body, at)?;
            match &body.by {
                Some(who) => ensure_manager(state, who, product, at),
                None => {
                    let auto = state
                        .policy(product)
                        .is_some_and(|record| record.policy.rollback == crate::policy::RollbackRule::Auto);
                    ensure(auto, Code::WrongSigner, || "the policy asks a person to roll back".into())?;
                    let now = judge::release_state(state, release, at);
                    ensure(now == judge::ReleaseState::RolloutHalted, Code::WrongState, || {
                        format!("{} is {now}: a rollout that has not halted is rolled back by a person", release.id)
                    })?;
                    ensure_lease(state, device, at)
                }
            }
        }
    }
}

fn check_rollback(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    body: &Dispatch,
    at: Timestamp,
) -> Result<(), Rejection> {
    let deploys = || release.dispatches_of(sheet.entry, DispatchKind::Deploy);
    let highest = deploys()
        .filter(|dispatch| dispatch.body.state != DispatchState::Refused)
        .map(|dispatch| dispatch.body.wave)
        .max();
    ensure(highest.is_some(), Code::WrongState, || "nothing was deployed that could be taken back".into())?;
    ensure(highest == Some(body.wave), Code::WaveOrder, || {
        format!("waves up to {} went out", highest.unwrap_or_default())
    })?;
    judge::may_send(release, sheet.entry, DispatchKind::Rollback, None, body.resends.as_ref())?;
    // What takes the place of another release's artifact would be a downgrade nobody decided on.
    let place = (release.candidate.product.clone(), body.environment.clone());
    match judge::rollout_in(state, &place.0, &place.1, at) {
        Some(other) if other != release.id => {
            let message = format!("the rollout of {other} has {}", body.environment);
            return Err(Rejection::new(Code::EnvironmentBusy, message));
        }
        Some(_) => {}
        None => {
            ensure(state.live.get(&place).is_some_and(|live| live.release == release.id), Code::WrongState, || {
                format!("{} is not what {} runs", release.id, body.environment)
            })?
        }
    }
    let running = deploys().find(|dispatch| dispatch.open() && dispatch.body.state != DispatchState::FateUnknown);
    if let Some(running) = running {
        return Err(Rejection::new(
            Code::EnvironmentBusy,
            format!("{} is still on its way to {}", running.body.request_id, body.environment),
        )
        .hint("cancel it, or wait for its end"));
    }
    Ok(())
}

/// Delivery to an environment before the go/no-go: nobody signs, but a red gate halts the pipeline.
fn check_staging(state: &State, release: &Release, body: &Dispatch, at: Timestamp) -> Result<(), Rejection> {
    ensure(release.ended.is_none(), Code::WrongState, || format!("{} was given up", release.id))?;
    ensure(body.kind == DispatchKind::Deploy && body.wave == 1, Code::Field, || "a delivery has one wave".into())?;
    ensure(body.sheet == release.candidate_entry, Code::Stale, || "the candidate was amended".into())?;
    ensure(body.artifact == release.artifact().sha256, Code::Stale, || {
        "it brings another artifact than the candidate".into()
    })?;
    if let Some(red) = judge::checks(state, release, at).into_iter().find(judge::Check::red) {
        return Err(Rejection::new(Code::Halted, format!("gate {} is red: {}", red.gate, red.detail))
            .hint("propose a new candidate, or have a waiver for this gate signed"));
    }
    // A halt is about the rollout; a hold is about the release.
    if let Some(hold) = release.active_holds().find(|hold| !matches!(hold.change, HoldChange::Halt {})) {
        return Err(Rejection::new(
            Code::OnHold,
            format!("{} stopped it: {}", state.printed_name(&hold.by), hold.reason),
        ));
    }
    judge::ensure_not_frozen(state, &release.candidate.product, &body.environment, at)?;
    if let Some(who) = &body.by {
        let person = state.people.get(who);
        ensure(person.is_some_and(|person| person.holds_any(at)), Code::RoleMissing, || format!("{who} has no role"))?;
    }
    let busy: Vec<_> = state
        .releases
        .values()
        .filter(|other| other.candidate.product == release.candidate.product)
        .flat_map(judge::under_way)
        .filter(|dispatch| dispatch.body.environment == body.environment)
        .collect();
    let resent = |dispatch: &DispatchRecord| {
        dispatch.body.state == DispatchState::FateUnknown
            && body.resends.as_ref() == Some(&dispatch.body.request_id)
            && dispatch.body.sheet == body.sheet
    };
    if let Some(dispatch) = busy.iter().find(|dispatch| !resent(dispatch)) {
        return Err(Rejection::new(
            Code::EnvironmentBusy,
            format!("{} is still on its way to {}", dispatch.body.request_id, body.environment),
        ));
    }
    ensure(body.resends.is_none() || !busy.is_empty(), Code::NotFound, || {
        "no dispatch of unknown fate is sent again".into()
    })
}

fn ensure_manager(state: &State, who: &Principal, product: &Slug, at: Timestamp) -> Result<(), Rejection> {
    let person =
        state.people.get(who).ok_or_else(|| Rejection::new(Code::NotFound, format!("there is no person {who}")))?;
    ensure_role(person, MANAGER, Some(product), at)
}

/// Who may start a wave: the release manager, or the worker where the policy or an authorization says so.
fn check_starter(
    state: &State,
    release: &Release,
    sheet: &Sheet,
    body: &Dispatch,
    device: &Principal,
    at: Timestamp,
) -> Result<(), Rejection> {
    let product = &release.candidate.product;
    let policy = &state.policy(product).expect("may_dispatch has asked it").policy;
    match &body.by {
        Some(who) => {
            ensure_manager(state, who, product, at)?;
            let approved = sheet.answers.iter().any(|answer| answer.principal == *who);
            ensure(!(approved && policy.distinct.contains(&Distinct::Dispatcher)), Code::SegregationFailed, || {
                format!("{who} signed this sheet and may not dispatch it")
            })
        }
        None => {
            let outcome = judge::decision(state, release, sheet, at).outcome;
            let authorized = matches!(outcome, judge::Outcome::Go { authorization: Some(_) });
            let may = authorized || policy.dispatch == DispatchRule::OnQuorum || body.wave > 1;
            ensure(may, Code::WrongSigner, || "the policy asks the release manager to dispatch".into())?;
            ensure_lease(state, device, at)
        }
    }
}

fn check_wave(
    state: &State,
    statement: &Statement,
    body: &crate::act::Wave,
    by: &SignedBy<'_>,
) -> Result<(), Rejection> {
    let release = release(state, &body.release)?;
    let at = statement.common.time;
    match by {
        SignedBy::Person(person) => {
            ensure_role(person, MANAGER, Some(&release.candidate.product), at)?;
            ensure(body.verdict != WaveVerdict::Pass, Code::WrongSigner, || {
                "only what a device has measured passes a wave".into()
            })?;
        }
        SignedBy::Device(device) => {
            ensure(is_dispatcher(state, device), Code::WrongSigner, || {
                format!("{device} is not an enrolled dispatcher")
            })?;
        }
    }
    let sheet = current_sheet(release, body.sheet)?;
    ensure(sheet.body.environment == body.environment, Code::Field, || "the sheet is for another environment".into())?;
    let planned = usize::try_from(body.wave)
        .ok()
        .and_then(|wave| wave.checked_sub(1))
        .and_then(|place| sheet.body.rollout.get(place));
    let Some(planned) = planned else {
        return Err(Rejection::new(Code::WaveOrder, format!("the sheet has no wave {}", body.wave)));
    };
    ensure(release.outcome.is_none(), Code::WrongState, || "the release was reviewed already".into())?;
    let taken_back = release
        .dispatches_of(sheet.entry, DispatchKind::Rollback)
        .any(|dispatch| dispatch.body.state != DispatchState::Refused);
    ensure(!taken_back, Code::WrongState, || "this rollout is being taken back".into())?;
    let Some(dispatch) = release.wave_dispatch(sheet.entry, body.wave).filter(|dispatch| !dispatch.open()) else {
        return Err(Rejection::new(Code::WrongState, "the wave's dispatch has not finished"));
    };
    ensure(judge::next_wave(release, sheet) == Some(body.wave), Code::AlreadyDone, || {
        "the wave has passed already".into()
    })?;
    let failed_before =
        release.wave_of(sheet.entry, body.wave).is_some_and(|verdict| verdict.verdict == WaveVerdict::Fail);
    ensure(!failed_before, Code::AlreadyDone, || "the wave has failed; a new sheet decides anew".into())?;
    if body.verdict == WaveVerdict::Pass {
        let baked = body.span.until.seconds_since(body.span.from);
        let needed = i64::try_from(planned.bake_seconds).unwrap_or(i64::MAX);
        ensure(dispatch.succeeded(), Code::WrongState, || "the wave's dispatch did not succeed".into())?;
        ensure(body.failed == 0 && body.samples > 0, Code::Field, || {
            "a wave with failed samples, or none, does not pass".into()
        })?;
        ensure(baked >= needed && (90..=100).contains(&body.coverage_percent), Code::Field, || {
            format!("baked {baked} s of {needed} s with samples over {} %; 90 % are needed", body.coverage_percent)
        })?;
        let finished = dispatch.steps.last().map(|(_, _, time)| *time);
        let within = finished.is_some_and(|finished| finished <= body.span.from) && body.span.until <= at;
        ensure(within, Code::Field, || {
            format!(
                "it baked from {} to {}, which is not after the deploy and before now",
                body.span.from, body.span.until
            )
        })?;
    }
    Ok(())
}
