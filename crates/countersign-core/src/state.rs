//! What the ledger says, folded from its entries.
//!
//! [`State`] only remembers; it decides nothing. Rules are in [`crate::admit`], conclusions in [`crate::judge`].
//! [`apply`] takes only what [`crate::admit::admit`] let through, so it cannot fail.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::{
    Act, Artifact, Asked, AuthorizationChange, Candidate, ChangeType, Common, Correction, DeviceCard, DeviceChange,
    DevicePurpose, Dispatch, DispatchKind, DispatchState, Evidence, EvidenceOrigin, FreezeChange, Genesis, Grant,
    HoldChange, KeyChange, KeyOrigin, Late, LiveRelease, Meaning, MeetingChange, Outcome, PersonCard, Product,
    ProposeChange, Qualification, Reauth, RefusalSubject, Request, Review, ReviewScope, Run, RunConclusion, SeenBasis,
    Stage, Target, Verdict, Waiver, Wave, WaveVerdict, Window,
};
use crate::admit::{Admitted, CLOCK_TOLERANCE_SECONDS, Statement};
use crate::hash::Digest;
use crate::judge::{self, JudgedSignOff};
use crate::merkle::{Head, Tree};
use crate::policy::Policy;
use crate::recurrence::{Recurs, Span};
use crate::rejection::Finding;
use crate::sshsig::PublicKey;
use crate::words::{EntryRef, Line, Nonce, Principal, ReleaseId, Slug, Text, Timestamp, Zone, role};

/// Everything a ledger says.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The tree over all entries, admitted or not.
    pub tree: Tree,
    /// The ledger's name for itself, once there is a genesis.
    pub origin: Option<Line>,
    /// The first entry.
    pub genesis: Option<Genesis>,
    /// Everybody ever enrolled.
    pub people: BTreeMap<Principal, Person>,
    /// Every device ever enrolled.
    pub devices: BTreeMap<Principal, Device>,
    /// Products.
    pub products: BTreeMap<Slug, (EntryRef, Product)>,
    /// Who described each product first.
    pub described: BTreeMap<Slug, Principal>,
    /// Targets by product and environment.
    pub targets: BTreeMap<(Slug, Slug), (EntryRef, Target)>,
    /// Policies by product, in the order of their entries.
    pub policies: BTreeMap<Slug, Vec<PolicyRecord>>,
    /// Standing authorizations by the index of their grant.
    pub authorizations: BTreeMap<u64, AuthorizationRecord>,
    /// Freezes by the index of their declaration.
    pub freezes: BTreeMap<u64, Freeze>,
    /// Releases.
    pub releases: BTreeMap<ReleaseId, Release>,
    /// What is live by product and environment.
    pub live: BTreeMap<(Slug, Slug), LiveRelease>,
    /// The worker that has the work, and until when.
    pub lease: Option<(Principal, Timestamp)>,
    /// When the ledger began, by its first entry.
    pub began: Option<Timestamp>,
    /// The reviews made.
    pub reviews: Vec<ReviewRecord>,
    /// The corrections made.
    pub corrections: Vec<(EntryRef, Correction)>,
    /// The paper records brought in afterwards.
    pub papers: Vec<(EntryRef, Late)>,
    /// The files that must not stay, by digest.
    pub removals: BTreeMap<Digest, Removal>,
    /// Entries that were not admitted: kept, flagged, without effect.
    pub findings: Vec<Finding>,
    /// The latest version of the rules that an entry was made under.
    pub(crate) rules: u32,
    pub(crate) keys_used: BTreeSet<PublicKey>,
    pub(crate) nonces: BTreeSet<Nonce>,
    pub(crate) payloads: BTreeSet<Digest>,
    pub(crate) request_ids: BTreeMap<Line, ReleaseId>,
    pub(crate) subjects: BTreeMap<u64, (Digest, Answerable)>,
    pub(crate) touched: BTreeMap<Topic, Vec<u64>>,
    /// By product, the releases that something may still happen to; the others are history, and most.
    pub(crate) open: BTreeMap<Slug, BTreeSet<ReleaseId>>,
    /// The request ids of the dispatches to each environment of a product, with the entries that prepared them.
    pub(crate) sent: BTreeMap<(Slug, Slug), Vec<(u64, Line)>>,
    pub(crate) clock_floor: Option<Timestamp>,
    /// Each value the floor has had, with the entry that raised it.
    pub(crate) clock_floors: Vec<(u64, Timestamp)>,
    pub(crate) last_attempt: BTreeMap<Principal, Timestamp>,
    pub(crate) last_refusal: BTreeMap<RefusalSubject, Timestamp>,
}

/// Somebody has looked at something.
#[derive(Debug, Clone)]
pub struct ReviewRecord {
    /// Its entry.
    pub entry: EntryRef,
    /// When.
    pub time: Timestamp,
    /// At what, and what was found.
    pub body: Review,
}

/// What an entry is about, for the rule that a signature must have seen all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Release(ReleaseId),
    Policy(Slug),
    Target(Slug, Slug),
    Authority(Principal),
}

/// What an approval can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answerable {
    /// A decision sheet.
    Sheet(ReleaseId),
    /// A policy that would replace another.
    Policy(Slug),
    /// A standing authorization.
    Authorization(Slug),
    /// A dispatcher that waits for a second person.
    Device(Principal),
    /// Evidence a person attached.
    Evidence(ReleaseId),
    /// A person whose identity waits to be stated by a second person.
    Person(Principal),
    /// A role of a person that waits for a second person, or for those who recover the ledger.
    Role(Principal),
    /// A file that is asked to be removed.
    Removal(Digest),
}

/// A file that must not stay.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The entry that asks for it.
    pub entry: EntryRef,
    /// Who asked.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// The entry by which a second person confirmed it; from then on the file may be absent.
    pub confirmed: Option<EntryRef>,
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// As enrolled; the key is the first one.
    pub card: PersonCard,
    /// The entry that enrolled them.
    pub enrolled: EntryRef,
    /// Who enrolled them.
    pub enrolled_by: Principal,
    /// Whether a second person must state their identity before they can sign.
    pub awaits_identity: bool,
    /// The entry by which a second person stated it.
    pub identified: Option<EntryRef>,
    /// The entry by which they accepted the accountability text.
    pub accepted: Option<EntryRef>,
    /// Every key they had, in order; the last is in use unless it has ended.
    pub keys: Vec<KeyRecord>,
    /// Every role they were given.
    pub roles: Vec<RoleRecord>,
}

/// A key and the span of entries it could sign.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// The key.
    pub key: PublicKey,
    /// Where it was made.
    pub origin: KeyOrigin,
    /// It cannot sign after this moment.
    pub valid_until: Timestamp,
    /// From this entry on.
    pub since: EntryRef,
    /// The entry that ended it, and whether by rotation.
    pub ended: Option<(EntryRef, KeyEnd)>,
}

/// How a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEnd {
    /// Another took over.
    Rotated,
    /// It was revoked, or reported lost.
    Revoked,
}

/// A role and the span it was held.
#[derive(Debug, Clone)]
pub struct RoleRecord {
    /// The role.
    pub role: Slug,
    /// Only for this product.
    pub product: Option<Slug>,
    /// Not after this moment.
    pub until: Option<Timestamp>,
    /// The entry that gave it.
    pub granted: EntryRef,
    /// Who gave it.
    pub by: Principal,
    /// How it came about.
    pub origin: RoleOrigin,
    /// Whether it counts only once it was confirmed.
    pub awaits: bool,
    /// The entry that confirmed it.
    pub confirmed: Option<EntryRef>,
    /// What shows that they are trained for it.
    pub qualification: Option<Qualification>,
    /// The entry that ended it.
    pub lapsed: Option<EntryRef>,
}

/// How a role came to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleOrigin {
    /// A process owner gave it.
    Granted,
    /// Its holder lets them sign in their place.
    Delegated,
    /// Those who may recover the ledger gave it.
    Recovered {
        /// Who has said so.
        by: Vec<Principal>,
        /// It counts from this moment on, once enough have.
        from: Option<Timestamp>,
    },
}

impl RoleRecord {
    /// Returns whether it has been confirmed, where it must be, and was not ended by an entry.
    pub fn stands(&self) -> bool {
        self.lapsed.is_none() && (!self.awaits || self.confirmed.is_some())
    }

    /// Returns whether it waits for somebody to confirm it.
    pub fn waits(&self) -> bool {
        self.lapsed.is_none() && self.awaits && self.confirmed.is_none()
    }

    /// Returns whether it counts at that moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let begun = match &self.origin {
            RoleOrigin::Recovered { from, .. } => from.is_some_and(|from| from <= at),
            RoleOrigin::Granted | RoleOrigin::Delegated => true,
        };
        self.stands() && begun && self.until.is_none_or(|until| at <= until)
    }

    /// Returns whether it is held for the product (for every product when `None`).
    pub fn reaches(&self, product: Option<&Slug>) -> bool {
        self.product.is_none() || self.product.as_ref() == product
    }

    /// Returns whose place it lets the person sign in.
    pub fn delegated_by(&self) -> Option<&Principal> {
        (self.origin == RoleOrigin::Delegated).then_some(&self.by)
    }
}

impl Person {
    /// Returns the key in use, if there is one.
    pub fn current_key(&self) -> Option<&KeyRecord> {
        self.keys.last().filter(|key| key.ended.is_none())
    }

    /// Returns whether the person holds the role for the product (for every product when `None`) at that moment.
    pub fn holds(&self, role: &str, product: Option<&Slug>, at: Timestamp) -> bool {
        self.role_held(role, product, at).is_some()
    }

    /// Returns the grant by which the person holds the role at that moment: their own before one delegated to them, and one
    /// whose qualification counts before one whose has run out.
    pub fn role_held(&self, role: &str, product: Option<&Slug>, at: Timestamp) -> Option<&RoleRecord> {
        let held = || {
            self.roles
                .iter()
                .filter(|record| record.role.as_str() == role && record.reaches(product) && record.in_force(at))
        };
        let trained = |record: &&RoleRecord| record.qualification.as_ref().is_none_or(|trained| at <= trained.until);
        let own = || held().filter(|record| record.delegated_by().is_none());
        own().find(trained).or_else(|| own().next()).or_else(|| held().find(trained)).or_else(|| held().next())
    }

    /// Returns whether anything keeps the person from signing at all: identity, acceptance, key.
    pub fn can_sign(&self, at: Timestamp) -> bool {
        self.known() && self.accepted.is_some() && self.current_key().is_some_and(|key| at <= key.valid_until)
    }

    /// Returns whether their identity was stated by as many as must state it.
    pub fn known(&self) -> bool {
        !self.awaits_identity || self.identified.is_some()
    }

    /// Returns whether the person holds any role at that moment.
    pub fn holds_any(&self, at: Timestamp) -> bool {
        self.roles.iter().any(|record| record.in_force(at))
    }

    /// Returns whether the person commits under that address, or under their printed name where a commit has none
    /// (lower case).
    pub fn commits_as(&self, email: &str) -> bool {
        let own = [self.card.principal.as_str(), self.card.name.as_str()];
        let mut known = own.into_iter().chain(self.card.emails.iter().map(Line::as_str));
        known.any(|known| known.to_lowercase() == email)
    }
}

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    /// As enrolled.
    pub card: DeviceCard,
    /// The entry that enrolled it.
    pub enrolled: EntryRef,
    /// Who enrolled it.
    pub enrolled_by: Principal,
    /// The second person who confirmed it, where one is needed.
    pub confirmed: Option<EntryRef>,
    /// The entry that ended its use.
    pub revoked: Option<EntryRef>,
}

/// One version of a policy.
#[derive(Debug, Clone)]
pub struct PolicyRecord {
    /// Its entry.
    pub entry: EntryRef,
    /// Its text.
    pub toml: String,
    /// What the text says.
    pub policy: Policy,
    /// The same for each type of change, where it is not the same for all.
    pub(crate) by_change: BTreeMap<ChangeType, Policy>,
    /// Counts from 1.
    pub version: u64,
    /// Who proposed it.
    pub by: Principal,
    /// When.
    pub time: Timestamp,
    /// The answers of those who are asked.
    pub answers: Vec<SignOff>,
    /// The entry since which it is in force.
    pub in_force: Option<EntryRef>,
}

impl PolicyRecord {
    /// Returns the roles the policy asks to sign, for some type of change at least.
    pub fn roles_asked(&self) -> BTreeSet<&Slug> {
        let all = self.by_change.values().chain([&self.policy]);
        all.flat_map(|policy| &policy.quorum).map(|rule| &rule.role).collect()
    }

    /// Returns the policy as it is for a change of that type.
    pub fn for_change(&self, change: ChangeType) -> &Policy {
        self.by_change.get(&change).unwrap_or(&self.policy)
    }
}

/// A standing authorization.
#[derive(Debug, Clone)]
pub struct AuthorizationRecord {
    /// Its grant.
    pub entry: EntryRef,
    /// The product.
    pub product: Slug,
    /// The environment.
    pub environment: Slug,
    /// The types of change.
    pub change_types: Vec<ChangeType>,
    /// The most commits.
    pub max_commits: u64,
    /// The most releases on one UTC day.
    pub per_day: u64,
    /// The name of the template of standard changes that it is, where it is one.
    pub template: Option<Line>,
    /// When it may sign.
    pub valid: Window,
    /// Who proposed it.
    pub by: Principal,
    /// The policy whose quorum it stands in for.
    pub policy: EntryRef,
    /// The configuration of the target it deploys to.
    pub target: Option<EntryRef>,
    /// The answers of those it stands in for.
    pub answers: Vec<SignOff>,
    /// The entry since which it is adopted.
    pub adopted: Option<EntryRef>,
    /// The entry that suspended it.
    pub suspended: Option<EntryRef>,
    /// When it signed.
    pub uses: Vec<Timestamp>,
}

/// A freeze.
#[derive(Debug, Clone)]
pub struct Freeze {
    /// Its entry.
    pub entry: EntryRef,
    /// Only this product.
    pub product: Option<Slug>,
    /// Only this environment.
    pub environment: Option<Slug>,
    /// When; where it comes again, the first time.
    pub span: Window,
    /// How it comes again.
    pub recurs: Option<Recurs>,
    /// Both, read.
    pub when: Span,
    /// Who declared it.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// The entry that lifted it.
    pub lifted: Option<EntryRef>,
}

impl Freeze {
    /// Returns the occurrence in force at that moment, else the next, as far as ten years after its first.
    pub fn next_from(&self, at: Timestamp) -> Option<Window> {
        let horizon = at.max(self.span.from).plus_seconds(10 * 366 * 86_400);
        self.when.overlapping(Window { from: at, until: horizon }).next()
    }
}

/// A release and all that was said about it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The candidate as it now is.
    pub candidate: Candidate,
    /// The entry that says so.
    pub candidate_entry: EntryRef,
    /// Why it was proposed.
    pub reason: String,
    /// Who proposed it.
    pub proposer: Principal,
    /// Who has changed the candidate since.
    pub amended_by: BTreeSet<Principal>,
    /// When.
    pub proposed: Timestamp,
    /// Evidence in the order of its entries.
    pub evidence: Vec<EvidenceRecord>,
    /// Waivers.
    pub waivers: Vec<WaiverRecord>,
    /// What was seen running before the last environment.
    pub stages: Vec<(EntryRef, Stage, Timestamp)>,
    /// Decision sheets; only the last can be decided on.
    pub sheets: Vec<Sheet>,
    /// Stops and whether they have ended.
    pub holds: Vec<HoldRecord>,
    /// Dispatches.
    pub dispatches: Vec<DispatchRecord>,
    /// Verdicts over waves.
    pub waves: Vec<(EntryRef, Wave)>,
    /// What was seen of runs.
    pub runs: Vec<(EntryRef, Run)>,
    /// Go/no-go meetings over its sheets.
    pub meetings: Vec<MeetingRecord>,
    /// What came of it.
    pub outcome: Option<(EntryRef, Outcome)>,
    /// The entry that reviewed it afterwards, where it was an emergency change.
    pub emergency_review: Option<EntryRef>,
    /// The entry that gave it up, and the release in its place.
    pub ended: Option<(EntryRef, Option<ReleaseId>)>,
}

/// A go/no-go meeting.
#[derive(Debug, Clone)]
pub struct MeetingRecord {
    /// The entry that opened it.
    pub entry: EntryRef,
    /// The decision sheet.
    pub sheet: EntryRef,
    /// The seats, in the order they are called.
    pub roll: Vec<Asked>,
    /// For how many seconds each has the word.
    pub seconds: u64,
    /// Who opened it.
    pub by: Principal,
    /// When.
    pub opened: Timestamp,
    /// How it ended.
    pub closed: Option<Adjourned>,
}

/// How a go/no-go meeting ended.
#[derive(Debug, Clone)]
pub struct Adjourned {
    /// The entry that closed it.
    pub entry: EntryRef,
    /// When.
    pub time: Timestamp,
    /// The seats that did not answer, by their place in the roll.
    pub absent: Vec<u64>,
    /// What was said.
    pub minutes: Text,
}

/// A piece of evidence.
#[derive(Debug, Clone)]
pub struct EvidenceRecord {
    /// Its entry.
    pub entry: EntryRef,
    /// What it says.
    pub body: Evidence,
    /// Who brought it.
    pub by: Principal,
    /// When.
    pub time: Timestamp,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// Those who confirmed it.
    pub confirmed_by: Vec<Principal>,
}

impl EvidenceRecord {
    /// Returns whether a person attached it.
    pub fn attached(&self) -> bool {
        matches!(self.body.origin, EvidenceOrigin::Attached {})
    }
}

/// A waiver.
#[derive(Debug, Clone)]
pub struct WaiverRecord {
    /// Its entry.
    pub entry: EntryRef,
    /// What it says.
    pub body: Waiver,
    /// Who signed it.
    pub by: Principal,
    /// Why.
    pub reason: String,
}

/// A decision sheet and the answers to it.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Its entry: what people sign.
    pub entry: EntryRef,
    /// What it lists.
    pub body: Request,
    /// Who froze it.
    pub requester: Principal,
    /// When.
    pub time: Timestamp,
    /// The answers in the order of their entries.
    pub answers: Vec<SignOff>,
    /// The answers as they were judged when wave 1 was dispatched.
    pub decided: Option<Vec<JudgedSignOff>>,
}

/// One signed answer.
#[derive(Debug, Clone)]
pub struct SignOff {
    /// Its entry.
    pub entry: EntryRef,
    /// The printed name.
    pub name: Line,
    /// Who.
    pub principal: Principal,
    /// As which role.
    pub role: Slug,
    /// The answer.
    pub verdict: Verdict,
    /// What the signature means.
    pub meaning: Meaning,
    /// Why.
    pub reason: String,
    /// When.
    pub time: Timestamp,
    /// In which time zone.
    pub zone: Zone,
    /// By which key.
    pub key: PublicKey,
    /// How presence was proved; absent for a device.
    pub reauth: Option<Reauth>,
    /// How many entries the signer had seen.
    pub seen_size: u64,
    /// How much of them was verified.
    pub seen_basis: Option<SeenBasis>,
    /// The conditions and the entries that settled them.
    pub conditions: Vec<(Text, Option<EntryRef>)>,
    /// The entry that answered the question of a HOLD.
    pub answered: Option<EntryRef>,
    /// The standing authorization that signs here.
    pub authorization: Option<EntryRef>,
    /// In whose place the signer signs, where the role was delegated to them.
    pub delegated_by: Option<Principal>,
    /// The first entry about the same matter that the signer could not have seen.
    pub unseen: Option<u64>,
}

impl SignOff {
    /// Returns whose answer it is: the signer's, or that of the person in whose place they sign.
    pub fn eyes(&self) -> &Principal {
        self.delegated_by.as_ref().unwrap_or(&self.principal)
    }

    /// Returns whether it takes the place of an earlier answer: of its own signer, or of somebody who signed in its signer's
    /// place. Who signs in another's place never takes back what that person said.
    pub fn replaces(&self, earlier: &Self) -> bool {
        self.principal == earlier.principal || earlier.delegated_by.as_ref() == Some(&self.principal)
    }
}

/// A stop.
#[derive(Debug, Clone)]
pub struct HoldRecord {
    /// Its entry.
    pub entry: EntryRef,
    /// Hold, halt or cancel.
    pub change: HoldChange,
    /// Who.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// The entry that ended it.
    pub resumed: Option<EntryRef>,
}

/// A dispatch and the steps of its journal.
#[derive(Debug, Clone)]
pub struct DispatchRecord {
    /// The first step.
    pub entry: EntryRef,
    /// The latest step.
    pub last: EntryRef,
    /// What the latest step says.
    pub body: Dispatch,
    /// The steps with their entries and times.
    pub steps: Vec<(DispatchState, EntryRef, Timestamp)>,
    /// Which device.
    pub device: Principal,
}

impl DispatchRecord {
    /// Returns whether it may still change what runs.
    pub fn open(&self) -> bool {
        !matches!(self.body.state, DispatchState::Finished | DispatchState::Refused)
    }

    /// Returns whether it ended well.
    pub fn succeeded(&self) -> bool {
        self.body.state == DispatchState::Finished && self.body.conclusion == Some(RunConclusion::Success)
    }
}

impl Release {
    /// Returns the sheet that can be decided on.
    pub fn sheet(&self) -> Option<&Sheet> {
        self.sheets.last()
    }

    /// Returns the sheet of that entry.
    pub fn sheet_at(&self, entry: EntryRef) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.entry == entry)
    }

    /// Returns the artifact a dispatch brings: the first of the candidate.
    pub fn artifact(&self) -> &Artifact {
        &self.candidate.artifacts[0]
    }

    /// Returns the dispatches of one sheet (or, for staging, of one candidate).
    pub fn dispatches_of(
        &self,
        sheet: EntryRef,
        kind: DispatchKind,
    ) -> impl DoubleEndedIterator<Item = &DispatchRecord> {
        self.dispatches.iter().filter(move |dispatch| dispatch.body.sheet == sheet && dispatch.body.kind == kind)
    }

    /// Returns the dispatch that stands for a wave of a sheet: the one that succeeded, else the last not refused.
    pub fn wave_dispatch(&self, sheet: EntryRef, wave: u64) -> Option<&DispatchRecord> {
        let sent = || {
            self.dispatches_of(sheet, DispatchKind::Deploy)
                .filter(move |dispatch| dispatch.body.wave == wave && dispatch.body.state != DispatchState::Refused)
        };
        sent().find(|dispatch| dispatch.succeeded()).or_else(|| sent().next_back())
    }

    /// Returns the latest verdict over a wave of a sheet.
    pub fn wave_of(&self, sheet: EntryRef, wave: u64) -> Option<&Wave> {
        self.waves.iter().rev().map(|(_, body)| body).find(|body| body.sheet == sheet && body.wave == wave)
    }

    /// Returns the stops that have not ended. A halted rollout does not go on: a newer sheet, decided anew, ends a halt.
    pub fn active_holds(&self) -> impl Iterator<Item = &HoldRecord> {
        let decided_anew = self.sheet().map(|sheet| sheet.entry);
        self.holds.iter().filter(move |hold| match hold.change {
            HoldChange::Hold { .. } => hold.resumed.is_none(),
            HoldChange::Halt {} => decided_anew < Some(hold.entry),
            HoldChange::Cancel { .. } | HoldChange::Resume { .. } => false,
        })
    }

    /// Returns whether some wave of the sheet was sent out.
    pub fn rollout_began(&self, sheet: EntryRef) -> bool {
        self.dispatches_of(sheet, DispatchKind::Deploy).any(|dispatch| dispatch.body.state != DispatchState::Refused)
    }

    /// Returns the sheet that is being rolled out or was: the last one, where some wave of it was sent out.
    pub fn rollout(&self) -> Option<&Sheet> {
        self.sheet().filter(|sheet| self.rollout_began(sheet.entry))
    }

    /// Returns the release as a sheet would name it as live.
    pub fn as_live(&self) -> LiveRelease {
        LiveRelease {
            artifacts: self.candidate.artifacts.clone(),
            commit: self.candidate.commit.clone(),
            release: self.id.clone(),
            version: self.candidate.version.clone(),
        }
    }
}

impl State {
    /// Returns the head of the ledger.
    pub fn head(&self) -> Head {
        self.tree.head()
    }

    /// Returns the releases of a product that something may still happen to, by their ids.
    pub fn open_releases(&self, product: &Slug) -> impl Iterator<Item = &Release> {
        self.open.get(product).into_iter().flatten().map(|id| &self.releases[id])
    }

    /// Returns the dispatches to an environment that were prepared after that entry, the last first.
    pub(crate) fn sent_since(
        &self,
        product: &Slug,
        environment: &Slug,
        index: u64,
    ) -> impl Iterator<Item = &DispatchRecord> {
        let sent = self.sent.get(&(product.clone(), environment.clone())).into_iter().flatten().rev();
        sent.take_while(move |(prepared, _)| *prepared > index).filter_map(|(_, request)| {
            let release = &self.releases[&self.request_ids[request]];
            release.dispatches.iter().find(|dispatch| dispatch.body.request_id == *request)
        })
    }

    /// Keeps a release among the open ones, or takes it from them.
    fn sort_in(&mut self, id: &ReleaseId) {
        let release = &self.releases[id];
        let open = self.open.entry(release.candidate.product.clone()).or_default();
        if judge::at_rest(release) {
            open.remove(id);
        } else {
            open.insert(id.clone());
        }
    }

    /// Returns the last review of that kind.
    pub fn last_review(&self, scope: ReviewScope) -> Option<&ReviewRecord> {
        self.reviews.iter().rfind(|review| review.body.scope == scope)
    }

    /// Returns the policy in force for a product.
    pub fn policy(&self, product: &Slug) -> Option<&PolicyRecord> {
        self.policies
            .get(product)?
            .iter()
            .filter(|record| record.in_force.is_some())
            .max_by_key(|record| record.in_force)
    }

    /// Returns the policy in force for a release: as it is for its type of change.
    pub fn policy_of(&self, release: &Release) -> Option<&Policy> {
        let candidate = &release.candidate;
        Some(self.policy(&candidate.product)?.for_change(candidate.change_type))
    }

    /// Returns the environment of a product behind the go/no-go.
    pub fn last_environment(&self, product: &Slug) -> Option<&Slug> {
        self.products.get(product)?.1.path.last()
    }

    /// Returns the environment a release must have been delivered to before the last one; `None` when there is none.
    pub fn staging_environment(&self, product: &Slug) -> Option<&Slug> {
        let path = &self.products.get(product)?.1.path;
        path.len().checked_sub(2).map(|place| &path[place])
    }

    /// Returns the person or device the principal belongs to, as printed.
    pub fn printed_name(&self, principal: &Principal) -> String {
        let person = self.people.get(principal).map(|person| &person.card.name);
        let device = self.devices.get(principal).map(|device| &device.card.name);
        person.or(device).map_or_else(|| principal.to_string(), Line::to_string)
    }

    /// Returns whether the ledger is a sample, in which nothing is a real approval.
    pub fn sample(&self) -> bool {
        self.genesis.as_ref().is_some_and(|genesis| genesis.sample)
    }

    /// Returns what an approval of that entry would answer.
    pub fn answerable(&self, entry: EntryRef) -> Option<&Answerable> {
        self.subjects.get(&entry.index).filter(|(leaf, _)| *leaf == entry.leaf).map(|(_, subject)| subject)
    }

    /// Returns the first entry at or after `since` that is about the topic.
    pub(crate) fn touched_since(&self, topic: &Topic, since: u64) -> Option<u64> {
        let entries = self.touched.get(topic)?;
        entries.get(entries.partition_point(|index| *index < since)).copied()
    }

    /// Returns the latest anchored time that was known among the first `size` entries.
    pub(crate) fn clock_floor_at(&self, size: u64) -> Option<Timestamp> {
        let before = self.clock_floors.partition_point(|(index, _)| *index < size);
        before.checked_sub(1).map(|place| self.clock_floors[place].1)
    }

    /// Returns all log keys that may sign this ledger's checkpoints.
    pub fn log_keys(&self) -> Vec<PublicKey> {
        self.devices.values().filter_map(|device| device.card.log_key).collect()
    }

    fn touch(&mut self, topic: Topic, index: u64) {
        self.touched.entry(topic).or_default().push(index);
    }

    fn release_mut(&mut self, id: &ReleaseId) -> &mut Release {
        self.releases.get_mut(id).expect("admit lets only acts about known releases through")
    }
}

/// A step of at most this many seconds moves the lower bound of the clock; a longer one needs an anchor.
const UNANCHORED_STEP_SECONDS: i64 = 3600;

fn raise_clock_floor(state: &mut State, time: Timestamp, anchor: Option<Timestamp>) {
    // Both ways up are measured from what was known before the entry: a step does not start from its own anchor.
    let known = state.clock_floor.unwrap_or(time);
    let step = time > known && time.seconds_since(known) <= UNANCHORED_STEP_SECONDS;
    // Two clocks that agree anchor a time, the earlier of them; where they do not, either may be the wild one.
    let agreed = anchor.filter(|anchor| anchor.seconds_since(time).abs() <= CLOCK_TOLERANCE_SECONDS);
    let anchored = agreed.map(|anchor| anchor.min(time));
    state.clock_floor = [Some(known), step.then_some(time), anchored].into_iter().flatten().max();
}

/// Takes an admitted entry into the state.
pub fn apply(state: &mut State, admitted: Admitted) {
    let Admitted { entry, payload_hash, key, statement } = admitted;
    let Statement { common, act, .. } = statement;
    state.payloads.insert(payload_hash);
    state.nonces.insert(common.nonce.clone());
    state.rules = state.rules.max(common.rules);
    let anchor = match &act {
        Act::Dispatch(body) => body.server_time,
        Act::Stage(body) => body.server_time,
        _ => None,
    };
    let index = entry.index;
    let known = state.clock_floor;
    raise_clock_floor(state, common.time, anchor);
    if let Some(floor) = state.clock_floor.filter(|floor| Some(*floor) != known) {
        state.clock_floors.push((index, floor));
    }
    let who = common.signer.principal.clone();
    let reason = common.reason.as_ref().map(Text::to_string).unwrap_or_default();
    let moved = moved_by(&act);

    match act {
        Act::Genesis(body) => {
            state.origin = Some(common.seen.origin.clone());
            bring_in_person(state, &body.owner, entry, &who);
            let owner = state.people.get_mut(&who).expect("just brought in");
            owner.accepted = Some(entry);
            let role = role::PROCESS_OWNER.parse().expect("a fixed role is a lawful name");
            owner.roles.push(RoleRecord {
                role,
                product: None,
                until: None,
                granted: entry,
                by: who.clone(),
                origin: RoleOrigin::Granted,
                awaits: false,
                confirmed: None,
                qualification: None,
                lapsed: None,
            });
            bring_in_device(state, &body.desk, entry, &who);
            state.genesis = Some(*body);
            state.began = Some(common.time);
        }
        Act::Enrol(body) => {
            let awaits = judge::identity_is_co_signed(state, &who);
            bring_in_person(state, &body.person, entry, &who);
            if awaits {
                let person = state.people.get_mut(&body.person.principal).expect("just brought in");
                person.awaits_identity = true;
                let subject = Answerable::Person(body.person.principal.clone());
                state.subjects.insert(index, (entry.leaf, subject));
            }
            state.touch(Topic::Authority(body.person.principal), index);
        }
        Act::EnrolAccept(_) => {
            let person = state.people.get_mut(&who).expect("admitted signers are enrolled");
            person.accepted = Some(entry);
            // To accept takes no authority away; since rules 2 it leaves an answer that was signed beside it standing.
            if common.rules < 2 {
                state.touch(Topic::Authority(who), index);
            }
        }
        Act::Device(body) => match body.change {
            DeviceChange::Enrol { device } => {
                bring_in_device(state, &device, entry, &who);
                if device.purpose == DevicePurpose::Dispatcher {
                    if state.sample() {
                        state.devices.get_mut(&device.principal).expect("just brought in").confirmed = Some(entry);
                    } else {
                        state.subjects.insert(index, (entry.leaf, Answerable::Device(device.principal)));
                    }
                }
            }
            DeviceChange::Revoke { principal } => {
                state.devices.get_mut(&principal).expect("admitted").revoked = Some(entry);
                state.touch(Topic::Authority(principal), index);
            }
        },
        Act::Key(body) => {
            let person = state.people.get_mut(&body.principal).expect("admitted");
            let end = if matches!(body.change, KeyChange::Rotate { .. }) { KeyEnd::Rotated } else { KeyEnd::Revoked };
            if let Some(key) = person.keys.last_mut() {
                key.ended = Some((entry, end));
            }
            if let KeyChange::Rotate { key, key_origin, valid_until } = body.change {
                state.keys_used.insert(key);
                person.keys.push(KeyRecord { key, origin: key_origin, valid_until, since: entry, ended: None });
            } else {
                end_delegations(state, entry, &body.principal, None);
            }
            state.touch(Topic::Authority(body.principal), index);
        }
        Act::Role(body) => take_role(state, entry, &common, *body),
        Act::Product(body) => {
            state.described.entry(body.product.clone()).or_insert(who);
            state.products.insert(body.product.clone(), (entry, *body));
        }
        Act::Target(body) => {
            let place = (body.product.clone(), body.environment.clone());
            state.touch(Topic::Target(place.0.clone(), place.1.clone()), index);
            state.targets.insert(place, (entry, *body));
        }
        Act::Policy(body) => {
            let policy = Policy::parse(&body.toml).expect("admit has parsed it");
            let by_change = policy.by_change(state.last_environment(&body.product));
            let first = state.policy(&body.product).is_none();
            state.policies.entry(body.product.clone()).or_default().push(PolicyRecord {
                entry,
                toml: body.toml,
                by_change,
                policy,
                version: body.version,
                by: who,
                time: common.time,
                answers: Vec::new(),
                in_force: first.then_some(entry),
            });
            if !first {
                state.subjects.insert(index, (entry.leaf, Answerable::Policy(body.product.clone())));
            }
            state.touch(Topic::Policy(body.product), index);
        }
        Act::Authorization(body) => match body.change {
            AuthorizationChange::Grant {
                change_types,
                environment,
                max_commits,
                per_day,
                product,
                template,
                valid,
            } => {
                let policy = state.policy(&product).expect("admitted").entry;
                let target = state.targets.get(&(product.clone(), environment.clone())).map(|(entry, _)| *entry);
                state.subjects.insert(index, (entry.leaf, Answerable::Authorization(product.clone())));
                state.authorizations.insert(
                    index,
                    AuthorizationRecord {
                        entry,
                        product,
                        environment,
                        change_types,
                        max_commits,
                        per_day,
                        template,
                        valid,
                        by: who,
                        policy,
                        target,
                        answers: Vec::new(),
                        adopted: None,
                        suspended: None,
                        uses: Vec::new(),
                    },
                );
            }
            AuthorizationChange::Suspend { authorization } => {
                state.authorizations.get_mut(&authorization.index).expect("admitted").suspended = Some(entry);
            }
            AuthorizationChange::Resume { authorization } => {
                state.authorizations.get_mut(&authorization.index).expect("admitted").suspended = None;
            }
        },
        Act::Freeze(body) => match body.change {
            FreezeChange::Declare { environment, product, recurs, span } => {
                let when = Span::new(span, recurs.as_ref()).expect("admit has read it");
                let freeze = Freeze { entry, product, environment, span, recurs, when, by: who, reason, lifted: None };
                state.freezes.insert(index, freeze);
            }
            FreezeChange::Lift { freeze } => {
                state.freezes.get_mut(&freeze.index).expect("admitted").lifted = Some(entry);
            }
        },
        Act::Propose(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            match body.change {
                ProposeChange::Candidate { candidate, supersedes, .. } => {
                    if let Some(old) = supersedes {
                        state.release_mut(&old).ended = Some((entry, Some(body.release.clone())));
                        state.touch(Topic::Release(old), index);
                    }
                    let release = new_release(body.release.clone(), candidate, entry, reason, &common);
                    state.releases.insert(body.release, release);
                }
                ProposeChange::Amend { candidate } => {
                    let release = state.release_mut(&body.release);
                    release.candidate = candidate;
                    release.candidate_entry = entry;
                    release.amended_by.insert(who);
                }
                ProposeChange::Supersede { by } => state.release_mut(&body.release).ended = Some((entry, Some(by))),
                ProposeChange::Withdraw {} => state.release_mut(&body.release).ended = Some((entry, None)),
            }
        }
        Act::Evidence(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            if matches!(body.origin, EvidenceOrigin::Attached {}) {
                state.subjects.insert(index, (entry.leaf, Answerable::Evidence(body.release.clone())));
            }
            let reason = common.reason.as_ref().map(Text::to_string);
            let record =
                EvidenceRecord { entry, by: who, time: common.time, reason, confirmed_by: Vec::new(), body: *body };
            state.release_mut(&record.body.release.clone()).evidence.push(record);
        }
        Act::Waiver(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            let record = WaiverRecord { entry, by: who, reason, body: *body };
            state.release_mut(&record.body.release.clone()).waivers.push(record);
        }
        Act::Stage(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            let time = common.time;
            state.release_mut(&body.release.clone()).stages.push((entry, *body, time));
        }
        Act::Request(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            state.subjects.insert(index, (entry.leaf, Answerable::Sheet(body.release.clone())));
            let sheet =
                Sheet { entry, requester: who, time: common.time, answers: Vec::new(), decided: None, body: *body };
            state.release_mut(&sheet.body.release.clone()).sheets.push(sheet);
        }
        Act::Approval(body) => {
            let subject = state.answerable(body.request).cloned().expect("admitted");
            let answer = sign_off(state, &subject, &body, entry, &common, key);
            take_answer(state, subject, answer, body.request, index);
        }
        Act::Hold(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            let release = state.release_mut(&body.release);
            if let HoldChange::Resume { hold, .. } = &body.change {
                if let Some(record) = release.holds.iter_mut().find(|record| record.entry == *hold) {
                    record.resumed = Some(entry);
                }
                let answers = release.sheets.iter_mut().flat_map(|sheet| &mut sheet.answers);
                for answer in answers.filter(|answer| answer.entry == *hold) {
                    answer.answered = Some(entry);
                }
            } else {
                release.holds.push(HoldRecord { entry, change: body.change, by: who, reason, resumed: None });
            }
        }
        Act::Meeting(body) => {
            let release = state.release_mut(&body.release);
            match body.change {
                MeetingChange::Open { roll, seconds, sheet } => {
                    let opened = common.time;
                    release.meetings.push(MeetingRecord { entry, sheet, roll, seconds, by: who, opened, closed: None });
                }
                MeetingChange::Close { absent, meeting, minutes } => {
                    let closed = Adjourned { entry, time: common.time, absent, minutes };
                    for record in release.meetings.iter_mut().filter(|record| record.entry == meeting) {
                        record.closed = Some(closed.clone());
                    }
                }
            }
        }
        Act::Condition(body) => {
            let release = judge::release_of_approval(state, body.approval)
                .map(|(release, _)| release.id.clone())
                .expect("admitted");
            state.touch(Topic::Release(release.clone()), index);
            let condition = usize::try_from(body.condition).unwrap_or(usize::MAX);
            for sheet in &mut state.release_mut(&release).sheets {
                for answer in sheet.answers.iter_mut().filter(|answer| answer.entry == body.approval) {
                    if let Some(settled) = answer.conditions.get_mut(condition) {
                        settled.1 = Some(entry);
                    }
                }
            }
        }
        Act::Dispatch(body) => take_dispatch(state, entry, &common, *body),
        Act::Lease(body) => state.lease = Some((who, body.until)),
        Act::Run(body) => state.release_mut(&body.release.clone()).runs.push((entry, *body)),
        Act::Wave(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            let release = state.release_mut(&body.release);
            let all = release.sheet_at(body.sheet).map_or(0, |sheet| sheet.body.rollout.len() as u64);
            let went_live = body.verdict == WaveVerdict::Pass && body.wave == all;
            let live = (release.candidate.product.clone(), body.environment.clone(), release.as_live());
            release.waves.push((entry, *body));
            if went_live {
                state.live.insert((live.0, live.1), live.2);
            }
        }
        Act::Outcome(body) => {
            state.touch(Topic::Release(body.release.clone()), index);
            let release = body.release.clone();
            state.release_mut(&release).outcome = Some((entry, *body));
        }
        Act::Attempt(body) => {
            state.last_attempt.insert(body.principal, common.time);
        }
        Act::Refusal(body) => {
            state.last_refusal.insert(body.subject(), common.time);
        }
        Act::Review(body) => {
            if let Some(id) = &body.release {
                state.release_mut(id).emergency_review = Some(entry);
            }
            state.reviews.push(ReviewRecord { entry, time: common.time, body: *body });
        }
        Act::Correction(body) => {
            if let Some(digest) = body.removes {
                state.subjects.insert(index, (entry.leaf, Answerable::Removal(digest)));
                state.removals.insert(digest, Removal { entry, by: who, reason, confirmed: None });
            }
            state.corrections.push((entry, *body));
        }
        Act::Late(body) => state.papers.push((entry, *body)),
        Act::Announce(_) | Act::Export(_) => {}
    }
    for id in moved.iter().flatten() {
        state.sort_in(id);
    }
}

/// The releases that may be open after the act and were not, or the other way round.
fn moved_by(act: &Act) -> [Option<ReleaseId>; 2] {
    match act {
        Act::Propose(body) => {
            let old = match &body.change {
                ProposeChange::Candidate { supersedes, .. } => supersedes.clone(),
                _ => None,
            };
            [Some(body.release.clone()), old]
        }
        Act::Request(body) => [Some(body.release.clone()), None],
        Act::Dispatch(body) => [Some(body.release.clone()), None],
        Act::Wave(body) => [Some(body.release.clone()), None],
        Act::Review(body) => [body.release.clone(), None],
        _ => [None, None],
    }
}

fn take_role(state: &mut State, entry: EntryRef, common: &Common, body: crate::act::Role) {
    let by = common.signer.principal.clone();
    let origin = match body.change {
        Grant::Lapse => {
            // Who delegated takes back what they delegated, and nothing else.
            let own = judge::lapses_only_delegated(state, &by, &body, common.time);
            let person = state.people.get_mut(&body.principal).expect("admitted");
            let ended = |record: &&mut RoleRecord| {
                record.role == body.role && record.product == body.product && record.lapsed.is_none()
            };
            for record in person.roles.iter_mut().filter(ended) {
                if !own || record.delegated_by() == Some(&by) {
                    record.lapsed = Some(entry);
                }
            }
            if !own {
                end_delegations(state, entry, &body.principal, Some(&body.role));
            }
            state.touch(Topic::Authority(body.principal), entry.index);
            return;
        }
        Grant::Grant => RoleOrigin::Granted,
        Grant::Delegate => RoleOrigin::Delegated,
        Grant::Recover => RoleOrigin::Recovered { by: vec![by.clone()], from: None },
    };
    let awaits = match body.change {
        Grant::Grant => judge::role_is_co_signed(state, &by, &body),
        Grant::Recover => true,
        Grant::Delegate | Grant::Lapse => false,
    };
    if awaits {
        state.subjects.insert(entry.index, (entry.leaf, Answerable::Role(body.principal.clone())));
    }
    let person = state.people.get_mut(&body.principal).expect("admitted");
    person.roles.push(RoleRecord {
        role: body.role,
        product: body.product,
        until: body.until,
        granted: entry,
        by,
        origin,
        awaits,
        confirmed: None,
        qualification: body.qualification,
        lapsed: None,
    });
    if body.change == Grant::Recover {
        complete_recovery(state, &body.principal, entry, entry, common.time);
    }
    state.touch(Topic::Authority(body.principal), entry.index);
}

/// Ends what the person let others sign in their place: all of it, or one role.
fn end_delegations(state: &mut State, entry: EntryRef, delegator: &Principal, role: Option<&Slug>) {
    let mut moved = Vec::new();
    for person in state.people.values_mut() {
        for record in &mut person.roles {
            let theirs = record.delegated_by() == Some(delegator) && record.lapsed.is_none();
            if theirs && role.is_none_or(|role| record.role == *role) {
                record.lapsed = Some(entry);
                moved.push(person.card.principal.clone());
            }
        }
    }
    for who in moved {
        state.touch(Topic::Authority(who), entry.index);
    }
}

/// Sets the waiting time of a recovery running once as many as genesis asks for have signed it.
fn complete_recovery(state: &mut State, who: &Principal, grant: EntryRef, entry: EntryRef, time: Timestamp) {
    let Some(recovery) = state.genesis.as_ref().map(|genesis| genesis.recovery.clone()) else { return };
    let person = state.people.get_mut(who).expect("admitted");
    let Some(record) = person.roles.iter_mut().find(|record| record.granted == grant) else { return };
    if let RoleOrigin::Recovered { by, from } = &mut record.origin
        && by.len() as u64 >= recovery.needed
    {
        let wait = i64::try_from(recovery.wait_hours).unwrap_or(i64::MAX / 3600);
        *from = Some(time.plus_seconds(wait * 3600));
        record.confirmed = Some(entry);
    }
}

fn bring_in_person(state: &mut State, card: &PersonCard, entry: EntryRef, by: &Principal) {
    state.keys_used.insert(card.key);
    let key =
        KeyRecord { key: card.key, origin: card.key_origin, valid_until: card.valid_until, since: entry, ended: None };
    state.people.insert(
        card.principal.clone(),
        Person {
            card: card.clone(),
            enrolled: entry,
            enrolled_by: by.clone(),
            awaits_identity: false,
            identified: None,
            accepted: None,
            keys: vec![key],
            roles: Vec::new(),
        },
    );
}

fn bring_in_device(state: &mut State, card: &DeviceCard, entry: EntryRef, by: &Principal) {
    state.keys_used.insert(card.key);
    state.keys_used.extend(card.log_key);
    let device =
        Device { card: card.clone(), enrolled: entry, enrolled_by: by.clone(), confirmed: None, revoked: None };
    state.devices.insert(card.principal.clone(), device);
}

fn new_release(id: ReleaseId, candidate: Candidate, entry: EntryRef, reason: String, common: &Common) -> Release {
    Release {
        id,
        candidate,
        candidate_entry: entry,
        reason,
        proposer: common.signer.principal.clone(),
        amended_by: BTreeSet::new(),
        proposed: common.time,
        evidence: Vec::new(),
        waivers: Vec::new(),
        stages: Vec::new(),
        sheets: Vec::new(),
        holds: Vec::new(),
        dispatches: Vec::new(),
        waves: Vec::new(),
        runs: Vec::new(),
        meetings: Vec::new(),
        outcome: None,
        emergency_review: None,
        ended: None,
    }
}

fn sign_off(
    state: &State,
    subject: &Answerable,
    body: &crate::act::Approval,
    entry: EntryRef,
    common: &Common,
    key: PublicKey,
) -> SignOff {
    let unseen = judge::topics_of(state, subject, &common.signer.principal)
        .iter()
        .filter_map(|topic| state.touched_since(topic, common.seen.size))
        .min();
    let delegated_by = judge::signs_for_subject(state, subject, &common.signer.principal, &body.role, common.time);
    SignOff {
        entry,
        name: common.signer.name.clone(),
        principal: common.signer.principal.clone(),
        role: body.role.clone(),
        verdict: body.verdict,
        meaning: body.meaning,
        reason: common.reason.as_ref().map(Text::to_string).unwrap_or_default(),
        time: common.time,
        zone: common.zone,
        key,
        reauth: common.reauth,
        seen_size: common.seen.size,
        seen_basis: common.seen_basis,
        conditions: body.conditions.iter().map(|text| (text.clone(), None)).collect(),
        answered: None,
        authorization: body.authorization,
        delegated_by,
        unseen,
    }
}

fn take_answer(state: &mut State, subject: Answerable, answer: SignOff, request: EntryRef, index: u64) {
    let (entry, time) = (answer.entry, answer.time);
    match subject {
        Answerable::Sheet(release) => {
            // A GO can only add support, so it makes nobody else's signature stale; every other answer does.
            if answer.verdict != Verdict::Go {
                state.touch(Topic::Release(release.clone()), index);
            }
            if let Some(record) = answer.authorization.and_then(|used| state.authorizations.get_mut(&used.index)) {
                record.uses.push(time);
            }
            let sheets = &mut state.release_mut(&release).sheets;
            if let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.entry == request) {
                sheet.answers.push(answer);
            }
        }
        Answerable::Policy(product) => {
            let place = state.policies[&product].iter().position(|record| record.entry == request).expect("admitted");
            state.policies.get_mut(&product).expect("admitted").get_mut(place).expect("found").answers.push(answer);
            if judge::adopted(state, &product, &state.policies[&product][place].answers, time) {
                state.policies.get_mut(&product).expect("admitted")[place].in_force = Some(entry);
                state.touch(Topic::Policy(product), index);
            }
        }
        Answerable::Authorization(product) => {
            state.authorizations.get_mut(&request.index).expect("admitted").answers.push(answer);
            if judge::adopted(state, &product, &state.authorizations[&request.index].answers, time) {
                state.authorizations.get_mut(&request.index).expect("admitted").adopted = Some(entry);
            }
        }
        Answerable::Device(device) => {
            state.devices.get_mut(&device).expect("admitted").confirmed = Some(entry);
        }
        Answerable::Person(who) => {
            state.people.get_mut(&who).expect("admitted").identified = Some(entry);
            state.touch(Topic::Authority(who), index);
        }
        Answerable::Role(who) => {
            let person = state.people.get_mut(&who).expect("admitted");
            let record = person.roles.iter_mut().find(|record| record.granted == request).expect("admitted");
            match &mut record.origin {
                RoleOrigin::Recovered { by, .. } => {
                    by.push(answer.principal);
                    complete_recovery(state, &who, request, entry, time);
                }
                RoleOrigin::Granted | RoleOrigin::Delegated => record.confirmed = Some(entry),
            }
            state.touch(Topic::Authority(who), index);
        }
        Answerable::Removal(digest) => {
            state.removals.get_mut(&digest).expect("admitted").confirmed = Some(entry);
        }
        Answerable::Evidence(release) => {
            state.touch(Topic::Release(release.clone()), index);
            for record in state.release_mut(&release).evidence.iter_mut().filter(|record| record.entry == request) {
                record.confirmed_by.push(answer.principal.clone());
            }
        }
    }
}

fn take_dispatch(state: &mut State, entry: EntryRef, common: &Common, body: Dispatch) {
    state.touch(Topic::Release(body.release.clone()), entry.index);
    let prepared = body.state == DispatchState::Prepared;
    if prepared && body.kind == DispatchKind::Deploy && body.wave == 1 {
        let release = &state.releases[&body.release];
        if let Some(sheet) = release.sheet_at(body.sheet) {
            let decided = judge::sign_offs(state, release, sheet, common.time);
            let sheets = &mut state.release_mut(&body.release).sheets;
            if let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.entry == body.sheet) {
                sheet.decided = Some(decided);
            }
        }
    }
    let rolled_back = body.kind == DispatchKind::Rollback
        && body.state == DispatchState::Finished
        && body.conclusion == Some(RunConclusion::Success);
    let place = (body.environment.clone(), body.sheet);
    let step = (body.state, entry, common.time);
    let release = state.releases.get_mut(&body.release).expect("admitted");
    if prepared {
        let device = common.signer.principal.clone();
        state.request_ids.insert(body.request_id.clone(), body.release.clone());
        let place = (release.candidate.product.clone(), body.environment.clone());
        state.sent.entry(place).or_default().push((entry.index, body.request_id.clone()));
        release.dispatches.push(DispatchRecord { entry, last: entry, body, steps: vec![step], device });
    } else if let Some(record) = release.dispatches.iter_mut().find(|record| record.body.request_id == body.request_id)
    {
        // A later step may leave out what an earlier one has told.
        let run = body.run.clone().or_else(|| record.body.run.take());
        record.body = Dispatch { run, by: record.body.by.take(), resends: record.body.resends.take(), ..body };
        record.last = entry;
        record.steps.push(step);
    }
    if rolled_back {
        let product = release.candidate.product.clone();
        if let Some(slot) = release.sheet_at(place.1).and_then(|sheet| sheet.body.rollback.clone()) {
            state.live.insert((product, place.0), slot);
        }
    }
}
