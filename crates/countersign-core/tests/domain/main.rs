//! The law of the ledger, rule by rule: what is admitted, what a signature is worth, what may be deployed.
//!
//! Everything here happens in a toy ledger in virtual time; no file, no network, no clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod authorization;
mod calendar;
mod carried;
mod clock;
mod configuration;
mod emergency;
mod entries;
mod evidence;
mod given;
mod insider;
mod model;
mod people;
mod permission;
mod quorum;
mod records;
mod release;
mod roles;
mod rollout;
mod sheet;
mod signoff;
mod staging;
mod verdicts;
mod walk;
mod worker;

pub(crate) use given::*;
