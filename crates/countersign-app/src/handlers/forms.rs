//! What is prepared before it is signed: drafts, previews, and the acts themselves.

use countersign_core::act::{Asked, Reauth};
use countersign_core::decide::Command;
use countersign_core::judge;
use countersign_core::words::{ReleaseId, Text};

use super::drafts;
use super::host::{Host, Open};
use super::release::{candidate_of, find};
use super::sheet;
use super::show::{app_error, count, length, moment, optional, span, window, word};
use crate::clock;
use crate::error::Error;
use crate::releases::{self, Ask};
use crate::wire as w;

pub use super::intents::prepare;

/// Returns the proposals not yet signed.
///
/// # Errors
/// No ledger is open, or the drafts cannot be read.
pub fn drafts(host: &Host) -> Result<w::DraftList, w::AppError> {
    host.read(|_| Ok(()))?;
    drafts::list(host).map(|drafts| w::DraftList { drafts }).map_err(app_error)
}

/// Begins a draft, with what is known already.
///
/// # Errors
/// The release it amends is not there.
pub fn new_draft(host: &Host, request: w::NewDraft) -> Result<w::ProposalDraft, w::AppError> {
    let form = host.read(|open| drafts::prefilled(open.ledger.state(), request.amends.as_deref()))?;
    drafts::save(host, w::SaveDraft { id: None, amends: request.amends, form }).map_err(app_error)
}

/// Keeps a draft; nothing is checked.
///
/// # Errors
/// It cannot be written.
pub fn save_draft(host: &Host, request: w::SaveDraft) -> Result<w::ProposalDraft, w::AppError> {
    host.read(|_| Ok(()))?;
    drafts::save(host, request).map_err(app_error)
}

/// Throws a draft away.
///
/// # Errors
/// It cannot be removed.
pub fn delete_draft(host: &Host, request: w::DraftId) -> Result<w::DraftList, w::AppError> {
    host.read(|_| Ok(()))?;
    drafts::delete(host, &request.id).map_err(app_error)?;
    drafts(host)
}

fn problem(error: Error) -> w::FieldProblem {
    let field = match (error.field, error.code.as_str()) {
        (Some(field), _) => field,
        (None, "changes" | "not_from_live" | "removes_commits") => "repository",
        (None, _) if error.message.contains("artifact") => "artifacts",
        (None, _) if error.message.contains("repository") => "repository",
        (None, _) if error.message.contains("version") => "version",
        (None, _) if error.message.contains("product") => "product",
        (None, _) => "",
    };
    w::FieldProblem {
        field: field.to_owned(),
        code: error.code,
        message: error.message,
        hint: error.hint.filter(|hint| !hint.contains("--")),
    }
}

/// Reads what a draft names and asks the rules; writes nothing.
///
/// # Errors
/// There is no such draft.
pub fn check_draft(host: &Host, request: w::DraftId) -> Result<w::ProposalPreview, w::AppError> {
    let draft = drafts::get(host, &request.id).map_err(app_error)?;
    let mut preview = w::ProposalPreview {
        problems: Vec::new(),
        candidate: None,
        release: None,
        commits: Vec::new(),
        removes: Vec::new(),
        required: Vec::new(),
    };
    let read = drafts::read(host, &draft.form);
    host.read(|open| {
        let state = open.ledger.state();
        let product = draft.form.product.as_deref().and_then(|product| product.parse().ok());
        let policy = product.as_ref().and_then(|product| state.policy(product));
        let change = draft.form.change_type.into();
        preview.required = policy
            .map(|policy| policy.for_change(change).required.iter().map(|field| field.as_str().to_owned()).collect())
            .unwrap_or_default();
        let (proposal, removal) = match read {
            Ok(read) => read,
            Err(wrong) => {
                preview.problems = wrong.into_iter().map(problem).collect();
                return Ok(());
            }
        };
        // What would be gone is shown even where it is not allowed yet.
        let allowed = releases::Removal::Allowed;
        let composed = match &draft.amends {
            Some(id) => releases::compose_amendment(state, &word(id, "release")?, &proposal, allowed),
            None => releases::compose_proposal(state, &proposal, allowed),
        };
        match composed {
            Ok(composed) => {
                let row = super::changes::commit_row;
                preview.candidate = Some(candidate_of(0, &composed.candidate));
                preview.release = Some(composed.release.to_string());
                preview.removes = composed.removes.iter().take(200).map(row).collect();
                let list = composed.list.as_ref().map(|list| list.commits.as_slice()).unwrap_or_default();
                preview.commits = list.iter().take(200).map(row).collect();
                if !composed.removes.is_empty() && removal == releases::Removal::Refused {
                    let message = format!("{} commits that are live would be gone", composed.removes.len());
                    preview.problems.push(w::FieldProblem {
                        field: "allowRemoval".to_owned(),
                        code: "removes_commits".to_owned(),
                        message,
                        hint: None,
                    });
                }
                let act = if draft.amends.is_some() { composed.amendment() } else { composed.proposal(None) };
                preview.problems.extend(refused(open, &Command::Record(act.into()))?.map(problem));
            }
            Err(error) => preview.problems.push(problem(error)),
        }
        Ok(())
    })?;
    if draft.form.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        preview.problems.push(problem(Error::usage("say why it is proposed").in_field("reason")));
    }
    Ok(preview)
}

/// Asks the rules whether the person at the desk could do it; leaves no trace.
fn refused(open: &Open, command: &Command) -> Result<Option<Error>, Error> {
    let me = open.me()?;
    let reason: Text = "a look ahead".parse().expect("a lawful text");
    let composed = open.ledger.compose(&me, command, reason, Reauth::Prompt)?;
    Ok(composed.err().map(Error::from))
}

pub(super) fn ask(form: &w::RequestForm) -> Result<Ask, Error> {
    let asked = |asked: &w::AskedForm| {
        Ok::<_, Error>(Asked { person: optional(asked.person.as_deref(), "asked")?, role: word(&asked.role, "asked")? })
    };
    Ok(Ask {
        authorization: None,
        window: form.window.as_ref().map(window).transpose()?,
        asked: form.asked.iter().map(asked).collect::<Result<_, _>>()?,
        due: form.due.as_deref().filter(|due| !due.is_empty()).map(|due| moment(due, "due")).transpose()?,
        scheduled: false,
    })
}

/// Returns the sheet as it would be frozen now, and what it says otherwise than the last one.
///
/// # Errors
/// There is no such release, or a word makes no sense.
pub fn preview_request(host: &Host, request: w::RequestForm) -> Result<w::RequestPreview, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let me = open.me()?;
        let id: ReleaseId = word(&request.release, "release")?;
        let state = open.ledger.state();
        let release = find(state, &request.release)?;
        let reason: Text = "a look ahead".parse().expect("a lawful text");
        let composed = releases::compose_request(state, &id, ask(&request)?)
            .and_then(|command| Ok(open.ledger.compose(&me, &command, reason, Reauth::Prompt)??));
        let last = release.sheet();
        let stale = last.map_or(0, |sheet| {
            let answers = judge::sign_offs(state, release, sheet, at);
            answers.iter().filter(|judged| judged.carries_go()).count()
        });
        let mut preview = w::RequestPreview {
            release: id.to_string(),
            facts: Vec::new(),
            evidence: sheet::summary(release, None, at),
            since_last: Vec::new(),
            last_sheet: last.map(|sheet| count(sheet.entry.index)),
            becomes_stale: length(stale),
            quorum: sheet::seats(state, release, at),
            window: None,
            problem: None,
        };
        match composed {
            Ok(statement) => {
                if let countersign_core::act::Act::Request(body) = &statement.act {
                    let facts = releases::sheet_facts(state, release, body);
                    if let Some(last) = last {
                        let before = releases::sheet_facts(state, release, &last.body);
                        preview.since_last = sheet::changed_facts(before, facts.clone());
                    }
                    preview.facts = sheet::fact_lines(facts);
                    preview.window = Some(span(&body.window));
                }
            }
            Err(error) => preview.problem = Some(app_error(error)),
        }
        Ok(preview)
    })
}
