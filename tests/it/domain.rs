//! The law of the ledger, rule by rule: what is admitted, what a signature is worth, what may be deployed.
//!
//! Everything here happens in a toy ledger in virtual time; no file, no network, no clock.

mod entries;
mod given;
mod walk;

pub(crate) use given::*;
