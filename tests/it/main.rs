//! One test binary for the cross-crate tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(clippy::print_stdout, reason = "figures and cases are printed on purpose")]
#![allow(clippy::type_complexity, reason = "a table of cases is no interface")]

mod afterwards;
mod auditor;
mod authority;
mod buildbot;
mod bundle;
mod carried;
mod compliance;
mod decisions;
mod dispatch_faults;
mod evidence_corpus;
mod export;
mod format_document;
mod gate;
mod golden;
mod handlers;
mod harness;
mod keys;
mod local_command;
mod sample;
mod shop;
mod store_contract;
mod store_faults;
mod threat_model;
mod tidy;
mod user_guide;
mod verify_tools;
mod whole_job;
