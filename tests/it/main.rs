//! One test binary for the cross-crate tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auditor;
mod buildbot;
mod bundle;
mod dispatch_faults;
mod domain;
mod evidence_corpus;
mod export;
mod format_document;
mod gate;
mod golden;
mod handlers;
mod harness;
mod keys;
mod local_command;
mod model;
mod store_contract;
mod store_faults;
mod tidy;
mod verify_tools;
mod whole_job;
