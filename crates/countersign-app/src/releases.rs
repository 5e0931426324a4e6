//! Releases from their proposal to the verdicts on their decision sheet.
//!
//! Everything a person signs here names the very thing they were shown: a sign-off names the entry of its sheet, so that a
//! sheet frozen meanwhile is refused and not signed unseen.
//!
//! Deliberately absent: dispatch and what follows ([`crate::rollout`]), evidence ([`crate::evidence_intake`]).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use countersign_core::act::{
    Approval, Artifact, Asked, Candidate, ChangeType, Condition, ExternalRecord, Hold, HoldChange, LiveRelease,
    Meaning, Outcome, Propose, ProposeChange, Request, Verdict, Waiver, Window,
};
use countersign_core::decide::Command;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::state::{Release, Sheet, State};
use countersign_core::words::{CommitId, EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::changes::{self, ChangeList, ChangesError, Commit};
use crate::clock;
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::people::Signing;
use crate::products;

const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl From<ChangesError> for Error {
    fn from(error: ChangesError) -> Self {
        let kind = match &error {
            ChangesError::Unresolved { .. }
            | ChangesError::Unrelated { .. }
            | ChangesError::TooMany
            | ChangesError::Word(_) => ErrorKind::No,
            ChangesError::Encoding(_) | ChangesError::NotAList { .. } => ErrorKind::Integrity,
            _ => ErrorKind::Cannot,
        };
        Self::new(kind, "changes", error.to_string())
    }
}

/// Returns a release.
///
/// # Errors
/// There is none of that id.
pub fn find<'a>(state: &'a State, id: &ReleaseId) -> Result<&'a Release, Error> {
    state.releases.get(id).ok_or_else(|| {
        Error::not_found(format!("there is no release {id}")).hint("`countersign release list` shows them")
    })
}

// ------------------------------------------------------------------------------------------------- proposing

/// A candidate as a file or flags say it; what flags say stands over what the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The product.
    pub product: Option<Slug>,
    /// The version.
    pub version: Option<Line>,
    /// The release id; `<product>-<version>` when not said.
    pub release: Option<ReleaseId>,
    /// The commit, or anything the repository resolves to one; its head when not said.
    pub commit: Option<String>,
    /// The artifacts; the first one is deployed.
    #[serde(default, rename = "artifact")]
    pub artifacts: Vec<ArtifactDraft>,
    /// The repository with the changes.
    pub repository: Option<PathBuf>,
    /// The commit before the first change; what is live when not said.
    pub base: Option<String>,
    /// The type of the change.
    pub change_type: Option<ChangeType>,
    /// What could go wrong.
    pub risk: Option<Text>,
    /// What it means for security.
    pub security_impact: Option<Text>,
    /// How it comes out.
    pub rollout_plan: Option<Text>,
    /// How to come back when it goes wrong.
    pub backout_plan: Option<Text>,
    /// The incident an emergency change answers.
    pub incident: Option<Line>,
    /// The record of the change in another system.
    pub external: Option<ExternalRecord>,
    /// The release it takes the place of.
    pub supersedes: Option<ReleaseId>,
}

/// An artifact before its digest is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactDraft {
    /// The name it goes by.
    pub name: Line,
    /// The file.
    pub file: Option<PathBuf>,
    /// Or its SHA-256.
    pub sha256: Option<Digest>,
}

impl Draft {
    /// Reads a candidate from a TOML file; paths in it begin where the file lies.
    ///
    /// # Errors
    /// The file cannot be read, or is not such a description.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = durable::read(path, FILE_BYTES_MAX)?;
        let wrong = |why: String| Error::usage(format!("{} does not describe a release: {why}", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|error| wrong(error.to_string()))?;
        let mut draft: Self = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        let here = path.parent().unwrap_or(Path::new(""));
        for file in
            draft.artifacts.iter_mut().filter_map(|artifact| artifact.file.as_mut()).chain(&mut draft.repository)
        {
            *file = here.join(&*file);
        }
        Ok(draft)
    }

    /// Returns this draft with what `over` says in place of what it says itself.
    #[must_use]
    pub fn overlaid(self, over: Self) -> Self {
        Self {
            product: over.product.or(self.product),
            version: over.version.or(self.version),
            release: over.release.or(self.release),
            commit: over.commit.or(self.commit),
            artifacts: if over.artifacts.is_empty() { self.artifacts } else { over.artifacts },
            repository: over.repository.or(self.repository),
            base: over.base.or(self.base),
            change_type: over.change_type.or(self.change_type),
            risk: over.risk.or(self.risk),
            security_impact: over.security_impact.or(self.security_impact),
            rollout_plan: over.rollout_plan.or(self.rollout_plan),
            backout_plan: over.backout_plan.or(self.backout_plan),
            incident: over.incident.or(self.incident),
            external: over.external.or(self.external),
            supersedes: over.supersedes.or(self.supersedes),
        }
    }
}

impl std::str::FromStr for ArtifactDraft {
    type Err = String;

    /// Reads `NAME=FILE` or `NAME=sha256:HEX`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, place) = text.split_once('=').ok_or("write NAME=FILE or NAME=sha256:HEX")?;
        let name = name.parse().map_err(|error: countersign_core::words::WordError| error.to_string())?;
        match place.strip_prefix("sha256:") {
            Some(hex) => {
                let sha256 = hex.parse().map_err(|_| format!("`{hex}` is not 64 lower hex digits"))?;
                Ok(Self { name, file: None, sha256: Some(sha256) })
            }
            None if place.is_empty() => Err("write NAME=FILE or NAME=sha256:HEX".to_owned()),
            None => Ok(Self { name, file: Some(place.into()), sha256: None }),
        }
    }
}

impl ArtifactDraft {
    fn resolve(&self) -> Result<Artifact, Error> {
        let sha256 = match (&self.file, self.sha256) {
            (Some(file), None) => durable::digest(file)?,
            (None, Some(digest)) => digest,
            _ => return Err(Error::usage(format!("artifact {}: give its file or its sha256, one of them", self.name))),
        };
        Ok(Artifact { name: self.name.clone(), sha256 })
    }
}

/// What was proposed or amended.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// The release.
    pub release: ReleaseId,
    /// The entry.
    pub entry: EntryRef,
    /// The candidate as it now is.
    pub candidate: Candidate,
    /// The commits that are live and would be gone.
    pub removes: Vec<Commit>,
}

/// Whether a candidate may take commits away that are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is refused, naming them.
    Refused,
    /// It was said that they may go.
    Allowed,
}

fn missing(what: &str, flag: &str) -> Error {
    Error::usage(format!("{what} is missing")).hint(format!("give {flag}, or a file with --file"))
}

/// Returns what is live behind the go/no-go of a product.
pub fn live<'a>(state: &'a State, product: &Slug) -> Option<&'a LiveRelease> {
    let environment = state.last_environment(product)?;
    state.live.get(&(product.clone(), environment.clone()))
}

/// What the repository says about a candidate.
struct Changes {
    commit: CommitId,
    list: ChangeList,
    removes: Vec<Commit>,
}

/// Reads the changes of a candidate from the repository: from what is live to the commit.
fn read_changes(state: &State, product: &Slug, draft: &Draft) -> Result<Changes, Error> {
    let repository = draft.repository.as_deref().ok_or_else(|| missing("the repository", "--repository"))?;
    let head = changes::resolve(repository, draft.commit.as_deref().unwrap_or("HEAD"))?;
    let live = live(state, product).map(|live| live.commit.clone());
    let base = draft.base.as_deref().map(|base| changes::resolve(repository, base)).transpose()?;
    if let (Some(live), Some(base)) = (&live, &base)
        && live != base
    {
        return Err(Error::new(
            ErrorKind::No,
            "not_from_live",
            format!("the change list would begin at {base}, and {live} is live"),
        )
        .hint("leave --base away: the list begins at what is live, so that nobody's commit is left out"));
    }
    let base = base.or_else(|| live.clone());
    let list = changes::read(repository, base.as_ref().map(CommitId::as_str), head.as_str())?;
    let removes = match &live {
        Some(live) => changes::commits_removed_by(repository, live.as_str(), head.as_str())?,
        None => Vec::new(),
    };
    Ok(Changes { commit: head, list, removes })
}

fn refuse_removal(removes: &[Commit], removal: Removal) -> Result<(), Error> {
    if removes.is_empty() || removal == Removal::Allowed {
        return Ok(());
    }
    let named: Vec<String> = removes
        .iter()
        .take(5)
        .map(|commit| {
            let subject: String = crate::evidence::visible(&commit.subject).chars().take(60).collect();
            format!("{} {subject}", &commit.id.as_str()[..12])
        })
        .collect();
    let more = removes.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Error::new(
        ErrorKind::No,
        "removes_commits",
        format!("{} commits that are live would be gone: {}{more}", removes.len(), named.join("; ")),
    )
    .hint("if that is meant, say so with --allow-removal; the decision sheet is then about it"))
}

/// Who proposes: a person, or this machine's dispatcher under a standing authorization.
#[derive(Debug)]
pub enum Proposer<'a, 'b> {
    /// A person.
    Person(&'a mut Signing<'b>),
    /// The dispatcher, under the authorization of that entry, with a reason where one is given.
    Dispatcher(u64, Option<Text>),
}

/// A candidate composed of a draft: what would be recorded, the change list it names, and what would be gone.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The release.
    pub release: ReleaseId,
    /// The candidate.
    pub candidate: Candidate,
    /// The release it takes the place of.
    pub supersedes: Option<ReleaseId>,
    /// Its change list, where it was read anew.
    pub list: Option<ChangeList>,
    /// The commits that are live and would be gone.
    pub removes: Vec<Commit>,
}

impl Composed {
    /// Returns the act that proposes it.
    #[must_use]
    pub fn proposal(&self, authorization: Option<EntryRef>) -> Propose {
        Propose {
            change: ProposeChange::Candidate {
                authorization,
                candidate: self.candidate.clone(),
                supersedes: self.supersedes.clone(),
            },
            release: self.release.clone(),
        }
    }

    /// Returns the act that changes the release to it.
    #[must_use]
    pub fn amendment(&self) -> Propose {
        Propose { change: ProposeChange::Amend { candidate: self.candidate.clone() }, release: self.release.clone() }
    }

    /// Returns the bytes of the change list that must lie beside the ledger before the entry.
    ///
    /// # Errors
    /// The list cannot be written down.
    pub fn blob(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.list.as_ref().map(ChangeList::encode).transpose()?)
    }
}

/// Composes the candidate a draft describes; writes nothing.
///
/// # Errors
/// Something is not said, or the repository or an artifact cannot be read.
pub fn compose_proposal(state: &State, draft: &Draft, removal: Removal) -> Result<Composed, Error> {
    let product = draft.product.clone().ok_or_else(|| missing("the product", "--product"))?;
    products::known(state, &product)?;
    let version = draft.version.clone().ok_or_else(|| missing("the version", "--version"))?;
    let release = match &draft.release {
        Some(release) => release.clone(),
        None => format!("{product}-{version}").parse().map_err(|error: countersign_core::words::WordError| {
            Error::usage(error.to_string()).hint("name the release yourself with --release")
        })?,
    };
    if draft.artifacts.is_empty() {
        return Err(missing("the artifact", "--artifact NAME=FILE"));
    }
    let artifacts = draft.artifacts.iter().map(ArtifactDraft::resolve).collect::<Result<Vec<_>, _>>()?;
    refuse_equal_names(&artifacts)?;
    let Changes { commit, list, removes } = read_changes(state, &product, draft)?;
    refuse_removal(&removes, removal)?;
    let candidate = Candidate {
        artifacts,
        backout_plan: draft.backout_plan.clone(),
        change_type: draft.change_type.unwrap_or(ChangeType::Normal),
        changes: list.summary()?,
        commit,
        external: draft.external.clone(),
        incident: draft.incident.clone(),
        product,
        risk: draft.risk.clone(),
        rollout_plan: draft.rollout_plan.clone(),
        security_impact: draft.security_impact.clone(),
        version,
    };
    Ok(Composed { release, candidate, supersedes: draft.supersedes.clone(), list: Some(list), removes })
}

/// Proposes a candidate.
///
/// # Errors
/// Something is not said, the repository or an artifact cannot be read, or a rule refuses.
pub fn propose(
    ledger: &mut Ledger,
    proposer: Proposer<'_, '_>,
    draft: &Draft,
    removal: Removal,
) -> Result<Proposed, Error> {
    ledger.refresh()?;
    let composed = compose_proposal(ledger.state(), draft, removal)?;
    let blob = composed.blob()?.unwrap_or_default();
    let entry = match proposer {
        Proposer::Person(signing) => {
            signing.rehearse(ledger, composed.proposal(None))?;
            ledger.blobs().write(&blob)?;
            signing.record(ledger, composed.proposal(None))?
        }
        Proposer::Dispatcher(index, reason) => {
            let authorization = products::authorization_entry(ledger.state(), index)?;
            ledger.blobs().write(&blob)?;
            let act = composed.proposal(Some(authorization));
            ledger.as_dispatcher(&Command::Record(act.into()), reason)?
        }
    };
    let Composed { release, candidate, removes, .. } = composed;
    Ok(Proposed { release, entry, candidate, removes })
}

fn refuse_equal_names(artifacts: &[Artifact]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    match artifacts.iter().find(|artifact| !names.insert(&artifact.name)) {
        Some(twice) => Err(Error::usage(format!("the artifact {} is named twice", twice.name))),
        None => Ok(()),
    }
}

/// Composes a candidate as the draft changes it; what the draft does not say stays as it is. Writes nothing.
///
/// # Errors
/// Nothing would change, or the repository or an artifact cannot be read.
pub fn compose_amendment(state: &State, id: &ReleaseId, draft: &Draft, removal: Removal) -> Result<Composed, Error> {
    let old = find(state, id)?.candidate.clone();
    if draft.product.as_ref().is_some_and(|product| *product != old.product) {
        return Err(Error::usage("the product of a release cannot change").hint("propose another release"));
    }
    let changes = match (&draft.repository, &draft.commit, &draft.base) {
        (None, None, None) => None,
        (None, ..) => return Err(missing("the repository", "--repository")),
        (Some(_), commit, _) => {
            let draft = Draft { commit: commit.clone().or(Some(old.commit.to_string())), ..draft.clone() };
            Some(read_changes(state, &old.product, &draft)?)
        }
    };
    let mut candidate = old.clone();
    let mut removes = Vec::new();
    let mut list = None;
    if let Some(changes) = changes {
        refuse_removal(&changes.removes, removal)?;
        candidate.commit = changes.commit;
        candidate.changes = changes.list.summary()?;
        list = Some(changes.list);
        removes = changes.removes;
    }
    if !draft.artifacts.is_empty() {
        candidate.artifacts = draft.artifacts.iter().map(ArtifactDraft::resolve).collect::<Result<_, _>>()?;
        refuse_equal_names(&candidate.artifacts)?;
    }
    let put = |place: &mut Option<Text>, said: &Option<Text>| {
        if said.is_some() {
            place.clone_from(said);
        }
    };
    put(&mut candidate.risk, &draft.risk);
    put(&mut candidate.security_impact, &draft.security_impact);
    put(&mut candidate.rollout_plan, &draft.rollout_plan);
    put(&mut candidate.backout_plan, &draft.backout_plan);
    candidate.version = draft.version.clone().unwrap_or(candidate.version);
    candidate.change_type = draft.change_type.unwrap_or(candidate.change_type);
    candidate.incident = draft.incident.clone().or(candidate.incident);
    candidate.external = draft.external.clone().or(candidate.external);
    if candidate == old {
        return Err(Error::usage("nothing would change").hint("give what is to be otherwise, as --risk TEXT"));
    }
    Ok(Composed { release: id.clone(), candidate, supersedes: None, list, removes })
}

/// Changes a candidate; what the draft does not say stays as it is.
///
/// # Errors
/// Nothing would change, the repository or an artifact cannot be read, or a rule refuses.
pub fn amend(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    id: &ReleaseId,
    draft: &Draft,
    removal: Removal,
) -> Result<Proposed, Error> {
    ledger.refresh()?;
    let composed = compose_amendment(ledger.state(), id, draft, removal)?;
    signing.rehearse(ledger, composed.amendment())?;
    if let Some(blob) = composed.blob()? {
        ledger.blobs().write(&blob)?;
    }
    let entry = signing.record(ledger, composed.amendment())?;
    let Composed { release, candidate, removes, .. } = composed;
    Ok(Proposed { release, entry, candidate, removes })
}

/// Gives a release up, for another one where one is named.
///
/// # Errors
/// A rule refuses.
pub fn withdraw(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    id: &ReleaseId,
    by: Option<ReleaseId>,
) -> Result<EntryRef, Error> {
    find(ledger.state(), id)?;
    let change = match by {
        Some(by) => ProposeChange::Supersede { by },
        None => ProposeChange::Withdraw {},
    };
    signing.record(ledger, Propose { change, release: id.clone() })
}

/// Returns the change list of a candidate out of its blob.
///
/// # Errors
/// The blob is missing or damaged.
pub fn change_list(ledger: &Ledger, candidate: &Candidate) -> Result<ChangeList, Error> {
    Ok(ChangeList::parse(&ledger.blobs().read(&candidate.changes.digest)?)?)
}

// ------------------------------------------------------------------------------------------------- deciding

/// Lets a release pass one gate all the same.
///
/// # Errors
/// A rule refuses, or there is no such gate.
pub fn waive(ledger: &mut Ledger, signing: &mut Signing<'_>, waiver: Waiver) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let state = ledger.state();
    let release = find(state, &waiver.release)?;
    let checks = judge::checks_to_show(state, release, clock::now());
    if !checks.iter().any(|check| check.gate == waiver.gate.as_str()) {
        let gates: Vec<&str> = checks.iter().map(|check| check.gate.as_str()).collect();
        return Err(Error::not_found(format!("{} has no gate {}", waiver.release, waiver.gate))
            .hint(format!("its gates are: {}", gates.join(", "))));
    }
    signing.record(ledger, waiver)
}

/// What is asked with a decision sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// The standing authorization that is to sign, where one is.
    pub authorization: Option<u64>,
    /// When dispatch is allowed; as long as the sheet is valid when `None`.
    pub window: Option<Window>,
    /// Who is asked to answer; the whole quorum when empty.
    pub asked: Vec<Asked>,
    /// By when.
    pub due: Option<Timestamp>,
    /// Whether the worker starts it by itself once the window is open.
    pub scheduled: bool,
}

/// Composes what freezes the decision sheet of a release.
///
/// # Errors
/// There is no such release, or its change list does not begin at what is live.
pub fn compose_request(state: &State, id: &ReleaseId, ask: Ask) -> Result<Command, Error> {
    let release = find(state, id)?;
    let candidate = &release.candidate;
    if let Some(live) = live(state, &candidate.product)
        && candidate.changes.base.as_ref() != Some(&live.commit)
        && live.release != *id
    {
        return Err(Error::new(
            ErrorKind::No,
            "not_from_live",
            format!(
                "the change list begins at {}, and {} ({}) is live now",
                candidate.changes.base.as_ref().map_or("the first commit", CommitId::as_str),
                live.commit,
                live.version
            ),
        )
        .hint(format!("list the changes anew: countersign release amend {id} --repository DIR")));
    }
    let Ask { authorization, window, asked, due, scheduled } = ask;
    let authorization = authorization.map(|index| products::authorization_entry(state, index)).transpose()?;
    Ok(Command::Freeze { release: id.clone(), authorization, window, asked, due, scheduled })
}

/// Freezes the decision sheet of a release: by a person, or by the dispatcher under a standing authorization.
///
/// # Errors
/// A rule refuses: a gate is open, or an input is missing.
pub fn request(ledger: &mut Ledger, proposer: Proposer<'_, '_>, id: &ReleaseId, ask: Ask) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    match proposer {
        Proposer::Person(signing) => {
            let command = compose_request(ledger.state(), id, ask)?;
            signing.command(ledger, &command)
        }
        Proposer::Dispatcher(index, reason) => {
            let ask = Ask { authorization: Some(index), ..ask };
            let command = compose_request(ledger.state(), id, ask)?;
            ledger.as_dispatcher(&command, reason)
        }
    }
}

/// What a person answers to a decision sheet.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As which role; the one the signer holds of those that are asked, when `None`.
    pub role: Option<Slug>,
    /// The answer.
    pub verdict: Verdict,
    /// What the signature means; what is usual for the answer, when `None`.
    pub meaning: Option<Meaning>,
    /// The conditions of a conditional GO.
    pub conditions: Vec<Text>,
}

/// Returns the sheet of a release that can be decided on.
///
/// # Errors
/// None was frozen.
pub fn current_sheet(release: &Release) -> Result<&Sheet, Error> {
    release.sheet().ok_or_else(|| {
        Error::new(ErrorKind::No, "wrong_state", format!("{} has no decision sheet", release.id))
            .hint(format!("a release manager freezes it with `countersign request {}`", release.id))
    })
}

/// Composes a person's answer to the sheet that is current now.
///
/// # Errors
/// There is no sheet, or the role is not said and not clear.
pub fn compose_answer(state: &State, id: &ReleaseId, by: &Principal, answer: Answer) -> Result<Approval, Error> {
    let release = find(state, id)?;
    let sheet = current_sheet(release)?;
    let role = match answer.role {
        Some(role) => role,
        None => {
            let candidate = &release.candidate;
            products::asked_role(state, &candidate.product, candidate.change_type, by, clock::now())?
        }
    };
    let meaning = answer.meaning.unwrap_or(match answer.verdict {
        Verdict::Go | Verdict::ConditionalGo => Meaning::Approval,
        Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => Meaning::Review,
    });
    Ok(Approval {
        authorization: None,
        conditions: answer.conditions,
        meaning,
        request: sheet.entry,
        role,
        verdict: answer.verdict,
    })
}

/// Records a person's answer, composed by [`compose_answer`] before it was shown.
///
/// # Errors
/// A rule refuses.
pub fn sign(ledger: &mut Ledger, signing: &mut Signing<'_>, answer: Approval) -> Result<EntryRef, Error> {
    signing.record(ledger, answer)
}

/// Settles one condition of a conditional GO.
///
/// # Errors
/// A rule refuses, or there is no such condition.
pub fn meet_condition(
    ledger: &mut Ledger,
    signing: &mut Signing<'_>,
    id: &ReleaseId,
    approval: u64,
    place: u64,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let release = find(ledger.state(), id)?;
    let answers = release.sheets.iter().flat_map(|sheet| &sheet.answers);
    let answer = answers
        .clone()
        .find(|answer| answer.entry.index == approval)
        .ok_or_else(|| Error::not_found(format!("entry {approval} is not an answer to a sheet of {id}")))?;
    let known = place >= 1 && place <= answer.conditions.len() as u64;
    if !known {
        return Err(Error::not_found(format!(
            "the answer of entry {approval} has {} conditions",
            answer.conditions.len()
        ))
        .hint("name one as ENTRY.NUMBER, counted from 1"));
    }
    let act = Condition { approval: answer.entry, condition: place - 1 };
    signing.record(ledger, act)
}

/// A stop, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// No dispatch until resumed; a question may be open.
    Hold(Option<Text>),
    /// The running rollout stops.
    Halt,
    /// Goes on after the stop of that entry, with the answer where a question was open.
    Resume(u64, Option<Text>),
}

/// Stops a release or lets it go on. Stopping takes no passphrase: without a person this desk signs.
///
/// # Errors
/// A rule refuses; only a person lets a release go on.
pub fn hold(
    ledger: &mut Ledger,
    signing: Option<&mut Signing<'_>>,
    reason: Option<Text>,
    id: &ReleaseId,
    stop: Stop,
) -> Result<EntryRef, Error> {
    ledger.refresh()?;
    let release = find(ledger.state(), id)?;
    let change = match stop {
        Stop::Hold(question) => HoldChange::Hold { question },
        Stop::Halt => HoldChange::Halt {},
        Stop::Resume(index, answer) => HoldChange::Resume { answer, hold: stopping_entry(release, index)? },
    };
    let act = Hold { change, release: id.clone() };
    match signing {
        Some(signing) => signing.record(ledger, act),
        None => ledger.as_desk(&Command::Record(act.into()), reason),
    }
}

/// Returns the entry that stops a release: a hold or halt, or the HOLD of somebody whose question waits.
///
/// # Errors
/// That entry stops nothing.
pub(crate) fn stopping_entry(release: &Release, index: u64) -> Result<EntryRef, Error> {
    let holds = release.holds.iter().map(|hold| hold.entry);
    let answers = release.sheets.iter().flat_map(|sheet| &sheet.answers);
    let asks = answers.filter(|answer| answer.verdict == Verdict::Hold).map(|answer| answer.entry);
    holds.chain(asks).find(|entry| entry.index == index).ok_or_else(|| {
        let open: Vec<String> = release.active_holds().map(|hold| hold.entry.index.to_string()).collect();
        Error::not_found(format!("entry {index} does not stop {}", release.id)).hint(if open.is_empty() {
            "nothing stops it".to_owned()
        } else {
            format!("what stops it: entry {}", open.join(", entry "))
        })
    })
}

/// Records what came of a release.
///
/// # Errors
/// A rule refuses: the rollout has not ended.
pub fn close(ledger: &mut Ledger, signing: &mut Signing<'_>, id: &ReleaseId, result: Text) -> Result<EntryRef, Error> {
    find(ledger.state(), id)?;
    signing.record(ledger, Outcome { release: id.clone(), result })
}

// ------------------------------------------------------------------------------------------------- sheets in words

/// One line of a decision sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is about.
    pub name: &'static str,
    /// What the sheet says.
    pub value: String,
}

fn live_in_words(live: &LiveRelease) -> String {
    let artifacts: Vec<String> = live.artifacts.iter().map(artifact_in_words).collect();
    format!("{} ({}), commit {}, {}", live.version, live.release, live.commit, artifacts.join(", "))
}

fn artifact_in_words(artifact: &Artifact) -> String {
    format!("{} sha256:{}", artifact.name, artifact.sha256)
}

/// Says what a decision sheet lists, line by line, in the order people read it.
pub fn sheet_facts(state: &State, release: &Release, body: &Request) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name: &'static str, value: String| facts.push(Fact { name, value });
    fact("release", format!("{} {} ({})", body.product, body.version, body.release));
    fact("change type", body.change_type.to_string());
    for artifact in &body.artifacts {
        fact("artifact", artifact_in_words(artifact));
    }
    fact("commit", body.commit.to_string());
    let changes = &release.candidate.changes;
    fact(
        "changes",
        if changes.digest == body.changes {
            let from = changes.base.as_ref().map_or("the first commit".to_owned(), CommitId::to_string);
            let tickets: Vec<&str> = changes.tickets.iter().map(Line::as_str).collect();
            let tickets = if tickets.is_empty() { "no tickets".to_owned() } else { tickets.join(" ") };
            let commits = if changes.commits == 1 { "commit" } else { "commits" };
            format!("{} {commits} since {from}; {tickets} (sha256:{})", changes.commits, body.changes)
        } else {
            format!("sha256:{}", body.changes)
        },
    );
    let listed = usize::try_from(body.evidence.count).unwrap_or(usize::MAX);
    for record in release.evidence.iter().take(listed) {
        let whose = if record.attached() { "attached" } else { "observed" };
        fact(
            "evidence",
            format!(
                "{} {}: {} ({whose}, entry {})",
                record.body.kind, record.body.name, record.body.conclusion, record.entry.index
            ),
        );
    }
    fact("evidence manifest", format!("{} files, sha256:{}", body.evidence.count, body.evidence.digest));
    for waiver in &body.waivers {
        let said = release.waivers.iter().find(|record| record.entry == *waiver);
        let said = said.map_or(String::new(), |record| {
            format!(": gate {} until {}, {}", record.body.gate, record.body.expires, record.reason)
        });
        fact("waiver", format!("{waiver}{said}"));
    }
    let policy =
        state.policies.get(&body.product).and_then(|all| all.iter().find(|record| record.entry == body.policy));
    let version = policy.map_or(String::new(), |record| format!("version {}, ", record.version));
    fact("policy", format!("{version}{}", body.policy));
    fact("environment", format!("{} (target: {}, sha256:{})", body.environment, body.target, body.target.leaf));
    if let Some(stage) = body.stage {
        fact("staging", format!("seen running, {stage}"));
    }
    fact("live now", body.live.as_ref().map_or("nothing: this is the first release".into(), live_in_words));
    for (place, wave) in body.rollout.iter().enumerate() {
        let bake = products::duration(wave.bake_seconds);
        fact("rollout", format!("wave {}: {}, bakes {bake}", place + 1, wave.segment));
    }
    fact("way back", body.rollback.as_ref().map_or("none: there is no way back".into(), live_in_words));
    if let Some(external) = &body.external {
        fact("change record", format!("{} {} ({}) {}", external.system, external.id, external.state, external.url));
    }
    if let Some(used) = body.authorization {
        fact("authorization", format!("{used} is to sign"));
    }
    for asked in &body.asked {
        let whom = asked.person.as_ref().map(|who| state.printed_name(who));
        fact("asked", whom.map_or_else(|| asked.role.to_string(), |whom| format!("{} as {}", whom, asked.role)));
    }
    if let Some(due) = body.due {
        fact("due", due.to_string());
    }
    let starts = if body.scheduled { "; the worker starts it then" } else { "" };
    fact("window", format!("{} to {}{starts}", body.window.from, body.window.until));
    fact("valid until", body.not_after.to_string());
    facts
}

/// Says what a sheet says otherwise than an earlier one; empty where nothing but the freezing differs.
pub fn sheet_changes(state: &State, release: &Release, earlier: &Request, later: &Request) -> Vec<String> {
    let before: BTreeSet<(&str, String)> =
        sheet_facts(state, release, earlier).into_iter().map(|fact| (fact.name, fact.value)).collect();
    let after: BTreeSet<(&str, String)> =
        sheet_facts(state, release, later).into_iter().map(|fact| (fact.name, fact.value)).collect();
    let gone = before.difference(&after).map(|(name, value)| format!("- {name}: {value}"));
    let come = after.difference(&before).map(|(name, value)| format!("+ {name}: {value}"));
    gone.chain(come).collect()
}

/// Returns the last earlier sheet of the release that the person has answered.
pub fn answered_before<'a>(release: &'a Release, current: EntryRef, who: &Principal) -> Option<&'a Sheet> {
    release
        .sheets
        .iter()
        .rev()
        .find(|sheet| sheet.entry != current && sheet.answers.iter().any(|answer| answer.principal == *who))
}

/// Returns the moment until which a waiver of so many seconds from now is valid.
#[must_use]
pub fn in_seconds(seconds: i64) -> Timestamp {
    clock::now().plus_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_a_file_or_a_digest() {
        let hex = "a".repeat(64);
        let digest: ArtifactDraft = format!("pump.img=sha256:{hex}").parse().unwrap();
        assert_eq!((digest.name.as_str(), digest.file, digest.sha256.is_some()), ("pump.img", None, true));
        let file: ArtifactDraft = "pump.img=out/a=b.img".parse().unwrap();
        assert_eq!((file.file.unwrap(), file.sha256), (PathBuf::from("out/a=b.img"), None));
        for bad in ["", "pump.img", "pump.img=", "=x", "a=sha256:xyz"] {
            assert!(bad.parse::<ArtifactDraft>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_flags_say_stands_over_what_the_file_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("release.toml");
        let text = "product = \"pump\"\nversion = \"1.0\"\nrepository = \"src\"\nrisk = \"low\"\n\
            [[artifact]]\nname = \"pump.img\"\nfile = \"pump.img\"\n";
        std::fs::write(&path, text).unwrap();
        let file = Draft::read(&path).unwrap();
        assert_eq!(file.repository, Some(dir.path().join("src")), "paths begin where the file lies");
        assert_eq!(file.artifacts[0].file, Some(dir.path().join("pump.img")));
        let flags = Draft { version: Some("1.1".parse().unwrap()), ..Draft::default() };
        let both = file.overlaid(flags);
        assert_eq!((both.version.unwrap().as_str(), both.risk.unwrap().as_str()), ("1.1", "low"));
        std::fs::write(&path, "prodct = \"pump\"\n").unwrap();
        let error = Draft::read(&path).unwrap_err();
        assert!(error.message.contains("prodct") && error.kind == ErrorKind::Usage, "{error}");
    }
}
