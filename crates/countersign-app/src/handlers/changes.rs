//! The changes a release brings: commits, tickets, authors, and what is otherwise than what is live.

use std::collections::BTreeMap;

use super::host::{Host, Open};
use super::overview::PAGE_MAX;
use super::release::find;
use super::show::{artifact, count, length, person};
use crate::changes::{ChangeList, Commit};
use crate::error::Error;
use crate::evidence::visible;
use crate::releases;
use crate::wire as w;

/// Returns a page of a release's commits, with what they come to.
///
/// # Errors
/// There is no such release, or its change list is missing or damaged.
pub fn changes(host: &Host, request: w::ChangesRequest) -> Result<w::ChangesView, w::AppError> {
    host.read(|open| {
        let release = find(open.ledger.state(), &request.release)?;
        let list = releases::change_list(&open.ledger, &release.candidate)?;
        view(open, release, &list, &request)
    })
}

pub(super) fn commit_row(commit: &Commit) -> w::CommitRow {
    let time = countersign_core::words::Timestamp::from_epoch_seconds(commit.committed_at);
    w::CommitRow {
        commit: commit.id.to_string(),
        subject: visible(&commit.subject).into(),
        author: visible(&commit.author_name).into(),
        author_email: visible(&commit.author_email).into(),
        co_authors: commit.co_authors.iter().map(|author| visible(&author.name).into()).collect(),
        time: time.map(|time| time.to_string()).unwrap_or_default(),
        tickets: commit.tickets.clone(),
        merge: commit.parents.len() > 1,
    }
}

fn view(
    open: &Open,
    release: &countersign_core::state::Release,
    list: &ChangeList,
    request: &w::ChangesRequest,
) -> Result<w::ChangesView, Error> {
    let state = open.ledger.state();
    let mut tickets: BTreeMap<&str, u32> = BTreeMap::new();
    let mut authors: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for commit in &list.commits {
        for ticket in &commit.tickets {
            *tickets.entry(ticket).or_default() += 1;
        }
        *authors.entry((&commit.author_name, &commit.author_email)).or_default() += 1;
    }
    let text = request.text.to_lowercase();
    let fits = |commit: &&Commit| {
        let said = [commit.subject.as_str(), commit.author_name.as_str(), commit.id.as_str()];
        text.is_empty()
            || said.iter().any(|said| said.to_lowercase().contains(&text))
            || commit.tickets.iter().any(|ticket| ticket.to_lowercase().contains(&text))
    };
    let found: Vec<&Commit> = list.commits.iter().filter(fits).collect();
    let (offset, limit) = (request.page.offset as usize, request.page.limit.min(PAGE_MAX) as usize);
    let live = releases::live(state, &release.candidate.product);
    let who = |email: &str, name: &str| {
        let commits = |known: &&countersign_core::state::Person| {
            known.commits_as(&email.to_lowercase()) || (email.is_empty() && known.commits_as(&name.to_lowercase()))
        };
        state.people.values().find(commits).map(|known| person(state, &known.card.principal))
    };
    Ok(w::ChangesView {
        digest: release.candidate.changes.digest.to_string(),
        repository: list.repository.clone(),
        base: list.base.as_ref().map(ToString::to_string),
        head: list.head.to_string(),
        base_is_live: list.base.as_ref() == live.map(|live| &live.commit),
        files: count(list.diff_stat.files),
        insertions: count(list.diff_stat.insertions),
        deletions: count(list.diff_stat.deletions),
        binary_files: count(list.diff_stat.binary_files),
        tickets: tickets
            .into_iter()
            .map(|(ticket, commits)| w::TicketRow { ticket: ticket.to_owned(), commits })
            .collect(),
        authors: authors
            .into_iter()
            .map(|((name, email), commits)| w::AuthorRow {
                name: visible(name).into(),
                email: visible(email).into(),
                commits,
                person: who(email, name),
            })
            .collect(),
        total: length(found.len()),
        rows: found.into_iter().skip(offset).take(limit).map(commit_row).collect(),
        against_live: against_live(release, live),
    })
}

fn against_live(
    release: &countersign_core::state::Release,
    live: Option<&countersign_core::act::LiveRelease>,
) -> Vec<w::FactChange> {
    let Some(live) = live.filter(|live| live.release != release.id) else { return Vec::new() };
    let candidate = &release.candidate;
    let mut changes = Vec::new();
    let mut differ = |name: w::FactName, before: String, after: String| {
        if before != after {
            changes.push(w::FactChange { name, before: Some(before), after: Some(after) });
        }
    };
    differ(w::FactName::Release, live.version.to_string(), candidate.version.to_string());
    differ(w::FactName::Commit, live.commit.to_string(), candidate.commit.to_string());
    let told = |artifacts: &[countersign_core::act::Artifact]| {
        let all: Vec<String> =
            artifacts.iter().map(artifact).map(|known| format!("{} sha256:{}", known.name, known.sha256)).collect();
        all.join(", ")
    };
    differ(w::FactName::Artifact, told(&live.artifacts), told(&candidate.artifacts));
    changes
}
