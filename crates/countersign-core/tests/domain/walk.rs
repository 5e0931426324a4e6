//! The whole way of a release, once, so that every other law starts from a way that works.

use countersign_core::judge::{Outcome, ReleaseState};

use super::*;

#[test]
fn a_release_walks_from_its_proposal_to_everyone() {
    given()
        .when(propose("r1"))
        .is("r1", ReleaseState::Draft)
        .when(observe("r1", "unit.xml", countersign_core::evidence::Conclusion::Pass))
        .is("r1", ReleaseState::Collecting)
        .when(observe("r1", "scan.sarif", countersign_core::evidence::Conclusion::Pass))
        .staged("r1")
        .is("r1", ReleaseState::Staged)
        .later(3600)
        .when(freeze("r1"))
        .is("r1", ReleaseState::Ready)
        .when(go(QUINN, "r1", "qa"))
        .comes_to("r1", &Outcome::Incomplete)
        .when(go(SAM, "r1", "security"))
        .comes_to("r1", &Outcome::Go { authorization: None })
        .is("r1", ReleaseState::Authorized)
        .when(dispatch("r1", 1, "one"))
        .is("r1", ReleaseState::Dispatching)
        .ran("r1", "one", countersign_core::act::RunConclusion::Success)
        .is("r1", ReleaseState::RollingOut)
        .passed("r1", 1)
        .sent("r1", 2)
        .passed("r1", 2)
        .is("r1", ReleaseState::Live)
        .when(outcome("r1"))
        .is("r1", ReleaseState::Reviewed);
}
