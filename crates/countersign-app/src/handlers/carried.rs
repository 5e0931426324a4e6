//! Sign-offs that travel: the request leaves, is opened and answered on another desk, and the answer comes in.
//!
//! What is signed on a desk without the ledger is shown and signed in the same window as everything else; only what it rests
//! on is the request, and where it goes is a file beside it.

use std::path::{Path, PathBuf};

use countersign_core::act::{Act, Meaning, Reauth, Verdict};
use countersign_core::decide::Command;
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::words::{Principal, ReleaseId, Slug};

use super::host::{Host, held};
use super::jobs::Work;
use super::show::{app_error, count, length, optional, person, word};
use super::signing::{Answered, Deed, Prepared, Then};
use super::{audit, intents, sheet};
use crate::carry::{self, Opened};
use crate::error::{Error, ErrorKind};
use crate::wire as w;
use crate::{clock, releases};

/// A request on this desk, and what was signed to it so far.
#[derive(Debug, Clone)]
pub(super) struct Carrying {
    pub(super) opened: Opened,
    /// The file it came in.
    pub(super) file: PathBuf,
    pub(super) entries: Vec<Entry>,
}

/// Writes the request of a release into a file.
///
/// # Errors
/// The path was not picked, or no sheet of the release waits.
pub fn carry_request(host: &Host, request: w::CarryRequest) -> Result<w::JobRef, w::AppError> {
    let path = host.path_of(&request.path)?;
    let (ledger, release) = host.read(|open| {
        let release: ReleaseId = word(&request.release, "release")?;
        releases::current_sheet(releases::find(open.ledger.state(), &release)?)?;
        Ok((open.ledger.another()?, release))
    })?;
    let work = Work { kind: w::JobKind::CarryRequest, release: Some(request.release), cancellable: false };
    Ok(host.start(work, move |job| Ok(audit::exported(job.host(), carry::request(&ledger, &release, &path)?))))
}

/// Brings an answer in; each entry of it is judged as any other.
///
/// # Errors
/// The path was not picked, the file is not an answer as it was signed, or a rule refuses it.
pub fn carry_import(host: &Host, request: w::CarryImport) -> Result<w::CarriedIn, w::AppError> {
    let path = host.path_of(&request.path)?;
    let entries = host.read(|open| {
        if let Some(damage) = open.ledger.damage() {
            return Err(damage.clone());
        }
        let came = carry::import(&mut open.ledger, &path)?;
        let state = open.ledger.state();
        let row = |one: carry::Imported| w::CarriedEntry {
            entry: count(one.entry.index),
            act: intents::act_name(&one.statement.act),
            who: person(state, &one.statement.common.signer.principal),
            verdict: match &one.statement.act {
                Act::Approval(body) => Some(body.verdict.into()),
                _ => None,
            },
            release: judge::release_of(state, &one.statement.act).map(ToString::to_string),
            again: one.again,
        };
        Ok(came.into_iter().map(row).collect())
    })?;
    host.tell_change();
    Ok(w::CarriedIn { entries })
}

/// Opens a request that was sent here.
///
/// # Errors
/// The path was not picked, the ledger is not known, or something about the file is not as the desk that asked made it.
pub fn carry_open(host: &Host, request: w::CarryOpen) -> Result<w::CarriedRequest, w::AppError> {
    host.unlocked()?;
    let file = host.path_of(&request.path)?;
    let fingerprint = request.fingerprint.as_deref().map(|text| text.split_whitespace().collect::<String>());
    let opened = optional::<Digest>(fingerprint.as_deref(), "fingerprint")
        .and_then(|fingerprint| carry::open(&host.0.options.home, &file, fingerprint))
        .map_err(app_error)?;
    let view = view(host, &opened, &file).map_err(app_error)?;
    *held(&host.0.carried) = Some(Carrying { opened, file, entries: Vec::new() });
    Ok(view)
}

fn view(host: &Host, opened: &Opened, file: &Path) -> Result<w::CarriedRequest, Error> {
    let (carried, at) = (&opened.carried, clock::now());
    let (state, release, frozen) = (&carried.state, carried.about(), carried.sheet());
    let body = &frozen.body;
    let mut signers = Vec::new();
    for who in carry::signers_here(opened)? {
        let roles = roles(opened, &who);
        if !roles.is_empty() {
            signers.push(w::CarriedSigner {
                person: person(state, &who),
                roles: roles.iter().map(ToString::to_string).collect(),
                accepts_first: state.people[&who].accepted.is_none(),
            });
        }
    }
    Ok(w::CarriedRequest {
        sha256: opened.digest.to_string(),
        file: host.register_path(file.to_owned()),
        fingerprint: carried.fingerprint.to_string(),
        ledger: state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default(),
        sample: state.sample(),
        entries: count(carried.head.size),
        release: release.id.to_string(),
        product: release.candidate.product.to_string(),
        version: release.candidate.version.to_string(),
        environment: body.environment.to_string(),
        change_type: release.candidate.change_type.into(),
        asked_by: person(state, &frozen.requester),
        frozen: frozen.time.to_string(),
        not_after: body.not_after.to_string(),
        expired: at > body.not_after,
        facts: sheet::fact_lines(releases::sheet_facts(state, release, body)),
        evidence: sheet::summary(release, Some(body.evidence.count), at),
        signers,
        absent: length(carried.absent.len()),
    })
}

/// Returns the roles somebody holds of those that such a change is asked to be signed in.
fn roles(opened: &Opened, who: &Principal) -> Vec<Slug> {
    let (state, release) = (&opened.carried.state, opened.carried.about());
    let (Some(policy), Some(person)) = (state.policy_of(release), state.people.get(who)) else { return Vec::new() };
    intents::roles_asked_of(person, policy, &release.candidate.product, clock::now())
}

/// Prepares the answer to the request that is open here; who has not accepted to be accountable does that first.
pub(super) fn answer(host: &Host, sha256: &str, principal: &str) -> Result<Prepared, Error> {
    let named: Digest = word(sha256, "sha256")?;
    let by: Principal = word(principal, "principal")?;
    let open = held(&host.0.carried).clone().filter(|open| open.opened.digest == named);
    let carrying = open.ok_or_else(|| {
        Error::new(ErrorKind::No, "nothing_to_sign", "this request is no longer open").hint("open its file again")
    })?;
    let opened = &carrying.opened;
    let Some(role) = roles(opened, &by).into_iter().next() else {
        return Err(Error::new(ErrorKind::No, "role_missing", format!("{by} holds none of the roles that are asked")));
    };
    let reason = "a look ahead".parse().expect("a lawful text");
    let (act, deed) = match carry::accepts_first(opened, &by)? {
        Some(acceptance) => {
            carry::compose(opened, &by, acceptance.clone(), reason, Reauth::Prompt)?;
            let command = Box::new(Command::Record(acceptance));
            let reason = super::appointing::accepting();
            let deed = Deed::Record { command, reason, blobs: Vec::new(), draft: None, then: Then::default() };
            (w::ActName::EnrolAccept, deed)
        }
        None => {
            // Every rule is asked with a GO, the answer that most of them could refuse.
            let request = opened.carried.sheet().entry;
            let trial = super::signing::approval(request, role, Verdict::Go, Meaning::Approval, Vec::new());
            carry::compose(opened, &by, trial.into(), reason, Reauth::Prompt)?;
            (w::ActName::Approval, answer_of(opened, &by))
        }
    };
    Ok(Prepared { act, by, deed, carried: Some(Box::new(carrying)) })
}

/// Returns the answer to the request; verdict, meaning and reason are chosen where it is signed.
pub(super) fn answer_of(opened: &Opened, by: &Principal) -> Deed {
    let release = opened.carried.about();
    Deed::Answer {
        what: Answered::Sheet { release: release.id.clone() },
        request: opened.carried.sheet().entry,
        product: release.candidate.product.clone(),
        roles: roles(opened, by),
        choice: None,
    }
}

/// Returns a name beside the request that nothing has yet.
pub(super) fn beside(request: &Path, who: &Principal) -> PathBuf {
    let stem = request.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = who.as_str().split('@').next().unwrap_or_default();
    let free = |number: u32| {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let path = request.with_file_name(format!("{stem}-{name}{more}.csans"));
        (!path.exists()).then_some(path)
    };
    (1..).find_map(free).expect("there are more numbers than files")
}
