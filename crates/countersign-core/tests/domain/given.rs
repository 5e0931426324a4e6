//! A toy ledger: people, devices and a product with a policy, in virtual time, under keys made from names.
//!
//! A test reads as law: `given().when(…).refuses(code, …)`. Every refusal is asked three times: of [`decide`] before anybody
//! signs, of the state when the same statement is written straight into the ledger, and of the rest of the ledger, which
//! must go on as if the entry were not there.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use countersign_core::act::{
    Act, App, Approval, Artifact, Authorization, AuthorizationChange, Candidate, ChangeList, ChangeType, Charter,
    CommitSource, Common, Condition, ConnectorConfig, Device, DeviceCard, DeviceChange, DevicePurpose, Dispatch,
    DispatchKind, DispatchState, Enrol, EnrolAccept, Evidence, EvidenceOrigin, Freeze, FreezeChange, Genesis, Grant,
    Hold, HoldChange, Key, KeyChange, KeyOrigin, Lease, Meaning, Outcome, PersonCard, PlannedWave, Policy, Product,
    Propose, ProposeChange, RULES_VERSION, Reauth, Recovery, Request, Role, RunConclusion, RunRef, Seen, SeenBasis,
    Segment, Signer, Stage, Target, Verdict, Waiver, Wave, WaveVerdict, Window, accountability,
};
use countersign_core::admit::{self, Statement};
use countersign_core::decide::{Command, Context, decide};
use countersign_core::entry::Entry;
use countersign_core::evidence::{Conclusion, Counts, EvidenceKind};
use countersign_core::hash::Digest;
use countersign_core::judge::{self, ReleaseState, SignOffState};
use countersign_core::rejection::{Code, Finding};
use countersign_core::sshsig::PublicKey;
use countersign_core::state::{Release, Sheet, State};
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Timestamp, Zone};
use ed25519_dalek::SigningKey;

/// The first process owner.
pub(crate) const OLGA: &str = "olga@acme.example";
/// A second process owner.
pub(crate) const OTTO: &str = "otto@acme.example";
/// The release manager who proposes and freezes.
pub(crate) const RITA: &str = "rita@acme.example";
/// Another release manager, who dispatches.
pub(crate) const ROLF: &str = "rolf@acme.example";
/// Signs as qa.
pub(crate) const QUINN: &str = "quinn@acme.example";
/// Signs as qa too.
pub(crate) const QUENTIN: &str = "quentin@acme.example";
/// Signs as security.
pub(crate) const SAM: &str = "sam@acme.example";
/// Holds qa and security.
pub(crate) const BOTH: &str = "bo@acme.example";
/// Wrote the commits, under another address, and holds qa.
pub(crate) const DANA: &str = "dana@acme.example";
/// Assembles.
pub(crate) const PAUL: &str = "paul@acme.example";
/// Reads.
pub(crate) const ADA: &str = "ada@acme.example";
/// The first desk.
pub(crate) const DESK: &str = "desk-1@acme.example";
/// The dispatcher.
pub(crate) const WORKER: &str = "worker-1@acme.example";

/// Everybody beside the first owner: roles, and other addresses they commit under.
const PEOPLE: [(&str, &[&str], &[&str]); 10] = [
    (OTTO, &["process-owner"], &[]),
    (RITA, &["release-manager"], &[]),
    (ROLF, &["release-manager"], &[]),
    (QUINN, &["qa"], &[]),
    (QUENTIN, &["qa"], &[]),
    (SAM, &["security"], &[]),
    (BOTH, &["qa", "security"], &[]),
    (DANA, &["qa"], &["Dana.Doe@Home.example"]),
    (PAUL, &["practitioner"], &[]),
    (ADA, &["auditor"], &[]),
];

pub(crate) const ORIGIN: &str = "acme.example/ledger/1";
pub(crate) const START: &str = "2026-11-22T08:00:00Z";
pub(crate) const PRODUCT: &str = "pump";

/// What the policy asks for unless a test says otherwise.
pub(crate) const POLICY: &str = "\
schema = 1
product = \"pump\"
mode = \"continuous-delivery\"
soak_seconds = 3600

[[evidence]]
gate = \"unit tests\"
kind = \"junit\"
name = \"unit.xml\"

[[evidence]]
gate = \"static analysis\"
kind = \"sarif\"

[[quorum]]
role = \"qa\"

[[quorum]]
role = \"security\"

[[wave]]
segment = \"canary\"
bake_seconds = 600

[[wave]]
segment = \"everyone\"
bake_seconds = 60
";

/// Parses a lawful text.
#[track_caller]
pub(crate) fn word<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

/// Returns the signing key a name stands for.
pub(crate) fn key_of(name: &str) -> SigningKey {
    SigningKey::from_bytes(Digest::of(name.as_bytes()).as_bytes())
}

fn printed(principal: &str) -> Line {
    word(principal.split('@').next().unwrap_or(principal))
}

/// Returns a commit id that stands for a name.
pub(crate) fn commit_of(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string()[..40].to_owned()
}

pub(crate) fn window(from: Timestamp, seconds: i64) -> Window {
    Window { from, until: from.plus_seconds(seconds) }
}

/// Returns the context in which [`decide`] composes that statement.
pub(crate) fn context_of(statement: &Statement) -> Context {
    let common = statement.common.clone();
    Context {
        app: common.app,
        device: common.device,
        signer: common.signer,
        reason: common.reason,
        reauth: common.reauth,
        seen_basis: common.seen_basis,
        now: common.time,
        zone: common.zone,
        nonce: common.nonce,
        origin: word(ORIGIN),
    }
}

/// A ledger in the making.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) now: Timestamp,
    /// The key each principal signs with now.
    pub(crate) keys: Arc<BTreeMap<String, SigningKey>>,
    pub(crate) made: u64,
    /// The rules its entries are made under.
    pub(crate) rules: u32,
}

/// One thing somebody does.
pub(crate) struct Step {
    who: &'static str,
    act: Box<dyn Fn(&World) -> Act>,
    reason: Option<&'static str>,
    reauth: Option<Reauth>,
    seen: Option<u64>,
    time: Option<Timestamp>,
    key: Option<&'static str>,
    forgeries: Vec<Box<dyn Fn(&mut Statement)>>,
}

pub(crate) fn step(who: &'static str, act: impl Fn(&World) -> Act + 'static) -> Step {
    Step {
        who,
        act: Box::new(act),
        reason: Some("as agreed in the meeting"),
        reauth: Some(Reauth::Prompt),
        seen: None,
        time: None,
        key: None,
        forgeries: Vec::new(),
    }
}

impl Step {
    /// The same, done by somebody else.
    pub(crate) fn by(mut self, who: &'static str) -> Self {
        self.who = who;
        self
    }

    /// The same, with presence proved another way.
    pub(crate) fn reauth(mut self, reauth: Reauth) -> Self {
        self.reauth = Some(reauth);
        self
    }

    /// The same, by somebody who has seen only so many entries.
    pub(crate) fn having_seen(mut self, size: u64) -> Self {
        self.seen = Some(size);
        self
    }

    /// The same, by a clock that shows this.
    pub(crate) fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// The same, signed with the key that name stands for.
    pub(crate) fn with_key(mut self, name: &'static str) -> Self {
        self.key = Some(name);
        self
    }

    /// The same, for another reason.
    pub(crate) fn saying(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same, without a reason.
    pub(crate) fn without_reason(mut self) -> Self {
        self.reason = None;
        self
    }

    /// The same, with the statement changed before it is signed: what only an insider can do.
    pub(crate) fn forging(mut self, edit: impl Fn(&mut Statement) + 'static) -> Self {
        self.forgeries.push(Box::new(edit));
        self
    }
}

/// The ledger up to the policy: owner, people, devices, product, targets.
static COMPANY: LazyLock<World> = LazyLock::new(|| company(false, RULES_VERSION));
static SAMPLE: LazyLock<World> = LazyLock::new(|| company(true, RULES_VERSION));

fn company(sample: bool, rules: u32) -> World {
    let mut world = World { rules, ..unborn() }.when(genesis(sample));
    for (who, roles, emails) in PEOPLE {
        world = world.when(enrol(who, emails)).when(accept_by(who));
        for role in roles {
            world = world.when(role_change(Grant::Grant, who, role));
        }
    }
    world = world.when(enrol_device(WORKER, DevicePurpose::Dispatcher));
    if !sample {
        world = world.when(confirm_device(WORKER).by(OTTO));
    }
    world
        .when(product(&["staging", "production"]))
        .when(target("staging", &["all"]))
        .when(target("production", &["canary", "everyone"]))
}

/// Returns a ledger without entries.
pub(crate) fn unborn() -> World {
    let names = PEOPLE.iter().map(|(who, ..)| *who).chain([OLGA, DESK, WORKER]);
    World {
        state: State::default(),
        leaves: Vec::new(),
        now: word(START),
        keys: Arc::new(names.map(|name| (name.to_owned(), key_of(name))).collect()),
        made: 0,
        rules: RULES_VERSION,
    }
}

/// Returns a company with people, devices, a product, targets and the usual policy.
pub(crate) fn given() -> World {
    given_policy(POLICY)
}

/// Returns a company whose product has this policy.
pub(crate) fn given_policy(toml: &str) -> World {
    without_policy().when(policy(toml))
}

/// Returns a company whose usual policy has one line in place of another.
pub(crate) fn given_policy_with(edits: &[(&str, &str)]) -> World {
    given_policy(&policy_with(edits))
}

pub(crate) fn policy_with(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(POLICY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the policy does not say {from:?}");
        text.replacen(from, to, 1)
    })
}

/// Returns a company whose product has no policy yet.
pub(crate) fn without_policy() -> World {
    COMPANY.clone()
}

/// Returns a company whose entries were all made under those rules.
pub(crate) fn given_under(rules: u32) -> World {
    company(false, rules).when(policy(POLICY))
}

/// Returns the company as a sample: nothing in it is a real approval.
pub(crate) fn given_sample() -> World {
    SAMPLE.clone().when(policy(POLICY))
}

impl World {
    /// Lets time pass.
    pub(crate) fn later(mut self, seconds: i64) -> Self {
        self.now = self.now.plus_seconds(seconds);
        self
    }

    /// Changes the key a principal signs with from now on.
    pub(crate) fn signing_with(mut self, who: &str, name: &str) -> Self {
        Arc::make_mut(&mut self.keys).insert(who.to_owned(), key_of(name));
        self
    }

    /// Composes the statement of a step: what [`decide`] would compose, made without asking any rule.
    pub(crate) fn statement(&self, step: &Step) -> Statement {
        let act = (step.act)(self);
        let person = !matches!(step.who, DESK | WORKER) && !step.who.starts_with("worker-");
        let size = step.seen.unwrap_or(self.state.tree.size());
        let root = self.state.tree.root_at(size).unwrap_or(Digest::from_bytes([7; 32]));
        let common = Common {
            app: App { build: word("unknown"), version: word("0.1.0") },
            device: word(DESK),
            nonce: word(&format!("{:016x}", self.made)),
            reason: step.reason.filter(|_| person || matches!(act, Act::Evidence(_) | Act::Hold(_))).map(word),
            reauth: step.reauth.filter(|_| person),
            rules: self.rules,
            seen: Seen { origin: word(ORIGIN), root: root.to_base64(), size },
            seen_basis: person.then_some(SeenBasis::Full),
            signer: Signer { name: printed(step.who), principal: word(step.who) },
            time: step.time.unwrap_or(self.now),
            zone: Zone::UTC,
        };
        let subject = match act {
            _ if self.state.genesis.is_none() => vec![admit::ledger_subject(&word(ORIGIN))],
            _ => admit::subject(&self.state, &act),
        };
        let mut statement = Statement { common, subject, act };
        for forge in &step.forgeries {
            forge(&mut statement);
        }
        statement
    }

    /// Signs a statement, whatever it says.
    pub(crate) fn sign(&self, step: &Step, statement: &Statement) -> Entry {
        let key = step.key.map(key_of).or_else(|| self.keys.get(step.who).cloned()).unwrap_or_else(|| key_of(step.who));
        Entry::sign(&statement.payload(), statement.act.name(), &key).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Does the step the way the application does it, and the way an insider would; both must come to the same.
    fn attempt(&mut self, step: &Step) -> Result<EntryRef, Finding> {
        let statement = self.statement(step);
        // A statement that is forged, or made from an older head, is never what `decide` composes.
        let composed = step.forgeries.is_empty() && step.seen.is_none() && step.key.is_none();
        if composed && self.rules == RULES_VERSION {
            let decided = decide(&self.state, Command::Record(statement.act.clone()), &context_of(&statement));
            let taken = self.state.clone().take(self.sign(step, &statement).into_leaf());
            match (&decided, &taken) {
                (Ok(decided), Ok(_)) => assert_eq!(*decided, statement),
                (Err(decided), Err(taken)) => {
                    assert_eq!((decided.code, &decided.message), (taken.code, &taken.message))
                }
                _ => panic!("{}: decided {decided:?}, taken {taken:?}", statement.act.name()),
            }
        }
        self.write(step, &statement)
    }

    /// Signs the statement of a step and writes it into the ledger without asking anybody first.
    pub(crate) fn write(&mut self, step: &Step, statement: &Statement) -> Result<EntryRef, Finding> {
        let leaf = self.sign(step, statement).into_leaf();
        self.made += 1;
        self.take(leaf)
    }

    /// Takes a leaf as an insider may write it: any bytes.
    pub(crate) fn take(&mut self, leaf: Vec<u8>) -> Result<EntryRef, Finding> {
        self.leaves.push(leaf.clone());
        self.state.take(leaf)
    }

    /// Does the step; it must be admitted.
    #[track_caller]
    pub(crate) fn when(mut self, step: Step) -> Self {
        if let Err(finding) = self.attempt(&step) {
            panic!("refused: {finding}");
        }
        self
    }

    /// Tries the step; it must be refused by that rule, and change nothing.
    #[track_caller]
    pub(crate) fn refuses(self, code: Code, step: Step) -> Self {
        self.refuses_saying(code, "", step)
    }

    /// Tries the step; it must be refused by that rule, in words that hold `says`, and change nothing.
    #[track_caller]
    pub(crate) fn refuses_saying(self, code: Code, says: &str, step: Step) -> Self {
        let mut tried = self.clone();
        let index = self.state.tree.size();
        match tried.attempt(&step) {
            Ok(entry) => panic!("admitted as {entry}, expected {code}"),
            Err(finding) => {
                assert_eq!(finding.code, code, "{finding}");
                assert_eq!(finding.index, index, "{finding}");
                assert!(finding.message.contains(says), "{finding} does not say {says:?}");
            }
        }
        self
    }

    /// Asks something of the ledger as it now is.
    pub(crate) fn then(self, ask: impl FnOnce(&Self)) -> Self {
        ask(&self);
        self
    }

    #[track_caller]
    pub(crate) fn release(&self, id: &str) -> &Release {
        &self.state.releases[&word::<ReleaseId>(id)]
    }

    #[track_caller]
    pub(crate) fn sheet(&self, id: &str) -> &Sheet {
        self.release(id).sheet().expect("a sheet was frozen")
    }

    /// Asks where the release stands.
    #[track_caller]
    pub(crate) fn is(self, id: &str, state: ReleaseState) -> Self {
        assert_eq!(judge::release_state(&self.state, self.release(id), self.now), state);
        self
    }

    /// Asks what the last answer of a person to the current sheet is worth, and why in words that hold `cause`.
    #[track_caller]
    pub(crate) fn worth(self, id: &str, who: &str, state: SignOffState, cause: &str) -> Self {
        let judged = judge::sign_offs(&self.state, self.release(id), self.sheet(id), self.now);
        let judged = judged
            .iter()
            .rfind(|judged| judged.answer.principal.as_str() == who)
            .unwrap_or_else(|| panic!("{who} has not answered"));
        assert_eq!(judged.state, state, "{:?}", judged.cause);
        assert!(judged.cause.as_deref().unwrap_or_default().contains(cause), "{:?} is not {cause:?}", judged.cause);
        assert_eq!(judged.cause.is_none(), state == SignOffState::Valid);
        self
    }

    /// Asks what the answers to the current sheet come to.
    #[track_caller]
    pub(crate) fn comes_to(self, id: &str, outcome: &judge::Outcome) -> Self {
        assert_eq!(judge::decision(&self.state, self.release(id), self.sheet(id), self.now).outcome, *outcome);
        self
    }

    pub(crate) fn last_entry(&self) -> EntryRef {
        let index = self.state.tree.size() - 1;
        EntryRef { index, leaf: self.state.tree.leaf_hash_at(index).expect("just appended") }
    }

    // ------------------------------------------------------------------------------- stretches of the usual way

    /// A candidate with green evidence.
    #[track_caller]
    pub(crate) fn proven(self, id: &'static str) -> Self {
        self.when(propose(id)).when(observe(id, "unit.xml", Conclusion::Pass)).when(observe(
            id,
            "scan.sarif",
            Conclusion::Pass,
        ))
    }

    /// Delivered to staging and seen there.
    #[track_caller]
    pub(crate) fn staged(self, id: &'static str) -> Self {
        self.delivered(id).when(stage(id))
    }

    /// Delivered to staging.
    #[track_caller]
    pub(crate) fn delivered(self, id: &'static str) -> Self {
        let request = format!("{id}/staging/{}", self.state.tree.size());
        self.when(deliver(id, &request)).ran(id, &request, RunConclusion::Success)
    }

    /// Walks a prepared dispatch to its end.
    #[track_caller]
    pub(crate) fn ran(self, id: &'static str, request: &str, conclusion: RunConclusion) -> Self {
        use DispatchState::{Accepted, Bound, Finished, Sending};
        self.when(journal(id, request, Sending))
            .when(journal(id, request, Accepted))
            .when(journal(id, request, Bound))
            .when(journal(id, request, Finished).forging_conclusion(conclusion))
    }

    /// Proven, staged, soaked and frozen: it waits for signatures.
    #[track_caller]
    pub(crate) fn ready(self, id: &'static str) -> Self {
        self.proven(id).staged(id).later(3600).when(freeze(id))
    }

    /// Ready, and signed by the quorum.
    #[track_caller]
    pub(crate) fn signed(self, id: &'static str) -> Self {
        self.ready(id).when(go(QUINN, id, "qa")).when(go(SAM, id, "security"))
    }

    /// The quorum agrees to the last entry, a policy or an authorization. Returns its index.
    #[track_caller]
    pub(crate) fn agreed(self) -> (Self, u64) {
        let index = self.last_entry().index;
        let answered = [(QUINN, "qa"), (SAM, "security")]
            .into_iter()
            .fold(self, |world, (who, role)| world.when(answer_entry(who, index, role, Verdict::Go)));
        (answered, index)
    }

    /// Sends wave `wave` out; its dispatch succeeds.
    #[track_caller]
    pub(crate) fn sent(self, id: &'static str, wave: u64) -> Self {
        let request = format!("{id}/production/{wave}");
        self.when(dispatch(id, wave, &request)).ran(id, &request, RunConclusion::Success)
    }

    /// Lets wave `wave` bake and pass.
    #[track_caller]
    pub(crate) fn passed(self, id: &'static str, wave: u64) -> Self {
        let bake = self.sheet(id).body.rollout[wave as usize - 1].bake_seconds;
        self.later(bake as i64).when(wave_verdict(id, wave, WaveVerdict::Pass))
    }

    /// All the way.
    #[track_caller]
    pub(crate) fn live(self, id: &'static str) -> Self {
        self.signed(id).sent(id, 1).passed(id, 1).sent(id, 2).passed(id, 2)
    }
}

impl Step {
    /// A journal step that ended in another conclusion.
    pub(crate) fn forging_conclusion(self, conclusion: RunConclusion) -> Self {
        let Self { act, .. } = self;
        Self {
            act: Box::new(move |world| match act(world) {
                Act::Dispatch(mut body) => {
                    body.conclusion = Some(conclusion);
                    Act::Dispatch(body)
                }
                other => other,
            }),
            ..self
        }
    }
}

// --------------------------------------------------------------------------------------------- what one can do

/// Changes an act of one kind on its way into a step.
macro_rules! editing {
    ($name:ident, $variant:ident, $body:ty) => {
        pub(crate) fn $name(step: Step, edit: impl Fn(&World, &mut $body) + 'static) -> Step {
            let Step { act, .. } = step;
            Step {
                act: Box::new(move |world| match act(world) {
                    Act::$variant(mut body) => {
                        edit(world, &mut body);
                        Act::$variant(body)
                    }
                    other => panic!("the step is {}", other.name()),
                }),
                ..step
            }
        }
    };
}
editing!(with_request, Request, Request);
editing!(with_dispatch, Dispatch, Dispatch);
editing!(with_evidence, Evidence, Evidence);
editing!(with_wave, Wave, Wave);
editing!(with_approval, Approval, Approval);
editing!(with_authorization, Authorization, Authorization);

pub(crate) fn genesis(sample: bool) -> Step {
    step(OLGA, move |world| {
        Genesis {
            accountability: accountability(),
            charter: None,
            desk: device_card(DESK, DevicePurpose::Desk),
            owner: person_card(world, OLGA, &[]),
            recovery: Recovery { needed: 1, people: vec![word(OTTO)], wait_hours: 72 },
            sample,
            title: word("Acme releases"),
        }
        .into()
    })
}

/// The usual first entry, under a charter that asks for two people.
pub(crate) fn genesis_under(charter: Charter) -> Step {
    let Step { act, .. } = genesis(false);
    Step {
        act: Box::new(move |world| match act(world) {
            Act::Genesis(mut body) => {
                body.charter = Some(charter);
                body.recovery =
                    Recovery { needed: 2, people: vec![word(RITA), word(QUINN), word(SAM)], wait_hours: 72 };
                Act::Genesis(body)
            }
            other => other,
        }),
        ..genesis(false)
    }
}

pub(crate) fn person_card(world: &World, who: &str, emails: &[&str]) -> PersonCard {
    PersonCard {
        emails: emails.iter().map(|email| word(email)).collect(),
        key: PublicKey::of(&key_of(who)),
        key_origin: KeyOrigin::MadeHere,
        name: printed(who),
        principal: word(who),
        valid_until: world.now.plus_seconds(365 * 86_400),
    }
}

pub(crate) fn device_card(who: &str, purpose: DevicePurpose) -> DeviceCard {
    DeviceCard {
        key: PublicKey::of(&key_of(who)),
        log_key: Some(PublicKey::of(&key_of(&format!("{who} log")))),
        name: printed(who),
        principal: word(who),
        purpose,
    }
}

pub(crate) fn enrol(who: &'static str, emails: &'static [&'static str]) -> Step {
    step(OLGA, move |world| Enrol { identity: word("passport seen"), person: person_card(world, who, emails) }.into())
}

pub(crate) fn accept_by(who: &'static str) -> Step {
    step(who, |_| EnrolAccept { accountability: accountability() }.into())
}

pub(crate) fn role_change(change: Grant, who: &'static str, role: &'static str) -> Step {
    step(OLGA, move |_| {
        Role { change, principal: word(who), product: None, qualification: None, role: word(role), until: None }.into()
    })
}

pub(crate) fn enrol_device(who: &'static str, purpose: DevicePurpose) -> Step {
    step(OLGA, move |_| Device { change: DeviceChange::Enrol { device: device_card(who, purpose) } }.into())
}

pub(crate) fn revoke_device(who: &'static str) -> Step {
    step(OLGA, move |_| Device { change: DeviceChange::Revoke { principal: word(who) } }.into())
}

pub(crate) fn confirm_device(who: &'static str) -> Step {
    step(OTTO, move |world| {
        let request = world.state.devices[&word::<Principal>(who)].enrolled;
        confirmation(request, "process-owner")
    })
}

pub(crate) fn confirmation(request: EntryRef, role: &str) -> Act {
    Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: Meaning::Confirmation,
        request,
        role: word(role),
        verdict: Verdict::Go,
    }
    .into()
}

pub(crate) fn key_change(change: KeyChange, whose: &'static str) -> Step {
    step(OLGA, move |_| Key { change: change.clone(), principal: word(whose) }.into())
}

/// Renews the key of a person: afterwards they sign with the key `name` stands for.
pub(crate) fn rotate(whose: &'static str, name: &'static str) -> Step {
    step(whose, move |world| {
        let change = KeyChange::Rotate {
            key: PublicKey::of(&key_of(name)),
            key_origin: KeyOrigin::MadeHere,
            valid_until: world.now.plus_seconds(365 * 86_400),
        };
        Key { change, principal: word(whose) }.into()
    })
}

pub(crate) fn product(path: &'static [&'static str]) -> Step {
    step(OLGA, move |_| {
        Product { path: path.iter().map(|name| word(name)).collect(), product: word(PRODUCT), title: word("Pump") }
            .into()
    })
}

pub(crate) fn target(environment: &'static str, segments: &'static [&'static str]) -> Step {
    step(OLGA, move |_| {
        Target {
            connector: ConnectorConfig::LocalCommand {
                command: word("deploy"),
                script_sha256: Digest::of(b"#!/bin/sh\n"),
            },
            deploy_step: word("deploy"),
            environment: word(environment),
            job: word("deploy-pump"),
            product: word(PRODUCT),
            segments: segments
                .iter()
                .map(|name| Segment {
                    health: vec![word("http://127.0.0.1:8001/health")],
                    name: word(name),
                    version: vec![word("http://127.0.0.1:8001/version")],
                })
                .collect(),
        }
        .into()
    })
}

/// The next version of the policy.
pub(crate) fn policy(toml: &str) -> Step {
    let toml = toml.to_owned();
    step(OLGA, move |world| {
        let version = world.state.policies.get(&word(PRODUCT)).map_or(0, Vec::len) as u64 + 1;
        Policy { product: word(PRODUCT), toml: toml.clone(), version }.into()
    })
}

/// An answer to the entry at that place, given as that role.
pub(crate) fn answer_entry(who: &'static str, index: u64, role: &'static str, verdict: Verdict) -> Step {
    step(who, move |world| {
        let request = EntryRef { index, leaf: world.state.tree.leaf_hash_at(index).expect("an entry is there") };
        approval(request, role, verdict)
    })
}

fn approval(request: EntryRef, role: &str, verdict: Verdict) -> Act {
    let conditions = if verdict == Verdict::ConditionalGo { vec![word("watch the canary")] } else { Vec::new() };
    Approval { authorization: None, conditions, meaning: Meaning::Approval, request, role: word(role), verdict }.into()
}

/// An authorization for a year: standard changes of at most 20 commits, twice a day.
pub(crate) fn authorize() -> Step {
    authorize_until(365 * 86_400)
}

pub(crate) fn authorize_until(seconds: i64) -> Step {
    step(OLGA, move |world| {
        let change = AuthorizationChange::Grant {
            change_types: vec![ChangeType::Standard],
            environment: word("production"),
            max_commits: 20,
            per_day: 2,
            product: word(PRODUCT),
            template: None,
            valid: window(world.now, seconds),
        };
        Authorization { change }.into()
    })
}

pub(crate) fn suspend(index: u64) -> Step {
    step(SAM, move |world| {
        let authorization = world.state.authorizations[&index].entry;
        Authorization { change: AuthorizationChange::Suspend { authorization } }.into()
    })
}

pub(crate) fn resume_authorization(index: u64) -> Step {
    step(OLGA, move |world| {
        let authorization = world.state.authorizations[&index].entry;
        Authorization { change: AuthorizationChange::Resume { authorization } }.into()
    })
}

pub(crate) fn declare_freeze(environment: Option<&'static str>, seconds: i64) -> Step {
    step(RITA, move |world| {
        let change = FreezeChange::Declare {
            environment: environment.map(word),
            product: Some(word(PRODUCT)),
            recurs: None,
            span: window(world.now, seconds),
        };
        Freeze { change }.into()
    })
}

pub(crate) fn lift_freeze(index: u64) -> Step {
    step(RITA, move |world| Freeze { change: FreezeChange::Lift { freeze: world.state.freezes[&index].entry } }.into())
}

/// Returns a candidate whose commit and artifact are named after the release.
pub(crate) fn candidate(id: &str) -> Candidate {
    Candidate {
        artifacts: vec![Artifact {
            name: word(&format!("{id}.tar.gz")),
            sha256: Digest::of(format!("artifact of {id}").as_bytes()),
        }],
        backout_plan: Some(word("redeploy what was live")),
        change_type: ChangeType::Standard,
        changes: ChangeList {
            authors: vec![word("dana.doe@home.example"), word("stranger@elsewhere.example")],
            base: None,
            commits: 3,
            digest: Digest::of(format!("changes of {id}").as_bytes()),
            tickets: vec![word("PUMP-17")],
        },
        commit: word(&commit_of(id)),
        external: None,
        incident: None,
        product: word(PRODUCT),
        risk: Some(word("low")),
        rollout_plan: Some(word("canary, then everyone")),
        security_impact: Some(word("none")),
        version: word(id),
    }
}

pub(crate) fn propose(id: &'static str) -> Step {
    propose_as(id, |_| ())
}

pub(crate) fn propose_as(id: &'static str, edit: impl Fn(&mut Candidate) + 'static) -> Step {
    step(RITA, move |_| {
        let mut candidate = candidate(id);
        edit(&mut candidate);
        let change = ProposeChange::Candidate { authorization: None, candidate, supersedes: None };
        Propose { change, release: word(id) }.into()
    })
}

pub(crate) fn propose_change(id: &'static str, change: ProposeChange) -> Step {
    step(RITA, move |_| Propose { change: change.clone(), release: word(id) }.into())
}

/// Amends the candidate as it now is.
pub(crate) fn amend(id: &'static str, edit: impl Fn(&mut Candidate) + 'static) -> Step {
    step(RITA, move |world| {
        let mut candidate = world.release(id).candidate.clone();
        edit(&mut candidate);
        Propose { change: ProposeChange::Amend { candidate }, release: word(id) }.into()
    })
}

pub(crate) fn withdraw(id: &'static str) -> Step {
    propose_change(id, ProposeChange::Withdraw {})
}

/// Counts that go with a conclusion.
pub(crate) fn counts(kind: EvidenceKind, conclusion: Conclusion) -> Counts {
    let bad = u64::from(conclusion == Conclusion::Fail);
    let good = if conclusion == Conclusion::Inconclusive { 0 } else { 9 };
    match kind {
        EvidenceKind::Junit => {
            Counts::Tests { total: good + bad, passed: good, failed: bad, errors: 0, skipped: 0, flaky: 0 }
        }
        EvidenceKind::Sarif => Counts::Findings { error: bad, warning: 2, note: 0, none: 0, suppressed: 1 },
        EvidenceKind::Cyclonedx => Counts::Components { components: good, vulnerabilities: bad },
        EvidenceKind::Manual => Counts::File { bytes: 512 },
    }
}

/// Evidence a desk read from the CI system, its kind told by the name's ending.
pub(crate) fn observe(id: &'static str, name: &'static str, conclusion: Conclusion) -> Step {
    let kind = match name.rsplit('.').next() {
        Some("xml") => EvidenceKind::Junit,
        Some("sarif") => EvidenceKind::Sarif,
        Some("cdx") => EvidenceKind::Cyclonedx,
        _ => EvidenceKind::Manual,
    };
    step(DESK, move |world| {
        Evidence {
            commit: world.release(id).candidate.commit.clone(),
            commit_source: CommitSource::Run,
            conclusion,
            counts: counts(kind, conclusion),
            digest: Digest::of(format!("{name} {}", world.made).as_bytes()),
            kind,
            name: word(name),
            origin: EvidenceOrigin::Observed {
                connector: word("buildbot https://ci.acme.example"),
                raw_sha256: Digest::of(b"reply"),
                run: word("builds/17"),
            },
            release: word(id),
            replaces: None,
            size: 512,
        }
        .into()
    })
}

/// Evidence a person attached.
pub(crate) fn attach(who: &'static str, id: &'static str, name: &'static str, conclusion: Conclusion) -> Step {
    with_evidence(observe(id, name, conclusion).by(who), |_, body| {
        body.origin = EvidenceOrigin::Attached {};
        body.commit_source = CommitSource::Attacher;
    })
}

/// A re-run: it stands in for the evidence at that place of the release's list.
pub(crate) fn rerun(id: &'static str, name: &'static str, place: usize, conclusion: Conclusion) -> Step {
    with_evidence(observe(id, name, conclusion), move |world, body| {
        body.replaces = Some(world.release(id).evidence[place].entry);
    })
}

/// Confirms the last evidence a person attached.
pub(crate) fn confirm_evidence(who: &'static str, id: &'static str, role: &'static str) -> Step {
    step(who, move |world| {
        let record =
            world.release(id).evidence.iter().rfind(|record| record.attached()).expect("something is attached");
        confirmation(record.entry, role)
    })
}

pub(crate) fn waive(who: &'static str, id: &'static str, gate: &'static str, seconds: i64) -> Step {
    step(who, move |world| {
        Waiver { expires: world.now.plus_seconds(seconds), gate: word(gate), owner: word(PAUL), release: word(id) }
            .into()
    })
}

/// Prepares the delivery to staging.
pub(crate) fn deliver(id: &'static str, request: &str) -> Step {
    let request = request.to_owned();
    step(WORKER, move |world| {
        let release = world.release(id);
        Dispatch {
            artifact: release.artifact().sha256,
            by: Some(word(ROLF)),
            conclusion: None,
            detail: None,
            environment: word("staging"),
            kind: DispatchKind::Deploy,
            release: word(id),
            request_id: word(&request),
            resends: None,
            run: None,
            server_time: None,
            sheet: release.candidate_entry,
            state: DispatchState::Prepared,
            wave: 1,
        }
        .into()
    })
}

/// The next step of a dispatch's journal.
pub(crate) fn journal(id: &'static str, request: &str, state: DispatchState) -> Step {
    let request = request.to_owned();
    step(WORKER, move |world| {
        let record = world.release(id).dispatches.iter().find(|record| record.body.request_id.as_str() == request);
        let mut body = record.expect("it was prepared").body.clone();
        body.state = state;
        body.conclusion = (state == DispatchState::Finished).then_some(RunConclusion::Success);
        if matches!(state, DispatchState::Bound | DispatchState::Finished) {
            body.run = Some(RunRef { attempt: 1, id: word(&format!("run of {request}")), url: None });
        }
        body.into()
    })
}

/// What runs in staging after the last delivery.
pub(crate) fn stage(id: &'static str) -> Step {
    step(WORKER, move |world| {
        let release = world.release(id);
        let dispatch = release.dispatches.iter().rfind(|record| record.body.environment.as_str() == "staging");
        Stage {
            artifact: release.artifact().sha256,
            dispatch: dispatch.expect("it was delivered").last,
            environment: word("staging"),
            release: word(id),
            server_time: None,
            version: release.candidate.version.clone(),
        }
        .into()
    })
}

/// Freezes the decision sheet, composed here from what the ledger says.
pub(crate) fn freeze(id: &'static str) -> Step {
    step(RITA, move |world| sheet_of(world, id).into())
}

/// Freezes the decision sheet for a standing authorization.
pub(crate) fn freeze_for(id: &'static str, authorization: u64) -> Step {
    with_request(freeze(id).by(WORKER), move |world, body| {
        body.authorization = Some(world.state.authorizations[&authorization].entry);
    })
}

fn sheet_of(world: &World, id: &str) -> Request {
    let release = world.release(id);
    let candidate = &release.candidate;
    let place = (word(PRODUCT), word("production"));
    let policy = world.state.policy(&place.0).expect("there is a policy");
    let live = world.state.live.get(&place).cloned();
    let minutes = i64::try_from(policy.policy.sheet_valid_minutes).expect("at most a year");
    let span = window(world.now, minutes * 60);
    Request {
        artifacts: candidate.artifacts.clone(),
        asked: Vec::new(),
        authorization: None,
        candidate: release.candidate_entry,
        change_type: candidate.change_type,
        changes: candidate.changes.digest,
        commit: candidate.commit.clone(),
        due: None,
        environment: place.1.clone(),
        evidence: judge::manifest(release, None).0,
        external: candidate.external.clone(),
        rollback: live.clone(),
        live,
        not_after: span.until,
        policy: policy.entry,
        product: place.0.clone(),
        release: release.id.clone(),
        rollout: policy
            .policy
            .waves
            .iter()
            .map(|wave| PlannedWave { bake_seconds: wave.bake_seconds, segment: wave.segment.clone() })
            .collect(),
        scheduled: false,
        stage: judge::staged(&world.state, release).map(|(entry, ..)| entry),
        target: world.state.targets[&place].0,
        version: candidate.version.clone(),
        waivers: release
            .waivers
            .iter()
            .filter(|waiver| world.now <= waiver.body.expires && waiver.entry.index > release.candidate_entry.index)
            .map(|waiver| waiver.entry)
            .collect(),
        window: span,
    }
}

/// An answer to the current sheet.
pub(crate) fn answer(who: &'static str, id: &'static str, role: &'static str, verdict: Verdict) -> Step {
    step(who, move |world| approval(world.sheet(id).entry, role, verdict))
}

pub(crate) fn go(who: &'static str, id: &'static str, role: &'static str) -> Step {
    answer(who, id, role, Verdict::Go)
}

/// A GO of the standing authorization of that entry, by the dispatcher.
pub(crate) fn automatic_go(id: &'static str, authorization: u64) -> Step {
    with_approval(answer(WORKER, id, "standing-authorization", Verdict::Go), move |world, body| {
        body.authorization = Some(world.state.authorizations[&authorization].entry);
    })
}

/// Settles the first condition of a person's last conditional GO.
pub(crate) fn settle(who: &'static str, id: &'static str, whose: &'static str) -> Step {
    step(who, move |world| {
        let answer = world.sheet(id).answers.iter().rfind(|answer| answer.principal.as_str() == whose);
        Condition { approval: answer.expect("they have answered").entry, condition: 0 }.into()
    })
}

pub(crate) fn hold(who: &'static str, id: &'static str, question: Option<&'static str>) -> Step {
    step(who, move |_| Hold { change: HoldChange::Hold { question: question.map(word) }, release: word(id) }.into())
}

pub(crate) fn halt(who: &'static str, id: &'static str) -> Step {
    step(who, move |_| Hold { change: HoldChange::Halt {}, release: word(id) }.into())
}

/// Ends the last stop.
pub(crate) fn resume(who: &'static str, id: &'static str, answer: Option<&'static str>) -> Step {
    step(who, move |world| {
        let hold = world.release(id).holds.last().expect("something stopped it").entry;
        Hold { change: HoldChange::Resume { answer: answer.map(word), hold }, release: word(id) }.into()
    })
}

/// Prepares a wave, started by the other release manager.
pub(crate) fn dispatch(id: &'static str, wave: u64, request: &str) -> Step {
    with_dispatch(deliver(id, request), move |world, body| {
        body.environment = word("production");
        body.sheet = world.sheet(id).entry;
        body.wave = wave;
    })
}

/// Prepares a rollback from the wave that went out last.
pub(crate) fn roll_back(id: &'static str, wave: u64, request: &str) -> Step {
    with_dispatch(dispatch(id, wave, request), move |world, body| {
        let slot = world.sheet(id).body.rollback.as_ref();
        body.kind = DispatchKind::Rollback;
        body.artifact = slot.map_or(Digest::of(b"nothing"), |slot| slot.artifacts[0].sha256);
    })
}

/// Takes the work for an hour.
pub(crate) fn lease() -> Step {
    lease_for(3600)
}

pub(crate) fn lease_for(seconds: i64) -> Step {
    step(WORKER, move |world| Lease { until: world.now.plus_seconds(seconds) }.into())
}

/// The verdict over a wave after its bake time.
pub(crate) fn wave_verdict(id: &'static str, wave: u64, verdict: WaveVerdict) -> Step {
    step(WORKER, move |world| {
        let sheet = world.sheet(id);
        let bake = sheet.body.rollout[wave as usize - 1].bake_seconds as i64;
        Wave {
            coverage_percent: 100,
            detail: word("every probe answered"),
            environment: word("production"),
            failed: u64::from(verdict == WaveVerdict::Fail),
            release: word(id),
            samples: 20,
            span: window(world.now.plus_seconds(-bake), bake),
            sheet: sheet.entry,
            verdict,
            wave,
        }
        .into()
    })
}

pub(crate) fn outcome(id: &'static str) -> Step {
    step(RITA, move |_| Outcome { release: word(id), result: word("as planned") }.into())
}
