//! One test binary for the cross-crate tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod domain;
mod evidence_corpus;
mod keys;
mod store_contract;
mod store_faults;
mod bundle;
mod golden;
mod tidy;
