//! The rules over what is only put on record.

use super::*;
use crate::act;

pub(super) fn correction(case: &Case<'_>, body: &act::Correction) -> Result<(), Rejection> {
    case.may(Deed::Correct, None)?;
    ensure(case.state.tree.leaf_hash_at(body.entry.index) == Some(body.entry.leaf), Code::NotFound, || {
        format!("there is no {} of that hash", body.entry)
    })?;
    let Some(digest) = body.removes else { return Ok(()) };
    case.since(2, false, "the removal of a file")?;
    case.may(Deed::Remove, None)?;
    ensure(judge::names_file(case.state, body.entry, digest), Code::NotFound, || {
        format!("{} names no file {digest} that may be removed", body.entry)
    })?;
    ensure(!case.state.removals.contains_key(&digest), Code::AlreadyDone, || {
        format!("somebody has asked for {digest} to be removed already")
    })
}

pub(super) fn late(case: &Case<'_>, body: &act::Late) -> Result<(), Rejection> {
    case.may(Deed::Late, None)?;
    ensure(body.happened <= case.at, Code::Field, || "it lies in the future".into())
}

pub(super) fn export(case: &Case<'_>, body: &act::Export) -> Result<(), Rejection> {
    case.may(Deed::Export, None)?;
    let known = case.state.tree.root_at(body.size).is_some_and(|root| root.to_base64() == body.root);
    ensure(known, Code::SeenMismatch, || "the copy is of another history".into())
}

/// Attempts and refusals of one subject come at most once a minute, so that nobody can flood the ledger from a lock screen;
/// what one person was refused never keeps silent what another was.
pub(super) fn coalesced(last: Option<&Timestamp>, at: Timestamp) -> Result<(), Rejection> {
    // Either way round: a clock that once ran ahead must not silence what comes after.
    ensure(last.is_none_or(|last| at.seconds_since(*last).abs() >= 60), Code::AlreadyDone, || {
        "one was recorded within the minute".into()
    })
}
