//! The signing window: Rust holds what is to be signed, shows it, and signs exactly that, once.
//!
//! The page names nothing but a nonce and what the person chose; the bytes are composed and kept here. A nonce is good for one
//! attempt and one composition: a choice, a new key, a wrong passphrase or a ledger that moved gives another. The secret is
//! taken by value, used, and wiped.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use countersign_core::act::{Act, Approval, Enrol, Meaning, Reauth, Verdict};
use countersign_core::admit::Statement;
use countersign_core::decide::Command;
use countersign_core::hash::Digest;
use countersign_core::jcs;
use countersign_core::judge;
use countersign_core::sshsig::PublicKey;
use countersign_core::state::State;
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use zeroize::Zeroizing;

use super::carried::Carrying;
use super::host::{Host, HostEvent, Open, held};
use super::rollout::{self, Drive};
use super::show::{app_error, count, optional, person, refusal, word};
use super::{drafts, sheet, statement as shown};
use crate::connectors::{self, NewCommand};
use crate::desk::DeskDir;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Ledger, PreparedLedger};
use crate::lockout::Lockout;
use crate::wire as w;
use crate::{carry, clock, durable, people};

/// How long a challenge stands.
pub(super) const VALID: Duration = Duration::from_secs(300);
/// The label of the only window that may sign.
const WINDOW: &str = "sign";

/// What is answered.
#[derive(Debug, Clone)]
pub(super) enum Answered {
    Sheet { release: ReleaseId },
    Policy { version: u32 },
    Authorization { entry: u32 },
}

/// What the person chose.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) verdict: Verdict,
    pub(super) role: Slug,
    pub(super) meaning: Meaning,
    pub(super) reason: Text,
    pub(super) conditions: Vec<Text>,
}

/// What a new key is for.
#[derive(Debug)]
pub(super) enum NewKeyFor {
    Enrol(Box<Enrol>),
    Rotate { valid_until: Timestamp },
}

/// What presence opens.
#[derive(Debug)]
pub(super) enum After {
    Unlock,
    Drive { release: ReleaseId, environment: Slug, what: Drive, resend: Option<Line> },
    Allow { command: Box<NewCommand>, sha256: Digest },
}

/// What one matter takes beside the act that is shown: each is shown and signed by itself, one after the other.
#[derive(Debug, Default)]
pub(super) struct Then {
    pub(super) left: VecDeque<Act>,
    pub(super) done: u32,
}

/// What is done once the person has proved who they are.
#[derive(Debug)]
pub(super) enum Deed {
    Record { command: Box<Command>, reason: Text, blobs: Vec<Vec<u8>>, draft: Option<String>, then: Then },
    Answer { what: Answered, request: EntryRef, product: Slug, roles: Vec<Slug>, choice: Option<Choice> },
    NewKey { what: NewKeyFor, reason: Text, made: Option<PublicKey> },
    Dispatcher { name: Option<Line>, reason: Text, card: Option<countersign_core::act::DeviceCard> },
    Begin(Option<Box<PreparedLedger>>),
    Presence { then: After },
    Secret { name: Slug, address: String, user: String, certificate: Option<PathBuf> },
}

/// An act that was composed and waits to be signed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) act: w::ActName,
    pub(super) by: Principal,
    pub(super) deed: Deed,
    /// The request it answers, where that was carried to this desk.
    pub(super) carried: Option<Box<Carrying>>,
}

impl Prepared {
    /// An act on the ledger of this desk.
    pub(super) fn here(act: w::ActName, by: Principal, deed: Deed) -> Self {
        Self { act, by, deed, carried: None }
    }

    /// Returns what it rests on, and the desk whose keys and wrong passphrases count.
    fn ground<'a>(&'a self, open: Option<&'a Open>) -> Option<(&'a State, &'a DeskDir)> {
        match &self.carried {
            Some(carrying) => Some((&carrying.opened.carried.state, &carrying.opened.desk)),
            None => open.map(|open| (open.ledger.state(), open.ledger.desk())),
        }
    }
}

/// What the signing window is about.
#[derive(Debug)]
pub(super) struct Session {
    prepared: Prepared,
    nonce: String,
    /// The composed bytes; none while something is still to be chosen or made.
    composed: Option<Composed>,
    until: Instant,
    expires: Timestamp,
    renewed: Option<w::Renewed>,
}

#[derive(Debug)]
struct Composed {
    statement: Statement,
    /// The canonical line that is signed.
    line: String,
}

impl Composed {
    /// The digest of what is signed, by which the entry will be known: the line with its line feed.
    fn payload_hash(&self) -> Digest {
        Digest::of(format!("{}\n", self.line).as_bytes())
    }
}

/// Returns an answer as an act.
pub(super) fn approval(
    request: EntryRef,
    role: Slug,
    verdict: Verdict,
    meaning: Meaning,
    conditions: Vec<Text>,
) -> Approval {
    Approval { authorization: None, conditions, meaning, request, role, verdict }
}

/// Refuses every window but the one that may sign.
///
/// # Errors
/// It is another.
pub fn guard(label: &str) -> Result<(), w::AppError> {
    if label == WINDOW {
        return Ok(());
    }
    Err(refusal(ErrorKind::No, "not_granted", &format!("the window {label} may not sign"), "open the signing window"))
}

fn none_open() -> w::AppError {
    refusal(ErrorKind::No, "nothing_to_sign", "nothing is being signed", "start again from the main window")
}

fn stale_nonce() -> Error {
    Error::new(ErrorKind::No, "nonce", "this is no longer what was shown; nothing was signed")
        .hint("look at it again, then sign")
}

fn fresh() -> Result<String, Error> {
    crate::ledger::random_hex::<32>()
}

/// Opens the signing window on an act that was prepared.
///
/// # Errors
/// There is none of that id.
pub fn open(host: &Host, request: &w::OpenSigning) -> Result<(), w::AppError> {
    let prepared = held(&host.0.prepared).remove(&request.draft_id).ok_or_else(|| {
        refusal(ErrorKind::No, "nothing_to_sign", "there is no such prepared act any more", "start again")
    })?;
    let mut session = Session {
        prepared,
        nonce: String::new(),
        composed: None,
        until: Instant::now(),
        expires: clock::now(),
        renewed: None,
    };
    session.compose(host).map_err(app_error)?;
    *held(&host.0.signing) = Some(session);
    host.tell(HostEvent::Signing(w::SigningChange::Opened));
    Ok(())
}

/// Ends what is being signed: nothing is recorded.
pub(super) fn end(host: &Host, why: w::SigningChange) {
    let ended = held(&host.0.signing).take();
    if let Some(session) = ended {
        session.forget(host);
        host.tell(HostEvent::Signing(why));
    }
}

/// Says that the signing window was closed: nothing is recorded.
pub fn closed(host: &Host) {
    end(host, w::SigningChange::Closed);
}

/// Tells the window once its challenge has run out, or the ledger has moved in a way that matters to it.
pub(super) fn expire(host: &Host) {
    let why = {
        let guard = held(&host.0.signing);
        let Some(session) = guard.as_ref().filter(|session| session.renewed != Some(w::Renewed::TimePassed)) else {
            return;
        };
        if Instant::now() >= session.until {
            Some(w::SigningChange::Expired)
        } else {
            let open = held(&host.0.open);
            let moved = open.as_ref().is_some_and(|open| session.moved(open.ledger.state()));
            (moved && session.renewed != Some(w::Renewed::LedgerMoved)).then_some(w::SigningChange::LedgerMoved)
        }
    };
    let Some(why) = why else { return };
    if let Some(session) = held(&host.0.signing).as_mut() {
        session.renewed = Some(match why {
            w::SigningChange::Expired => w::Renewed::TimePassed,
            _ => w::Renewed::LedgerMoved,
        });
        // What was shown can no longer be signed; asking for the challenge composes it anew.
        session.nonce.clear();
    }
    host.tell(HostEvent::Signing(why));
}

impl Session {
    /// Returns whether the ledger has moved, since this was composed, in a way that matters to it.
    fn moved(&self, state: &State) -> bool {
        let Some(Composed { statement, .. }) = &self.composed else { return false };
        if matches!(self.prepared.deed, Deed::Begin(_)) || self.prepared.carried.is_some() {
            return false;
        }
        let common = &statement.common;
        judge::unseen(state, &statement.act, &common.signer.principal, common.seen.size).is_some()
    }

    /// Composes what is to be signed as far as it is known, with a nonce of its own.
    fn compose(&mut self, host: &Host) -> Result<(), Error> {
        self.nonce = fresh()?;
        let valid = *held(&host.0.challenge_valid);
        self.until = Instant::now() + valid;
        self.expires = clock::now().plus_seconds(i64::try_from(valid.as_secs()).unwrap_or(0));
        self.composed = None;
        let by = self.prepared.by.clone();
        let wanted = match &mut self.prepared.deed {
            Deed::Record { command, reason, .. } => Some(((**command).clone(), reason.clone())),
            Deed::Answer { request, choice: Some(choice), .. } => {
                let Choice { verdict, role, meaning, reason, conditions } = choice.clone();
                let act = approval(*request, role, verdict, meaning, conditions);
                Some((Command::Record(act.into()), reason))
            }
            Deed::NewKey { what, reason, made: Some(key) } => {
                Some((Command::Record(what.act(&by, *key)), reason.clone()))
            }
            Deed::Dispatcher { name, reason, card } => {
                // Its key has no passphrase, so that it can be made as soon as it is to be shown.
                if card.is_none() {
                    let made = with_ledger(host, |open| people::make_dispatcher(&open.ledger, name.as_ref()))?;
                    *card = Some(made);
                }
                card.clone().map(|card| (Command::Record(people::enrols(card).into()), reason.clone()))
            }
            Deed::Begin(begun) => {
                let begun = begun.as_ref().filter(|begun| begun.owner_key().is_some());
                if let Some(begun) = begun {
                    self.composed = Some(compose_line(begun.statement(Reauth::Prompt)?)?);
                }
                return Ok(());
            }
            _ => None,
        };
        if let Some((command, reason)) = wanted {
            let statement = match (&self.prepared.carried, command) {
                (Some(carrying), Command::Record(act)) => {
                    carry::compose(&carrying.opened, &by, act, reason, Reauth::Prompt)?
                }
                (_, command) => with_ledger(host, |open| open.ledger.prepare(&by, &command, reason, Reauth::Prompt))?,
            };
            self.composed = Some(compose_line(statement)?);
        }
        Ok(())
    }

    /// Throws away what was made for an act that is not recorded.
    fn forget(self, host: &Host) {
        let dropped = match self.prepared.deed {
            Deed::NewKey { what, made: Some(key), .. } => {
                let whose = what.whose(&self.prepared.by);
                with_ledger(host, |open| people::drop_next_key(&mut open.ledger, &whose, key))
            }
            Deed::Dispatcher { card: Some(card), .. } => with_ledger(host, |open| {
                people::drop_dispatcher_key(&mut open.ledger, &card.principal);
                Ok(())
            }),
            _ => Ok(()),
        };
        if let Err(error) = dropped {
            tracing::warn!(%error, "a key that nobody recorded stays; the next one replaces it");
        }
    }
}

fn compose_line(statement: Statement) -> Result<Composed, Error> {
    let line = jcs::encode(&statement.payload())
        .map_err(|error| Error::new(ErrorKind::No, "entry", format!("this does not fit into an entry: {error}")))?;
    Ok(Composed { statement, line })
}

fn with_ledger<T>(host: &Host, work: impl FnOnce(&mut Open) -> Result<T, Error>) -> Result<T, Error> {
    let mut open = held(&host.0.open);
    let open = open.as_mut().ok_or_else(|| Error::new(ErrorKind::No, "no_ledger", "no ledger is open"))?;
    work(open)
}

// ------------------------------------------------------------------------------------------------- showing

/// Returns what is to be signed, composed anew where time has passed or the ledger has moved.
///
/// # Errors
/// Nothing is being signed, or a rule refuses it by now.
pub fn signing_challenge(host: &Host) -> Result<w::Challenge, w::AppError> {
    let mut guard = held(&host.0.signing);
    let session = guard.as_mut().ok_or_else(none_open)?;
    let moved = {
        let open = held(&host.0.open);
        open.as_ref().is_some_and(|open| session.moved(open.ledger.state()))
    };
    if session.nonce.is_empty() || moved || Instant::now() >= session.until {
        if moved {
            session.renewed = Some(w::Renewed::LedgerMoved);
        }
        session.compose(host).map_err(app_error)?;
    }
    let challenge = challenge(host, session)?;
    // Told once: whoever has seen it has been told.
    session.renewed = None;
    Ok(challenge)
}

fn challenge(host: &Host, session: &Session) -> Result<w::Challenge, w::AppError> {
    let empty = State::default();
    let open = held(&host.0.open);
    let prepared = &session.prepared;
    let ground = prepared.ground(open.as_ref()).filter(|_| !matches!(prepared.deed, Deed::Begin(_)));
    let state = ground.map_or(&empty, |(state, _)| state);
    let at = clock::now();
    let by = &prepared.by;
    let statement = session.composed.as_ref().map(|composed| &composed.statement);
    let release = shown::release_of(state, prepared, statement);
    let frozen = match (&prepared.deed, release) {
        (Deed::Answer { request, .. }, Some(release)) => release.sheet_at(*request),
        (Deed::Presence { then: After::Drive { what: Drive::Wave | Drive::Back, .. } }, Some(release)) => {
            release.sheet()
        }
        _ => None,
    };
    let facts = match (release, frozen, statement.map(|statement| &statement.act)) {
        (Some(release), Some(frozen), _) => crate::releases::sheet_facts(state, release, &frozen.body),
        (Some(release), None, Some(countersign_core::act::Act::Request(body))) => {
            crate::releases::sheet_facts(state, release, body)
        }
        _ => Vec::new(),
    };
    let evidence = match (release, frozen) {
        (Some(release), Some(frozen)) => Some(sheet::summary(release, Some(frozen.body.evidence.count), at)),
        (Some(release), None) if !facts.is_empty() => Some(sheet::summary(release, None, at)),
        _ => None,
    };
    let changed = match (release, frozen) {
        (Some(release), Some(frozen)) => sheet::changed_since(state, release, frozen, by),
        _ => Vec::new(),
    };
    let (consequence, then) = shown::consequence(state, prepared, release, at);
    let acknowledge = shown::acknowledgements(prepared, evidence.as_ref(), !changed.is_empty(), release, consequence);
    let key = state.people.get(by).and_then(|person| person.current_key()).map(|key| key.key.fingerprint());
    let (wrong, locked_until) = match (&key, ground) {
        (Some(key), Some((_, desk))) => {
            let lockout = Lockout::new(desk.lockout());
            lockout.status(key, at.to_chrono()).map_err(|error| app_error(error.into()))?
        }
        _ => (0, None),
    };
    let (roles, choice, answers) = match &prepared.deed {
        Deed::Answer { roles, choice, what, .. } => (roles.as_slice(), choice.as_ref(), Some(what)),
        _ => (&[][..], None, None),
    };
    let whose_new = match &prepared.deed {
        Deed::NewKey { what, made: None, .. } => Some(match what {
            NewKeyFor::Enrol(act) => {
                w::PersonRef { principal: act.person.principal.to_string(), name: act.person.name.to_string() }
            }
            NewKeyFor::Rotate { .. } => person(state, by),
        }),
        Deed::Begin(Some(begun)) if begun.owner_key().is_none() => {
            let owner = &begun.beginning().owner;
            Some(w::PersonRef { principal: owner.principal.to_string(), name: owner.name.to_string() })
        }
        _ => None,
    };
    let who = match &prepared.deed {
        Deed::Begin(Some(begun)) => {
            let owner = &begun.beginning().owner;
            w::PersonRef { principal: owner.principal.to_string(), name: owner.name.to_string() }
        }
        _ => person(state, by),
    };
    let key = match &prepared.deed {
        Deed::Begin(Some(begun)) => begun.owner_key().map(|key| key.fingerprint()),
        _ => key,
    };
    let reason = match &prepared.deed {
        Deed::Answer { choice, .. } => choice.as_ref().map(|choice| choice.reason.to_string()),
        _ => statement.and_then(|statement| statement.common.reason.as_ref()).map(ToString::to_string),
    };
    let answered = || {
        let (release, sheet) = (release?, release?.sheet()?);
        judge::standing_answer(release, sheet, by)
    };
    let verdicts: &[Verdict] = match answers {
        Some(Answered::Sheet { .. }) if answered().is_some() => Verdict::ALL,
        Some(Answered::Sheet { .. }) => &[Verdict::Go, Verdict::NoGo, Verdict::Hold, Verdict::ConditionalGo],
        Some(_) => &[Verdict::Go, Verdict::NoGo],
        None => &[],
    };
    let sample = state.sample();
    let persona = open.as_ref().filter(|_| sample && prepared.carried.is_none()).and_then(|open| {
        crate::sample::personas(&open.ledger).into_iter().find(|persona| persona.principal == by.as_str())
    });
    Ok(w::Challenge {
        nonce: session.nonce.clone(),
        kind: match &prepared.deed {
            Deed::Presence { .. } => w::ChallengeKind::Presence,
            Deed::Secret { .. } => w::ChallengeKind::Secret,
            _ => w::ChallengeKind::Entry,
        },
        act: prepared.act,
        who,
        product: product_of(prepared, release, statement),
        release: release.map(|release| release.id.to_string()),
        version: release.map(|release| release.candidate.version.to_string()),
        environment: match (&prepared.deed, frozen) {
            (Deed::Presence { then: After::Drive { environment, .. } }, _) => Some(environment.to_string()),
            (_, Some(frozen)) => Some(frozen.body.environment.to_string()),
            _ => None,
        },
        statement: shown::sentence(state, prepared, statement),
        lines: statement.map(shown::lines).unwrap_or_default(),
        facts: sheet::fact_lines(facts),
        evidence,
        changed,
        acknowledge,
        choice: choice.map(|choice| w::AnswerChoice {
            verdict: choice.verdict.into(),
            role: choice.role.to_string(),
            meaning: choice.meaning.into(),
            reason: choice.reason.to_string(),
            conditions: choice.conditions.iter().map(ToString::to_string).collect(),
        }),
        roles: roles.iter().map(ToString::to_string).collect(),
        verdicts: verdicts.iter().map(|verdict| (*verdict).into()).collect(),
        meanings: match answers {
            Some(Answered::Sheet { .. }) => Meaning::ALL.iter().map(|meaning| (*meaning).into()).collect(),
            Some(_) => vec![w::Meaning::Approval, w::Meaning::Review],
            None => Vec::new(),
        },
        reason_asked: answers.is_some(),
        reason,
        subject_digest: match &prepared.deed {
            Deed::Answer { request, .. } => Some(request.leaf.to_string()),
            _ => None,
        },
        payload_sha256: session.composed.as_ref().map(|composed| composed.payload_hash().to_string()),
        payload: session.composed.as_ref().map(|composed| composed.line.clone()),
        time: statement.map_or(at, |statement| statement.common.time).to_string(),
        zone: clock::zone().to_string(),
        key_fingerprint: key,
        secret: match &prepared.deed {
            Deed::Secret { .. } => w::SecretAsked::ConnectorPassword,
            _ => w::SecretAsked::Passphrase,
        },
        new_key: whose_new,
        consequence,
        then,
        sample,
        sample_passphrase: persona.map(|persona| persona.passphrase),
        expires: session.expires.to_string(),
        wrong,
        locked_until: locked_until.and_then(clock::of_server).map(|until| until.to_string()),
        renewed: session.renewed,
        series: match &prepared.deed {
            Deed::Record { .. } if prepared.carried.is_some() => Some(w::Series { number: 1, of: 2 }),
            Deed::Record { then, .. } if then.done > 0 || !then.left.is_empty() => {
                let left = super::show::length(then.left.len());
                Some(w::Series { number: then.done + 1, of: then.done + 1 + left })
            }
            _ => None,
        },
        still_missing: release.and_then(|release| still_missing(state, release, prepared, at)),
    })
}

/// Returns whose signatures are missing after the GO that was chosen.
fn still_missing(
    state: &State,
    release: &countersign_core::state::Release,
    prepared: &Prepared,
    at: Timestamp,
) -> Option<Vec<w::RoleCount>> {
    let Deed::Answer { what: Answered::Sheet { .. }, choice: Some(choice), .. } = &prepared.deed else { return None };
    if choice.verdict != Verdict::Go {
        return None;
    }
    let after = judge::after_signature(state, release, &prepared.by, &choice.role, at).ok()?;
    Some(super::quorum::counts(&after.missing))
}

fn product_of(
    prepared: &Prepared,
    release: Option<&countersign_core::state::Release>,
    statement: Option<&Statement>,
) -> Option<String> {
    match &prepared.deed {
        Deed::Answer { product, .. } => Some(product.to_string()),
        _ => release.map(|release| release.candidate.product.to_string()).or_else(|| match &statement?.act {
            Act::Product(body) => Some(body.product.to_string()),
            Act::Target(body) => Some(body.product.to_string()),
            Act::Policy(body) => Some(body.product.to_string()),
            Act::Propose(body) => match &body.change {
                countersign_core::act::ProposeChange::Candidate { candidate, .. } => {
                    Some(candidate.product.to_string())
                }
                _ => None,
            },
            _ => None,
        }),
    }
}

// ------------------------------------------------------------------------------------------------- choosing

/// Takes the nonce of what was shown, so that it is good for nothing else.
fn take_nonce(session: &mut Session, nonce: &str) -> Result<(), Error> {
    if nonce.is_empty() || session.nonce != nonce {
        return Err(stale_nonce());
    }
    session.nonce.clear();
    if Instant::now() >= session.until {
        return Err(Error::new(ErrorKind::No, "challenge_expired", "it was shown too long ago; nothing was signed")
            .hint("look at it again, then sign"));
    }
    Ok(())
}

/// Takes verdict, role, meaning and reason, and returns the exact statement they come to.
///
/// # Errors
/// The nonce is not that of what was shown, a choice is not offered, or a rule refuses.
pub fn signing_choose(host: &Host, request: w::Choose) -> Result<w::Challenge, w::AppError> {
    let mut guard = held(&host.0.signing);
    let session = guard.as_mut().ok_or_else(none_open)?;
    take_nonce(session, &request.nonce).map_err(app_error)?;
    let chosen = choose(session, request);
    let before = match (&mut session.prepared.deed, chosen) {
        (_, Err(error)) => {
            session.nonce = fresh().map_err(app_error)?;
            return Err(app_error(error));
        }
        (Deed::Answer { choice, .. }, Ok(chosen)) => choice.replace(chosen),
        (_, Ok(_)) => None,
    };
    if let Err(error) = session.compose(host) {
        // What was chosen is refused, so it is not chosen.
        if let Deed::Answer { choice, .. } = &mut session.prepared.deed {
            *choice = before;
        }
        session.nonce = fresh().map_err(app_error)?;
        return Err(app_error(error));
    }
    session.renewed = Some(w::Renewed::Chosen);
    challenge(host, session)
}

fn choose(session: &Session, request: w::Choose) -> Result<Choice, Error> {
    let Deed::Answer { roles, what, .. } = &session.prepared.deed else {
        return Err(Error::usage("there is nothing to choose"));
    };
    let verdict: Verdict =
        request.verdict.ok_or_else(|| Error::usage("say GO, NO-GO or HOLD").in_field("verdict"))?.into();
    let role = match optional::<Slug>(request.role.as_deref(), "role")? {
        Some(role) if roles.contains(&role) => role,
        Some(role) => return Err(Error::usage(format!("you cannot sign as {role} here")).in_field("role")),
        None => roles.first().cloned().ok_or_else(|| Error::usage("no role is offered").in_field("role"))?,
    };
    let conditions: Vec<Text> = request
        .conditions
        .iter()
        .filter(|text| !text.trim().is_empty())
        .map(|text| word(text, "conditions"))
        .collect::<Result<_, _>>()?;
    if (verdict == Verdict::ConditionalGo) == conditions.is_empty() {
        let message =
            if conditions.is_empty() { "name the conditions" } else { "only a conditional GO has conditions" };
        return Err(Error::usage(message).in_field("conditions"));
    }
    if matches!(verdict, Verdict::ConditionalGo | Verdict::Hold | Verdict::Withdrawn)
        && !matches!(what, Answered::Sheet { .. })
    {
        return Err(Error::usage("this is answered by GO or NO-GO").in_field("verdict"));
    }
    let usual = match verdict {
        Verdict::Go | Verdict::ConditionalGo => Meaning::Approval,
        Verdict::NoGo | Verdict::Hold | Verdict::Withdrawn => Meaning::Review,
    };
    Ok(Choice {
        verdict,
        role,
        meaning: request.meaning.map_or(usual, Into::into),
        reason: word(request.reason.as_deref().unwrap_or_default(), "reason")?,
        conditions,
    })
}

/// Makes the key that an act needs, under the passphrase of whoever is to have it.
///
/// # Errors
/// The nonce is not that of what was shown, no key is wanted, or the passphrase is too weak.
pub fn signing_new_key(host: &Host, request: w::NewKey) -> Result<w::Challenge, w::AppError> {
    let secret = Zeroizing::new(request.passphrase);
    let mut guard = held(&host.0.signing);
    let session = guard.as_mut().ok_or_else(none_open)?;
    take_nonce(session, &request.nonce).map_err(app_error)?;
    let by = session.prepared.by.clone();
    let made = match &mut session.prepared.deed {
        Deed::NewKey { what, made, .. } => {
            let whose = what.whose(&by);
            with_ledger(host, |open| people::make_next_key(open.ledger.desk(), &whose, &secret))
                .map(|key| *made = Some(key))
        }
        Deed::Begin(Some(begun)) => begun.make_key(&secret).map(|_| ()),
        _ => Err(Error::usage("no key is to be made")),
    };
    if let Err(error) = made.and_then(|()| session.compose(host)) {
        session.nonce = fresh().map_err(app_error)?;
        return Err(app_error(error));
    }
    session.renewed = Some(w::Renewed::KeyMade);
    challenge(host, session)
}

/// Ends it: nothing is recorded.
///
/// # Errors
/// Never.
pub fn signing_cancel(host: &Host, request: w::Cancel) -> Result<(), w::AppError> {
    // Whatever the nonce: to stop is always allowed.
    let _ = request.nonce;
    end(host, w::SigningChange::Closed);
    Ok(())
}

// ------------------------------------------------------------------------------------------------- signing

/// Signs what was shown, once.
///
/// # Errors
/// The nonce is not that of what was shown, something is not acknowledged, the passphrase is wrong, or a rule refuses.
pub fn signing_commit(host: &Host, request: w::Commit) -> Result<w::SigningResult, w::AppError> {
    let secret = Zeroizing::new(request.secret);
    // Taken out while it is used: nobody else can use it, and reading screens goes on meanwhile.
    let mut session = held(&host.0.signing).take().ok_or_else(none_open)?;
    let result = commit(host, &mut session, &request.nonce, &request.acknowledged, secret);
    match result {
        Ok(w::SigningResult::ShowAgain { .. }) => {
            // Composed anew, with a nonce of its own, under the lock again.
            session.renewed = Some(w::Renewed::LedgerMoved);
            let challenge = challenge(host, &session);
            session.renewed = None;
            *held(&host.0.signing) = Some(session);
            Ok(w::SigningResult::ShowAgain { challenge: challenge? })
        }
        Ok(done) => {
            if matches!(done, w::SigningResult::Next { .. }) {
                *held(&host.0.signing) = Some(session);
            }
            // Also what is no entry, such as a connector, is shown elsewhere.
            host.tell_change();
            Ok(done)
        }
        Err(error) => {
            let refused = told(host, &session, error);
            if session.nonce.is_empty() && Instant::now() < session.until {
                // A wrong passphrase keeps everything but the nonce.
                session.nonce = fresh().unwrap_or_default();
            }
            *held(&host.0.signing) = Some(session);
            Err(refused)
        }
    }
}

/// Returns the error with what it needs to be told well: until when the key is locked.
fn told(host: &Host, session: &Session, error: Error) -> w::AppError {
    let mut refused = app_error(error);
    if matches!(refused.code.as_str(), "wrong_passphrase" | "locked") {
        let open = held(&host.0.open);
        let until = session.prepared.ground(open.as_ref()).and_then(|(state, desk)| {
            let person = state.people.get(&session.prepared.by)?;
            let key = person.current_key()?.key.fingerprint();
            Lockout::new(desk.lockout()).status(&key, clock::now().to_chrono()).ok()?.1
        });
        refused.retry_at = until.and_then(clock::of_server).map(|until| until.to_string());
    }
    refused
}

fn commit(
    host: &Host,
    session: &mut Session,
    nonce: &str,
    acknowledged: &[w::Acknowledgement],
    secret: Zeroizing<String>,
) -> Result<w::SigningResult, Error> {
    let shown = challenge_acknowledgements(host, session)?;
    take_nonce(session, nonce)?;
    if let Some(missing) = shown.iter().find(|asked| !acknowledged.contains(asked)) {
        let word = serde_json::to_string(missing).unwrap_or_default();
        return Err(Error::new(ErrorKind::No, "not_acknowledged", format!("{word} was not acknowledged"))
            .hint("acknowledge it first; nothing was signed"));
    }
    match &session.prepared.deed {
        Deed::Presence { .. } => return presence(host, session, secret),
        Deed::Secret { .. } => return keep_secret(host, session, &secret),
        _ => {}
    }
    let Some(composed) = &session.composed else {
        return Err(Error::new(ErrorKind::No, "not_complete", "something is still to be chosen; nothing was signed"));
    };
    if let Deed::Begin(begun) = &mut session.prepared.deed {
        let Some(owner) = begun.as_ref() else { return Err(stale_nonce()) };
        let entry = owner.sign(&composed.statement, secret)?;
        let begun = begun.take().ok_or_else(stale_nonce)?;
        let ledger = begun.begin(entry)?;
        host.adopt(ledger, None)?;
        return with_ledger(host, |open| {
            let entry = open.ledger.entry_ref(0)?;
            let receipt = receipt(open.ledger.state(), session, Some(entry));
            Ok(w::SigningResult::Signed { receipt })
        });
    }
    if session.prepared.carried.is_some() {
        return seal_carried(host, session, secret);
    }
    // Beside the ledger that screens read: to unlock a key takes a while.
    let mut ledger = with_ledger(host, |open| open.ledger.another())?;
    ledger.refresh()?;
    if session.moved(ledger.state()) {
        session.compose(host)?;
        let challenge = challenge(host, session).map_err(|refused| Error::usage(refused.message))?;
        return Ok(w::SigningResult::ShowAgain { challenge });
    }
    if let Deed::Record { blobs, .. } = &session.prepared.deed {
        for blob in blobs {
            ledger.blobs().write(blob)?;
        }
    }
    let mut secret = Some(secret);
    let entry = ledger.sign_prepared(&composed.statement, &mut |_| secret.take().ok_or_else(stale_nonce))?;
    after_record(host, session, &ledger)?;
    let receipt = with_ledger(host, |open| {
        open.ledger.refresh()?;
        Ok(receipt(open.ledger.state(), session, Some(entry)))
    })?;
    Ok(followed(host, session, receipt))
}

/// Signs what answers a carried request; the last of it is written beside the request.
fn seal_carried(host: &Host, session: &mut Session, secret: Zeroizing<String>) -> Result<w::SigningResult, Error> {
    let (Some(composed), Some(carrying)) = (&session.composed, &session.prepared.carried) else {
        return Err(stale_nonce());
    };
    // On a copy, so that an answer that could not be written was not given.
    let mut signed = carrying.clone();
    signed.entries.push(carry::seal(&mut signed.opened, &composed.statement, secret)?);
    let by = session.prepared.by.clone();
    let receipt = receipt(&signed.opened.carried.state, session, None);
    // Who accepts to be accountable answers after that.
    if !matches!(composed.statement.act, Act::EnrolAccept(_)) {
        let path = super::carried::beside(&signed.file, &by);
        durable::write_new(&path, &countersign_core::carried::write_answer(&signed.entries))?;
        let receipt = w::Receipt { carried: Some(host.register_path(path)), ..receipt };
        session.prepared.carried = Some(signed);
        return Ok(w::SigningResult::Signed { receipt });
    }
    session.prepared.deed = super::carried::answer_of(&signed.opened, &by);
    session.prepared.carried = Some(signed);
    session.prepared.act = w::ActName::Approval;
    Ok(next(host, session, receipt))
}

/// Goes on to the next signature of the same matter, where there is one.
fn followed(host: &Host, session: &mut Session, receipt: w::Receipt) -> w::SigningResult {
    let Deed::Record { command, then, .. } = &mut session.prepared.deed else {
        return w::SigningResult::Signed { receipt };
    };
    let Some(act) = then.left.pop_front() else { return w::SigningResult::Signed { receipt } };
    then.done += 1;
    session.prepared.act = super::intents::act_name(&act);
    **command = Command::Record(act);
    next(host, session, receipt)
}

/// Shows what is signed next; where a rule refuses that, what is signed stays.
fn next(host: &Host, session: &mut Session, receipt: w::Receipt) -> w::SigningResult {
    session.renewed = None;
    match session.compose(host).map_err(app_error).and_then(|()| challenge(host, session)) {
        Ok(challenge) => w::SigningResult::Next { receipt, challenge },
        Err(refused) => w::SigningResult::Signed { receipt: w::Receipt { unfinished: Some(refused), ..receipt } },
    }
}

fn challenge_acknowledgements(host: &Host, session: &Session) -> Result<Vec<w::Acknowledgement>, Error> {
    challenge(host, session)
        .map(|challenge| challenge.acknowledge)
        .map_err(|refused| Error::new(ErrorKind::Cannot, "signing", refused.message))
}

fn after_record(host: &Host, session: &Session, ledger: &Ledger) -> Result<(), Error> {
    match &session.prepared.deed {
        Deed::NewKey { .. } => people::settle_keys(ledger),
        Deed::Record { draft: Some(draft), .. } => drafts::delete(host, draft),
        _ => Ok(()),
    }
}

fn presence(host: &Host, session: &Session, secret: Zeroizing<String>) -> Result<w::SigningResult, Error> {
    let by = &session.prepared.by;
    let Deed::Presence { then } = &session.prepared.deed else { return Err(stale_nonce()) };
    let mut ledger = with_ledger(host, |open| open.ledger.another())?;
    let mut secret = Some(secret);
    let mut ask = || secret.take().ok_or_else(stale_nonce);
    match then {
        After::Unlock => {
            ledger.prove_presence(by, &mut ask)?;
            with_ledger(host, |open| {
                open.me = Some(by.clone());
                super::places::remember(host, open)
            })?;
            host.set_locked(false);
            with_ledger(host, |open| Ok(receipt(open.ledger.state(), session, None)))
                .map(|receipt| w::SigningResult::Signed { receipt })
        }
        After::Allow { command, sha256 } => {
            if crate::durable::digest(&command.script)? != *sha256 {
                return Err(Error::new(
                    ErrorKind::No,
                    "script_changed",
                    "the script is no longer the one that was shown",
                )
                .hint("look at it again; nothing was allowed"));
            }
            connectors::allow_command(&mut ledger, by, (**command).clone(), &mut |_| ask())?;
            with_ledger(host, |open| Ok(receipt(open.ledger.state(), session, None)))
                .map(|receipt| w::SigningResult::Signed { receipt })
        }
        After::Drive { release, what, resend, .. } => {
            ledger.prove_presence(by, &mut ask)?;
            let job = rollout::drive(host, release.clone(), Some(by.clone()), resend.clone(), what.clone())
                .map_err(|refused| Error::new(ErrorKind::Cannot, "dispatch", refused.message))?;
            with_ledger(host, |open| Ok(receipt(open.ledger.state(), session, None)))
                .map(|receipt| w::SigningResult::Started { receipt, job })
        }
    }
}

fn keep_secret(host: &Host, session: &Session, secret: &Zeroizing<String>) -> Result<w::SigningResult, Error> {
    let Deed::Secret { name, address, user, certificate } = &session.prepared.deed else { return Err(stale_nonce()) };
    with_ledger(host, |open| {
        connectors::add_buildbot(open.ledger.desk(), name, address, user, secret, certificate.as_deref())?;
        Ok(w::SigningResult::Signed { receipt: receipt(open.ledger.state(), session, None) })
    })
}

fn receipt(state: &State, session: &Session, entry: Option<EntryRef>) -> w::Receipt {
    let at = clock::now();
    let prepared = &session.prepared;
    let statement = session.composed.as_ref().map(|composed| &composed.statement);
    let release = shown::release_of(state, prepared, statement);
    // What follows is told as it is now that this is signed.
    let (consequence, then) = match (release, entry) {
        (Some(release), Some(_)) if matches!(prepared.deed, Deed::Answer { .. }) => {
            settled(state, release, prepared, at)
        }
        _ => (w::Consequence::None, None),
    };
    let choice = match &prepared.deed {
        Deed::Answer { choice, .. } => choice.as_ref(),
        _ => None,
    };
    let key = state.people.get(&prepared.by).and_then(|person| person.current_key());
    w::Receipt {
        act: prepared.act,
        who: person(state, &prepared.by),
        entry: entry.map(|entry| count(entry.index)),
        leaf: entry.map(|entry| entry.leaf.to_string()),
        payload_sha256: session
            .composed
            .as_ref()
            .filter(|_| entry.is_some() || prepared.carried.is_some())
            .map(|composed| composed.payload_hash().to_string()),
        root: entry.map(|_| state.head().root.to_base64()),
        time: statement.map_or(at, |statement| statement.common.time).to_string(),
        zone: clock::zone().to_string(),
        meaning: choice.map(|choice| choice.meaning.into()),
        verdict: choice.map(|choice| choice.verdict.into()),
        role: choice.map(|choice| choice.role.to_string()),
        release: release.map(|release| release.id.to_string()),
        product: product_of(prepared, release, statement),
        key_fingerprint: key.map(|key| key.key.fingerprint()),
        consequence,
        then,
        state: release.map(|release| judge::release_state(state, release, at).into()),
        unfinished: None,
        carried: None,
    }
}

fn settled(
    state: &State,
    release: &countersign_core::state::Release,
    prepared: &Prepared,
    at: Timestamp,
) -> (w::Consequence, Option<w::PersonRef>) {
    use countersign_core::policy::DispatchRule;
    if judge::release_state(state, release, at) != judge::ReleaseState::Authorized {
        return shown::consequence(state, prepared, Some(release), at);
    }
    match state.policy(&release.candidate.product).map(|policy| policy.policy.dispatch) {
        Some(DispatchRule::OnQuorum) => (w::Consequence::LastSignatureWorkerStarts, None),
        _ => {
            let then = super::inbox::manager(state, release, &prepared.by, at);
            (w::Consequence::LastSignatureManagerStarts, then)
        }
    }
}
