//! The rules over entries that were signed away from the ledger ([`crate::carried`]).

use super::*;
use crate::act::SeenBasis;

/// Returns whether the entry is a carried one. Under rules 1 nothing followed from that.
pub(super) fn is(statement: &Statement) -> bool {
    statement.common.rules >= 2 && statement.common.seen_basis == Some(SeenBasis::Proofs)
}

/// Returns the latest time that its signer could know of: an answer that took a day to come back does not lag.
pub(super) fn floor(state: &State, statement: &Statement) -> Option<Timestamp> {
    state.clock_floor_at(statement.common.seen.size)
}

/// What rests on the proofs of a request is an answer to its sheet, in time, or the acceptance that comes before it.
pub(super) fn check(state: &State, statement: &Statement) -> Result<(), Rejection> {
    if !is(statement) {
        return Ok(());
    }
    let sheet = match &statement.act {
        Act::EnrolAccept(_) => return Ok(()),
        Act::Approval(body) => match state.answerable(body.request) {
            Some(Answerable::Sheet(id)) => state.releases.get(id).and_then(|release| release.sheet_at(body.request)),
            Some(_) => None,
            // That nothing waits for it is said where answers are judged.
            None => return Ok(()),
        },
        _ => None,
    };
    let Some(sheet) = sheet else {
        return Err(Rejection::new(
            Code::SeenMismatch,
            "only an answer to a decision sheet, or the acceptance before it, may rest on the proofs of a request",
        )
        .hint("sign it on a desk that has the ledger"));
    };
    // Whatever time the answer claims: the ledger has gone on past the end of the sheet.
    let late = state.clock_floor.filter(|floor| *floor > sheet.body.not_after);
    match late {
        Some(floor) => Err(Rejection::new(
            Code::Expired,
            format!(
                "the sheet ran out at {}, and the ledger knows {floor}: the answer came too late",
                sheet.body.not_after
            ),
        )
        .hint("freeze a new sheet and ask again")),
        None => Ok(()),
    }
}
