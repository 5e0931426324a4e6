//! The pure domain of Countersign: what a ledger is, byte for byte, and what its entries mean.
//!
//! Everything here is a function of its arguments, so a verdict can be derived again by anybody, anywhere, at any
//! time, and comes out the same.
//!
//! Deliberately absent: files, network, environment, processes, clocks, randomness, threads and async. Bytes and
//! times come in as arguments; keys come in unlocked; nothing is remembered between calls. `clippy.toml` beside the
//! manifest refuses the calls that would break this.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod act;
pub mod admit;
pub mod bundle;
pub mod carried;
pub mod checkpoint;
pub mod decide;
pub mod due;
pub mod entry;
pub mod evidence;
pub mod hash;
pub mod jcs;
pub mod judge;
mod matching;
pub mod merkle;
pub mod note;
pub mod permission;
pub mod policy;
pub mod proof;
pub mod recurrence;
pub mod rejection;
pub mod signers;
pub mod sshsig;
pub mod state;
pub mod verify;
pub mod words;
