//! One test binary for the cross-crate tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bundle;
mod domain;
mod evidence_corpus;
mod export;
mod golden;
mod keys;
mod store_contract;
mod store_faults;
mod tidy;
mod verify_tools;
