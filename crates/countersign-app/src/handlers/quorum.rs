//! Who can still complete a sign-off, and what one more signature would leave missing.

use std::collections::BTreeSet;

use countersign_core::judge::{Feasibility, Missing};
use countersign_core::state::State;
use countersign_core::words::{Principal, ReleaseId, Slug};

use super::host::Host;
use super::show::{count, people, person, word};
use crate::error::Error;
use crate::wire as w;
use crate::{authority, clock};

/// Returns whether the quorum of a release can be completed while some are absent, and by whom; or what is missing once one
/// more person has signed GO.
///
/// # Errors
/// There is no such release, its product has no policy, or that person may not sign as that role.
pub fn quorum(host: &Host, request: w::QuorumRequest) -> Result<w::QuorumView, w::AppError> {
    host.read(|open| {
        let at = clock::now();
        let state = open.ledger.state();
        let release: ReleaseId = word(&request.release, "release")?;
        let absent =
            request.absent.iter().map(|who| word(who, "absent")).collect::<Result<BTreeSet<Principal>, Error>>()?;
        let found = match &request.with {
            Some(with) => {
                let (who, role): (Principal, Slug) = (word(&with.person, "person")?, word(&with.role, "role")?);
                authority::after_signature(state, &release, &who, &role, at)?
            }
            None => authority::feasibility(state, &release, &absent, at)?,
        };
        Ok(view(state, &found))
    })
}

fn view(state: &State, found: &Feasibility) -> w::QuorumView {
    w::QuorumView {
        missing: counts(&found.missing),
        fewest: found
            .people
            .iter()
            .map(|seat| w::Seated { person: person(state, &seat.person), role: seat.role.to_string() })
            .collect(),
        nobody_for: counts(&found.impossible),
        not_without: people(state, &found.indispensable),
    }
}

pub(super) fn counts(missing: &[Missing]) -> Vec<w::RoleCount> {
    missing.iter().map(|one| w::RoleCount { role: one.role.to_string(), count: count(one.count) }).collect()
}
