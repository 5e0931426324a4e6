//! What is to be signed, as the signing window shows it: the sentence, the fields, what it rests on, what follows.

use countersign_core::act::{
    ACCOUNTABILITY_TEXT, Act, AuthorizationChange, DeviceChange, FreezeChange, HoldChange, KeyChange, ProposeChange,
};
use countersign_core::admit::Statement;
use countersign_core::hash::Digest;
use countersign_core::judge;
use countersign_core::policy::DispatchRule;
use countersign_core::state::{Answerable, Release, RoleOrigin, State};
use countersign_core::words::{Principal, Timestamp};

use super::inbox::manager;
use super::show::{count, person, span};
use super::signing::{After, Answered, Deed, Prepared};
use crate::wire as w;

/// Returns the sentence that is signed, as data.
pub(super) fn sentence(state: &State, prepared: &Prepared, statement: Option<&Statement>) -> w::Statement {
    use w::Statement as S;
    match &prepared.deed {
        Deed::Answer { what, product, choice, request, .. } => {
            let verdict = choice.as_ref().map(|choice| choice.verdict.into());
            let role = choice.as_ref().map(|choice| choice.role.to_string());
            match what {
                Answered::Sheet { release } => {
                    let found = state.releases.get(release);
                    let sheet = found.and_then(|release| release.sheet_at(*request));
                    S::Answer {
                        verdict,
                        role,
                        artifact: found.map(|release| release.artifact().name.to_string()).unwrap_or_default(),
                        environment: sheet.map(|sheet| sheet.body.environment.to_string()).unwrap_or_default(),
                        sheet: request.leaf.to_string(),
                    }
                }
                Answered::Policy { version } => {
                    S::AnswerPolicy { verdict, role, product: product.to_string(), version: *version }
                }
                Answered::Authorization { entry } => {
                    S::AnswerAuthorization { verdict, role, product: product.to_string(), entry: *entry }
                }
            }
        }
        Deed::Presence { then } => match then {
            After::Unlock => S::Unlock {},
            After::Allow { command, sha256 } => {
                S::AllowCommand { id: command.id.to_string(), sha256: sha256.to_string() }
            }
            After::Drive { release, environment, what, .. } => driven(state, release, environment, what),
        },
        Deed::Secret { name, address, .. } => S::AddConnector { name: name.to_string(), address: address.clone() },
        Deed::Dispatcher { name, .. } => {
            S::EnrolDispatcher { device: name.as_ref().map(ToString::to_string).unwrap_or_default() }
        }
        Deed::NewKey { what, .. } => {
            let stand_in = crate::people::stand_in_key();
            recorded(state, &what.act(&prepared.by, stand_in))
        }
        Deed::Begin(begun) => {
            S::Genesis { title: begun.as_ref().map(|begun| begun.beginning().title.to_string()).unwrap_or_default() }
        }
        Deed::Record { .. } => match statement {
            Some(statement) => recorded(state, &statement.act),
            None => S::Unlock {},
        },
    }
}

fn driven(
    state: &State,
    release: &countersign_core::words::ReleaseId,
    environment: &countersign_core::words::Slug,
    what: &super::rollout::Drive,
) -> w::Statement {
    use super::rollout::Drive;
    use w::Statement as S;
    let (id, environment) = (release.to_string(), environment.to_string());
    let sheet = state.releases.get(release).and_then(|release| Some((release, release.sheet()?)));
    match what {
        Drive::Stage => S::Stage { release: id, environment },
        Drive::Back => {
            let slot = sheet.and_then(|(_, sheet)| sheet.body.rollback.as_ref());
            S::Rollback { release: id, environment, to: slot.map(|slot| slot.version.to_string()).unwrap_or_default() }
        }
        Drive::Wave | Drive::Look(_) => {
            let wave = sheet.and_then(|(release, sheet)| judge::next_wave(release, sheet)).unwrap_or(1);
            let planned = sheet.and_then(|(_, sheet)| sheet.body.rollout.get(usize::try_from(wave - 1).ok()?));
            let segment = planned.map(|planned| planned.segment.to_string()).unwrap_or_default();
            S::Dispatch { release: id, environment, wave: count(wave), segment }
        }
    }
}

/// Returns the sentence of an act that is recorded as it is.
fn recorded(state: &State, act: &Act) -> w::Statement {
    use w::Statement as S;
    let who = |principal: &Principal| person(state, principal);
    let slug = |said: &Option<countersign_core::words::Slug>| said.as_ref().map(ToString::to_string);
    match act {
        Act::Genesis(body) => S::Genesis { title: body.title.to_string() },
        Act::Enrol(body) => S::Enrol {
            person: w::PersonRef { principal: body.person.principal.to_string(), name: body.person.name.to_string() },
        },
        Act::EnrolAccept(body) => {
            S::Accept { text: ACCOUNTABILITY_TEXT.to_owned(), sha256: body.accountability.to_string() }
        }
        Act::Device(body) => match &body.change {
            DeviceChange::Enrol { device } => S::EnrolDispatcher { device: device.name.to_string() },
            DeviceChange::Revoke { principal } => S::RevokeDevice { device: state.printed_name(principal) },
        },
        Act::Key(body) => match &body.change {
            KeyChange::Rotate { .. } => S::RotateKey {},
            KeyChange::Revoke {} => S::EndKey { person: who(&body.principal), lost: false },
            KeyChange::Lost {} => S::EndKey { person: who(&body.principal), lost: true },
        },
        Act::Role(body) => S::Role {
            person: who(&body.principal),
            role: body.role.to_string(),
            product: slug(&body.product),
            until: body.until.map(|until| until.to_string()),
            change: body.change.into(),
        },
        Act::Product(body) => {
            S::Product { product: body.product.to_string(), path: body.path.iter().map(ToString::to_string).collect() }
        }
        Act::Target(body) => S::Target { product: body.product.to_string(), environment: body.environment.to_string() },
        Act::Policy(body) => S::Policy {
            product: body.product.to_string(),
            version: count(body.version),
            sha256: Digest::of(body.toml.as_bytes()).to_string(),
        },
        Act::Authorization(body) => match &body.change {
            AuthorizationChange::Grant { product, environment, valid, .. } => {
                S::Authorize { product: product.to_string(), environment: environment.to_string(), valid: span(valid) }
            }
            AuthorizationChange::Suspend { authorization } => {
                S::SuspendAuthorization { entry: count(authorization.index), resume: false }
            }
            AuthorizationChange::Resume { authorization } => {
                S::SuspendAuthorization { entry: count(authorization.index), resume: true }
            }
        },
        Act::Freeze(body) => match &body.change {
            FreezeChange::Declare { environment, product, span: at, .. } => {
                S::Freeze { product: slug(product), environment: slug(environment), span: span(at) }
            }
            FreezeChange::Lift { freeze } => S::LiftFreeze { entry: count(freeze.index) },
        },
        Act::Propose(body) => match &body.change {
            ProposeChange::Candidate { candidate, .. } => {
                S::Propose { release: body.release.to_string(), commits: count(candidate.changes.commits) }
            }
            ProposeChange::Amend { .. } => S::Amend { release: body.release.to_string() },
            ProposeChange::Supersede { .. } | ProposeChange::Withdraw {} => {
                S::Withdraw { release: body.release.to_string() }
            }
        },
        Act::Evidence(body) => S::Evidence {
            release: body.release.to_string(),
            name: body.name.to_string(),
            conclusion: body.conclusion.into(),
        },
        Act::Waiver(body) => S::Waive { gate: body.gate.to_string(), expires: body.expires.to_string() },
        Act::Request(body) => S::Request {
            release: body.release.to_string(),
            environment: body.environment.to_string(),
            due: body.due.map(|due| due.to_string()),
        },
        Act::Hold(body) => {
            let (question, answer) = match &body.change {
                HoldChange::Resume { answer, hold } => {
                    let stops = state.releases.get(&body.release).map(|release| release.holds.as_slice());
                    let stop = stops.unwrap_or_default().iter().find(|stop| stop.entry == *hold);
                    let question = stop.and_then(|stop| super::show::question(&stop.change));
                    (question, answer.as_ref().map(ToString::to_string))
                }
                change => (super::show::question(change), None),
            };
            S::Resume { release: body.release.to_string(), question, answer }
        }
        Act::Condition(body) => {
            let answer = judge::release_of_approval(state, body.approval);
            let place = usize::try_from(body.condition).unwrap_or(usize::MAX);
            let condition = answer.and_then(|(_, answer)| answer.conditions.get(place));
            S::Condition { condition: condition.map(|(text, _)| text.to_string()).unwrap_or_default() }
        }
        Act::Wave(body) => S::WaveVerdict { wave: count(body.wave), verdict: body.verdict.into() },
        Act::Outcome(body) => S::Close { release: body.release.to_string(), result: body.result.to_string() },
        Act::Correction(body) => S::Correct { entry: count(body.entry.index), field: body.field.to_string() },
        Act::Review(body) => S::Review { scope: body.scope.into(), from: count(body.from), until: count(body.until) },
        Act::Approval(body) => {
            if let Some(said) = confirmed(state, body.request) {
                return said;
            }
            let what = match state.answerable(body.request) {
                Some(Answerable::Device(device)) => state.printed_name(device),
                Some(Answerable::Evidence(release)) => {
                    let found = state.releases.get(release).map(|release| release.evidence.as_slice());
                    let found = found.unwrap_or_default().iter().find(|record| record.entry == body.request);
                    found.map(|record| record.body.name.to_string()).unwrap_or_default()
                }
                _ => String::new(),
            };
            S::Confirm { what, entry: count(body.request.index) }
        }
        act => S::Confirm { what: act.name().to_owned(), entry: 0 },
    }
}

/// Returns what a second person says of somebody: their role, their identity, or that they are to own the ledger.
fn confirmed(state: &State, request: countersign_core::words::EntryRef) -> Option<w::Statement> {
    use w::Statement as S;
    let entry = count(request.index);
    match state.answerable(request)? {
        Answerable::Person(who) => Some(S::ConfirmIdentity { person: person(state, who), entry }),
        Answerable::Role(who) => {
            let record = state.people.get(who)?.roles.iter().find(|record| record.granted == request)?;
            let whose = person(state, who);
            if matches!(record.origin, RoleOrigin::Recovered { .. }) {
                return Some(S::ConfirmRecovery { person: whose, entry });
            }
            let product = record.product.as_ref().map(ToString::to_string);
            Some(S::ConfirmRole { person: whose, role: record.role.to_string(), product, entry })
        }
        _ => None,
    }
}

/// Returns the fields of the act and what else the signer says, each as it stands in the entry.
pub(super) fn lines(statement: &Statement) -> Vec<w::StatementLine> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = Vec::new();
    if let serde_json::Value::Object(fields) = statement.act.to_json() {
        lines.extend(fields.iter().map(|(field, value)| w::StatementLine { field: field.clone(), value: text(value) }));
    }
    let common = &statement.common;
    let mut line = |field: &str, value: String| lines.push(w::StatementLine { field: field.to_owned(), value });
    if let Some(reason) = &common.reason {
        line("reason", reason.to_string());
    }
    line("signer", format!("{} <{}>", common.signer.name, common.signer.principal));
    line("time", common.time.to_string());
    line("zone", common.zone.to_string());
    line("device", common.device.to_string());
    line("seen", format!("{} entries, root {}", common.seen.size, common.seen.root));
    lines
}

/// Returns the release an act is about.
pub(super) fn release_of<'a>(
    state: &'a State,
    prepared: &Prepared,
    statement: Option<&Statement>,
) -> Option<&'a Release> {
    let id = match &prepared.deed {
        Deed::Answer { what: Answered::Sheet { release }, .. } => Some(release.clone()),
        Deed::Presence { then: After::Drive { release, .. } } => Some(release.clone()),
        _ => statement.and_then(|statement| judge::release_of(state, &statement.act).cloned()),
    };
    state.releases.get(&id?)
}

/// Returns what follows once it is signed, and who acts then.
pub(super) fn consequence(
    state: &State,
    prepared: &Prepared,
    release: Option<&Release>,
    at: Timestamp,
) -> (w::Consequence, Option<w::PersonRef>) {
    use w::Consequence as C;
    match &prepared.deed {
        Deed::Answer { what: Answered::Sheet { .. }, request, choice, .. } => {
            let Some((release, sheet)) = release.and_then(|release| Some((release, release.sheet_at(*request)?)))
            else {
                return (C::None, None);
            };
            let says_go = choice.as_ref().is_none_or(|choice| choice.verdict == countersign_core::act::Verdict::Go);
            if !says_go {
                return (C::BlocksRelease, None);
            }
            let slots = judge::decision(state, release, sheet, at).slots;
            let missing: u64 = slots.iter().map(|slot| slot.needed.saturating_sub(slot.signed.len() as u64)).sum();
            let mine = slots.iter().any(|slot| !slot.full() && slot.eligible.contains(&prepared.by));
            if missing != 1 || !mine {
                return (C::OthersStillToSign, None);
            }
            let rule = state.policy(&release.candidate.product).map(|policy| policy.policy.dispatch);
            match rule {
                Some(DispatchRule::OnQuorum) => (C::LastSignatureWorkerStarts, None),
                _ => (C::LastSignatureManagerStarts, manager(state, release, &prepared.by, at)),
            }
        }
        Deed::Answer { .. } => (C::TakesEffect, None),
        Deed::Presence { then: After::Drive { what: super::rollout::Drive::Wave, .. } } => (C::NextWave, None),
        Deed::Presence { then: After::Drive { .. } } => (C::TakesEffect, None),
        _ => (C::None, None),
    }
}

/// Returns what must be acknowledged before it can be signed.
pub(super) fn acknowledgements(
    prepared: &Prepared,
    evidence: Option<&w::EvidenceSummary>,
    changed: bool,
    release: Option<&Release>,
    consequence: w::Consequence,
) -> Vec<w::Acknowledgement> {
    use w::Acknowledgement as A;
    let mut asked = Vec::new();
    match &prepared.deed {
        Deed::Answer { what: Answered::Sheet { .. }, choice: Some(choice), request, .. } => {
            use countersign_core::act::Verdict;
            if matches!(choice.verdict, Verdict::Go | Verdict::ConditionalGo) {
                if changed {
                    asked.push(A::Changed);
                }
                if evidence.is_some_and(|evidence| evidence.after_freeze > 0) {
                    asked.push(A::EvidenceAfterFreeze);
                }
                let sheet = release.and_then(|release| release.sheet_at(*request));
                if sheet.is_some_and(|sheet| !sheet.body.waivers.is_empty()) {
                    asked.push(A::Waivers);
                }
                if sheet.is_some_and(|sheet| sheet.body.rollback.is_none()) {
                    asked.push(A::NoWayBack);
                }
                if consequence == w::Consequence::LastSignatureWorkerStarts {
                    asked.push(A::StartsRollout);
                }
            }
        }
        Deed::Presence { then: After::Drive { what: super::rollout::Drive::Wave, .. } } => asked.push(A::StartsRollout),
        Deed::Record { command, .. } => {
            let ends = matches!(&**command, countersign_core::decide::Command::Record(Act::Key(_) | Act::Device(_)));
            if ends {
                asked.push(A::CannotBeUndone);
            }
        }
        _ => {}
    }
    asked
}
