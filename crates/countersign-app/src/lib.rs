//! The application: stores, keys, connectors, evidence readers, use cases.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attestation;
pub mod backup;
pub mod blob;
pub mod carry;
pub mod changes;
pub mod clauses;
pub mod clock;
pub mod connector;
pub mod connectors;
pub mod desk;
pub mod durable;
pub mod error;
pub mod evidence;
pub mod evidence_intake;
pub mod export;
pub mod handlers;
pub mod keyfile;
pub mod ledger;
pub mod lockout;
pub mod people;
pub mod pin;
pub mod probe;
pub mod products;
pub mod projection;
pub mod releases;
pub mod rollout;
pub mod sample;
pub mod status;
pub mod store;
pub mod trust;
pub mod verification;
pub mod wire;
pub mod worker;
