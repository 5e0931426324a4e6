//! The law of the ledger, rule by rule: what is admitted, what a signature is worth, what may be deployed.
//!
//! Everything here happens in a toy ledger in virtual time; no file, no network, no clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the core has no clock and no environment; the model that runs against it has a budget and a size"
)]
#![allow(clippy::type_complexity, reason = "a table of cases is no interface")]
#![allow(clippy::print_stdout, reason = "figures and cases are printed on purpose")]

mod authorization;
mod calendar;
mod carried;
mod clock;
mod configuration;
mod deadlines;
mod emergency;
mod entries;
mod evidence;
mod given;
mod insider;
mod meeting;
mod model;
mod people;
mod permission;
mod policy;
mod quorum;
mod records;
mod release;
mod roles;
mod rollout;
mod scheduled;
mod sheet;
mod signoff;
mod staging;
mod standard;
mod verdicts;
mod walk;
mod worker;

pub(crate) use given::*;
