//! Who may do what: every deed of a person against every role, in one table.
//!
//! The rules of [`crate::admit`] ask this table and no other place; `docs/format.md` prints it, and a test tries each of
//! its cells. What else a deed asks (a second person, the state of a release, segregation) is not here.

use crate::act::closed_words;
use crate::rejection::{Code, Rejection, ensure as ensure_that};
use crate::state::Person;
use crate::words::{Slug, Timestamp, role};

closed_words!(
    /// What a person can do in a ledger: an act, or one of its changes.
    Deed {
        /// Brings a person in.
        Enrol = "enrol",
        /// Brings a device in.
        EnrolDevice = "device enrol",
        /// Ends the use of a device.
        RevokeDevice = "device revoke",
        /// Ends the use of another person's key.
        EndKey = "key revoke, lost",
        /// Gives a role.
        GrantRole = "role grant",
        /// Ends a role.
        LapseRole = "role lapse",
        /// Describes a product.
        Product = "product",
        /// Describes a target.
        Target = "target",
        /// Proposes a policy.
        Policy = "policy",
        /// Proposes a standing authorization.
        GrantAuthorization = "authorization grant",
        /// Stops a standing authorization.
        Suspend = "authorization suspend",
        /// Lets a standing authorization sign again.
        ResumeAuthorization = "authorization resume",
        /// Declares a freeze.
        DeclareFreeze = "freeze declare",
        /// Lifts a freeze.
        LiftFreeze = "freeze lift",
        /// Proposes, amends, supersedes or withdraws a release.
        Propose = "propose",
        /// Brings evidence.
        Attach = "evidence",
        /// Lets a release pass one gate.
        Waive = "waiver",
        /// Freezes the decision sheet.
        Request = "request",
        /// Opens or closes a go/no-go meeting.
        Meeting = "meeting",
        /// Answers a decision sheet, a proposed policy or a standing authorization.
        Answer = "approval",
        /// Confirms what another person did.
        Confirm = "approval (confirmation)",
        /// Stops a release, a rollout or a run.
        Stop = "hold, halt, cancel",
        /// Lets a release go on.
        Resume = "hold resume",
        /// Starts a wave or a rollback behind the go/no-go.
        Dispatch = "dispatch",
        /// Starts a delivery before the go/no-go.
        Deliver = "dispatch (before the go/no-go)",
        /// Ends a wave's bake by hand.
        Wave = "wave",
        /// Says what came of a release.
        Outcome = "outcome",
        /// Corrects an earlier entry.
        Correct = "correction",
        /// Asks for a file to be removed.
        Remove = "correction (removal)",
        /// Brings a paper record in.
        Late = "late",
        /// Looks over access, the trail or emergencies.
        Review = "review",
        /// Takes a copy out.
        Export = "export",
    }
);

/// Who may do a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Who holds one of these roles.
    Roles(&'static [&'static str]),
    /// Who holds any role.
    AnyRole,
    /// Who holds a role that the product's policy asks to sign.
    Asked,
}

impl May {
    /// Returns whether somebody who holds just this role may; `asked` says whether the policy asks it to sign.
    pub fn with(self, role: &str, asked: bool) -> bool {
        match self {
            Self::Roles(roles) => roles.contains(&role),
            Self::AnyRole => true,
            Self::Asked => asked,
        }
    }
}

const OWNER: May = May::Roles(&[role::PROCESS_OWNER]);
const MANAGER: May = May::Roles(&[role::RELEASE_MANAGER]);
const OWNER_OR_MANAGER: May = May::Roles(&[role::PROCESS_OWNER, role::RELEASE_MANAGER]);

impl Deed {
    /// Returns who may do it.
    pub fn may(self) -> May {
        match self {
            Self::Enrol | Self::EnrolDevice | Self::RevokeDevice | Self::EndKey => OWNER,
            Self::GrantRole | Self::LapseRole | Self::Product | Self::Policy => OWNER,
            Self::GrantAuthorization | Self::ResumeAuthorization => OWNER,
            Self::Target | Self::DeclareFreeze | Self::LiftFreeze => OWNER_OR_MANAGER,
            Self::Outcome | Self::Remove => OWNER_OR_MANAGER,
            Self::Propose => May::Roles(&[role::RELEASE_MANAGER, role::PRACTITIONER]),
            Self::Request | Self::Meeting | Self::Resume | Self::Dispatch | Self::Wave => MANAGER,
            Self::Review => May::Roles(&[role::PROCESS_OWNER, role::AUDITOR]),
            Self::Waive | Self::Answer => May::Asked,
            Self::Attach | Self::Confirm | Self::Stop | Self::Suspend | Self::Deliver => May::AnyRole,
            Self::Correct | Self::Late | Self::Export => May::AnyRole,
        }
    }
}

/// Refuses unless the person holds a role the deed asks for, for the product (for every product when `None`).
///
/// Where the deed asks for a role the policy names, holding some role is all that is asked here: which one is the rule of
/// the act.
pub(crate) fn ensure(person: &Person, deed: Deed, product: Option<&Slug>, at: Timestamp) -> Result<(), Rejection> {
    let who = &person.card.principal;
    match deed.may() {
        May::Roles(roles) => {
            ensure_that(roles.iter().any(|role| person.holds(role, product, at)), Code::RoleMissing, || {
                format!("{who} is not {}", roles.join(" or "))
            })
            .map_err(|rejection| rejection.hint("a process owner grants roles with `countersign person role`"))
        }
        May::AnyRole | May::Asked => {
            ensure_that(person.holds_any(at), Code::RoleMissing, || format!("{who} has no role"))
        }
    }
}

/// Returns the table as `docs/format.md` prints it.
pub fn table() -> String {
    let mut text = String::from("| act |");
    for role in role::FIXED {
        text.push_str(&format!(" {role} |"));
    }
    text.push_str(" a role the policy asks |\n|---|");
    text.push_str(&"---|".repeat(role::FIXED.len() + 1));
    text.push('\n');
    for deed in Deed::ALL {
        text.push_str(&format!("| {deed} |"));
        for role in role::FIXED {
            text.push_str(if deed.may().with(role, false) { " yes |" } else { " – |" });
        }
        text.push_str(if deed.may().with("", true) { " yes |\n" } else { " – |\n" });
    }
    text
}
