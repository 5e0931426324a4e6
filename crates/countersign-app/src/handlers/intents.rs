//! What a window wants done with a person's key: composed here, the rules asked at once, kept until the signing window opens.

use countersign_core::act::{
    Act, Authorization, AuthorizationChange, Charter, Condition, Correction, DispatchKind, Enrol, Freeze, FreezeChange,
    Hold, HoldChange, Key, KeyChange, KeyOrigin, Meaning, Outcome, PersonCard, Product, Propose, ProposeChange, Reauth,
    Recovery, Signer, Verdict, Waiver, Wave, Window,
};
use countersign_core::decide::Command;
use countersign_core::judge;
use countersign_core::policy::Policy;
use countersign_core::sshsig::PublicKey;
use countersign_core::state::Person;
use countersign_core::words::{EntryRef, Line, Principal, ReleaseId, Slug, Text, Timestamp};
use uuid::Uuid;

use super::host::{Host, Open, held};
use super::rollout::Drive;
use super::show::{app_error, moment, optional, refusal, window, word};
use super::signing::{After, Answered, Deed, NewKeyFor, Prepared, Then};
use super::{appointing, drafts, forms};
use crate::connectors::NewCommand;
use crate::desk::LedgerDir;
use crate::error::{Error, ErrorKind};
use crate::evidence_intake::{self, Attachment};
use crate::ledger::{Beginning, PreparedLedger};
use crate::wire as w;
use crate::{clock, people, products, releases};

/// At most so many acts are kept prepared; the oldest go.
const PREPARED_MAX: usize = 32;

/// Composes an act, asks the rules, and keeps it for the signing window. What a rule refuses is refused here.
///
/// # Errors
/// A word makes no sense, or a rule refuses.
pub fn prepare(host: &Host, request: w::Intent) -> Result<w::DraftRef, w::AppError> {
    let prepared = match request {
        w::Intent::CreateLedger { .. } => ledger_to_begin(host, request).map_err(app_error)?,
        w::Intent::AnswerCarried { sha256, principal } => {
            host.unlocked()?;
            super::carried::answer(host, &sha256, &principal).map_err(app_error)?
        }
        w::Intent::Unlock { principal } => {
            if !held(&host.0.presence).locked {
                return Err(refusal(ErrorKind::No, "already_done", "the desk is not locked", "go on"));
            }
            host.read_locked(|open| {
                let by: Principal = word(&principal, "principal")?;
                open.ledger.key_of(&by)?;
                Ok(Prepared::here(w::ActName::Unlock, by, Deed::Presence { then: After::Unlock }))
            })?
        }
        intent => {
            let draft = match &intent {
                w::Intent::Propose { draft } => Some(drafts::get(host, draft).map_err(app_error)?),
                _ => None,
            };
            host.read(|open| {
                if let Some(damage) = open.ledger.damage() {
                    return Err(damage.clone());
                }
                compose(host, open, intent, draft)
            })?
        }
    };
    let act = prepared.act;
    let draft_id = Uuid::now_v7().to_string();
    let mut kept = held(&host.0.prepared);
    // Ids grow with time, so the first one is the oldest.
    while kept.len() >= PREPARED_MAX {
        kept.pop_first();
    }
    kept.insert(draft_id.clone(), prepared);
    Ok(w::DraftRef { draft_id, act })
}

fn ledger_to_begin(host: &Host, intent: w::Intent) -> Result<Prepared, Error> {
    let w::Intent::CreateLedger {
        title,
        directory,
        name,
        principal,
        emails,
        reason,
        recovery,
        recovery_needed,
        recovery_wait_hours,
        charter,
    } = intent
    else {
        return Err(Error::usage("this begins no ledger"));
    };
    let principal: Principal = word(&principal, "principal")?;
    let beginning = Beginning {
        title: word(&title, "title")?,
        owner: Signer { name: word(&name, "name")?, principal: principal.clone() },
        emails: emails.iter().map(|email| word(email, "emails")).collect::<Result<_, _>>()?,
        reason: word(&reason, "reason")?,
        charter: Some(Charter {
            co_signed_identity: charter.identity_by_two,
            co_signed_roles: charter.roles_by_two,
            key_days: u64::from(charter.key_days),
            review_days: charter.review_days.map(u64::from),
        }),
        recovery: Recovery {
            needed: u64::from(recovery_needed),
            people: recovery.iter().map(|who| word(who, "recovery")).collect::<Result<_, _>>()?,
            wait_hours: u64::from(recovery_wait_hours),
        },
        sample: false,
        valid_until: people::usual_validity(clock::now()),
    };
    let dir = LedgerDir::at(host.picked(&directory).map_err(|error| error.in_field("directory"))?);
    let prepared = PreparedLedger::new(&host.0.options.home, &dir, beginning)?;
    prepared.statement(Reauth::Prompt)?;
    Ok(Prepared::here(w::ActName::Genesis, principal, Deed::Begin(Some(Box::new(prepared)))))
}

/// Keeps an act whose every rule has just been asked.
pub(super) fn record(open: &mut Open, act: Act, reason: &str, blobs: Vec<Vec<u8>>) -> Result<Prepared, Error> {
    command(open, Command::Record(act), reason, blobs)
}

fn command(open: &mut Open, command: Command, reason: &str, blobs: Vec<Vec<u8>>) -> Result<Prepared, Error> {
    let by = open.me()?;
    let reason: Text = word(reason, "reason")?;
    command_by(open, by, command, reason, blobs)
}

pub(super) fn command_by(
    open: &mut Open,
    by: Principal,
    command: Command,
    reason: Text,
    blobs: Vec<Vec<u8>>,
) -> Result<Prepared, Error> {
    let statement = open.ledger.prepare(&by, &command, reason.clone(), Reauth::Prompt)?;
    open.ledger.key_of(&by)?;
    let act = act_name(&statement.act);
    let deed = Deed::Record { command: Box::new(command), reason, blobs, draft: None, then: Then::default() };
    Ok(Prepared::here(act, by, deed))
}

/// Returns the act's name as windows know it.
pub(super) fn act_name(act: &Act) -> w::ActName {
    use w::ActName as N;
    match act {
        Act::Genesis(_) => N::Genesis,
        Act::Enrol(_) => N::Enrol,
        Act::EnrolAccept(_) => N::EnrolAccept,
        Act::Device(_) => N::Device,
        Act::Key(_) => N::Key,
        Act::Role(_) => N::Role,
        Act::Product(_) => N::Product,
        Act::Target(_) => N::Target,
        Act::Policy(_) => N::Policy,
        Act::Authorization(_) => N::Authorization,
        Act::Freeze(_) => N::Freeze,
        Act::Propose(_) => N::Propose,
        Act::Evidence(_) => N::Evidence,
        Act::Waiver(_) => N::Waiver,
        Act::Request(_) => N::Request,
        Act::Hold(_) => N::Hold,
        Act::Condition(_) => N::Condition,
        Act::Wave(_) => N::Wave,
        Act::Outcome(_) => N::Outcome,
        Act::Correction(_) => N::Correction,
        Act::Review(_) => N::Review,
        _ => N::Approval,
    }
}

fn compose(
    host: &Host,
    open: &mut Open,
    intent: w::Intent,
    draft: Option<w::ProposalDraft>,
) -> Result<Prepared, Error> {
    let at = clock::now();
    match intent {
        w::Intent::CreateLedger { .. } | w::Intent::Unlock { .. } => Err(Error::usage("this is prepared elsewhere")),
        w::Intent::Propose { .. } => {
            let draft = draft.ok_or_else(|| Error::not_found("there is no such draft"))?;
            propose(host, open, &draft)
        }
        w::Intent::Withdraw { release, superseded_by, reason } => {
            let id = known_release(open, &release)?;
            let change = match optional(superseded_by.as_deref(), "supersededBy")? {
                Some(by) => ProposeChange::Supersede { by },
                None => ProposeChange::Withdraw {},
            };
            record(open, Propose { change, release: id }.into(), &reason, vec![])
        }
        w::Intent::Request { form } => {
            let id: ReleaseId = word(&form.release, "release")?;
            let composed = releases::compose_request(open.ledger.state(), &id, forms::ask(&form)?)?;
            command(open, composed, &form.reason, vec![])
        }
        w::Intent::Answer { release, role } => answer(open, &release, role.as_deref(), at),
        w::Intent::Condition { release, approval, number, reason } => {
            let release = super::release::find(open.ledger.state(), &release)?;
            let answers = release.sheets.iter().flat_map(|sheet| &sheet.answers);
            let found = answers.into_iter().find(|answer| answer.entry.index == u64::from(approval));
            let found = found.ok_or_else(|| Error::not_found(format!("entry {approval} is no answer to a sheet")))?;
            let condition = u64::from(number)
                .checked_sub(1)
                .filter(|place| *place < found.conditions.len() as u64)
                .ok_or_else(|| Error::not_found(format!("that answer has no condition {number}")))?;
            let act = Condition { approval: found.entry, condition };
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Waive { release, gate, owner, expires, reason } => {
            let release = known_release(open, &release)?;
            let gate: Line = word(&gate, "gate")?;
            let checks = judge::checks(open.ledger.state(), &open.ledger.state().releases[&release], at);
            if !checks.iter().any(|check| check.gate == gate.as_str()) {
                return Err(Error::not_found(format!("{release} has no gate {gate}")).in_field("gate"));
            }
            let act = Waiver { expires: moment(&expires, "expires")?, gate, owner: word(&owner, "owner")?, release };
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Resume { release, hold, answer, reason } => {
            let id = known_release(open, &release)?;
            let hold = releases::stopping_entry(&open.ledger.state().releases[&id], u64::from(hold))?;
            let change = HoldChange::Resume { answer: optional(answer.as_deref(), "answer")?, hold };
            record(open, Hold { change, release: id }.into(), &reason, vec![])
        }
        w::Intent::WaveVerdict { release, wave, verdict, detail, reason } => {
            wave_verdict(open, &release, u64::from(wave), verdict, &detail, &reason, at)
        }
        w::Intent::Close { release, result, reason } => {
            let act = Outcome { release: known_release(open, &release)?, result: word(&result, "result")? };
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Stage { release, resend } => drive(open, &release, resend.as_deref(), Drive::Stage),
        w::Intent::Dispatch { release, resend } => drive(open, &release, resend.as_deref(), Drive::Wave),
        w::Intent::Rollback { release, resend } => drive(open, &release, resend.as_deref(), Drive::Back),
        w::Intent::AttachEvidence { release, file, name, evidence, conclusion, replaces, reason } => {
            let attachment = Attachment {
                release: word(&release, "release")?,
                file: host.picked(&file).map_err(|error| error.in_field("file"))?,
                name: optional(name.as_deref(), "name")?,
                kind: evidence.map(Into::into),
                commit: None,
                conclusion: conclusion.map(Into::into),
                replaces: replaces.map(u64::from),
            };
            let composed = evidence_intake::compose_attachment(open.ledger.state(), &attachment)?;
            record(open, composed.act.into(), &reason, vec![composed.bytes])
        }
        w::Intent::ConfirmEvidence { entry, reason } => {
            let (release, found) = evidence_intake::find(open.ledger.state(), u64::from(entry))?;
            if !found.attached() {
                return Err(Error::new(
                    ErrorKind::No,
                    "already_done",
                    "it was read from the CI system and needs nobody's word",
                ));
            }
            let (request, product) = (found.entry, release.candidate.product.clone());
            confirm(open, request, Some(&product), &reason, at)
        }
        w::Intent::ConfirmDevice { principal, reason } => {
            let principal: Principal = word(&principal, "principal")?;
            let device = open.ledger.state().devices.get(&principal);
            let request = device.map(|device| device.enrolled);
            let request = request.ok_or_else(|| Error::not_found(format!("there is no device {principal}")))?;
            confirm(open, request, None, &reason, at)
        }
        intent => administer(host, open, intent, at),
    }
}

/// What is about the ledger rather than one release.
fn administer(host: &Host, open: &mut Open, intent: w::Intent, at: Timestamp) -> Result<Prepared, Error> {
    match intent {
        w::Intent::Freeze { product, environment, span, reason } => {
            let product: Option<Slug> = optional(product.as_deref(), "product")?;
            if let Some(product) = &product {
                products::known(open.ledger.state(), product)?;
            }
            let environment = optional(environment.as_deref(), "environment")?;
            let change = FreezeChange::Declare { environment, product, recurs: None, span: window(&span)? };
            record(open, Freeze { change }.into(), &reason, vec![])
        }
        w::Intent::LiftFreeze { entry, reason } => {
            let freeze = open.ledger.state().freezes.get(&u64::from(entry)).map(|freeze| freeze.entry);
            let freeze = freeze.ok_or_else(|| Error::not_found(format!("entry {entry} is not a freeze")))?;
            record(open, Freeze { change: FreezeChange::Lift { freeze } }.into(), &reason, vec![])
        }
        w::Intent::Authorize { product, change_types, max_commits, per_day, valid, reason } => {
            let bounds = products::Bounds {
                product: word(&product, "product")?,
                change_types: change_types.into_iter().map(Into::into).collect(),
                max_commits: u64::from(max_commits),
                per_day: u64::from(per_day),
                template: None,
                valid: window(&valid)?,
            };
            let act = products::compose_grant(open.ledger.state(), bounds)?;
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::AnswerAuthorization { entry } => {
            let state = open.ledger.state();
            let found = state.authorizations.get(&u64::from(entry));
            let found =
                found.ok_or_else(|| Error::not_found(format!("entry {entry} is not a standing authorization")))?;
            let (request, product) = (found.entry, found.product.clone());
            answer_of(open, request, &product, Answered::Authorization { entry }, at)
        }
        w::Intent::SuspendAuthorization { entry, resume, reason } => {
            let authorization = products::authorization_entry(open.ledger.state(), u64::from(entry))?;
            let change = if resume {
                AuthorizationChange::Resume { authorization }
            } else {
                AuthorizationChange::Suspend { authorization }
            };
            record(open, Authorization { change }.into(), &reason, vec![])
        }
        w::Intent::SetPolicy { product, toml, reason } => {
            let product: Slug = word(&product, "product")?;
            let act = products::compose_policy(open.ledger.state(), toml).map_err(|error| error.in_field("toml"))?;
            if act.product != product {
                return Err(
                    Error::usage(format!("it is the policy of {}, not of {product}", act.product)).in_field("toml")
                );
            }
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::AnswerPolicy { product, version } => {
            let product: Slug = word(&product, "product")?;
            let request = products::proposed(open.ledger.state(), &product, Some(u64::from(version)))?.entry;
            answer_of(open, request, &product, Answered::Policy { version }, at)
        }
        w::Intent::SetProduct { product, title, path, reason } => {
            let act = Product {
                path: path.iter().map(|place| word(place, "path")).collect::<Result<_, _>>()?,
                product: word(&product, "product")?,
                title: word(&title, "title")?,
            };
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::SetTarget { form, reason } => {
            let draft = super::products::target_draft(&form)?;
            let act = products::compose_target(open.ledger.desk(), draft)?;
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Review { scope, findings, release, reason } => {
            let release = release.map(|release| known_release(open, &release)).transpose()?;
            let findings = word(&findings, "findings")?;
            let act = people::review_of_all_since(open.ledger.state(), scope.into(), findings, release);
            record(open, act.into(), &reason, vec![])
        }
        w::Intent::Correct { entry, field, old, new, reason } => {
            let act = Correction {
                removes: None,
                entry: open.ledger.entry_ref(u64::from(entry))?,
                field: word(&field, "field")?,
                new: word(&new, "new")?,
                old: word(&old, "old")?,
            };
            record(open, act.into(), &reason, vec![])
        }
        intent => appointing::compose(host, open, intent, at),
    }
}

/// What needs a key that is not made yet, or no entry at all.
pub(super) fn with_new_keys(host: &Host, open: &mut Open, intent: w::Intent, at: Timestamp) -> Result<Prepared, Error> {
    match intent {
        w::Intent::Enrol { form, reason } => {
            let valid = form.valid_until.as_deref().filter(|until| !until.is_empty());
            let card = PersonCard {
                emails: form.emails.iter().map(|email| word(email, "emails")).collect::<Result<_, _>>()?,
                key: people::stand_in_key(),
                key_origin: KeyOrigin::MadeHere,
                name: word(&form.name, "name")?,
                principal: word(&form.principal, "principal")?,
                valid_until: match valid {
                    Some(until) => moment(until, "validUntil")?,
                    None => people::usual_validity(at),
                },
            };
            let act = Enrol { identity: word(&form.identity, "identity")?, person: card };
            match &form.public_key {
                Some(file) => {
                    let path = host.picked(&file.token).map_err(|error| error.in_field("publicKey"))?;
                    let key = people::read_public_key(&path).map_err(|error| error.in_field("publicKey"))?;
                    let person = PersonCard { key, key_origin: KeyOrigin::Imported, ..act.person };
                    record(open, Enrol { person, ..act }.into(), &reason, vec![])
                }
                None => {
                    // Where it would lie is asked now, so that nobody types a passphrase for a name no file can have.
                    people::key_path(&open.ledger, &act.person.principal)?;
                    new_key(open, NewKeyFor::Enrol(Box::new(act)), &reason)
                }
            }
        }
        w::Intent::RotateKey { reason } => {
            new_key(open, NewKeyFor::Rotate { valid_until: people::usual_validity(at) }, &reason)
        }
        w::Intent::EnrolDispatcher { name, reason } => {
            let name: Option<Line> = optional(name.as_deref(), "name")?;
            people::clear_dispatcher_key(&open.ledger)?;
            let act = people::enrols(people::dispatcher_card(people::stand_in_key(), name.as_ref()));
            let trial = record(open, act.into(), &reason, vec![])?;
            let reason = word(&reason, "reason")?;
            Ok(Prepared::here(trial.act, trial.by, Deed::Dispatcher { name, reason, card: None }))
        }
        w::Intent::AddBuildbot { name, address, user, certificate } => {
            let by = open.me()?;
            let certificate = certificate
                .as_deref()
                .filter(|token| !token.is_empty())
                .map(|token| host.picked(token).map_err(|error| error.in_field("certificate")))
                .transpose()?;
            url::Url::parse(&address)
                .map_err(|error| Error::usage(format!("`{address}` is not a URL: {error}")).in_field("address"))?;
            let deed = Deed::Secret { name: word(&name, "name")?, address, user, certificate };
            Ok(Prepared::here(w::ActName::Connector, by, deed))
        }
        w::Intent::AllowCommand { form } => {
            let by = open.me()?;
            open.ledger.key_of(&by)?;
            let command = NewCommand {
                id: word(&form.id, "id")?,
                script: host.picked(&form.script).map_err(|error| error.in_field("script"))?,
                arguments: form.arguments,
                interpreter: Vec::new(),
                environment: std::collections::BTreeMap::new(),
            };
            let sha256 = crate::durable::digest(&command.script)?;
            let then = After::Allow { command: Box::new(command), sha256 };
            Ok(Prepared::here(w::ActName::Command, by, Deed::Presence { then }))
        }
        _ => Err(Error::usage("this is nothing that can be prepared")),
    }
}

fn known_release(open: &Open, id: &str) -> Result<ReleaseId, Error> {
    Ok(super::release::find(open.ledger.state(), id)?.id.clone())
}

fn propose(host: &Host, open: &mut Open, draft: &w::ProposalDraft) -> Result<Prepared, Error> {
    let (proposal, removal) = drafts::read(host, &draft.form)
        .map_err(|wrong| wrong.into_iter().next().unwrap_or_else(|| Error::usage("the form makes no sense")))?;
    let reason = draft.form.reason.clone().unwrap_or_default();
    let state = open.ledger.state();
    let (composed, amends) = match &draft.amends {
        Some(id) => (releases::compose_amendment(state, &word(id, "release")?, &proposal, removal)?, true),
        None => (releases::compose_proposal(state, &proposal, removal)?, false),
    };
    let act = if amends { composed.amendment() } else { composed.proposal(None) };
    let blobs = composed.blob()?.into_iter().collect();
    let mut prepared = record(open, act.into(), &reason, blobs)?;
    if let Deed::Record { draft: kept, .. } = &mut prepared.deed {
        *kept = Some(draft.id.clone());
    }
    Ok(prepared)
}

/// Prepares an answer to the current sheet; verdict, meaning and reason are chosen where it is signed.
fn answer(open: &mut Open, id: &str, role: Option<&str>, at: Timestamp) -> Result<Prepared, Error> {
    let release = super::release::find(open.ledger.state(), id)?;
    let request = releases::current_sheet(release)?.entry;
    let product = release.candidate.product.clone();
    let release = release.id.clone();
    let mut prepared = answer_of(open, request, &product, Answered::Sheet { release }, at)?;
    if let (Some(wanted), Deed::Answer { roles, .. }) = (role, &mut prepared.deed) {
        let wanted: Slug = word(wanted, "role")?;
        // The wanted role stands first, and is the one that is offered.
        roles.sort_by_key(|role| *role != wanted);
    }
    Ok(prepared)
}

/// Returns the roles the person holds of those that the policy asks to sign, in its order.
pub(super) fn roles_asked_of(person: &Person, policy: &Policy, product: &Slug, at: Timestamp) -> Vec<Slug> {
    let held = |role: &Slug| person.holds(role.as_str(), Some(product), at);
    policy.quorum.iter().map(|rule| rule.role.clone()).filter(held).collect()
}

fn answer_of(
    open: &mut Open,
    request: EntryRef,
    product: &Slug,
    what: Answered,
    at: Timestamp,
) -> Result<Prepared, Error> {
    let by = open.me()?;
    let state = open.ledger.state();
    let record = products::policy(state, product, None)?;
    // A release is signed by those its type of change asks for, a policy or an authorization by those of the policy itself.
    let policy = match &what {
        Answered::Sheet { release } => state.releases.get(release).and_then(|release| state.policy_of(release)),
        _ => None,
    };
    let policy = policy.unwrap_or(&record.policy);
    let person = state.people.get(&by).ok_or_else(|| Error::not_found(format!("there is no person {by}")))?;
    let roles = roles_asked_of(person, policy, product, at);
    let Some(first) = roles.first().cloned() else {
        let asked: Vec<&str> = policy.quorum.iter().map(|rule| rule.role.as_str()).collect();
        let message = format!("you hold none of the roles that are asked: {}", asked.join(", "));
        return Err(Error::new(ErrorKind::No, "role_missing", message).hint("a process owner grants roles"));
    };
    // Every rule is asked with a GO, the answer that most of them could refuse.
    let trial = super::signing::approval(request, first, Verdict::Go, Meaning::Approval, Vec::new());
    let reason = "a look ahead".parse().expect("a lawful text");
    open.ledger.prepare(&by, &Command::Record(trial.into()), reason, Reauth::Prompt)?;
    open.ledger.key_of(&by)?;
    let deed = Deed::Answer { what, request, product: product.clone(), roles, choice: None };
    Ok(Prepared::here(w::ActName::Approval, by, deed))
}

/// Prepares a second person's word for what another did.
fn confirm(
    open: &mut Open,
    request: EntryRef,
    product: Option<&Slug>,
    reason: &str,
    at: Timestamp,
) -> Result<Prepared, Error> {
    let by = open.me()?;
    let role = people::any_role(open.ledger.state(), &by, product, at)?;
    let act = super::signing::approval(request, role, Verdict::Go, Meaning::Confirmation, Vec::new());
    record(open, act.into(), reason, vec![])
}

fn wave_verdict(
    open: &mut Open,
    id: &str,
    wave: u64,
    verdict: w::WaveVerdict,
    detail: &str,
    reason: &str,
    at: Timestamp,
) -> Result<Prepared, Error> {
    let release = super::release::find(open.ledger.state(), id)?;
    let sheet = releases::current_sheet(release)?;
    let sent = release.wave_dispatch(sheet.entry, wave).and_then(|dispatch| dispatch.steps.last());
    let from = sent.map(|(_, _, time)| *time).ok_or_else(|| Error::not_found(format!("wave {wave} is not out")))?;
    // What a person says rests on no sample of theirs; those of the bake that did not say are in its own entry.
    let act = Wave {
        coverage_percent: 0,
        detail: word(detail, "detail")?,
        environment: sheet.body.environment.clone(),
        failed: 0,
        release: release.id.clone(),
        samples: 0,
        sheet: sheet.entry,
        span: Window { from, until: at.max(from) },
        verdict: verdict.into(),
        wave,
    };
    record(open, act.into(), reason, vec![])
}

/// Prepares what a person at the desk starts with their presence; the journal's entries are this machine's.
fn drive(open: &mut Open, id: &str, resend: Option<&str>, what: Drive) -> Result<Prepared, Error> {
    let by = open.me()?;
    open.ledger.key_of(&by)?;
    open.ledger.dispatcher_key()?;
    let state = open.ledger.state();
    let release = super::release::find(state, id)?;
    let product = &release.candidate.product;
    let resend: Option<Line> = optional(resend, "resend")?;
    let (environment, kind) = match what {
        Drive::Stage => (state.staging_environment(product), DispatchKind::Deploy),
        Drive::Back => (state.last_environment(product), DispatchKind::Rollback),
        _ => (state.last_environment(product), DispatchKind::Deploy),
    };
    let environment =
        environment.ok_or_else(|| Error::not_found(format!("{product} has no such environment")))?.clone();
    // What was left half way is gone on with, and asks no rule anew.
    let goes_on = judge::under_way(release).next().is_some()
        || release.sheet().is_some_and(|sheet| {
            judge::next_wave(release, sheet)
                .and_then(|wave| release.wave_dispatch(sheet.entry, wave))
                .is_some_and(|dispatch| !dispatch.open())
        });
    if !goes_on || kind == DispatchKind::Rollback && resend.is_none() {
        let request_id = Uuid::now_v7().to_string().parse().expect("an id is a lawful line");
        let command = Command::Dispatch {
            release: release.id.clone(),
            environment: environment.clone(),
            kind,
            request_id,
            by: Some(by.clone()),
            resends: resend.clone(),
        };
        open.ledger.may_as_dispatcher(&command)?;
    }
    crate::connectors::connect(&open.ledger, &release.id, &environment)?;
    let then = After::Drive { release: release.id.clone(), environment, what, resend };
    Ok(Prepared::here(w::ActName::Dispatch, by, Deed::Presence { then }))
}

fn new_key(open: &mut Open, what: NewKeyFor, reason: &str) -> Result<Prepared, Error> {
    let by = open.me()?;
    let trial = what.act(&by, people::stand_in_key());
    let checked = record(open, trial, reason, vec![])?;
    let reason = word(reason, "reason")?;
    Ok(Prepared::here(checked.act, by, Deed::NewKey { what, reason, made: None }))
}

impl NewKeyFor {
    /// Returns whose key it is.
    pub(super) fn whose(&self, by: &Principal) -> Principal {
        match self {
            Self::Enrol(act) => act.person.principal.clone(),
            Self::Rotate { .. } => by.clone(),
        }
    }

    /// Returns the act that records the key.
    pub(super) fn act(&self, by: &Principal, key: PublicKey) -> Act {
        match self {
            Self::Enrol(act) => {
                let person = PersonCard { key, ..act.person.clone() };
                Enrol { identity: act.identity.clone(), person }.into()
            }
            Self::Rotate { valid_until } => {
                let change = KeyChange::Rotate { key, key_origin: KeyOrigin::MadeHere, valid_until: *valid_until };
                Key { change, principal: by.clone() }.into()
            }
        }
    }
}
