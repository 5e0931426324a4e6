//! Every rule of the ledger, in one place.
//!
//! [`admit`] decides whether an entry has effect. Appending asks it before anything is written; verifying asks it for each
//! entry in order. An entry it refuses stays in the tree, is flagged, and changes nothing. What a rule concludes from the
//! state (gates, quorum, staleness) it asks of [`crate::judge`].

mod authority;
mod carried;
mod configuration;
mod meeting;
mod people;
mod record;
mod release;
mod rollout;
mod sheet;

use serde_json::{Map, Value, json};

use crate::act::{
    Act, Artifact, AuthorizationChange, COMMON_FIELDS, Candidate, CommitSource, Common, DeviceChange, DevicePurpose,
    Dispatch, DispatchKind, DispatchState, EvidenceOrigin, FreezeChange, Grant, HoldChange, KeyChange, ProposeChange,
    RULES_VERSION, Reauth, Request, RunConclusion, SignerKind, Verdict, WaveVerdict, accountability, row,
};
use crate::entry::{Entry, EntryError, STATEMENT_TYPE, predicate_type};
use crate::evidence::Conclusion;
use crate::hash::Digest;
use crate::judge::{self, is_dispatcher};
use crate::merkle::leaf_hash;
use crate::note::KeyName;
use crate::permission::{self, Deed};
use crate::policy::{DispatchRule, Distinct, Policy};
use crate::rejection::{Code, Finding, Rejection, ensure};
use crate::sshsig::PublicKey;
use crate::state::{Answerable, DispatchRecord, KeyEnd, Person, Release, RoleRecord, Sheet, SignOff, State, apply};
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
            Act::Approval(body) => matches!(
                self.answerable(body.request),
                Some(Answerable::Device(_) | Answerable::Person(_) | Answerable::Role(_))
            ),
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

impl State {
    /// Takes a leaf of a copy about one release and judges it by every rule that what came before in the copy can answer.
    ///
    /// `from_elsewhere` supplies what only entries that are not in the copy could tell, and leaves out what is about them.
    ///
    /// # Errors
    /// The finding; the leaf then has no effect.
    pub(crate) fn take_shown(
        &mut self,
        index: u64,
        leaf: ParsedLeaf,
        from_elsewhere: &dyn Fn(&mut Self, &mut Statement),
    ) -> Result<(), Finding> {
        let refused = |rejection: Rejection| Finding { index, code: rejection.code, message: rejection.message };
        let entry = leaf.entry.map_err(|error| refused(Rejection::new(Code::Malformed, error.to_string())))?;
        let mut statement = Statement::read(&entry).map_err(refused)?;
        check_bytes(self, &entry, &statement).map_err(refused)?;
        // These look at the whole tree, which is not here, and change nothing that is shown.
        if matches!(statement.act, Act::Correction(_) | Act::Review(_) | Act::Export(_) | Act::Late(_)) {
            return Ok(());
        }
        from_elsewhere(self, &mut statement);
        check_alone(self, index, &statement, true).map_err(refused)?;
        let (named, payload_hash) = (EntryRef { index, leaf: leaf.hash }, entry.payload_hash());
        apply(self, Admitted { entry: named, payload_hash, key: entry.signer_key(), statement });
        Ok(())
    }
}

/// Every rule over a statement that is signed away from the ledger and so names a head this state cannot look up.
pub(crate) fn check_away(state: &State, statement: &Statement) -> Result<(), Rejection> {
    check_alone(state, u64::MAX, statement, true)
}

fn check_alone(state: &State, index: u64, statement: &Statement, every_rule: bool) -> Result<(), Rejection> {
    let common = &statement.common;
    check_rules(state, common)?;
    ensure(common.seen.size <= index, Code::SeenMismatch, || {
        format!("it claims to have seen {} entries where there are {index}", common.seen.size)
    })?;
    if let Act::Genesis(genesis) = &statement.act {
        ensure(index == 0, Code::Genesis, || "only entry 0 may be a genesis".into())?;
        check_seen(state, common)?;
        return people::genesis(state, statement, genesis);
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
    check_rules(state, &statement.common)?;
    check_seen(state, &statement.common)?;
    let repeated = state.nonces.contains(&statement.common.nonce);
    ensure(!repeated, Code::Duplicate, || "the nonce was used before".into())?;
    if let Act::Genesis(genesis) = &statement.act {
        return people::genesis(state, statement, genesis);
    }
    let signer = check_standing(state, statement)?;
    check_said(state, statement, &signer)
}

/// An entry is judged by the rules it was made under; nobody goes back to older ones.
fn check_rules(state: &State, common: &Common) -> Result<(), Rejection> {
    ensure((1..=RULES_VERSION).contains(&common.rules), Code::RulesUnknown, || {
        format!("made under rules {}; this version knows {RULES_VERSION}", common.rules)
    })?;
    ensure(common.rules >= state.rules, Code::RulesUnknown, || {
        format!("made under rules {}, yet the ledger has gone on to {}", common.rules, state.rules)
    })
}

/// The rules over what is said, and what about.
fn check_said(state: &State, statement: &Statement, signer: &SignedBy<'_>) -> Result<(), Rejection> {
    let case = Case { state, statement, by: *signer, at: statement.common.time };
    case.agent_in_place()?;
    check_act(&case)?;
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
    carried::check(state, statement)?;
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
        Act::Meeting(body) => of_release(&body.release),
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

/// Who signs, once the rules over signers have passed.
#[derive(Clone, Copy)]
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

/// An entry before the rules over what it says: who signs it, and when.
struct Case<'a> {
    state: &'a State,
    statement: &'a Statement,
    by: SignedBy<'a>,
    at: Timestamp,
}

impl<'a> Case<'a> {
    /// Returns whether the entry was made under these rules, or newer ones.
    fn rules(&self, version: u32) -> bool {
        self.statement.common.rules >= version
    }

    /// Refuses a person whose roles do not let them do this for the product; a device needs none.
    fn may(&self, deed: Deed, product: Option<&Slug>) -> Result<(), Rejection> {
        self.by.person().map_or(Ok(()), |person| permission::ensure(person, deed, product, self.at))
    }

    /// Refuses what entries of older rules could not say, unless it is not said.
    fn since(&self, rules: u32, absent: bool, what: &str) -> Result<(), Rejection> {
        ensure(absent || self.statement.common.rules >= rules, Code::Malformed, || {
            format!("{what} is known since rules {rules}, and this was made under {}", self.statement.common.rules)
        })
    }

    fn unused_key(&self, key: &PublicKey) -> Result<(), Rejection> {
        ensure(!self.state.keys_used.contains(key), Code::Reused, || "this key was used before".into())
    }

    fn unused_principal(&self, who: &Principal) -> Result<(), Rejection> {
        let used = self.state.people.contains_key(who) || self.state.devices.contains_key(who);
        ensure(!used, Code::Reused, || format!("{who} was used before; a principal is never given again"))
    }

    fn release(&self, id: &ReleaseId) -> Result<&'a Release, Rejection> {
        self.state
            .releases
            .get(id)
            .ok_or_else(|| not_found(format!("there is no release {id}")).hint("`countersign release list` shows them"))
    }

    /// Refuses a signature whose presence was proved in a way the product's policy does not accept.
    fn presence(&self, product: &Slug) -> Result<(), Rejection> {
        let Some(reauth) = self.statement.common.reauth else { return Ok(()) };
        match self.state.policy(product) {
            Some(record) => ensure(record.policy.reauth.contains(&reauth), Code::ReauthRefused, || {
                format!("the policy does not accept presence proved by {reauth}")
            }),
            None => no_agent(reauth),
        }
    }

    /// Refuses an agent where no policy says that one may sign: what is about a release, a policy or an authorization is
    /// judged with the rest of its rules.
    fn agent_in_place(&self) -> Result<(), Rejection> {
        let decides = match &self.statement.act {
            Act::Waiver(_) | Act::Condition(_) => true,
            Act::Approval(body) => matches!(
                self.state.answerable(body.request),
                Some(
                    Answerable::Sheet(_)
                        | Answerable::Policy(_)
                        | Answerable::Authorization(_)
                        | Answerable::Evidence(_)
                )
            ),
            _ => false,
        };
        if decides { Ok(()) } else { self.statement.common.reauth.map_or(Ok(()), no_agent) }
    }
}

/// An agent may sign without anybody being asked, so only a policy can accept one.
fn no_agent(reauth: Reauth) -> Result<(), Rejection> {
    ensure(reauth != Reauth::Agent, Code::ReauthRefused, || "no policy accepts an agent for this".into())
        .map_err(|rejection| rejection.hint("type the passphrase"))
}

fn not_found(what: String) -> Rejection {
    Rejection::new(Code::NotFound, what)
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
        let accepts = matches!(statement.act, Act::EnrolAccept(_));
        ensure(person.accepted.is_some() || accepts, Code::NotAccepted, || {
            format!("{who} has not accepted the accountability text")
        })?;
        ensure(person.known() || accepts, Code::Unidentified, || {
            format!("no second person has stated the identity of {who} yet")
        })
        .map_err(|rejection| {
            rejection.hint(format!("somebody with a role does: `countersign person confirm {who}`"))
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
    let floor = if carried::is(statement) { carried::floor(state, statement) } else { state.clock_floor };
    let Some(floor) = floor else {
        return Ok(());
    };
    let time = statement.common.time;
    ensure(floor.seconds_since(time) <= CLOCK_TOLERANCE_SECONDS, Code::ClockSuspect, || {
        format!("its clock says {time}, yet the ledger already knows {floor}")
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

/// Asks the rules over what this act says.
fn check_act(case: &Case<'_>) -> Result<(), Rejection> {
    match &case.statement.act {
        Act::Genesis(_) => Err(Rejection::new(Code::Genesis, "only entry 0 may be a genesis")),
        Act::Enrol(body) => people::enrol(case, body),
        Act::EnrolAccept(body) => people::enrol_accept(case, body),
        Act::Device(body) => people::device(case, body),
        Act::Key(body) => people::key(case, body),
        Act::Role(body) => people::role(case, body),
        Act::Review(body) => people::review(case, body),
        Act::Attempt(body) => people::attempt(case, body),
        Act::Product(body) => configuration::product(case, body),
        Act::Target(body) => configuration::target(case, body),
        Act::Policy(body) => configuration::policy(case, body),
        Act::Authorization(body) => configuration::authorization(case, body),
        Act::Freeze(body) => configuration::freeze(case, body),
        Act::Propose(body) => release::propose(case, body),
        Act::Evidence(body) => release::evidence(case, body),
        Act::Waiver(body) => release::waiver(case, body),
        Act::Stage(body) => release::stage(case, body),
        Act::Hold(body) => release::hold(case, body),
        Act::Condition(body) => release::condition(case, body),
        Act::Outcome(body) => release::outcome(case, body),
        Act::Announce(body) => case.release(&body.release).map(|_| ()),
        Act::Request(body) => sheet::request(case, body),
        Act::Approval(body) => sheet::approval(case, body),
        Act::Meeting(body) => meeting::meeting(case, body),
        Act::Dispatch(body) => rollout::dispatch(case, body),
        Act::Run(body) => rollout::run(case, body),
        Act::Wave(body) => rollout::wave(case, body),
        Act::Lease(body) => rollout::lease(case, body),
        Act::Refusal(body) => record::coalesced(case.state.last_refusal.get(&body.subject()), case.at),
        Act::Correction(body) => record::correction(case, body),
        Act::Late(body) => record::late(case, body),
        Act::Export(body) => record::export(case, body),
    }
}
