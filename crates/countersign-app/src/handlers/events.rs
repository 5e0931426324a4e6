//! Entries as sentences: each entry's act as data, of which the windows' catalogue makes one sentence.

use countersign_core::act::{
    Act, AuthorizationChange, DeviceChange, FreezeChange, Grant, HoldChange, KeyChange, MeetingChange, ProposeChange,
};
use countersign_core::admit::Statement;
use countersign_core::entry::Entry;
use countersign_core::judge;
use countersign_core::state::{Answerable, State};
use countersign_core::words::Principal;

use super::show::{count, length, person, span};
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;
use crate::wire as w;

/// Returns an entry as a row of a timeline.
pub(super) fn row(ledger: &Ledger, index: u64) -> Result<w::TimelineRow, Error> {
    let leaf = ledger.leaf(index)?;
    Ok(row_of(ledger.state(), index, leaf))
}

/// Returns a leaf as a row of a timeline; one that is no entry says so.
pub(super) fn row_of(state: &State, index: u64, leaf: Vec<u8>) -> w::TimelineRow {
    let admitted = !state.findings.iter().any(|finding| finding.index == index);
    let read = Entry::parse(leaf).ok().and_then(|entry| Statement::read(&entry).ok());
    match read {
        Some(statement) => shown(state, index, &statement, admitted),
        None => w::TimelineRow {
            index: count(index),
            time: String::new(),
            zone: String::new(),
            clock_suspect: false,
            actor: w::PersonRef { principal: String::new(), name: String::new() },
            device: false,
            event: w::TimelineEvent::Other { act: "malformed".to_owned() },
            reason: None,
            release: None,
            admitted: false,
        },
    }
}

pub(super) fn shown(state: &State, index: u64, statement: &Statement, admitted: bool) -> w::TimelineRow {
    let common = &statement.common;
    let finding = state.findings.iter().find(|finding| finding.index == index);
    w::TimelineRow {
        index: count(index),
        time: common.time.to_string(),
        zone: common.zone.to_string(),
        clock_suspect: finding.is_some_and(|finding| finding.code == countersign_core::rejection::Code::ClockSuspect),
        actor: w::PersonRef { principal: common.signer.principal.to_string(), name: common.signer.name.to_string() },
        device: state.devices.contains_key(&common.signer.principal),
        event: event(state, &statement.act),
        reason: common.reason.as_ref().map(ToString::to_string),
        release: judge::release_of(state, &statement.act).map(ToString::to_string),
        admitted,
    }
}

/// Returns what an act says.
pub(super) fn event(state: &State, act: &Act) -> w::TimelineEvent {
    use w::TimelineEvent as E;
    let text = |said: &Option<countersign_core::words::Text>| said.as_ref().map(ToString::to_string);
    let slug = |said: &Option<countersign_core::words::Slug>| said.as_ref().map(ToString::to_string);
    let who = |principal: &Principal| person(state, principal);
    match act {
        Act::Genesis(body) => E::Genesis { title: body.title.to_string() },
        Act::Enrol(body) => E::Enrolled { person: who(&body.person.principal) },
        Act::EnrolAccept(_) => E::Accepted {},
        Act::Device(body) => match &body.change {
            DeviceChange::Enrol { device } => {
                E::DeviceEnrolled { device: device.name.to_string(), purpose: device.purpose.into() }
            }
            DeviceChange::Revoke { principal } => E::DeviceRevoked { device: state.printed_name(principal) },
        },
        Act::Key(body) => match body.change {
            KeyChange::Rotate { .. } => E::KeyRotated { person: who(&body.principal) },
            KeyChange::Revoke {} => E::KeyRevoked { person: who(&body.principal), lost: false },
            KeyChange::Lost {} => E::KeyRevoked { person: who(&body.principal), lost: true },
        },
        Act::Role(body) => {
            let (person, role, product) = (who(&body.principal), body.role.to_string(), slug(&body.product));
            match body.change {
                Grant::Grant | Grant::Delegate | Grant::Recover => {
                    let (until, change) = (body.until.map(|until| until.to_string()), body.change.into());
                    E::RoleGranted { person, role, product, until, change }
                }
                Grant::Lapse => E::RoleLapsed { person, role, product },
            }
        }
        Act::Product(body) => E::ProductSet { product: body.product.to_string() },
        Act::Target(body) => {
            E::TargetSet { product: body.product.to_string(), environment: body.environment.to_string() }
        }
        Act::Policy(body) => E::PolicySet { product: body.product.to_string(), version: count(body.version) },
        Act::Authorization(body) => match &body.change {
            AuthorizationChange::Grant { product, .. } => E::AuthorizationProposed { product: product.to_string() },
            AuthorizationChange::Suspend { authorization } => {
                E::AuthorizationSuspended { entry: count(authorization.index) }
            }
            AuthorizationChange::Resume { authorization } => {
                E::AuthorizationResumed { entry: count(authorization.index) }
            }
        },
        Act::Freeze(body) => match &body.change {
            FreezeChange::Declare { environment, product, span: at, .. } => {
                E::FreezeDeclared { product: slug(product), environment: slug(environment), span: span(at) }
            }
            FreezeChange::Lift { freeze } => E::FreezeLifted { entry: count(freeze.index) },
        },
        Act::Propose(body) => match &body.change {
            ProposeChange::Candidate { authorization, candidate, .. } => E::Proposed {
                version: candidate.version.to_string(),
                authorization: authorization.map(|entry| count(entry.index)),
            },
            ProposeChange::Amend { candidate } => E::Amended { version: candidate.version.to_string() },
            ProposeChange::Supersede { by } => E::SupersededBy { by: by.to_string() },
            ProposeChange::Withdraw {} => E::Withdrawn {},
        },
        Act::Evidence(body) => E::Evidence {
            name: body.name.to_string(),
            evidence: body.kind.into(),
            conclusion: body.conclusion.into(),
            attached: matches!(body.origin, countersign_core::act::EvidenceOrigin::Attached {}),
            replaces: body.replaces.map(|entry| count(entry.index)),
        },
        Act::Waiver(body) => E::Waived { gate: body.gate.to_string(), expires: body.expires.to_string() },
        Act::Stage(body) => E::Staged { environment: body.environment.to_string(), version: body.version.to_string() },
        Act::Request(body) => {
            E::Requested { environment: body.environment.to_string(), due: body.due.map(|due| due.to_string()) }
        }
        Act::Approval(body) => match state.answerable(body.request) {
            Some(Answerable::Sheet(_)) => E::Answered {
                verdict: body.verdict.into(),
                role: body.role.to_string(),
                meaning: body.meaning.into(),
                authorization: body.authorization.map(|entry| count(entry.index)),
            },
            _ => E::Confirmed {
                entry: count(body.request.index),
                verdict: body.verdict.into(),
                role: body.role.to_string(),
            },
        },
        Act::Hold(body) => match &body.change {
            HoldChange::Hold { question } => E::Held { question: text(question) },
            HoldChange::Halt {} => E::Halted {},
            HoldChange::Cancel { request_id } => E::Cancelled { request_id: request_id.to_string() },
            HoldChange::Resume { answer, hold } => E::Resumed { hold: count(hold.index), answer: text(answer) },
        },
        Act::Condition(body) => {
            E::ConditionMet { approval: count(body.approval.index), number: count(body.condition + 1) }
        }
        Act::Dispatch(body) => E::Dispatch {
            dispatch: body.kind.into(),
            state: body.state.into(),
            environment: body.environment.to_string(),
            wave: count(body.wave),
            request_id: body.request_id.to_string(),
            conclusion: body.conclusion.map(Into::into),
            detail: text(&body.detail),
        },
        Act::Lease(body) => E::LeaseTaken { until: body.until.to_string() },
        Act::Run(body) => E::Run { request_id: body.request_id.to_string(), status: body.status.into() },
        Act::Wave(body) => {
            E::Wave { wave: count(body.wave), verdict: body.verdict.into(), detail: body.detail.to_string() }
        }
        Act::Meeting(body) => match &body.change {
            MeetingChange::Open { roll, .. } => E::MeetingOpened {
                roll: roll
                    .iter()
                    .map(|seat| {
                        seat.person.as_ref().map_or_else(|| seat.role.to_string(), |who| state.printed_name(who))
                    })
                    .collect(),
            },
            MeetingChange::Close { absent, minutes, .. } => {
                E::MeetingClosed { absent: length(absent.len()), minutes: minutes.to_string() }
            }
        },
        Act::Outcome(body) => E::Closed { result: body.result.to_string() },
        Act::Announce(body) => E::Announced { audience: body.audience.to_string(), about: body.event.to_string() },
        Act::Attempt(body) => E::WrongPassphrases { person: who(&body.principal), count: count(body.count) },
        Act::Refusal(body) => E::Refused {
            act: body.act.to_string(),
            code: body.code.to_string(),
            message: body.message.to_string(),
            person: body.principal.as_ref().map(who),
        },
        Act::Correction(body) => E::Corrected { entry: count(body.entry.index), field: body.field.to_string() },
        Act::Late(body) => E::Late { record: body.record.to_string(), happened: body.happened.to_string() },
        Act::Review(body) => E::Reviewed { scope: body.scope.into(), from: count(body.from), until: count(body.until) },
        Act::Export(body) => E::Exported { release: body.release.as_ref().map(ToString::to_string) },
    }
}

/// Reads a leaf back into its entry and what it says.
pub(super) fn read(leaf: Vec<u8>, index: u64) -> Result<(Entry, Statement), Error> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Integrity, "entry_malformed", format!("entry {index} is not an entry: {why}"))
    };
    let entry = Entry::parse(leaf).map_err(|error| wrong(error.to_string()))?;
    let statement = Statement::read(&entry).map_err(|error| wrong(error.message))?;
    Ok((entry, statement))
}
